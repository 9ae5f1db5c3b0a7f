import { BOOK_HEADER_WORDS, bookHeaderWord } from '../memory/arena.js';
import { assert } from '../support/assert.js';
import { SIDE_INTS } from './ladder-layout.js';

/*
 * The header of one book, 32 words (256 bytes) in its shard's arena. Everything but the counters is guarded by the version
 * (`memory/seqlock.ts`); counters are written by the shard alone and may be read at any time.
 *
 *   int32   0 version        odd while the shard changes the book
 *           1 state          BookState
 *           2 reason         StateReason
 *           3 epoch          resyncs so far
 *           4 price scale
 *           5 quantity scale
 *           6 in use         1 while the slot belongs to a tracked symbol
 *           7 serial         which use of the slot this is: the `serial` of the symbol; stays until the next use
 *           8 … 15  bids     side block, see ladder-layout.ts
 *          16 … 23  asks     side block
 *
 *   double 12 seq            updates applied
 *          13 version        of the exchange: toVersion of the last update
 *          14 exchange time  Unix ms, NaN = unknown
 *          15 receive time   Unix ms, 0 = the book holds nothing
 *          16 since          Unix ms of the last change of state
 *          17 best bid tick  NO_TICK = no bid
 *          18 best bid lots
 *          19 best ask tick
 *          20 best ask lots
 *          21 counter: updates applied           25 counter: updates refused (could not be decoded)
 *          22 counter: updates dropped (old)     26 counter: numbers kept as the nearest double
 *          23 counter: gaps                      27 counter: crossed books
 *          24 counter: resyncs                   28 version known when the worker died, 0 = it did not
 *          29 proven bids: the lowest tick the last snapshot or audit vouches for; Infinity = nothing, 0 = the whole side
 *          30 proven asks: the highest one; -1 = nothing, Infinity = the whole side
 */

export const VERSION = 0;
export const STATE = 1;
export const REASON = 2;
export const EPOCH = 3;
export const PRICE_SCALE = 4;
export const QUANTITY_SCALE = 5;
export const IN_USE = 6;
export const SERIAL = 7;
export const BIDS = 8;
export const ASKS = 16;

export const SEQ = 12;
export const EXCHANGE_VERSION = 13;
export const EXCHANGE_TIME = 14;
export const RECEIVE_TIME = 15;
export const SINCE = 16;
export const BEST_BID_TICK = 17;
export const BEST_BID_LOTS = 18;
export const BEST_ASK_TICK = 19;
export const BEST_ASK_LOTS = 20;
export const COUNT_APPLIED = 21;
export const COUNT_DROPPED = 22;
export const COUNT_GAPS = 23;
export const COUNT_RESYNCS = 24;
export const COUNT_REFUSED = 25;
export const COUNT_INEXACT = 26;
export const COUNT_CROSSED = 27;
/**
 * What the exchange is known to have reached, beyond the book's own version: by pushes that wait, were lost or could not be read. 0 = by none. Under the next
 * worker, when this one dies, a snapshot from before it is an old one.
 */
export const KNOWN_VERSION = 28;
/** How far the exchange's own book vouches for each side. */
export const PROVEN_BIDS = 29;
export const PROVEN_ASKS = 30;
const WORDS_USED = 31;

assert(ASKS === BIDS + SIDE_INTS && (ASKS + SIDE_INTS) / 2 === SEQ, 'side blocks lie between the int32 fields and the doubles');
assert(WORDS_USED <= BOOK_HEADER_WORDS, 'the header fits its place');

/** Index of a book's first word in `arena.f64`. */
export function headerDoubles(slot: number): number {
  return bookHeaderWord(slot);
}

/** Index of a book's first int32 in `arena.i32`. */
export function headerInts(slot: number): number {
  return bookHeaderWord(slot) * 2;
}
