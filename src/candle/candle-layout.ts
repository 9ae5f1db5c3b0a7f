import { DAY_MS, HOUR_MS, MINUTE_MS } from '../model/candle-interval.js';
import { ROW_WORDS } from './candle-row.js';

/*
 * The candles of one shard: a fixed place for each symbol, at the number of its book's slot. Address space is reserved whole, memory is used
 * as candles come: a symbol that has traded for eight hours takes 72 KiB, 2,000 of them 145 MB.
 *
 *   byte  0          128                128 + 480 rows       + 48 rows          + 40 rows
 *         +----------+------------------+--------------------+------------------+
 *         | header   | minutes          | hours              | days             |
 *         +----------+------------------+--------------------+------------------+
 *
 *   header    int32  0  version          odd while the shard changes a row (memory/seqlock.ts)
 *             double 1  newest           open time of the newest minute, Unix ms; 0 = none yet
 *             double 2  final before     minutes that open before this time are final, Unix ms
 *             double 3  in use           1 once anything was written here
 *
 * A row (candle-row.ts) lies where its open time says: the minute opened at t is row t / 60,000 modulo 480. It counts only when its
 * own open time is the one looked for, so that rows of the round before are never taken for it. Hours and days are complete ones only.
 */

/** Eight hours. */
export const MINUTE_ROWS = 480;
export const HOUR_ROWS = 48;
/** More than the longest month. */
export const DAY_ROWS = 40;

export const HEADER_WORDS = 16;
export const VERSION_INT = 0;
export const NEWEST = 1;
export const FINAL_BEFORE = 2;
export const IN_USE = 3;
export const SLOT_WORDS = HEADER_WORDS + (MINUTE_ROWS + HOUR_ROWS + DAY_ROWS) * ROW_WORDS;

/** The lengths kept in shared memory. */
export const RING_INTERVALS = ['1m', '1h', '1d'] as const;
export type RingInterval = (typeof RING_INTERVALS)[number];

const rings: Readonly<Record<RingInterval, { readonly first: number; readonly rows: number; readonly lengthMs: number }>> = {
  '1m': { first: HEADER_WORDS, rows: MINUTE_ROWS, lengthMs: MINUTE_MS },
  '1h': { first: HEADER_WORDS + MINUTE_ROWS * ROW_WORDS, rows: HOUR_ROWS, lengthMs: HOUR_MS },
  '1d': { first: HEADER_WORDS + (MINUTE_ROWS + HOUR_ROWS) * ROW_WORDS, rows: DAY_ROWS, lengthMs: DAY_MS },
};

/** The first word of a symbol's place. */
export function slotWord(slot: number): number {
  return slot * SLOT_WORDS;
}

/** The word, counted from a symbol's first, of the row of the candle opened at `openMs`. */
export function ringRow(interval: RingInterval, openMs: number): number {
  const { first, rows, lengthMs } = rings[interval];
  return first + (Math.floor(openMs / lengthMs) % rows) * ROW_WORDS;
}

export function createCandleBuffer(slots: number): SharedArrayBuffer {
  return new SharedArrayBuffer(slots * SLOT_WORDS * 8);
}
