import type { Candle } from '../model/candle.js';
import { type CandleInterval, nextOpen } from '../model/candle-interval.js';
import { formatDecimal } from '../model/decimal.js';
import {
  CLOSE,
  CLOSED,
  COMPLETE,
  COUNTED,
  hasFlag,
  highOf,
  lowOf,
  OPEN,
  OPEN_TIME,
  QUOTE,
  scaleAt,
  TAKER_BASE,
  TAKER_QUOTE,
  TRADES,
  VOLUME,
} from './candle-row.js';
import { formatSum, isKnown } from './exact-sum.js';

/** A row as interfaces give it. */
export function toCandle(rows: Float64Array, at: number, symbol: string, interval: CandleInterval): Candle {
  const priceScale = scaleAt(rows, at, 0);
  const quantityScale = scaleAt(rows, at, 1);
  const openMs = rows[at + OPEN_TIME]!;
  const counted = hasFlag(rows, at, COUNTED);
  const sum = (word: number, scale: number): string | null => (isKnown(rows, at + word) ? formatSum(rows, at + word, scale) : null);
  return {
    symbol,
    interval,
    open_time: openMs,
    open: formatDecimal(rows[at + OPEN]!, priceScale),
    high: formatDecimal(highOf(rows, at), priceScale),
    low: formatDecimal(lowOf(rows, at), priceScale),
    close: formatDecimal(rows[at + CLOSE]!, priceScale),
    volume: formatSum(rows, at + VOLUME, quantityScale),
    close_time: nextOpen(interval, openMs),
    quote_asset_volume: sum(QUOTE, scaleAt(rows, at, 2)),
    number_of_trades: counted ? rows[at + TRADES]! : null,
    taker_buy_base_asset_volume: counted ? sum(TAKER_BASE, quantityScale) : null,
    taker_buy_quote_asset_volume: counted ? sum(TAKER_QUOTE, scaleAt(rows, at, 3)) : null,
    closed: hasFlag(rows, at, CLOSED),
    complete: hasFlag(rows, at, COMPLETE),
  };
}
