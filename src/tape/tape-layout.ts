import { TAPE_TRADES_DEFAULT } from '../model/trade.js';
import { assert } from '../support/assert.js';

/*
 * The tapes of one shard: the last trades of each of its symbols, in one buffer. Written by the shard alone, read by any thread under the
 * version of the tape. All places are counted in words of 8 bytes unless noted.
 *
 *   word  0        8              8 + tapeWords     …
 *         +--------+--------------+--------------+-----
 *         | head   | tape 0       | tape 1       | …
 *         +--------+--------------+--------------+-----
 *
 *   head, int32   0 trades a tape keeps (n)      1 tapes
 *   head, double  1 highest next id, 2 highest epoch of tapes that were closed
 *
 * One tape. The trade with id i lies at place i mod n of every column.
 *
 *   word  0        16         16 + n     16 + 2n    16 + 3n        16 + 3.5n (rounded up)
 *         +--------+----------+----------+----------+--------------+--------------------+
 *         | header | times    | ticks    | lots     | marks, int32 | ids, 48 bytes each |
 *         +--------+----------+----------+----------+--------------+--------------------+
 */

export const HEAD_WORDS = 8;
export const HEAD_TRADES = 0;
export const HEAD_TAPES = 1;
export const HEAD_HIGHEST_ID = 1;
export const HEAD_HIGHEST_EPOCH = 2;

export const TAPE_HEADER_WORDS = 16;

/** Header, int32: odd while the shard changes the tape. */
export const TAPE_VERSION = 0;
/** BookState: live = every trade from here on arrives; syncing = waits for the last trades; stale = the stream is down. */
export const TAPE_STATE = 1;
/** Begins at 1, or behind the highest of the shard's closed tapes; grows with every hole. */
export const TAPE_EPOCH = 2;
export const TAPE_PRICE_SCALE = 3;
export const TAPE_QUANTITY_SCALE = 4;
/** 1 while the slot belongs to a tracked symbol. */
export const TAPE_IN_USE = 5;
/** 1 while the columns are moved to other scales: a tape found like this holds nothing sound. */
export const TAPE_RESCALING = 6;

/** Header, doubles. The id the next trade gets. */
export const TAPE_NEXT_ID = 4;
/** The oldest id on the tape; the same as the next id when there is none. */
export const TAPE_FIRST_ID = 5;
/** Unix ms when the newest trade was received; 0 = none was. */
export const TAPE_RECEIVE_TIME = 6;
/** Unix ms of the last change of state. */
export const TAPE_SINCE = 7;
/** Trades that came by push. */
export const TAPE_COUNT_PUSHED = 8;
/** Trades fetched afterwards. */
export const TAPE_COUNT_FILLED = 9;
/** Trades that came once more and were left out. */
export const TAPE_COUNT_REPEATED = 10;
export const TAPE_COUNT_HOLES = 11;
/** Pushes and answers that could not be read. */
export const TAPE_COUNT_REFUSED = 12;
/** Numbers kept as the nearest double. */
export const TAPE_COUNT_INEXACT = 13;

/** A mark: whether the taker sold, whether trades are missing before this one, and how many bytes its id has. */
export const MARK_SELL = 1;
export const MARK_HOLE = 2;
export const MARK_ID_SHIFT = 8;

/** Longest exchange id that is kept: MEXC's have 41 bytes. A longer one is left out whole. */
export const TRADE_ID_BYTES = 48;

/** Trades of one moment may come in any order; those so much apart, in ms, come in theirs. */
export const REORDER_MS = 1000;

/** Address space for the tapes of one shard at most; memory is used as they fill. */
const TAPES_BYTES_MAX = 2 ** 30;

export function tapeWords(trades: number): number {
  return TAPE_HEADER_WORDS + 3 * trades + Math.ceil(trades / 2) + (trades * TRADE_ID_BYTES) / 8;
}

/** Tapes of this length a shard has room for. */
export function tapesMax(trades: number): number {
  return Math.floor((TAPES_BYTES_MAX / 8 - HEAD_WORDS) / tapeWords(trades));
}

export function createTapesBuffer(tapes: number, trades = TAPE_TRADES_DEFAULT): SharedArrayBuffer {
  assert(trades >= 1 && tapes >= 1 && tapes <= tapesMax(trades), `${tapes} tapes of ${trades} trades do not fit`);
  const buffer = new SharedArrayBuffer((HEAD_WORDS + tapes * tapeWords(trades)) * 8);
  const head = new Int32Array(buffer, 0, 2);
  head[HEAD_TRADES] = trades;
  head[HEAD_TAPES] = tapes;
  return buffer;
}

/** The words of the tapes, and where each column of a tape begins. */
export class TapeMemory {
  readonly i32: Int32Array;
  readonly f64: Float64Array;
  readonly u8: Uint8Array;
  /** Trades a tape keeps. */
  readonly trades: number;
  readonly tapes: number;
  readonly #tapeWords: number;

  constructor(buffer: SharedArrayBuffer) {
    this.i32 = new Int32Array(buffer);
    this.f64 = new Float64Array(buffer);
    this.u8 = new Uint8Array(buffer);
    this.trades = this.i32[HEAD_TRADES]!;
    this.tapes = this.i32[HEAD_TAPES]!;
    this.#tapeWords = tapeWords(this.trades);
  }

  /** Word of a tape's header; its int32 begin at twice that. */
  header(slot: number): number {
    return HEAD_WORDS + slot * this.#tapeWords;
  }

  /** Word of a tape's times; ticks and lots follow, `trades` words each. */
  times(slot: number): number {
    return this.header(slot) + TAPE_HEADER_WORDS;
  }

  /** int32 index of a tape's marks. */
  marks(slot: number): number {
    return 2 * (this.times(slot) + 3 * this.trades);
  }

  /** Byte of a tape's ids. */
  ids(slot: number): number {
    return 8 * (this.times(slot) + 3 * this.trades + Math.ceil(this.trades / 2));
  }
}
