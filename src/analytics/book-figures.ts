import type { BookCopy } from '../model/book-copy.js';
import { POWERS_OF_TEN } from '../model/decimal.js';

/** The levels of a book, best first, as a `BookCopy` holds them. */
export type Levels = Pick<
  BookCopy,
  'priceScale' | 'quantityScale' | 'bidCount' | 'askCount' | 'bidTicks' | 'bidLots' | 'askTicks' | 'askLots'
>;

/** Best ask less best bid in ticks, exact; negative when the book is crossed, `null` when a side is empty. */
export function spreadTicks(levels: Levels): number | null {
  return hasBothSides(levels) ? levels.askTicks[0]! - levels.bidTicks[0]! : null;
}

/** Twice the middle between best bid and best ask, in ticks: a whole number, since the middle may be half a tick. `null` when a side is empty. */
export function doubledMidTicks(levels: Levels): number | null {
  return hasBothSides(levels) ? levels.askTicks[0]! + levels.bidTicks[0]! : null;
}

/** Spread / mid in basis points, off by less than 2^-51 of itself; `null` when a side is empty. */
export function spreadBps(levels: Levels): number | null {
  const spread = spreadTicks(levels);
  const doubledMid = doubledMidTicks(levels);
  return spread === null || doubledMid === null || doubledMid === 0 ? null : (spread * 20_000) / doubledMid;
}

/**
 * `(bid * askQuantity + ask * bidQuantity) / (bidQuantity + askQuantity)` of the best levels, in quote units: the mid, drawn towards the side
 * with less behind it. Off by less than 2^-50 of itself, and the nearest double while ticks times lots are below 2^53; `null` when a side is empty.
 */
export function microprice(levels: Levels): number | null {
  if (!hasBothSides(levels)) return null;
  const bidLots = levels.bidLots[0]!;
  const askLots = levels.askLots[0]!;
  const weighted = levels.bidTicks[0]! * askLots + levels.askTicks[0]! * bidLots;
  return weighted / ((bidLots + askLots) * POWERS_OF_TEN[levels.priceScale]!);
}

/**
 * `(bids - asks) / (bids + asks)` of the base quantities of the best `depth` levels a side (0 = all there are): from -1, nothing bid, to 1,
 * nothing offered. Correctly rounded as long as both sums are below 2^53 lots; `null` when both sides are empty.
 */
export function imbalance(levels: Levels, depth: number): number | null {
  const bids = lotsOf(levels.bidLots, depth === 0 ? levels.bidCount : Math.min(depth, levels.bidCount));
  const asks = lotsOf(levels.askLots, depth === 0 ? levels.askCount : Math.min(depth, levels.askCount));
  return bids + asks === 0 ? null : (bids - asks) / (bids + asks);
}

function lotsOf(lots: Float64Array, count: number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += lots[i]!;
  return sum;
}

function hasBothSides(levels: Levels): boolean {
  return levels.bidCount > 0 && levels.askCount > 0;
}
