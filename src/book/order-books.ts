import { type Arena, ArenaFullError } from '../memory/arena.js';
import { writeBegin, writeEnd } from '../memory/seqlock.js';
import { BookState, StateReason } from '../model/book-state.js';
import { POWERS_OF_TEN } from '../model/decimal.js';
import { assert } from '../support/assert.js';
import * as layout from './book-layout.js';
import { ASKS, BIDS, headerDoubles, headerInts } from './book-layout.js';
import { DeltaBuffer } from './delta-buffer.js';
import { NOTHING_PROVEN, reachOf } from './proof.js';
import { createLadders, type Ladders } from './ladder.js';
import { EVICTED, LEVELS } from './ladder-layout.js';
import { collect, first, lotsAt, NO_TICK } from './ladder-lookup.js';

// An imported constant is loaded from memory at every use; a constant of this module becomes part of the machine code.
const {
  BEST_ASK_LOTS,
  BEST_ASK_TICK,
  BEST_BID_LOTS,
  BEST_BID_TICK,
  COUNT_APPLIED,
  COUNT_INEXACT,
  COUNT_RESYNCS,
  EPOCH,
  EXCHANGE_TIME,
  EXCHANGE_VERSION,
  IN_USE,
  KNOWN_VERSION,
  PRICE_SCALE,
  PROVEN_ASKS,
  PROVEN_BIDS,
  QUANTITY_SCALE,
  REASON,
  RECEIVE_TIME,
  SEQ,
  SERIAL,
  SINCE,
  STATE,
  VERSION,
} = layout;

/** Books that take more than this together are not in a core's own cache one and all. */
const CACHED_BYTES = 2 ** 21;

/** Ladder directions: the best bid is the highest, the best ask the lowest tick. */
export const BID_DIRECTION = 1;
export const ASK_DIRECTION = -1;

/**
 * The books of one shard, in its arena, each named by its slot. Owner thread only. Every method that changes a book is one write
 * section: readers see the book before it or after it. An error that is not said to be thrown leaves the section open, so that nobody reads a book that was
 * half changed; the worker ends.
 */
export class OrderBooks {
  readonly #f64: Float64Array;
  readonly #i32: Int32Array;
  readonly #ladders: Ladders;
  readonly #arena: Arena;
  /** The book of the update before. */
  #lastSlot = -1;
  /** The update that `applyDelta` and `applySnapshot` apply: decoders put it here. */
  readonly delta = new DeltaBuffer();

  constructor(arena: Arena) {
    this.#arena = arena;
    this.#f64 = arena.f64;
    this.#i32 = arena.i32;
    this.#ladders = createLadders(arena, this.delta);
  }

  /**
   * Puts a slot to use for a symbol, empty and `syncing`; `serial` names this use of the slot. Its epoch goes on from the highest of the
   * shard. Throws ArenaFullError.
   */
  open(slot: number, priceScale: number, quantityScale: number, timeMs: number, serial = 0): void {
    const ints = headerInts(slot);
    const i32 = this.#i32;
    writeBegin(i32, ints + VERSION);
    i32[ints + PRICE_SCALE] = priceScale;
    i32[ints + QUANTITY_SCALE] = quantityScale;
    i32[ints + EPOCH] = this.#arena.highestEpoch();
    // A slot in use was emptied under a worker that died: its counters go on too.
    const again = i32[ints + IN_USE] === 1;
    i32[ints + IN_USE] = 1;
    i32[ints + SERIAL] = serial;
    const doubles = headerDoubles(slot);
    if (!again) {
      this.#f64.fill(0, doubles + COUNT_APPLIED, doubles + COUNT_APPLIED + 7);
      this.#f64[doubles + KNOWN_VERSION] = 0;
      i32[ints + BIDS + EVICTED] = 0;
      i32[ints + ASKS + EVICTED] = 0;
    }
    this.#enter(slot, BookState.SYNCING, again ? StateReason.WORKER_LOST : StateReason.START, timeMs);
    try {
      this.#clear(slot);
    } catch (error) {
      this.#giveUp(slot, error, timeMs);
    }
    writeEnd(i32, ints + VERSION);
  }

