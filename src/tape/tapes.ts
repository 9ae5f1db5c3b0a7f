import { writeBegin, writeEnd } from '../memory/seqlock.js';
import { BookState } from '../model/book-state.js';
import { formatDecimal, POWERS_OF_TEN } from '../model/decimal.js';
import type { Trade } from '../model/trade.js';
import type { DealsBuffer } from './deals-buffer.js';
import {
  HEAD_HIGHEST_EPOCH,
  HEAD_HIGHEST_ID,
  MARK_HOLE,
  MARK_ID_SHIFT,
  REORDER_MS,
  TAPE_COUNT_HOLES,
  TAPE_COUNT_INEXACT,
  TAPE_EPOCH,
  TAPE_FIRST_ID,
  TAPE_HEADER_WORDS,
  TAPE_IN_USE,
  TAPE_NEXT_ID,
  TAPE_PRICE_SCALE,
  TAPE_QUANTITY_SCALE,
  TAPE_RECEIVE_TIME,
  TAPE_RESCALING,
  TAPE_SINCE,
  TAPE_STATE,
  TAPE_VERSION,
  TapeMemory,
  TRADE_ID_BYTES,
} from './tape-layout.js';

/** The tapes of a shard, for the thread that writes them. */
export class Tapes {
  readonly #memory: TapeMemory;

  constructor(buffer: SharedArrayBuffer) {
    this.#memory = new TapeMemory(buffer);
  }

  /** Trades a tape keeps. */
  get trades(): number {
    return this.#memory.trades;
  }

  /** A new tape for a symbol, or the one a lost worker left behind: its trades stay. */
  open(slot: number, priceScale: number, quantityScale: number, timeMs: number): void {
    const { i32, f64 } = this.#memory;
    const words = this.#memory.header(slot);
    const ints = 2 * words;
    const found = i32[ints + TAPE_IN_USE] === 1;
    // Odd while it changes, whatever a dead writer left.
    Atomics.store(i32, ints + TAPE_VERSION, i32[ints + TAPE_VERSION]! | 1);
    if (!found) {
      f64.fill(0, words + 1, words + TAPE_HEADER_WORDS);
      i32[ints + TAPE_EPOCH] = f64[HEAD_HIGHEST_EPOCH]! + 1;
      i32[ints + TAPE_PRICE_SCALE] = priceScale;
      i32[ints + TAPE_QUANTITY_SCALE] = quantityScale;
      i32[ints + TAPE_IN_USE] = 1;
      // A symbol tracked anew does not use an id twice.
      f64[words + TAPE_NEXT_ID] = Math.max(1, f64[HEAD_HIGHEST_ID]!);
      f64[words + TAPE_FIRST_ID] = f64[words + TAPE_NEXT_ID]!;
    }
    i32[ints + TAPE_STATE] = BookState.SYNCING;
    f64[words + TAPE_SINCE] = timeMs;
    writeEnd(i32, ints + TAPE_VERSION);
  }

