import { POWERS_OF_TEN } from '../model/decimal.js';
import { assert } from '../support/assert.js';
import { addProduct, addSum, addUnits, compareSums, scaleSum } from './exact-sum.js';

/*
 * One candle as 16 doubles, the same in shared memory, in a shard's own memory and on its way between threads.
 *
 *   double  0 open time        Unix ms; 0 = no candle here
 *           1 open             ticks
 *           2 highest trade    ticks; the candle's high is the larger of it and the open
 *           3 lowest trade     ticks; likewise
 *           4 close            ticks
 *           5 volume           lots            exact sum, two doubles (exact-sum.ts)
 *           7 turnover         quote units at their own scale, exact sum; NaN = its source does not say
 *           9 taker volume     lots bought by takers
 *          11 taker turnover   quote units at their own scale
 *          13 trades
 *          14 flags            below, plus 256 times the ms from the open to the last trade
 *          15 scales           decimals of price, quantity, turnover, taker turnover, a byte each
 *
 * Highest and lowest trade are kept apart from the open because the open of a minute is the close before it, and that may still change when
 * trades come late. Every row carries its scales, so that rows of before and after a change of scale can be added up.
 */
export const ROW_WORDS = 16;
export const OPEN_TIME = 0;
export const OPEN = 1;
export const TRADE_HIGH = 2;
export const TRADE_LOW = 3;
export const CLOSE = 4;
export const VOLUME = 5;
export const QUOTE = 7;
export const TAKER_BASE = 9;
export const TAKER_QUOTE = 11;
export const TRADES = 13;
export const FLAGS = 14;
export const SCALES = 15;

/** Proven whole. */
export const COMPLETE = 1;
/** Final: the clock and the time allowed for late trades have passed. */
export const CLOSED = 2;
/** Trades and taker figures are known. */
export const COUNTED = 4;
/** No trade so far: all four prices are the open. */
export const EMPTY = 8;
/** The close is the last price there was, even when the rest is not whole: the next candle's open is right. */
export const CLOSE_EXACT = 16;
/** The exchange's own figures of a candle that is over. */
export const EXCHANGE_FINAL = 32;
const FLAG_BITS = 256;

/** Decimals a row can hold of each number. */
export const ROW_SCALE_MAX = 255;

export function packScales(price: number, quantity: number, quote: number, takerQuote: number): number {
  assert(Math.max(price, quantity, quote, takerQuote) <= ROW_SCALE_MAX, 'a scale fits a byte');
  return price + quantity * 2 ** 8 + quote * 2 ** 16 + takerQuote * 2 ** 24;
}

export function scaleAt(rows: Float64Array, at: number, byte: 0 | 1 | 2 | 3): number {
  return Math.floor(rows[at + SCALES]! / 2 ** (8 * byte)) % 256;
}

export function hasFlag(rows: Float64Array, at: number, flag: number): boolean {
  return (rows[at + FLAGS]! & flag) !== 0;
}

export function setFlags(rows: Float64Array, at: number, set: number, clear = 0): void {
  rows[at + FLAGS] = (rows[at + FLAGS]! & ~clear) | set;
}

/** Ms from the open to the last trade. */
export function lastTradeOffset(rows: Float64Array, at: number): number {
  return rows[at + FLAGS]! >>> 8;
}

/** A candle without trades. */
export function writeFlat(rows: Float64Array, at: number, openMs: number, tick: number, priceScale: number, quantityScale: number): void {
  rows.fill(0, at, at + ROW_WORDS);
  rows[at + OPEN_TIME] = openMs;
  rows[at + OPEN] = tick;
  rows[at + TRADE_HIGH] = tick;
  rows[at + TRADE_LOW] = tick;
  rows[at + CLOSE] = tick;
  rows[at + FLAGS] = EMPTY;
  rows[at + SCALES] = packScales(priceScale, quantityScale, priceScale + quantityScale, priceScale + quantityScale);
}

/** The open moved: a candle without trades moves with it. */
export function setOpen(rows: Float64Array, at: number, tick: number): void {
  rows[at + OPEN] = tick;
  if (!hasFlag(rows, at, EMPTY)) return;
  rows[at + TRADE_HIGH] = tick;
  rows[at + TRADE_LOW] = tick;
  rows[at + CLOSE] = tick;
}

