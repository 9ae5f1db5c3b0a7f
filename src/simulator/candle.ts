/** Prices in ticks, volume in lots, turnover in quote units. */
export interface Candle {
  readonly startMs: number;
  open: number;
  high: number;
  low: number;
  close: number;
  volume: number;
  turnover: number;
}

export const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** 1970-01-01 was a Thursday; weeks begin on Monday. */
const FIRST_MONDAY_MS = 4 * DAY_MS;

/** An interval by its REST name and its channel name. */
export interface CandleInterval {
  readonly rest: string | null;
  readonly stream: string;
  /** Length in ms; `null` for a calendar month. */
  readonly lengthMs: number | null;
}

/** Windows of days, weeks and months are aligned to UTC; where the exchange aligns them is not documented. REST has no 8 h and refuses `1h`. */
export const candleIntervals: readonly CandleInterval[] = [
  { rest: '1m', stream: 'Min1', lengthMs: MINUTE_MS },
  { rest: '5m', stream: 'Min5', lengthMs: 5 * MINUTE_MS },
  { rest: '15m', stream: 'Min15', lengthMs: 15 * MINUTE_MS },
  { rest: '30m', stream: 'Min30', lengthMs: 30 * MINUTE_MS },
  { rest: '60m', stream: 'Min60', lengthMs: HOUR_MS },
  { rest: '4h', stream: 'Hour4', lengthMs: 4 * HOUR_MS },
  { rest: null, stream: 'Hour8', lengthMs: 8 * HOUR_MS },
  { rest: '1d', stream: 'Day1', lengthMs: DAY_MS },
  { rest: '1W', stream: 'Week1', lengthMs: 7 * DAY_MS },
  { rest: '1M', stream: 'Month1', lengthMs: null },
];

/** First ms of the window that holds `timeMs`. */
export function windowStart(interval: CandleInterval, timeMs: number): number {
  if (interval.lengthMs === null) {
    const date = new Date(timeMs);
    return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1);
  }
  const origin = interval.lengthMs === 7 * DAY_MS ? FIRST_MONDAY_MS : 0;
  return origin + Math.floor((timeMs - origin) / interval.lengthMs) * interval.lengthMs;
}

/** First ms behind the window that begins at `startMs`. */
export function windowEnd(interval: CandleInterval, startMs: number): number {
  if (interval.lengthMs !== null) return startMs + interval.lengthMs;
  const date = new Date(startMs);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
}

/** Adds a later candle, or a trade seen as one, to an earlier one. */
export function extendCandle(candle: Candle, later: Omit<Candle, 'startMs' | 'open'>): void {
  candle.high = Math.max(candle.high, later.high);
  candle.low = Math.min(candle.low, later.low);
  candle.close = later.close;
  candle.volume += later.volume;
  candle.turnover += later.turnover;
}

/** Contiguous minute candles, oldest first, rolled up to an interval. */
export function rollUp(minutes: readonly Candle[], interval: CandleInterval): Candle[] {
  const rows: Candle[] = [];
  let row: Candle | undefined;
  let endMs = 0;
  for (const minute of minutes) {
    if (row === undefined || minute.startMs >= endMs) {
      row = { ...minute, startMs: windowStart(interval, minute.startMs) };
      endMs = windowEnd(interval, row.startMs);
      rows.push(row);
    } else extendCandle(row, minute);
  }
  return rows;
}
