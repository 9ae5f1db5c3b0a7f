import { NO_SYMBOL, type StreamKind } from '../model/feed.js';
import { assert } from '../support/assert.js';
import { isAggregated, streamKindOf, UNKNOWN_KIND } from './stream-kind.js';

/** `peek` found a symbol that is not in the index, or none at all. */
export const UNKNOWN_SYMBOL = NO_SYMBOL;
/** `peek` was given bytes that are no protobuf message. */
export const MALFORMED_FRAME = -2;

const FNV_OFFSET = 0x811c9dc5 | 0;
const FNV_PRIME = 0x01000193;

const EMPTY = -1;
const INITIAL_SLOTS = 64;

const AT = 0x40;
/**
 * Finds a symbol's id and the kind of stream from the bytes of a push, without making a string: the only thing the main thread reads of a frame.
 * An open-addressing table over FNV-1a hashes; names lie one after the other in one byte array. Main thread only.
 */
export class SymbolIndex {
  /** Of the push that was peeked at last: what it is about, UNKNOWN_KIND when its channel says nothing known. */
  kind: StreamKind | typeof UNKNOWN_KIND = UNKNOWN_KIND;
  readonly #names = new Map<number, Uint8Array>();
  #mask = INITIAL_SLOTS - 1;
  #ids = new Int32Array(INITIAL_SLOTS).fill(EMPTY);
  #hashes = new Int32Array(INITIAL_SLOTS);
  #offsets = new Int32Array(INITIAL_SLOTS);
  #lengths = new Int32Array(INITIAL_SLOTS);
  #arena = new Uint8Array(0);

  get size(): number {
    return this.#names.size;
  }