/** Adds a trade at the row's own scales. One older than the last trade seen leaves the close as it is. */
export function addTrade(rows: Float64Array, at: number, offsetMs: number, tick: number, lots: number, takerBought: boolean): void {
  const empty = hasFlag(rows, at, EMPTY);
  if (empty || tick > rows[at + TRADE_HIGH]!) rows[at + TRADE_HIGH] = tick;
  if (empty || tick < rows[at + TRADE_LOW]!) rows[at + TRADE_LOW] = tick;
  if (empty || offsetMs >= lastTradeOffset(rows, at)) {
    rows[at + CLOSE] = tick;
    rows[at + FLAGS] = (rows[at + FLAGS]! & (FLAG_BITS - 1)) | (offsetMs << 8);
  }
  setFlags(rows, at, 0, EMPTY);
  addUnits(rows, at + VOLUME, lots);
  addProduct(rows, at + QUOTE, tick, lots);
  rows[at + TRADES] = rows[at + TRADES]! + 1;
  if (!takerBought) return;
  addUnits(rows, at + TAKER_BASE, lots);
  addProduct(rows, at + TAKER_QUOTE, tick, lots);
}

export function highOf(rows: Float64Array, at: number): number {
  return Math.max(rows[at + OPEN]!, rows[at + TRADE_HIGH]!);
}

export function lowOf(rows: Float64Array, at: number): number {
  return Math.min(rows[at + OPEN]!, rows[at + TRADE_LOW]!);
}

export function copyRow(target: Float64Array, to: number, source: Float64Array, from: number): void {
  for (let i = 0; i < ROW_WORDS; i++) target[to + i] = source[from + i]!;
}

/** Brings a row to scales at least as fine as those given; the numbers stay what they are. */
export function refine(rows: Float64Array, at: number, price: number, quantity: number, quote: number, takerQuote: number): void {
  const scales = [scaleAt(rows, at, 0), scaleAt(rows, at, 1), scaleAt(rows, at, 2), scaleAt(rows, at, 3)] as const;
  if (price > scales[0])
    for (const word of [OPEN, TRADE_HIGH, TRADE_LOW, CLOSE]) rows[at + word] = finer(rows[at + word]!, scales[0], price);
  if (quantity > scales[1]) {
    scaleSum(rows, at + VOLUME, quantity - scales[1]);
    scaleSum(rows, at + TAKER_BASE, quantity - scales[1]);
  }
  if (quote > scales[2]) scaleSum(rows, at + QUOTE, quote - scales[2]);
  if (takerQuote > scales[3]) scaleSum(rows, at + TAKER_QUOTE, takerQuote - scales[3]);
  rows[at + SCALES] = packScales(
    Math.max(price, scales[0]),
    Math.max(quantity, scales[1]),
    Math.max(quote, scales[2]),
    Math.max(takerQuote, scales[3]),
  );
}

/** A number of ticks or lots at a finer scale. Beyond 2^53 the nearest double, as everywhere. */
export function finer(units: number, scale: number, finerScale: number): number {
  return units * POWERS_OF_TEN[finerScale - scale]!;
}

/** For a row made of trades, whose turnover has the decimals of price and quantity together. */
export function refineOwn(rows: Float64Array, price: number, quantity: number): void {
  if (price <= scaleAt(rows, 0, 0) && quantity <= scaleAt(rows, 0, 1)) return;
  refine(rows, 0, price, quantity, 0, 0);
  const amounts = scaleAt(rows, 0, 0) + scaleAt(rows, 0, 1);
  refine(rows, 0, 0, 0, amounts, amounts);
}

/** Whether a row's turnovers have the decimals of price and quantity together. */
export function isOwn(row: Float64Array): boolean {
  const amounts = scaleAt(row, 0, 0) + scaleAt(row, 0, 1);
  return scaleAt(row, 0, 2) === amounts && scaleAt(row, 0, 3) === amounts;
}