  /** Frees a slot and its memory. */
  close(slot: number): void {
    const ints = headerInts(slot);
    writeBegin(this.#i32, ints + VERSION);
    // Nothing of this symbol may be read under the name of the next one.
    this.#drop(slot);
    this.#f64[headerDoubles(slot) + EXCHANGE_VERSION] = 0;
    this.#i32[ints + IN_USE] = 0;
    this.#i32[ints + STATE] = BookState.SYNCING;
    writeEnd(this.#i32, ints + VERSION);
  }

  /** The exchange has reached `version`, whatever the book holds. */
  raiseKnown(slot: number, version: number): void {
    const double = headerDoubles(slot) + KNOWN_VERSION;
    if (version > this.#f64[double]!) this.#f64[double] = version;
  }

  /** The book holds all that is known, or the exchange counts anew. */
  forgetKnown(slot: number): void {
    this.#f64[headerDoubles(slot) + KNOWN_VERSION] = 0;
  }

  isOpen(slot: number): boolean {
    return this.#i32[headerInts(slot) + IN_USE] === 1;
  }

  state(slot: number): BookState {
    return this.#i32[headerInts(slot) + STATE]! as BookState;
  }

  reason(slot: number): StateReason {
    return this.#i32[headerInts(slot) + REASON]! as StateReason;
  }

  epoch(slot: number): number {
    return this.#i32[headerInts(slot) + EPOCH]!;
  }

  priceScale(slot: number): number {
    return this.#i32[headerInts(slot) + PRICE_SCALE]!;
  }

  quantityScale(slot: number): number {
    return this.#i32[headerInts(slot) + QUANTITY_SCALE]!;
  }

  seq(slot: number): number {
    return this.#f64[headerDoubles(slot) + SEQ]!;
  }

  /** The exchange's version of the book. */
  version(slot: number): number {
    return this.#f64[headerDoubles(slot) + EXCHANGE_VERSION]!;
  }

  exchangeTimeMs(slot: number): number {
    return this.#f64[headerDoubles(slot) + EXCHANGE_TIME]!;
  }

  receiveTimeMs(slot: number): number {
    return this.#f64[headerDoubles(slot) + RECEIVE_TIME]!;
  }

  /** One of the header's doubles, by its offset in `book-layout.ts`. */
  field(slot: number, offset: number): number {
    return this.#f64[headerDoubles(slot) + offset]!;
  }

  /** Adds one to a counter of the header. */
  count(slot: number, counter: number): void {
    const index = headerDoubles(slot) + counter;
    this.#f64[index] = this.#f64[index]! + 1;
  }

  setState(slot: number, state: BookState, reason: StateReason, timeMs: number): void {
    const version = headerInts(slot) + VERSION;
    writeBegin(this.#i32, version);
    this.#enter(slot, state, reason, timeMs);
    writeEnd(this.#i32, version);
  }

  /**
   * Applies `delta` to the levels. Returns false when it leaves the book crossed (best bid above best ask): the state is then
   * already `suspect`. The hot path ends here. Throws ArenaFullError, with the book `suspect` and without levels.
   */
  applyDelta(slot: number, receiveTimeMs: number): boolean {
    const f64 = this.#f64;
    const i32 = this.#i32;
    const ints = headerInts(slot);
    const doubles = headerDoubles(slot);
    assert((i32[ints + VERSION]! & 1) === 0, 'write sections do not nest');
    if (slot !== this.#lastSlot && this.#arena.usedBytes() > CACHED_BYTES) {
      this.#ladders.prefetch(ints + ASKS, this.delta.asks);
      this.#ladders.prefetch(ints + BIDS, this.delta.bids);
    }
    this.#lastSlot = slot;
    this.#ladders.setTime(receiveTimeMs);
    writeBegin(i32, ints + VERSION);
    const sound = this.#applyLevels(slot, receiveTimeMs, false);
    f64[doubles + COUNT_APPLIED] = f64[doubles + COUNT_APPLIED]! + 1;
    writeEnd(i32, ints + VERSION);
    return sound;
  }

  /**
   * Replaces the book: the levels of `delta` (its first version ignored), then the state `live` at `version` in a new epoch. `cut`: more levels
   * may lie behind the last one of each side, however few there are.
   * Returns false when the snapshot itself is crossed; the state is then `suspect`. Throws ArenaFullError, with the book `suspect` and without levels.
   */
  applySnapshot(slot: number, receiveTimeMs: number, cut = false): boolean {
    const i32 = this.#i32;
    const ints = headerInts(slot);
    writeBegin(i32, ints + VERSION);
    i32[ints + EPOCH] = i32[ints + EPOCH]! + 1;
    this.#arena.raiseEpoch(i32[ints + EPOCH]!);
    this.count(slot, COUNT_RESYNCS);
    this.#enter(slot, BookState.LIVE, StateReason.SYNCED, receiveTimeMs);
    const sound = this.#applyLevels(slot, receiveTimeMs, true);
    this.#prove(slot, reachOf(this.delta.bids, BID_DIRECTION, cut), reachOf(this.delta.asks, ASK_DIRECTION, cut));
    writeEnd(i32, ints + VERSION);
    return sound;
  }

  /** What an audit vouches for, see PROVEN_BIDS and PROVEN_ASKS. */
  prove(slot: number, bids: number, asks: number): void {
    const version = headerInts(slot) + VERSION;
    writeBegin(this.#i32, version);
    this.#prove(slot, bids, asks);
    writeEnd(this.#i32, version);
  }

  /**
   * Moves a book to scales with more decimals; levels and order stay the same, `delta` does not. The caller knows that all ticks will be below TICK_LIMIT.
   * Throws ArenaFullError, with the book `suspect` and without levels.
   */
  rescale(slot: number, priceScale: number, quantityScale: number): void {
    const i32 = this.#i32;
    const ints = headerInts(slot);
    const priceFactor = POWERS_OF_TEN[priceScale - i32[ints + PRICE_SCALE]!]!;
    const quantityFactor = POWERS_OF_TEN[quantityScale - i32[ints + QUANTITY_SCALE]!]!;
    writeBegin(i32, ints + VERSION);
    this.#prove(slot, this.field(slot, PROVEN_BIDS) * priceFactor, this.field(slot, PROVEN_ASKS) * priceFactor);
    try {
      i32[ints + PRICE_SCALE] = priceScale;
      i32[ints + QUANTITY_SCALE] = quantityScale;
      this.#rescaleSide(slot, BIDS, BID_DIRECTION, BEST_BID_TICK, priceFactor, quantityFactor);
      this.#rescaleSide(slot, ASKS, ASK_DIRECTION, BEST_ASK_TICK, priceFactor, quantityFactor);
    } catch (error) {
      this.#giveUp(slot, error, this.receiveTimeMs(slot));
    }
    writeEnd(i32, ints + VERSION);
  }

  /** Copies up to `depth` levels of a side (BIDS or ASKS), best first; returns how many. */
  collect(slot: number, side: typeof BIDS | typeof ASKS, depth: number, ticks: Float64Array, lots: Float64Array): number {
    const best = this.#f64[headerDoubles(slot) + (side === BIDS ? BEST_BID_TICK : BEST_ASK_TICK)]!;
    return collect(this.#f64, this.#i32, headerInts(slot) + side, best, side === BIDS ? -1 : 1, depth, ticks, lots);
  }

  /** Lots at a price; 0 = no such level. */
  lotsAt(slot: number, side: typeof BIDS | typeof ASKS, tick: number): number {
    return lotsAt(this.#f64, this.#i32, headerInts(slot) + side, tick);
  }

  /** The highest price of any level, as a double; 0 when there is none. */
  highestPrice(slot: number): number {
    const ints = headerInts(slot);
    const tick = Math.max(0, first(this.#i32, ints + BIDS, -1), first(this.#i32, ints + ASKS, -1));
    return tick / POWERS_OF_TEN[this.priceScale(slot)]!;
  }

  /** Levels dropped because a side was full, both sides together, since the slot was opened. */
  evictedLevels(slot: number): number {
    const ints = headerInts(slot);
    return this.#i32[ints + BIDS + EVICTED]! + this.#i32[ints + ASKS + EVICTED]!;
  }

  levels(slot: number, side: typeof BIDS | typeof ASKS): number {
    return this.#i32[headerInts(slot) + side + LEVELS]!;
  }

  /** Inside a write section: both columns into the ladders, then everything the header says of the book. */
  #applyLevels(slot: number, receiveTimeMs: number, isSnapshot: boolean): boolean {
    const { delta } = this;
    const ladders = this.#ladders;
    const f64 = this.#f64;
    const ints = headerInts(slot);
    const doubles = headerDoubles(slot);
    try {
      if (isSnapshot) {
        this.#clear(slot);
        ladders.fill(ints + ASKS, ASK_DIRECTION, doubles + BEST_ASK_TICK, delta.asks);
        ladders.fill(ints + BIDS, BID_DIRECTION, doubles + BEST_BID_TICK, delta.bids);
      } else {
        const ask = ladders.apply(ints + ASKS, ASK_DIRECTION, doubles + BEST_ASK_TICK, delta.asks);
        const bid = ladders.apply(ints + BIDS, BID_DIRECTION, doubles + BEST_BID_TICK, delta.bids);
        // Nobody vouches for a level that is not here.
        if (ask !== NO_TICK) f64[doubles + PROVEN_ASKS] = Math.min(f64[doubles + PROVEN_ASKS]!, ask - 1);
        if (bid !== NO_TICK) f64[doubles + PROVEN_BIDS] = Math.max(f64[doubles + PROVEN_BIDS]!, bid + 1);
      }
    } catch (error) {
      this.#giveUp(slot, error, receiveTimeMs);
    }
    f64[doubles + SEQ] = f64[doubles + SEQ]! + 1;
    f64[doubles + EXCHANGE_VERSION] = delta.toVersion;
    f64[doubles + EXCHANGE_TIME] = delta.exchangeTimeMs;
    f64[doubles + RECEIVE_TIME] = receiveTimeMs;
    if (delta.inexactCount > 0) f64[doubles + COUNT_INEXACT] = f64[doubles + COUNT_INEXACT]! + delta.inexactCount;
    const bid = f64[doubles + BEST_BID_TICK]!;
    const ask = f64[doubles + BEST_ASK_TICK]!;
    if (bid !== NO_TICK && ask !== NO_TICK && bid > ask) {
      this.#enter(slot, BookState.SUSPECT, StateReason.CROSSED, receiveTimeMs);
      return false;
    }
    return true;
  }

  /** Ends a write section whose book found no room: it holds nothing any more, and the next snapshot makes its ladders anew. Throws the error. */
  #giveUp(slot: number, error: unknown, timeMs: number): never {
    if (error instanceof ArenaFullError) {
      const ints = headerInts(slot);
      this.#drop(slot);
      this.#enter(slot, BookState.SUSPECT, StateReason.MEMORY_FULL, timeMs);
      writeEnd(this.#i32, ints + VERSION);
    }
    throw error;
  }

  #enter(slot: number, state: BookState, reason: StateReason, timeMs: number): void {
    const ints = headerInts(slot);
    this.#i32[ints + STATE] = state;
    this.#i32[ints + REASON] = reason;
    this.#f64[headerDoubles(slot) + SINCE] = timeMs;
  }

  #prove(slot: number, bids: number, asks: number): void {
    const doubles = headerDoubles(slot);
    this.#f64[doubles + PROVEN_BIDS] = bids;
    this.#f64[doubles + PROVEN_ASKS] = asks;
  }

  /** Frees both ladders. */
  #drop(slot: number): void {
    const ints = headerInts(slot);
    const doubles = headerDoubles(slot);
    this.#ladders.destroy(ints + BIDS);
    this.#ladders.destroy(ints + ASKS);
    this.#f64[doubles + BEST_BID_TICK] = NO_TICK;
    this.#f64[doubles + BEST_ASK_TICK] = NO_TICK;
    this.#f64[doubles + RECEIVE_TIME] = 0;
  }

  /** Empties both ladders. */
  #clear(slot: number): void {
    const ints = headerInts(slot);
    const doubles = headerDoubles(slot);
    this.#f64[doubles + BEST_BID_TICK] = NO_TICK;
    this.#f64[doubles + BEST_ASK_TICK] = NO_TICK;
    this.#f64[doubles + BEST_BID_LOTS] = 0;
    this.#f64[doubles + BEST_ASK_LOTS] = 0;
    this.#f64[doubles + EXCHANGE_VERSION] = 0;
    this.#f64[doubles + EXCHANGE_TIME] = NaN;
    this.#f64[doubles + RECEIVE_TIME] = 0;
    this.#prove(slot, NOTHING_PROVEN.bids, NOTHING_PROVEN.asks);
    for (const side of [BIDS, ASKS]) {
      this.#ladders.destroy(ints + side);
      this.#ladders.create(ints + side);
    }
  }

  #rescaleSide(
    slot: number,
    side: typeof BIDS | typeof ASKS,
    direction: number,
    bestField: number,
    priceFactor: number,
    quantityFactor: number,
  ): void {
    const count = this.levels(slot, side);
    const columns = side === BIDS ? this.delta.bids : this.delta.asks;
    const { ticks, lots } = columns;
    columns.count = this.collect(slot, side, count, ticks, lots);
    for (let i = 0; i < count; i++) {
      ticks[i] = ticks[i]! * priceFactor;
      lots[i] = lots[i]! * quantityFactor;
    }
    const ladder = headerInts(slot) + side;
    this.#ladders.destroy(ladder);
    this.#ladders.create(ladder);
    const best = headerDoubles(slot) + bestField;
    this.#f64[best] = NO_TICK;
    this.#f64[best + 1] = 0;
    this.#ladders.fill(ladder, direction, best, columns);
  }
}
