import { doubledMidTicks, type Levels } from './book-figures.js';
import { WideSum } from './wide-sum.js';

/** Bands that are measured when nobody names others. */
export const defaultBandsBps: readonly number[] = [5, 10, 50, 100];
/** Widest band: on the bid side everything down to the price 0. */
export const BAND_BPS_MAX = 10_000;

/** What one side holds within a band. */
export interface BandSide {
  /** Base quantity in lots. */
  readonly lots: WideSum;
  /** Price times quantity, in units of 10^-(priceScale + quantityScale) quote units. */
  readonly quote: WideSum;
  /**
   * The book holds a level beyond the band, so the band lies within what is known of the book. False = all levels held are counted, and there
   * may be more at the exchange, which gives only so many.
   */
  covered: boolean;
}

/** Cumulative depth within `bps` basis points of the mid, both ends included. */
export interface DepthBand {
  /** A whole number from 1 to BAND_BPS_MAX. */
  readonly bps: number;
  /** Prices from `mid * (1 - bps / 10,000)` up. */
  readonly bid: BandSide;
  /** Prices up to `mid * (1 + bps / 10,000)`. */
  readonly ask: BandSide;
}

/** Empty bands for `measureBands`, narrowest first. */
export function createBands(bps: readonly number[]): DepthBand[] {
  const side = (): BandSide => ({ lots: new WideSum(), quote: new WideSum(), covered: false });
  return [...bps].sort((a, b) => a - b).map((width) => ({ bps: width, bid: side(), ask: side() }));
}

/** Fills the bands, exactly. False, with the bands as they were, when a side is empty: there is no mid to measure from. */
export function measureBands(levels: Levels, bands: readonly DepthBand[]): boolean {
  const doubledMid = doubledMidTicks(levels);
  if (doubledMid === null) return false;
  let bids = 0;
  let asks = 0;
  for (let i = 0; i < bands.length; i++) {
    const band = bands[i]!;
    bids = addSide(band.bid, bands[i - 1]?.bid, levels.bidTicks, levels.bidLots, bids, levels.bidCount, -1, lowest(doubledMid, band.bps));
    asks = addSide(band.ask, bands[i - 1]?.ask, levels.askTicks, levels.askLots, asks, levels.askCount, 1, highest(doubledMid, band.bps));
  }
  return true;
}

/** Goes on from the narrower band, level by level up to `bound`; returns the first level beyond. */
function addSide(
  side: BandSide,
  narrower: BandSide | undefined,
  ticks: Float64Array,
  lots: Float64Array,
  from: number,
  count: number,
  direction: number,
  bound: number,
): number {
  if (narrower === undefined) {
    side.lots.clear();
    side.quote.clear();
  } else {
    side.lots.copyFrom(narrower.lots);
    side.quote.copyFrom(narrower.quote);
  }
  let i = from;
  for (; i < count && (bound - ticks[i]!) * direction >= 0; i++) {
    side.lots.add(lots[i]!, 1);
    side.quote.add(ticks[i]!, lots[i]!);
  }
  side.covered = i < count;
  return i;
}

/** The lowest tick of the band: `mid * (1 - bps / 10,000)`, rounded up. */
function lowest(doubledMid: number, bps: number): number {
  const product = doubledMid * (BAND_BPS_MAX - bps);
  // A quotient of whole numbers below 2^53 by 20,000 is never rounded onto a whole number it is not.
  if (product <= Number.MAX_SAFE_INTEGER) return Math.ceil(product / (2 * BAND_BPS_MAX));
  return Number((BigInt(doubledMid) * BigInt(BAND_BPS_MAX - bps) + DIVISOR - 1n) / DIVISOR);
}

/** The highest tick of the band: `mid * (1 + bps / 10,000)`, rounded down. */
function highest(doubledMid: number, bps: number): number {
  const product = doubledMid * (BAND_BPS_MAX + bps);
  if (product <= Number.MAX_SAFE_INTEGER) return Math.floor(product / (2 * BAND_BPS_MAX));
  return Number((BigInt(doubledMid) * BigInt(BAND_BPS_MAX + bps)) / DIVISOR);
}

const DIVISOR = BigInt(2 * BAND_BPS_MAX);