  close(slot: number): void {
    closeTape(this.#memory, slot);
  }

  /** A word of the header: int32. */
  int(slot: number, offset: number): number {
    return this.#memory.i32[2 * this.#memory.header(slot) + offset]!;
  }

  /** A word of the header: double. */
  field(slot: number, offset: number): number {
    return this.#memory.f64[this.#memory.header(slot) + offset]!;
  }

  // Of a trade that is on the tape:

  time(slot: number, id: number): number {
    const { f64, trades } = this.#memory;
    return f64[this.#memory.times(slot) + (id % trades)]!;
  }

  ticks(slot: number, id: number): number {
    const { f64, trades } = this.#memory;
    return f64[this.#memory.times(slot) + trades + (id % trades)]!;
  }

  lots(slot: number, id: number): number {
    const { f64, trades } = this.#memory;
    return f64[this.#memory.times(slot) + 2 * trades + (id % trades)]!;
  }

  mark(slot: number, id: number): number {
    const { i32, trades } = this.#memory;
    return i32[this.#memory.marks(slot) + (id % trades)]!;
  }

  /** TRADE_ID_BYTES, of which the mark says how many count. */
  idBytes(slot: number, id: number): Uint8Array {
    const { u8, trades } = this.#memory;
    const start = this.#memory.ids(slot) + (id % trades) * TRADE_ID_BYTES;
    return u8.subarray(start, start + TRADE_ID_BYTES);
  }

  count(slot: number, counter: number, more = 1): void {
    this.#memory.f64[this.#memory.header(slot) + counter]! += more;
  }

  state(slot: number): BookState {
    return this.int(slot, TAPE_STATE) as BookState;
  }

  setState(slot: number, state: BookState, timeMs: number): void {
    const { i32, f64 } = this.#memory;
    const words = this.#memory.header(slot);
    writeBegin(i32, 2 * words + TAPE_VERSION);
    i32[2 * words + TAPE_STATE] = state;
    f64[words + TAPE_SINCE] = timeMs;
    writeEnd(i32, 2 * words + TAPE_VERSION);
  }

  /** Appends the trades; they get the next ids. A trade marked as behind a hole begins a new epoch. */
  append(slot: number, deals: DealsBuffer, receiveTimeMs: number): void {
    const { i32, f64, u8, trades } = this.#memory;
    const words = this.#memory.header(slot);
    const times = this.#memory.times(slot);
    const marks = this.#memory.marks(slot);
    const ids = this.#memory.ids(slot);
    let id = f64[words + TAPE_NEXT_ID]!;
    const end = id + deals.count;
    writeBegin(i32, 2 * words + TAPE_VERSION);
    // First, so that a writer that dies here leaves no overwritten trade on the tape.
    f64[words + TAPE_FIRST_ID] = Math.max(f64[words + TAPE_FIRST_ID]!, end - trades);
    for (let i = 0; i < deals.count; i++, id++) {
      const mark = deals.marks[i]!;
      if ((mark & MARK_HOLE) !== 0) {
        i32[2 * words + TAPE_EPOCH]!++;
        f64[words + TAPE_COUNT_HOLES]!++;
      }
      if (id < end - trades) continue;
      const place = id % trades;
      f64[times + place] = deals.times[i]!;
      f64[times + trades + place] = deals.ticks[i]!;
      f64[times + 2 * trades + place] = deals.lots[i]!;
      i32[marks + place] = mark;
      const source = i * TRADE_ID_BYTES;
      const target = ids + place * TRADE_ID_BYTES;
      for (let byte = 0; byte < mark >>> MARK_ID_SHIFT; byte++) u8[target + byte] = deals.ids[source + byte]!;
    }
    f64[words + TAPE_NEXT_ID] = end;
    f64[words + TAPE_RECEIVE_TIME] = receiveTimeMs;
    writeEnd(i32, 2 * words + TAPE_VERSION);
  }

  /** Time of the oldest trade of a tape that had to let older ones go; -Infinity of one that has them all. */
  fullFromMs(slot: number): number {
    const first = this.field(slot, TAPE_FIRST_ID);
    return this.field(slot, TAPE_NEXT_ID) - first < this.#memory.trades ? -Infinity : this.time(slot, first);
  }

  /** Whether trade `index` is on the tape already: the same exchange id. Those without an id are never known. */
  has(slot: number, deals: DealsBuffer, index: number): boolean {
    const { i32, f64, u8, trades } = this.#memory;
    const words = this.#memory.header(slot);
    const times = this.#memory.times(slot);
    const marks = this.#memory.marks(slot);
    const ids = this.#memory.ids(slot);
    const time = deals.times[index]!;
    const length = deals.idLength(index);
    if (length === 0) return false;
    const first = f64[words + TAPE_FIRST_ID]!;
    for (let id = f64[words + TAPE_NEXT_ID]! - 1; id >= first; id--) {
      const place = id % trades;
      // In the ordinary case the newest trade is older, and this is all.
      if (f64[times + place]! < (id === f64[words + TAPE_NEXT_ID]! - 1 ? time : time - REORDER_MS)) return false;
      if (f64[times + place] !== time || i32[marks + place]! >>> MARK_ID_SHIFT !== length) continue;
      if (f64[times + trades + place] !== deals.ticks[index] || f64[times + 2 * trades + place] !== deals.lots[index]) continue;
      let byte = 0;
      while (byte < length && u8[ids + place * TRADE_ID_BYTES + byte] === deals.ids[index * TRADE_ID_BYTES + byte]) byte++;
      if (byte === length) return true;
    }
    return false;
  }

  /**
   * Copies the newest trades of the part of the tape that has no hole into `out`, as far as others could still come between them: those of the
   * last REORDER_MS before the newest. Returns the time from which on all trades up to the newest are there.
   */
  copyTail(slot: number, out: DealsBuffer): number {
    const { i32, f64, trades } = this.#memory;
    const words = this.#memory.header(slot);
    const times = this.#memory.times(slot);
    const marks = this.#memory.marks(slot);
    const end = f64[words + TAPE_NEXT_ID]!;
    const first = f64[words + TAPE_FIRST_ID]!;
    out.count = 0;
    if (first === end) return Infinity;
    let newest = -Infinity;
    let start = end;
    let whole = true;
    do {
      start--;
      newest = Math.max(newest, f64[times + (start % trades)]!);
      whole = start > first && (i32[marks + (start % trades)]! & MARK_HOLE) === 0;
    } while (whole && f64[times + (start % trades)]! >= newest - REORDER_MS);
    for (let id = start; id < end; id++) this.#copy(slot, id % trades, out);
    // Where the part without holes begins, trades of the same millisecond may be missing.
    return whole ? newest - REORDER_MS : Math.min(newest, Math.max(newest - REORDER_MS, f64[times + (start % trades)]! + 1));
  }

  /** The trade with the highest id; `null` when the tape has none. */
  newest(slot: number): Pick<Trade, 'price' | 'quantity' | 'timestamp'> | null {
    const { f64, trades } = this.#memory;
    const words = this.#memory.header(slot);
    const next = f64[words + TAPE_NEXT_ID]!;
    if (next === f64[words + TAPE_FIRST_ID]!) return null;
    const at = this.#memory.times(slot) + ((next - 1) % trades);
    return {
      price: formatDecimal(f64[at + trades]!, this.int(slot, TAPE_PRICE_SCALE)),
      quantity: formatDecimal(f64[at + 2 * trades]!, this.int(slot, TAPE_QUANTITY_SCALE)),
      timestamp: f64[at]!,
    };
  }

  /** Moves all trades to larger scales, once a number with more decimals was seen. */
  rescale(slot: number, priceScale: number, quantityScale: number): void {
    const { i32, f64, trades } = this.#memory;
    const words = this.#memory.header(slot);
    const times = this.#memory.times(slot);
    const priceFactor = POWERS_OF_TEN[priceScale - i32[2 * words + TAPE_PRICE_SCALE]!]!;
    const quantityFactor = POWERS_OF_TEN[quantityScale - i32[2 * words + TAPE_QUANTITY_SCALE]!]!;
    writeBegin(i32, 2 * words + TAPE_VERSION);
    i32[2 * words + TAPE_RESCALING] = 1;
    for (let id = f64[words + TAPE_FIRST_ID]!; id < f64[words + TAPE_NEXT_ID]!; id++) {
      const place = id % trades;
      const ticks = f64[times + trades + place]! * priceFactor;
      const lots = f64[times + 2 * trades + place]! * quantityFactor;
      if (ticks > Number.MAX_SAFE_INTEGER || lots > Number.MAX_SAFE_INTEGER) f64[words + TAPE_COUNT_INEXACT]!++;
      f64[times + trades + place] = ticks;
      f64[times + 2 * trades + place] = lots;
    }
    i32[2 * words + TAPE_PRICE_SCALE] = priceScale;
    i32[2 * words + TAPE_QUANTITY_SCALE] = quantityScale;
    i32[2 * words + TAPE_RESCALING] = 0;
    writeEnd(i32, 2 * words + TAPE_VERSION);
  }

  #copy(slot: number, place: number, out: DealsBuffer): void {
    const { i32, f64, u8, trades } = this.#memory;
    const times = this.#memory.times(slot);
    const mark = i32[this.#memory.marks(slot) + place]!;
    const id = this.#memory.ids(slot) + place * TRADE_ID_BYTES;
    const at = out.count++;
    out.reserve(out.count);
    out.times[at] = f64[times + place]!;
    out.ticks[at] = f64[times + trades + place]!;
    out.lots[at] = f64[times + 2 * trades + place]!;
    out.marks[at] = mark;
    out.ids.set(u8.subarray(id, id + (mark >>> MARK_ID_SHIFT)), at * TRADE_ID_BYTES);
  }
}

/** Takes a tape out of use: by the shard, or by the main thread while no worker runs on it. */
export function closeTape(memory: TapeMemory, slot: number): void {
  const { i32, f64 } = memory;
  const words = memory.header(slot);
  if (i32[2 * words + TAPE_IN_USE] === 0) return;
  Atomics.store(i32, 2 * words + TAPE_VERSION, i32[2 * words + TAPE_VERSION]! | 1);
  i32[2 * words + TAPE_IN_USE] = 0;
  f64[HEAD_HIGHEST_ID] = Math.max(f64[HEAD_HIGHEST_ID]!, f64[words + TAPE_NEXT_ID]!);
  f64[HEAD_HIGHEST_EPOCH] = Math.max(f64[HEAD_HIGHEST_EPOCH]!, i32[2 * words + TAPE_EPOCH]!);
  f64[words + TAPE_FIRST_ID] = f64[words + TAPE_NEXT_ID]!;
  writeEnd(i32, 2 * words + TAPE_VERSION);
}

/** The worker is dead: nothing goes on the tapes until the next one runs. Main thread only, while no worker runs on the shard. */
export function staleTapes(memory: TapeMemory, timeMs: number): void {
  const { i32, f64, tapes } = memory;
  for (let slot = 0; slot < tapes; slot++) {
    const words = memory.header(slot);
    if (i32[2 * words + TAPE_IN_USE] === 0) continue;
    // Odd while we change it, whatever the dead writer left; then even again. Ids beyond the next one were not given yet.
    Atomics.store(i32, 2 * words + TAPE_VERSION, i32[2 * words + TAPE_VERSION]! | 1);
    i32[2 * words + TAPE_STATE] = BookState.STALE;
    f64[words + TAPE_SINCE] = timeMs;
    const next = f64[words + TAPE_NEXT_ID]!;
    f64[words + TAPE_FIRST_ID] = i32[2 * words + TAPE_RESCALING] === 1 ? next : Math.min(next, f64[words + TAPE_FIRST_ID]!);
    i32[2 * words + TAPE_RESCALING] = 0;
    writeEnd(i32, 2 * words + TAPE_VERSION);
  }
}
