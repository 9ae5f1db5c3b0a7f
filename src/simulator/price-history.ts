import { type Candle, MINUTE_MS } from './candle.js';
import { hashText, noiseAt } from './prng.js';

const QUARTER_MS = 15 * MINUTE_MS;
/** Swings of the past price: period in ms and size as a fraction of the price. Periods are whole quarters of an hour. */
const swings = [
  { periodMs: QUARTER_MS, size: 0.004 },
  { periodMs: 8 * QUARTER_MS, size: 0.015 },
  { periodMs: 96 * QUARTER_MS, size: 0.05 },
] as const;

/** How far back the past of a synthetic symbol goes. */
export const HISTORY_MS = 30 * 24 * 60 * MINUTE_MS;

/**
 * The past of a synthetic symbol, made up but fixed: a function of seed, symbol and time that needs no memory. The logarithm of the price
 * is a straight line between quarters of an hour, and it ends at the price at which the live market began.
 */
export class PriceHistory {
  readonly #seed: number;
  readonly #endMs: number;
  readonly #endTick: number;
  readonly #offset: number;
  readonly #lotsPerMinute: number;
  readonly #unit: number;

  /** `lotsPerDay`: mean volume; `unit`: quote units of one tick times one lot. */
  constructor(options: { seed: number; symbol: string; endMs: number; endTick: number; lotsPerDay: number; unit: number }) {
    this.#seed = hashText(options.symbol, options.seed ^ 0x68697374);
    this.#endMs = options.endMs;
    this.#endTick = options.endTick;
    this.#offset = this.#wave(options.endMs);
    this.#lotsPerMinute = options.lotsPerDay / 1440;
    this.#unit = options.unit;
  }

  get endMs(): number {
    return this.#endMs;
  }

  get startMs(): number {
    return this.#endMs - HISTORY_MS;
  }

  /** Price in ticks at a time not after the end. */
  tickAt(timeMs: number): number {
    return Math.max(1, Math.round(this.#endTick * Math.exp(this.#wave(timeMs) - this.#offset)));
  }

  /** Highest and lowest price from `startMs` to the end. Exact, since the extremes of a line are its ends. */
  range(startMs: number): { readonly high: number; readonly low: number } {
    let high = Math.max(this.tickAt(startMs), this.#endTick);
    let low = Math.min(this.tickAt(startMs), this.#endTick);
    for (let timeMs = Math.ceil(startMs / QUARTER_MS) * QUARTER_MS; timeMs < this.#endMs; timeMs += QUARTER_MS) {
      const tick = this.tickAt(timeMs);
      high = Math.max(high, tick);
      low = Math.min(low, tick);
    }
    return { high, low };
  }

  /** The minute that begins at `startMs`; the last one ends with the history. */
  minute(startMs: number): Candle {
    const open = this.tickAt(startMs);
    const close = this.tickAt(Math.min(startMs + MINUTE_MS, this.#endMs));
    const volume = Math.round(this.#lotsPerMinute * 2 * noiseAt(this.#seed, startMs / MINUTE_MS));
    const turnover = ((volume * (open + close)) / 2) * this.#unit;
    return { startMs, open, high: Math.max(open, close), low: Math.min(open, close), close, volume, turnover };
  }

  /** Sum of the swings: value noise, linear between its knots. */
  #wave(timeMs: number): number {
    let sum = 0;
    for (let i = 0; i < swings.length; i++) {
      const swing = swings[i]!;
      const place = timeMs / swing.periodMs;
      const knot = Math.floor(place);
      const from = noiseAt(this.#seed + i, knot);
      sum += swing.size * (from + (noiseAt(this.#seed + i, knot + 1) - from) * (place - knot) - 0.5);
    }
    return sum;
  }
}
