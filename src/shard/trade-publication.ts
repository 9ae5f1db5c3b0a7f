import { Format, MessageKind, type PublicationSpec } from '../model/publication.js';
import { MARK_HOLE, TAPE_EPOCH, TAPE_FIRST_ID, TAPE_NEXT_ID } from '../tape/tape-layout.js';
import type { Tapes } from '../tape/tapes.js';
import { JsonTradeEncoder } from './json-trade-encoder.js';
import { ProtoTradeEncoder } from './proto-trade-encoder.js';
import type { Emit, EmitTrades, Publication, PublicationParts, SnapshotReason } from './publication.js';
import type { TradeEncoder } from './trade-encoder.js';

/** Trades a new subscriber begins with. */
const RECENT = 100;

/**
 * The channel `trade`: a snapshot of the newest trades, then every trade, `prev` and `seq` being ids; a message of its own where some are
 * missing. What finds no room in the ring is sent later, from the tape: trades are lost to a subscriber only when the tape has lost them too.
 */
export class TradePublication implements Publication {
  readonly id: number;
  readonly spec: PublicationSpec;
  readonly #slot: number;
  readonly #tapes: Tapes;
  readonly #encoder: TradeEncoder;
  readonly #emit: Emit;
  readonly #emitTrades: EmitTrades;
  /** Id of the last trade that was sent; -1 = no snapshot was. */
  #lastId = -1;
  /** The epoch that trade belongs to. */
  #epoch = 0;
  /** The state that was said last. */
  #state = -1;
  /** The first trade behind a hole that was told already. */
  #holeTold = 0;

  constructor(id: number, spec: PublicationSpec, parts: PublicationParts) {
    this.id = id;
    this.spec = spec;
    this.#slot = parts.slot;
    this.#tapes = parts.tapes;
    this.#encoder = tradeEncoder(spec, parts);
    this.#emit = parts.emit;
    this.#emitTrades = parts.emitTrades;
  }

  updated(): void {}

  tickerChanged(): void {}

  tapeChanged(): void {
    this.#catchUp();
  }

  tick(): void {
    this.#catchUp();
  }

  retryState(): void {
    this.#catchUp();
  }

  /** What happens to the book does not matter here. */
  restarted(): void {
    this.#catchUp();
  }

  stateChanged(): void {
    this.#catchUp();
  }

  snapshotFor(token: number, reason: SnapshotReason): boolean {
    // The others first, so that the same message follows for all.
    return this.#catchUp() && this.#emit(this.id, MessageKind.SNAPSHOT_FOR, token, this.#snapshot(reason));
  }

  /** Sends what the tape has and the subscribers do not; false when there was no room for all of it. */
  #catchUp(): boolean {
    if (this.#lastId < 0) return this.#begin();
    const tapes = this.#tapes;
    const next = tapes.field(this.#slot, TAPE_NEXT_ID);
    while (this.#lastId + 1 < next) if (!this.#sendNext(next)) return false;
    if (tapes.state(this.#slot) === this.#state) return true;
    if (!this.#emit(this.id, MessageKind.STATE, 0, this.#encoder.state(this.#epoch, this.#lastId))) return false;
    this.#state = tapes.state(this.#slot);
    return true;
  }

  #begin(): boolean {
    if (!this.#emit(this.id, MessageKind.SNAPSHOT, 0, this.#snapshot('subscribe'))) return false;
    this.#lastId = this.#tapes.field(this.#slot, TAPE_NEXT_ID) - 1;
    this.#epoch = this.#tapes.int(this.#slot, TAPE_EPOCH);
    this.#state = this.#tapes.state(this.#slot);
    return true;
  }

  #snapshot(reason: SnapshotReason): Uint8Array {
    const lastId = this.#tapes.field(this.#slot, TAPE_NEXT_ID) - 1;
    const firstId = Math.max(this.#tapes.field(this.#slot, TAPE_FIRST_ID), lastId - RECENT + 1);
    return this.#encoder.snapshot(this.#tapes.int(this.#slot, TAPE_EPOCH), firstId, lastId, reason);
  }

  /** One message: what is missing before the next trade, or the trades up to the next hole. */
  #sendNext(next: number): boolean {
    const tapes = this.#tapes;
    const slot = this.#slot;
    const firstId = this.#lastId + 1;
    const oldest = tapes.field(slot, TAPE_FIRST_ID);
    if (oldest > firstId) {
      this.#epoch = this.#epochBefore(oldest, next);
      return this.#skip(oldest - 1, oldest - firstId, null, oldest < next ? tapes.time(slot, oldest) : NaN);
    }
    if ((tapes.mark(slot, firstId) & MARK_HOLE) !== 0 && this.#holeTold !== firstId) {
      const fromMs = firstId > oldest ? tapes.time(slot, firstId - 1) : null;
      this.#epoch++;
      if (!this.#skip(this.#lastId, null, fromMs, tapes.time(slot, firstId))) {
        this.#epoch--;
        return false;
      }
      this.#holeTold = firstId;
      return true;
    }
    const end = Math.min(next, firstId + this.#encoder.tradesMax);
    let lastId = firstId;
    while (lastId + 1 < end && (tapes.mark(slot, lastId + 1) & MARK_HOLE) === 0) lastId++;
    const message = this.#encoder.trades(this.#epoch, this.#lastId, lastId);
    const fits = this.#emitTrades(this.id, message, {
      count: lastId - this.#lastId,
      epoch: this.#epoch,
      seq: lastId,
      firstMs: tapes.time(slot, firstId),
      lastMs: tapes.time(slot, lastId),
    });
    if (fits) this.#lastId = lastId;
    return fits;
  }

  /** The epoch in front of a trade: that of the tape less the holes from there on. */
  #epochBefore(id: number, next: number): number {
    let epoch = this.#tapes.int(this.#slot, TAPE_EPOCH);
    for (let behind = id; behind < next; behind++) if ((this.#tapes.mark(this.#slot, behind) & MARK_HOLE) !== 0) epoch--;
    return epoch;
  }

  #skip(lastId: number, count: number | null, fromMs: number | null, toMs: number): boolean {
    const message = this.#encoder.skipped(this.#epoch, this.#lastId, lastId, { count, fromMs, toMs });
    const fits = this.#emitTrades(this.id, message, { count: -1, epoch: this.#epoch, seq: lastId, firstMs: toMs, lastMs: fromMs ?? NaN });
    if (fits) this.#lastId = lastId;
    return fits;
  }
}

function tradeEncoder({ format }: PublicationSpec, parts: PublicationParts): TradeEncoder {
  return format === Format.JSON ? new JsonTradeEncoder(parts) : new ProtoTradeEncoder(parts);
}
