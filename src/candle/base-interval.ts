import { type CandleInterval, candleLengthsMs } from '../model/candle-interval.js';

/** Intervals asked of the exchange by REST. */
export const baseIntervals = ['1m', '5m', '15m', '30m', '1h', '4h', '1d'] as const;
export type BaseInterval = (typeof baseIntervals)[number];

/**
 * From which of the exchange's candles each interval is made. Those MEXC does not have come from the longest it has that divides them. Weeks
 * and months it has, but nothing says where it begins them (exchanges differ); its days are UTC days, so they are made from days.
 */
export const baseOf: Readonly<Record<CandleInterval, BaseInterval>> = {
  '1m': '1m',
  '3m': '1m',
  '5m': '5m',
  '15m': '15m',
  '30m': '30m',
  '1h': '1h',
  '2h': '1h',
  '4h': '4h',
  '6h': '1h',
  '8h': '4h',
  '12h': '4h',
  '1d': '1d',
  '3d': '1d',
  '1w': '1d',
  '1M': '1d',
};

/** Length of one of the exchange's candles in ms. */
export function baseLengthMs(interval: BaseInterval): number {
  return candleLengthsMs[interval]!;
}