/** Two rows at common scales, so that their numbers can be compared and added. */
export function align(a: Float64Array, at: number, b: Float64Array, bt: number): void {
  if (a[at + SCALES] === b[bt + SCALES]) return;
  refine(a, at, scaleAt(b, bt, 0), scaleAt(b, bt, 1), scaleAt(b, bt, 2), scaleAt(b, bt, 3));
  refine(b, bt, scaleAt(a, at, 0), scaleAt(a, at, 1), scaleAt(a, at, 2), scaleAt(a, at, 3));
}

const scratch = new Float64Array(ROW_WORDS);

/** Adds the candle that follows. What only one of the two knows, the sum does not know. */
export function foldRow(target: Float64Array, to: number, source: Float64Array, from: number): void {
  let later = source;
  let at = from;
  if (target[to + SCALES] !== source[from + SCALES]) {
    copyRow(scratch, 0, source, from);
    align(target, to, scratch, 0);
    later = scratch;
    at = 0;
  }
  target[to + TRADE_HIGH] = Math.max(target[to + TRADE_HIGH]!, highOf(later, at));
  target[to + TRADE_LOW] = Math.min(target[to + TRADE_LOW]!, lowOf(later, at));
  target[to + CLOSE] = later[at + CLOSE]!;
  for (const sum of [VOLUME, QUOTE, TAKER_BASE, TAKER_QUOTE]) addSum(target, to + sum, later, at + sum);
  target[to + TRADES] = target[to + TRADES]! + later[at + TRADES]!;
  const a = target[to + FLAGS]!;
  const b = later[at + FLAGS]!;
  target[to + FLAGS] = (a & b & (COMPLETE | COUNTED | EMPTY | EXCHANGE_FINAL)) | (b & (CLOSED | CLOSE_EXACT));
}

/** Adds trades of the same candle to it, at the same scales; the close stays unless they are the later ones. */
export function insertTrades(target: Float64Array, to: number, trades: Float64Array, from: number): void {
  const empty = hasFlag(target, to, EMPTY);
  target[to + TRADE_HIGH] = empty ? trades[from + TRADE_HIGH]! : Math.max(target[to + TRADE_HIGH]!, trades[from + TRADE_HIGH]!);
  target[to + TRADE_LOW] = empty ? trades[from + TRADE_LOW]! : Math.min(target[to + TRADE_LOW]!, trades[from + TRADE_LOW]!);
  if (empty || lastTradeOffset(trades, from) >= lastTradeOffset(target, to)) {
    target[to + CLOSE] = trades[from + CLOSE]!;
    setFlags(target, to, trades[from + FLAGS]! & CLOSE_EXACT);
    target[to + FLAGS] = (target[to + FLAGS]! & (FLAG_BITS - 1)) | (lastTradeOffset(trades, from) << 8);
  }
  setFlags(target, to, 0, EMPTY);
  for (const sum of [VOLUME, QUOTE, TAKER_BASE, TAKER_QUOTE]) addSum(target, to + sum, trades, from + sum);
  target[to + TRADES] = target[to + TRADES]! + trades[from + TRADES]!;
}

/** The first row of a candle to be made of several: high and low are those of the whole minute from here on. */
export function beginFold(target: Float64Array, to: number, source: Float64Array, from: number, openMs: number): void {
  copyRow(target, to, source, from);
  target[to + OPEN_TIME] = openMs;
  target[to + FLAGS] = target[to + FLAGS]! & (FLAG_BITS - 1);
}

/** Which of two rows of one candle has seen more volume: below 0, 0, above 0. They must be aligned. */
export function compareVolumes(a: Float64Array, at: number, b: Float64Array, bt: number): number {
  return compareSums(a, at + VOLUME, b, bt + VOLUME);
}

/** Takes trades and taker figures of `source` into `target`; both are of the same candle and aligned. */
export function takeCounts(target: Float64Array, to: number, source: Float64Array, from: number): void {
  target[to + TRADES] = source[from + TRADES]!;
  for (const word of [TAKER_BASE, TAKER_BASE + 1, TAKER_QUOTE, TAKER_QUOTE + 1]) target[to + word] = source[from + word]!;
  setFlags(target, to, COUNTED);
}
