import type { AnalyticsBandSide, BookAnalytics, ExactNumber } from '../model/analytics.js';
import { formatDecimal, toDouble } from '../model/decimal.js';
import { doubledMidTicks, imbalance, type Levels, microprice, spreadBps, spreadTicks } from './book-figures.js';
import { type BandSide, createBands, measureBands } from './depth-bands.js';
import type { WideSum } from './wide-sum.js';

export interface AnalyticsRequest {
  /** Levels a side for the imbalance; 0 = all. */
  readonly depth: number;
  readonly bps: readonly number[];
  readonly numbers: 'string' | 'float';
}

/** All figures of a book. `levels` must reach as far as depth and bands ask for. */
export function bookAnalytics(levels: Levels, { depth, bps, numbers }: AnalyticsRequest): BookAnalytics {
  const { priceScale, quantityScale } = levels;
  const exact = (units: number, scale: number): ExactNumber => (numbers === 'float' ? toDouble(units, scale) : formatDecimal(units, scale));
  const wide = (sum: WideSum, scale: number): ExactNumber => (numbers === 'float' ? Number(sum.toText(scale)) : sum.toText(scale));
  const best = (ticks: Float64Array, lots: Float64Array): [ExactNumber, ExactNumber] => [
    exact(ticks[0]!, priceScale),
    exact(lots[0]!, quantityScale),
  ];
  const side = ({ lots, quote, covered }: BandSide): AnalyticsBandSide => ({
    base: wide(lots, quantityScale),
    quote: wide(quote, priceScale + quantityScale),
    covered,
  });
  const bands = createBands(bps);
  const measured = measureBands(levels, bands);
  const spread = spreadTicks(levels);
  const doubledMid = doubledMidTicks(levels);
  return {
    best_bid: levels.bidCount > 0 ? best(levels.bidTicks, levels.bidLots) : null,
    best_ask: levels.askCount > 0 ? best(levels.askTicks, levels.askLots) : null,
    spread: spread === null ? null : numbers === 'float' ? toDouble(spread, priceScale) : signed(spread, priceScale),
    spread_bps: spreadBps(levels),
    mid: doubledMid === null ? null : numbers === 'float' ? toDouble(doubledMid / 2, priceScale) : midText(doubledMid, priceScale),
    microprice: microprice(levels),
    imbalance: imbalance(levels, depth),
    bands: bands.map((band) => ({ bps: band.bps, bid: measured ? side(band.bid) : null, ask: measured ? side(band.ask) : null })),
  };
}

/** A middle of two whole numbers of ticks: with one decimal more when it lies at half a tick. */
export function midText(doubledMid: number, priceScale: number): string {
  const text = formatDecimal(Math.floor(doubledMid / 2), priceScale);
  return doubledMid % 2 === 0 ? text : `${text}${priceScale === 0 ? '.5' : '5'}`;
}

function signed(ticks: number, priceScale: number): string {
  return ticks < 0 ? `-${formatDecimal(-ticks, priceScale)}` : formatDecimal(ticks, priceScale);
}
