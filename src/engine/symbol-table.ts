import type { ListedSymbol, TrackedSymbol } from '../model/symbol.js';
import { shardOf } from '../shard/assignment.js';
import { CodedError, ErrorCode } from '../support/errors.js';

/** Which symbols are tracked, and where their books are. Ids are used again once their symbol is no longer tracked, slots once the shard has emptied them. Main thread only. */
export class SymbolTable {
  readonly #bySymbol = new Map<string, TrackedSymbol>();
  readonly #byId: (TrackedSymbol | undefined)[] = [];
  /** Per shard, by slot. */
  readonly #bySlot: (TrackedSymbol | undefined)[][];
  readonly #freeIds: number[] = [];
  readonly #freeSlots: number[][];
  /** Slots of untracked symbols that their shard has not emptied yet. */
  readonly #closing: Set<number>[];
  readonly #slotsMax: number;
  #lastSerial = 0;

  constructor(shards: number, slotsMax: number) {
    this.#bySlot = Array.from({ length: shards }, () => []);
    this.#freeSlots = Array.from({ length: shards }, () => []);
    this.#closing = Array.from({ length: shards }, () => new Set());
    this.#slotsMax = slotsMax;
  }

  /** That of the newest symbol. */
  get lastSerial(): number {
    return this.#lastSerial;
  }

  get size(): number {
    return this.#bySymbol.size;
  }

  find(symbol: string): TrackedSymbol | undefined {
    return this.#bySymbol.get(symbol);
  }

  byId(id: number): TrackedSymbol | undefined {
    return this.#byId[id];
  }

  at(shard: number, slot: number): TrackedSymbol | undefined {
    return this.#bySlot[shard]![slot];
  }

  all(): Iterable<TrackedSymbol> {
    return this.#bySymbol.values();
  }

  *ofShard(shard: number): Iterable<TrackedSymbol> {
    for (const symbol of this.#bySlot[shard]!) if (symbol !== undefined) yield symbol;
  }

  /** Gives a symbol its id, shard and slot. Throws CodedError SYMBOL_CAPACITY_REACHED. */
  add(listed: ListedSymbol): TrackedSymbol {
    const shard = shardOf(listed.symbol, this.#bySlot.length);
    const slots = this.#bySlot[shard]!;
    const slot = this.#freeSlots[shard]!.pop() ?? slots.length;
    if (slot >= this.#slotsMax) {
      throw new CodedError(ErrorCode.SYMBOL_CAPACITY_REACHED, `shard ${shard} holds ${this.#slotsMax} books already`, {
        shard,
        booksMax: this.#slotsMax,
      });
    }
    const id = this.#freeIds.pop() ?? this.#byId.length;
    const tracked: TrackedSymbol = { ...listed, id, shard, slot, serial: ++this.#lastSerial };
    this.#bySymbol.set(listed.symbol, tracked);
    this.#byId[id] = tracked;
    slots[slot] = tracked;
    return tracked;
  }

  remove(symbol: TrackedSymbol): void {
    this.#bySymbol.delete(symbol.symbol);
    this.#byId[symbol.id] = undefined;
    this.#bySlot[symbol.shard]![symbol.slot] = undefined;
    this.#freeIds.push(symbol.id);
    this.#closing[symbol.shard]!.add(symbol.slot);
  }

  /** The shard has emptied a slot: another symbol may have it. Until then a reader would find the old symbol's book in it. */
  slotClosed(shard: number, slot: number): void {
    if (this.#closing[shard]!.delete(slot)) this.#freeSlots[shard]!.push(slot);
  }

  /** The shard's books were all emptied; returns the slots that were waiting for it. */
  shardEmptied(shard: number): readonly number[] {
    const slots = [...this.#closing[shard]!];
    for (const slot of slots) this.slotClosed(shard, slot);
    return slots;
  }
}
