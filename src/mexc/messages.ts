/**
 * The public pushes of MEXC's spot stream as plain objects: the messages of the `.proto` files MEXC publishes
 * (github.com/mexcdevelop/websocket-proto), with the same field names.
 *
 * Prices, quantities and versions stay decimal text as sent: some feeds pad them (`84270.00`), others trim them (`84270`), and
 * a removed level has the quantity `0` or `0.00000000`. Times are Unix ms unless a field says otherwise.
 * A field that was not on the wire is not in the object; a list that was not on the wire is empty.
 */

/** One price of one side. `quantity` is the new total at that price; zero removes the level. */
export interface Level {
  readonly price?: string;
  readonly quantity?: string;
}

/** 301: trades, the older channel (no longer served). */
export interface Deals {
  readonly deals: readonly Deal[];
  readonly eventType?: string;
}

export interface Deal {
  readonly price?: string;
  /** In the base asset. */
  readonly quantity?: string;
  /** Side of the taker: 1 buy, 2 sell. */
  readonly tradeType?: number;
  readonly time?: number;
}

/** 302: incremental depth, the older channel (no longer served). */
export interface IncreaseDepths {
  readonly asks: readonly Level[];
  readonly bids: readonly Level[];
  readonly eventType?: string;
  readonly version?: string;
}

/** 303: the top 5, 10 or 20 levels, each push a full replacement; asks ascending, bids descending. */
export interface LimitDepths {
  readonly asks: readonly Level[];
  readonly bids: readonly Level[];
  readonly eventType?: string;
  readonly version?: string;
  readonly lastOrderCreateTime?: number;
}

/** 305 and the entries of 311. A side that does not exist is absent or an empty text. */
export interface BookTicker {
  readonly bidPrice?: string;
  readonly bidQuantity?: string;
  readonly askPrice?: string;
  readonly askQuantity?: string;
}

/** 308: a candle as it stands; nothing marks the last push of a window. */
export interface SpotKline {
  /** `Min1` … `Month1`. */
  readonly interval?: string;
  /** Unix seconds, inclusive. */
  readonly windowStart?: number;
  readonly openingPrice?: string;
  readonly closingPrice?: string;
  readonly highestPrice?: string;
  readonly lowestPrice?: string;
  /** In the base asset. */
  readonly volume?: string;
  /** In the quote asset. */
  readonly amount?: string;
  /** Unix seconds, exclusive. */
  readonly windowEnd?: number;
}

/** 309 and the entries of 310. Rates are fractions: `0.0067` is 0.67 %. */
export interface MiniTicker {
  readonly symbol?: string;
  readonly price?: string;
  /** Change over the UTC+8 day. */
  readonly rate?: string;
  /** Change over the day of the time zone in the channel. */
  readonly zonedRate?: string;
  readonly high?: string;
  readonly low?: string;
  /** Turnover in the QUOTE asset: the other way round than in REST, where `volume` is base. */
  readonly volume?: string;
  /** Volume in the base asset. */
  readonly quantity?: string;
  readonly lastCloseRate?: string;
  readonly lastCloseZonedRate?: string;
  readonly lastCloseHigh?: string;
  readonly lastCloseLow?: string;
}

/** 310: the symbols whose price changed. */
export interface MiniTickers {
  readonly items: readonly MiniTicker[];
}

/** 311 */
export interface BookTickerBatch {
  readonly items: readonly BookTicker[];
  readonly version?: string;
  readonly lastOrderCreateTime?: number;
}

/** 312: no longer served. */
export interface IncreaseDepthsBatch {
  readonly items: readonly IncreaseDepths[];
  readonly eventType?: string;
}

/** 313: changes of the book from `fromVersion` to `toVersion`, both inclusive. */
export interface AggreDepths {
  readonly asks: readonly Level[];
  readonly bids: readonly Level[];
  readonly eventType?: string;
  readonly fromVersion?: string;
  readonly toVersion?: string;
  readonly lastOrderCreateTime?: number;
}

/** 314: the trades of one window, oldest first. */
export interface AggreDeals {
  readonly deals: readonly AggreDeal[];
  readonly eventType?: string;
}

export interface AggreDeal extends Deal {
  /** Opaque. */
  readonly tradeId?: string;
}

/** 315 */
export interface AggreBookTicker extends BookTicker {
  readonly version?: string;
  readonly lastOrderCreateTime?: number;
}

/** The bodies a push may have, by the tag they get in `PushBody`. */
export interface BodyByKind {
  readonly deals: Deals;
  readonly increaseDepths: IncreaseDepths;
  readonly limitDepths: LimitDepths;
  readonly bookTicker: BookTicker;
  readonly spotKline: SpotKline;
  readonly miniTicker: MiniTicker;
  readonly miniTickers: MiniTickers;
  readonly bookTickerBatch: BookTickerBatch;
  readonly increaseDepthsBatch: IncreaseDepthsBatch;
  readonly aggreDepths: AggreDepths;
  readonly aggreDeals: AggreDeals;
  readonly aggreBookTicker: AggreBookTicker;
}

type KnownBody = { readonly [K in keyof BodyByKind]: { readonly kind: K } & BodyByKind[K] }[keyof BodyByKind];

export type PushBody =
  | KnownBody
  /** A body of the private stream or of a newer schema; `field` is its number in the wrapper. */
  | { readonly kind: 'unknown'; readonly field: number }
  /** No body at all. */
  | { readonly kind: 'none' };

export interface Push {
  /** The full channel as subscribed, symbol included. */
  readonly channel?: string;
  /** Absent on pushes that cover all symbols (`miniTickers`). */
  readonly symbol?: string;
  /** 32 hexadecimal digits; only klines carry it. */
  readonly symbolId?: string;
  /** Only klines carry it. */
  readonly createTime?: number;
  /** When MEXC sent the push; all but klines carry it. */
  readonly sendTime?: number;
  readonly body: PushBody;
}
