import { assert } from '../support/assert.js';
import { FIGURE_LENGTH_MAX } from '../model/ticker-figures.js';

/*
 * What the exchange says of the last 24 hours, of the symbols of one shard: 512 bytes for each slot of its books, all guarded by the version
 * in front (`memory/seqlock.ts`). Written by the shard alone; outlives its worker.
 *
 *   byte    0 version          int32, odd while the shard changes the figures
 *           8 last time        double: of the last price and quantity
 *          16 day time         double: of high, low and the volumes
 *          24 rate time        double: of the change as a fraction
 *          32 open time        double: of the open price and the change
 *          40 close time       double: when the exchange made the newest figures of the day, 0 = it did not say
 *          48 receive time     double: when the newest figures were received
 *          80 … 511 figures    nine texts of 48 bytes: length, then ASCII; length 0 = the exchange does not say
 *
 * Unix ms; 0 = nothing was said yet. The first four are the exchange's, and the newest wins; where it gave none, the time of receipt
 * stands in.
 */

export const SLOT_BYTES = 512;

/** int32 index within a slot. */
export const VERSION = 0;

/** Double indexes within a slot. */
export const LAST_TIME = 1;
export const DAY_TIME = 2;
export const RATE_TIME = 3;
export const OPEN_TIME = 4;
export const CLOSE_TIME = 5;
export const RECEIVE_TIME = 6;

/** Byte offsets within a slot. */
export const LAST_PRICE = 80;
export const LAST_QUANTITY = 128;
export const OPEN_PRICE = 176;
export const HIGH_PRICE = 224;
export const LOW_PRICE = 272;
export const VOLUME = 320;
export const QUOTE_VOLUME = 368;
export const PRICE_CHANGE = 416;
export const CHANGE_RATE = 464;

export const FIGURE_BYTES = 48;

assert(FIGURE_BYTES === FIGURE_LENGTH_MAX + 1 && CHANGE_RATE + FIGURE_BYTES === SLOT_BYTES, 'nine texts fill a slot');

/** Figures for so many slots: nothing is known of any. */
export function createTickerBuffer(slots: number): SharedArrayBuffer {
  return new SharedArrayBuffer(slots * SLOT_BYTES);
}
