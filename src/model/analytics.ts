/** An exact number: decimal text, or a JSON number where the client asked for it. */
export type ExactNumber = string | number;

/**
 * What can be read off one book, as REST and `/ws` give it. Text is exact; JSON numbers are doubles, rounded as stated. `null` = a side is
 * empty, so there is no such figure. Only levels the book holds are counted.
 */
export interface BookAnalytics {
  /** `[price, quantity]` in quote and base units. */
  readonly best_bid: readonly [ExactNumber, ExactNumber] | null;
  readonly best_ask: readonly [ExactNumber, ExactNumber] | null;
  /** Best ask less best bid, quote units; negative when the book is crossed. */
  readonly spread: ExactNumber | null;
  /** Spread / mid in basis points (1/10,000), off by less than 2^-51 of itself. */
  readonly spread_bps: number | null;
  /** The middle between best bid and best ask, quote units: one decimal more than a price when it lies at half a tick. */
  readonly mid: ExactNumber | null;
  /**
   * `(bid * askQuantity + ask * bidQuantity) / (bidQuantity + askQuantity)` of the best levels, quote units. Off by less than 2^-50
   * of itself.
   */
  readonly microprice: number | null;
  /**
   * `(bids - asks) / (bids + asks)` of the base quantities of the best `depth` levels a side: -1 = nothing bid, 1 = nothing offered. The
   * nearest double while both sums are below 2^53 lots. `null` only when both sides are empty.
   */
  readonly imbalance: number | null;
  /** Cumulative depth, narrowest band first. */
  readonly bands: readonly AnalyticsBand[];
}

/** All levels within `bps` basis points of the mid, both ends included. */
export interface AnalyticsBand {
  readonly bps: number;
  /** Prices from `mid * (1 - bps / 10,000)` up. */
  readonly bid: AnalyticsBandSide | null;
  /** Prices up to `mid * (1 + bps / 10,000)`. */
  readonly ask: AnalyticsBandSide | null;
}

export interface AnalyticsBandSide {
  /** Base units. */
  readonly base: ExactNumber;
  /** Quote units: prices times quantities. */
  readonly quote: ExactNumber;
  /**
   * The book holds a level beyond the band. False = everything held is counted, and the exchange, which gives only so many levels, may have
   * more.
   */
  readonly covered: boolean;
}

/** What an order of a taker would get from the book as it is. Numbers are the nearest doubles; text is exact. */
export interface Slippage {
  /** A buy takes asks, a sell takes bids. */
  readonly side: 'buy' | 'sell';
  /** What was asked for, in base units; `null` when it was a notional. */
  readonly size: string | null;
  /** What was asked for, in quote units; `null` when it was a size. */
  readonly notional: string | null;
  readonly ref: 'mid' | 'best';
  /** The mid, or the best level of the side taken; `null` when there is none. */
  readonly reference_price: string | null;
  /** Base units filled. This and all below: `null` when the book does not hold enough. */
  readonly base: number | null;
  /** Quote units paid or received. */
  readonly quote: number | null;
  /** `quote / base`. */
  readonly average_price: number | null;
  /** Price of the last level taken. */
  readonly worst_price: string | null;
  /** Levels taken, the last one perhaps in part. */
  readonly levels: number | null;
  /** How much worse than the reference the average price is, quote units per base unit; `null` also when there is no reference. */
  readonly slippage: number | null;
  /** The same in basis points of the reference. */
  readonly slippage_bps: number | null;
}
