/** Lengths of candles, shortest first. An interval is named by its place in this list wherever a number is needed. */
export const candleIntervals = ['1m', '3m', '5m', '15m', '30m', '1h', '2h', '4h', '6h', '8h', '12h', '1d', '3d', '1w', '1M'] as const;
export type CandleInterval = (typeof candleIntervals)[number];

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;
const WEEK_MS = 7 * DAY_MS;
/** 1970-01-01 was a Thursday, the Monday before it lies three days back. */
const FIRST_MONDAY_MS = -3 * DAY_MS;

/** Length in ms; `null` for months, which have 28 to 31 days. */
export const candleLengthsMs: Readonly<Record<CandleInterval, number | null>> = {
  '1m': MINUTE_MS,
  '3m': 3 * MINUTE_MS,
  '5m': 5 * MINUTE_MS,
  '15m': 15 * MINUTE_MS,
  '30m': 30 * MINUTE_MS,
  '1h': HOUR_MS,
  '2h': 2 * HOUR_MS,
  '4h': 4 * HOUR_MS,
  '6h': 6 * HOUR_MS,
  '8h': 8 * HOUR_MS,
  '12h': 12 * HOUR_MS,
  '1d': DAY_MS,
  '3d': 3 * DAY_MS,
  '1w': WEEK_MS,
  '1M': null,
};

/**
 * When the candle opened that holds `timeMs`, Unix ms. All candles are UTC: a month opens on the 1st, a week on Monday, everything else at
 * the whole multiples of its length since 1970-01-01. That is how MEXC's minutes and days lie (its recorded days are the sums of the 1,440
 * minutes of a UTC day). MEXC has no 3 day candles, so nothing says where they begin; here they do as any other fixed length.
 */
export function openTimeOf(interval: CandleInterval, timeMs: number): number {
  const length = candleLengthsMs[interval];
  if (length === null) {
    const date = new Date(timeMs);
    return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1);
  }
  const origin = length === WEEK_MS ? FIRST_MONDAY_MS : 0;
  return origin + Math.floor((timeMs - origin) / length) * length;
}

/** When the candle behind the one opened at `openMs` opens: its close, exclusive. */
export function nextOpen(interval: CandleInterval, openMs: number): number {
  return openAfter(interval, openMs, 1);
}

/** The opening `count` candles after the one at `openMs`; before it when negative. */
export function openAfter(interval: CandleInterval, openMs: number, count: number): number {
  const length = candleLengthsMs[interval];
  if (length !== null) return openMs + count * length;
  const date = new Date(openMs);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + count, 1);
}