  /** `id` must be free and >= 0, and the symbol new. Rebuilds the table: cold. */
  add(symbol: string, id: number): void {
    const name = new TextEncoder().encode(symbol);
    assert(id >= 0 && !this.#names.has(id), `symbol id ${id} is in use`);
    assert(this.#find(name, 0, name.length) === UNKNOWN_SYMBOL, `symbol ${symbol} is indexed already`);
    this.#names.set(id, name);
    if (this.#names.size * 2 > this.#ids.length) this.#rebuild();
    else this.#insert(id, name);
  }

  /** Rebuilds the table, which keeps its search free of tombstones. */
  remove(id: number): void {
    assert(this.#names.delete(id), `symbol id ${id} is not indexed`);
    this.#rebuild();
  }

  /**
   * The id of the symbol the push in `bytes[start, end)` is about: from its symbol field (3), or when that is absent from its channel (field 1).
   * Returns UNKNOWN_SYMBOL or MALFORMED_FRAME otherwise. Stops when it has seen both fields; what follows is the decoder's business.
   * Hot: every frame of the process passes here. No allocation, no exceptions, fields in any order, unknown ones skipped.
   */
  peek(bytes: Uint8Array, start = 0, end = bytes.length): number {
    let channelStart = 0;
    let channelEnd = 0;
    let id = UNKNOWN_SYMBOL;
    let hasSymbol = false;
    this.kind = UNKNOWN_KIND;
    let cursor = start;
    while (cursor < end) {
      // Tag: one byte for fields 1 to 15, up to five in all.
      let byte = bytes[cursor++]!;
      let tag = byte & 0x7f;
      let shift = 7;
      while (byte >= 0x80) {
        if (cursor >= end || shift > 28) return MALFORMED_FRAME;
        byte = bytes[cursor++]!;
        tag |= (byte & 0x7f) << shift;
        shift += 7;
      }
      const wireType = tag & 7;
      const field = tag >>> 3;
      if (field === 0) return MALFORMED_FRAME;
      if (wireType === 2) {
        if (cursor >= end) return MALFORMED_FRAME;
        byte = bytes[cursor++]!;
        let length = byte & 0x7f;
        shift = 7;
        while (byte >= 0x80) {
          // 28 bits of length are far more than a message may have.
          if (cursor >= end || shift > 21) return MALFORMED_FRAME;
          byte = bytes[cursor++]!;
          length |= (byte & 0x7f) << shift;
          shift += 7;
        }
        if (length > end - cursor) return MALFORMED_FRAME;
        if (field === 3) {
          id = this.#find(bytes, cursor, cursor + length);
          if (channelEnd > 0) return id;
          hasSymbol = true;
        } else if (field === 1) {
          channelStart = cursor;
          channelEnd = cursor + length;
          this.kind = streamKindOf(bytes, channelStart, channelEnd);
          if (hasSymbol) return id;
        }
        cursor += length;
      } else if (wireType === 0) {
        const limit = cursor + 10;
        do {
          if (cursor >= end || cursor >= limit) return MALFORMED_FRAME;
          byte = bytes[cursor++]!;
        } while (byte >= 0x80);
      } else if (wireType === 1) {
        cursor += 8;
        if (cursor > end) return MALFORMED_FRAME;
      } else if (wireType === 5) {
        cursor += 4;
        if (cursor > end) return MALFORMED_FRAME;
      } else {
        return MALFORMED_FRAME;
      }
    }
    if (start === end) return MALFORMED_FRAME;
    if (hasSymbol) return id;
    return this.#findInChannel(bytes, channelStart, channelEnd);
  }

  /** The id of the symbol named by `bytes[start, end)`, or UNKNOWN_SYMBOL. */
  find(bytes: Uint8Array, start: number, end: number): number {
    return this.#find(bytes, start, end);
  }

  /** `spot@public.aggre.X@100ms@SYM`, or `spot@public.X@SYM` with or without one more part. */
  #findInChannel(bytes: Uint8Array, start: number, end: number): number {
    let separator = this.#separator(bytes, start, end);
    separator = this.#separator(bytes, separator + 1, end);
    if (isAggregated(bytes, start, separator)) separator = this.#separator(bytes, separator + 1, end);
    if (separator >= end) return UNKNOWN_SYMBOL;
    return this.#find(bytes, separator + 1, this.#separator(bytes, separator + 1, end));
  }

  /** Offset of the next `@` from `start` on, or `end`. */
  #separator(bytes: Uint8Array, start: number, end: number): number {
    let cursor = start;
    while (cursor < end && bytes[cursor] !== AT) cursor++;
    return cursor;
  }

  #find(bytes: Uint8Array, start: number, end: number): number {
    const length = end - start;
    const mask = this.#mask;
    const ids = this.#ids;
    const hash = hashBytes(bytes, start, end);
    for (let slot = hash & mask; ids[slot] !== EMPTY; slot = (slot + 1) & mask) {
      if (this.#hashes[slot] !== hash || this.#lengths[slot] !== length) continue;
      const arena = this.#arena;
      const offset = this.#offsets[slot]!;
      let i = 0;
      while (i < length && arena[offset + i] === bytes[start + i]) i++;
      if (i === length) return ids[slot]!;
    }
    return UNKNOWN_SYMBOL;
  }

  #insert(id: number, name: Uint8Array): void {
    const offset = this.#arena.length;
    const arena = new Uint8Array(offset + name.length);
    arena.set(this.#arena);
    arena.set(name, offset);
    this.#arena = arena;
    this.#place(id, name, offset);
  }

  #place(id: number, name: Uint8Array, offset: number): void {
    const hash = hashBytes(name, 0, name.length);
    let slot = hash & this.#mask;
    while (this.#ids[slot] !== EMPTY) slot = (slot + 1) & this.#mask;
    this.#ids[slot] = id;
    this.#hashes[slot] = hash;
    this.#offsets[slot] = offset;
    this.#lengths[slot] = name.length;
  }

  #rebuild(): void {
    let slots = INITIAL_SLOTS;
    // At most a quarter full after a rebuild, at most half full ever.
    while (slots < this.#names.size * 4) slots *= 2;
    this.#mask = slots - 1;
    this.#ids = new Int32Array(slots).fill(EMPTY);
    this.#hashes = new Int32Array(slots);
    this.#offsets = new Int32Array(slots);
    this.#lengths = new Int32Array(slots);
    const names = [...this.#names];
    this.#arena = new Uint8Array(names.reduce((sum, [, name]) => sum + name.length, 0));
    let offset = 0;
    for (const [id, name] of names) {
      this.#arena.set(name, offset);
      this.#place(id, name, offset);
      offset += name.length;
    }
  }
}

function hashBytes(bytes: Uint8Array, start: number, end: number): number {
  let hash = FNV_OFFSET;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, FNV_PRIME);
  // The low bits pick the slot; fold the better mixed high ones into them.
  return hash ^ (hash >>> 15);
}
