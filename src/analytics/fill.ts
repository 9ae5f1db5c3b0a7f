import { doubledMidTicks, type Levels } from './book-figures.js';
import { ratioToDouble } from './ratio.js';
import { WideSum } from './wide-sum.js';

/** A decimal number > 0 as `digits / 10^decimals`. */
export interface Amount {
  readonly digits: bigint;
  readonly decimals: number;
}

/** Longest text of an amount: as many characters as a number of the exchange may have. */
export const AMOUNT_LENGTH_MAX = 40;

/** Reads a plain decimal text; `undefined` when it is none, longer than AMOUNT_LENGTH_MAX, or 0. */
export function parseAmount(text: string): Amount | undefined {
  const match = text.length <= AMOUNT_LENGTH_MAX ? /^(\d+)(?:\.(\d+))?$/.exec(text) : null;
  if (match === null) return undefined;
  const digits = BigInt(match[1]! + (match[2] ?? ''));
  return digits === 0n ? undefined : { digits, decimals: match[2]?.length ?? 0 };
}

/** What an order is made for: so much of the base asset, or for so much of the quote asset. */
export type OrderSize = { readonly kind: 'size'; readonly amount: Amount } | { readonly kind: 'notional'; readonly amount: Amount };

/** Side of the taker: a buy takes asks. */
export type TakerSide = 'buy' | 'sell';

/** What slippage is measured from: the mid, or the best level of the side taken. */
export type Reference = 'mid' | 'best';

/** An order filled from the levels of a book, the best first. All numbers are nearest doubles of exact results. */
export interface Fill {
  /** Base units taken. */
  readonly base: number;
  /** Quote units paid or received. */
  readonly quote: number;
  /** `quote / base`, quote units. */
  readonly averagePrice: number;
  /** The last level's price in ticks. */
  readonly worstTick: number;
  /** Levels touched. */
  readonly levels: number;
  /** Quote units the average price is worse than the reference, per base unit; `null` when there is no reference. */
  readonly slippage: number | null;
  /** The same in basis points of the reference. */
  readonly slippageBps: number | null;
}

/**
 * Fills an order of a taker. `null` when the levels do not suffice: what lies beyond them is not known. The last level is taken in part,
 * by any fraction of a lot, so a notional is met exactly.
 */
export function fill(levels: Levels, side: TakerSide, order: OrderSize, reference: Reference): Fill | null {
  const [ticks, lots, count] =
    side === 'buy' ? [levels.askTicks, levels.askLots, levels.askCount] : [levels.bidTicks, levels.bidLots, levels.bidCount];
  const bySize = order.kind === 'size';
  // The amount in lots, or in ticks times lots, as `wanted / parts`: it may have more decimals than the symbol.
  const scale = bySize ? levels.quantityScale : levels.priceScale + levels.quantityScale;
  const finer = Math.max(0, order.amount.decimals - scale);
  const wanted = order.amount.digits * 10n ** BigInt(scale + finer - order.amount.decimals);
  const parts = 10n ** BigInt(finer);

  const lotsTaken = new WideSum();
  const cost = new WideSum();
  const taken = bySize ? lotsTaken : cost;
  const enough = WideSum.of((wanted + parts - 1n) / parts);
  let last = 0;
  for (; last < count; last++) {
    lotsTaken.add(lots[last]!, 1);
    cost.add(ticks[last]!, lots[last]!);
    if (taken.compare(enough) >= 0) break;
  }
  if (last === count) return null;

  // Only a part of the last level is taken. Both results as fractions over `denominator`.
  const tick = BigInt(ticks[last]!);
  const lotsBefore = lotsTaken.toBigInt() - BigInt(lots[last]!);
  const costBefore = cost.toBigInt() - tick * BigInt(lots[last]!);
  const denominator = bySize ? parts : parts * tick;
  const baseLots = bySize ? wanted : lotsBefore * denominator + (wanted - costBefore * parts);
  const quoteUnits = bySize ? costBefore * parts + tick * (wanted - lotsBefore * parts) : wanted * tick;

  const lotsPerUnit = 10n ** BigInt(levels.quantityScale);
  const ticksPerUnit = 10n ** BigInt(levels.priceScale);
  const doubledTicks = doubledReferenceTicks(levels, side, reference);
  const doubled = doubledTicks === null ? null : BigInt(doubledTicks);
  // Average price less reference, times twice the lots: worse is positive on both sides.
  const worse = doubled === null ? 0n : (side === 'buy' ? 1n : -1n) * (2n * quoteUnits - doubled * baseLots);
  return {
    base: ratioToDouble(baseLots, denominator * lotsPerUnit),
    quote: ratioToDouble(quoteUnits, denominator * lotsPerUnit * ticksPerUnit),
    averagePrice: ratioToDouble(quoteUnits, baseLots * ticksPerUnit),
    worstTick: ticks[last]!,
    levels: last + 1,
    slippage: doubled === null ? null : ratioToDouble(worse, 2n * baseLots * ticksPerUnit),
    slippageBps: doubled === null || doubled === 0n ? null : ratioToDouble(worse * 10_000n, doubled * baseLots),
  };
}

/** Twice the reference price in ticks; `null` when there is none. */
export function doubledReferenceTicks(levels: Levels, side: TakerSide, reference: Reference): number | null {
  if (reference === 'mid') return doubledMidTicks(levels);
  const [ticks, count] = side === 'buy' ? [levels.askTicks, levels.askCount] : [levels.bidTicks, levels.bidCount];
  return count === 0 ? null : 2 * ticks[0]!;
}
