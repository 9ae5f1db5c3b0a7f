import { readBegin, readUnchanged } from '../memory/seqlock.js';
import { bookStateNames, type BookState } from '../model/book-state.js';
import { formatDecimal } from '../model/decimal.js';
import type { SkippedTrades, TapePage, Trade } from '../model/trade.js';
import {
  MARK_HOLE,
  MARK_ID_SHIFT,
  MARK_SELL,
  TAPE_EPOCH,
  TAPE_FIRST_ID,
  TAPE_NEXT_ID,
  TAPE_PRICE_SCALE,
  TAPE_QUANTITY_SCALE,
  TAPE_RECEIVE_TIME,
  TAPE_STATE,
  TAPE_VERSION,
  TapeMemory,
  TRADE_ID_BYTES,
} from '../tape/tape-layout.js';

/** Copies tried before a reader gives up for now. */
const ATTEMPTS_MAX = 32;

/** Reads the tapes of one shard from any thread, under their version checks. */
export class TapeReader {
  /** Copies thrown away because the writer was at work, since the start. */
  retries = 0;
  readonly #memory: TapeMemory;
  // The copy: one trade before the page (for its time) and the page.
  #times = new Float64Array(0);
  #ticks = new Float64Array(0);
  #lots = new Float64Array(0);
  #marks = new Int32Array(0);
  #ids = new Uint8Array(0);
  #count = 0;
  #firstId = 0;
  #oldestId = 0;
  #nextId = 0;
  #state = 0;
  #epoch = 0;
  #priceScale = 0;
  #quantityScale = 0;
  #receiveTimeMs = 0;

  constructor(tapes: SharedArrayBuffer) {
    this.#memory = new TapeMemory(tapes);
  }

  /** A word of a tape's header: single words that need no version check. */
  field(slot: number, offset: number): number {
    return this.#memory.f64[this.#memory.header(slot) + offset]!;
  }

  state(slot: number): BookState {
    return this.#memory.i32[2 * this.#memory.header(slot) + TAPE_STATE]! as BookState;
  }

  /** The newest `limit` trades with an id below `before` (`null` = the newest of all). `undefined`: every copy met the writer. */
  read(slot: number, symbol: string, limit: number, before: number | null): TapePage | undefined {
    const { i32 } = this.#memory;
    const version = 2 * this.#memory.header(slot) + TAPE_VERSION;
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const seen = readBegin(i32, version);
      if ((seen & 1) === 0) {
        this.#copy(slot, limit, before);
        if (readUnchanged(i32, version, seen)) return this.#page(symbol);
      }
      this.retries++;
    }
    return undefined;
  }

  /** Of a tape torn by the writer only nonsense is copied, never beyond its columns. */
  #copy(slot: number, limit: number, before: number | null): void {
    const { i32, f64, u8, trades } = this.#memory;
    const words = this.#memory.header(slot);
    const times = this.#memory.times(slot);
    const marks = this.#memory.marks(slot);
    const ids = this.#memory.ids(slot);
    this.#state = i32[2 * words + TAPE_STATE]!;
    this.#epoch = i32[2 * words + TAPE_EPOCH]!;
    this.#priceScale = i32[2 * words + TAPE_PRICE_SCALE]!;
    this.#quantityScale = i32[2 * words + TAPE_QUANTITY_SCALE]!;
    this.#receiveTimeMs = f64[words + TAPE_RECEIVE_TIME]!;
    this.#nextId = f64[words + TAPE_NEXT_ID]!;
    this.#oldestId = Math.max(f64[words + TAPE_FIRST_ID]!, this.#nextId - trades);
    const end = before === null ? this.#nextId : Math.max(this.#oldestId, Math.min(before, this.#nextId));
    this.#firstId = Math.max(this.#oldestId, end - limit);
    // One more, for the time before a hole.
    const from = Math.max(this.#oldestId, this.#firstId - 1);
    this.#count = Math.max(0, end - from);
    this.#reserve(this.#count);
    for (let i = 0; i < this.#count; i++) {
      const place = (from + i) % trades;
      this.#times[i] = f64[times + place]!;
      this.#ticks[i] = f64[times + trades + place]!;
      this.#lots[i] = f64[times + 2 * trades + place]!;
      this.#marks[i] = i32[marks + place]!;
      const id = ids + place * TRADE_ID_BYTES;
      this.#ids.set(u8.subarray(id, id + TRADE_ID_BYTES), i * TRADE_ID_BYTES);
    }
  }

  #page(symbol: string): TapePage {
    const trades: Trade[] = [];
    const skipped: SkippedTrades[] = [];
    const lead = this.#firstId > this.#oldestId && this.#count > 0 ? 1 : 0;
    for (let i = lead; i < this.#count; i++) {
      if ((this.#marks[i]! & MARK_HOLE) !== 0) skipped.push({ from: i === 0 ? null : this.#times[i - 1]!, to: this.#times[i]! });
      trades.push(this.#trade(i, this.#firstId + i - lead, symbol));
    }
    return {
      state: bookStateNames[this.#state as BookState],
      epoch: this.#epoch,
      seq: this.#nextId - 1,
      receivedAt: this.#receiveTimeMs === 0 ? null : Math.floor(this.#receiveTimeMs),
      trades,
      skipped,
      next: this.#firstId > this.#oldestId ? this.#firstId : null,
    };
  }

  #trade(index: number, id: number, symbol: string): Trade {
    const mark = this.#marks[index]!;
    const length = mark >>> MARK_ID_SHIFT;
    const start = index * TRADE_ID_BYTES;
    return {
      id,
      symbol,
      price: formatDecimal(this.#ticks[index]!, this.#priceScale),
      quantity: formatDecimal(this.#lots[index]!, this.#quantityScale),
      buyer_order_id: null,
      seller_order_id: null,
      timestamp: this.#times[index]!,
      is_buyer_maker: (mark & MARK_SELL) !== 0,
      exchange_id: length === 0 ? null : Buffer.from(this.#ids.buffer, start, length).toString('utf8'),
    };
  }

  #reserve(trades: number): void {
    if (trades <= this.#times.length) return;
    this.#times = new Float64Array(trades);
    this.#ticks = new Float64Array(trades);
    this.#lots = new Float64Array(trades);
    this.#marks = new Int32Array(trades);
    this.#ids = new Uint8Array(trades * TRADE_ID_BYTES);
  }
}
