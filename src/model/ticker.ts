/**
 * The last 24 hours of a pair: 20 fields, named and ordered as in the gRPC contract. Numbers are decimal text; `null` = the exchange does
 * not say (gRPC: the default), never a made-up value. Sources: MEXC's `ticker/24hr` and `miniTickers`; the live book for bid and ask; the
 * tape for the last trade.
 */
export interface Ticker {
  readonly symbol: string;
  /** Last price less open price, quote units. */
  readonly price_change: string | null;
  /** In percent: `1.5` is 1.5 %. MEXC sends fractions. */
  readonly price_change_percent: string | null;
  /** `quote_volume / volume`; `null` without volume. */
  readonly weighted_avg_price: string | null;
  readonly last_price: string | null;
  /** Base units of the last trade. */
  readonly last_quantity: string | null;
  /** Best levels of the book, `null` while it is not live or the side is empty. */
  readonly bid_price: string | null;
  readonly bid_quantity: string | null;
  readonly ask_price: string | null;
  readonly ask_quantity: string | null;
  readonly open_price: string | null;
  readonly high_price: string | null;
  readonly low_price: string | null;
  /** Base units. */
  readonly volume: string | null;
  /** Quote units. */
  readonly quote_volume: string | null;
  /** Unix ms. The window is the 24 h before `close_time`. */
  readonly open_time: number | null;
  /** Unix ms: when the exchange made the figures. */
  readonly close_time: number | null;
  /** MEXC does not supply it: always `null` (gRPC: 0). */
  readonly first_id: number | null;
  /** MEXC does not supply it: always `null` (gRPC: 0). */
  readonly last_id: number | null;
  /** Trades in the window. MEXC sends `null`. */
  readonly count: number | null;
}
