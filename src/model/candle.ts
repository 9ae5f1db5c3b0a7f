import type { CandleInterval } from './candle-interval.js';

/**
 * One candle as every interface gives it. Numbers are decimal text; times Unix ms, UTC. MEXC's conventions: a minute opens at the close
 * before it, not at its first trade; a minute without trades is flat, with volume 0.
 */
export interface Candle {
  readonly symbol: string;
  readonly interval: CandleInterval;
  /** Unix ms, a multiple of the interval; weeks begin on Monday, months on the 1st. */
  readonly open_time: number;
  readonly open: string;
  readonly high: string;
  readonly low: string;
  readonly close: string;
  /** Base units. */
  readonly volume: string;
  /** Unix ms, exclusive: the `open_time` of the candle behind it. */
  readonly close_time: number;
  /** Quote units; `null` when its source does not say. */
  readonly quote_asset_volume: string | null;
  /** `null` when trades were not seen from the open on: MEXC's own candles have no count. */
  readonly number_of_trades: number | null;
  /** Base units bought by takers; `null` like `number_of_trades`. */
  readonly taker_buy_base_asset_volume: string | null;
  /** Quote units paid by takers that bought; `null` like `number_of_trades`. */
  readonly taker_buy_quote_asset_volume: string | null;
  /** The clock has passed `close_time`: it changes no more. */
  readonly closed: boolean;
  /** Proven whole: every trade since the open was seen, or the exchange's own figures stand in. */
  readonly complete: boolean;
}
