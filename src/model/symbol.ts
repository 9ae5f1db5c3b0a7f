/** A pair as the exchange lists it (`exchangeInfo`). */
export interface ListedSymbol {
  /** Upper case, may hold non-ASCII letters, e.g. `BTCUSDT`. */
  readonly symbol: string;
  readonly baseAsset: string;
  readonly quoteAsset: string;
  /** Decimals of a price; one tick is 10^-priceScale quote units. */
  readonly priceScale: number;
  /** Decimals of a quantity; one lot is 10^-quantityScale base units. */
  readonly quantityScale: number;
  /** 24 h turnover in quote units, `null` when the exchange does not say. Orders the start-up: hottest first. */
  readonly turnover: number | null;
}

/** A pair whose book the engine keeps. */
export interface TrackedSymbol extends ListedSymbol {
  /** Index over all tracked symbols of the process; never reused for another symbol while it is tracked. */
  readonly id: number;
  /** The worker that owns the book. */
  readonly shard: number;
  /** The book's place in that shard's memory. */
  readonly slot: number;
  /** Grows with every symbol tracked by the process, from 1: tells two uses of a slot apart. */
  readonly serial: number;
}
