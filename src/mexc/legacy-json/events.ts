import type { TickerFigures } from '../../model/ticker-figures.js';

/**
 * What a text frame says, the same for both dialects. Numbers are decimal text, as in the exchange's other messages, and checked to be that;
 * `null` = the frame does not say.
 */
export type LegacyEvent = LegacyBook | LegacyTrades | LegacyTickers | LegacyCandle | LegacyQuote;

export type LegacyLevel = readonly [price: string, quantity: string];

export interface LegacyBook {
  readonly kind: 'book';
  readonly symbol: string;
  /**
   * `update`: applies to the version before it. `newer`: the dialect has no ranges, so anything newer applies. `replace`: the whole book,
   * whatever is held. `replace_newer`: the whole book as far as it goes, unless what is held is as new.
   */
  readonly effect: 'update' | 'newer' | 'replace' | 'replace_newer';
  readonly version: number;
  /** Unix ms. */
  readonly timeMs: number | null;
  readonly bids: readonly LegacyLevel[];
  readonly asks: readonly LegacyLevel[];
}

export interface LegacyTrades {
  readonly kind: 'trades';
  readonly symbol: string;
  readonly timeMs: number | null;
  /** As the frame orders them. */
  readonly trades: readonly {
    readonly price: string;
    readonly quantity: string;
    readonly timeMs: number;
    readonly isBuyerMaker: boolean;
  }[];
}

export interface LegacyTickers {
  readonly kind: 'tickers';
  readonly tickers: readonly { readonly symbol: string; readonly figures: TickerFigures }[];
}

export interface LegacyCandle {
  readonly kind: 'candle';
  readonly symbol: string;
  /** MEXC's word: `Min15`. */
  readonly interval: string;
  /** Unix ms. */
  readonly openTimeMs: number;
  readonly closeTimeMs: number;
  readonly open: string;
  readonly high: string;
  readonly low: string;
  readonly close: string;
  /** Base units. */
  readonly volume: string;
  /** Quote units. */
  readonly quoteVolume: string;
}

/** Best levels alone. The engine takes those of its own book, so nobody keeps them. */
export interface LegacyQuote {
  readonly kind: 'quote';
  readonly symbol: string;
  readonly timeMs: number | null;
  readonly bid: LegacyLevel;
  readonly ask: LegacyLevel;
}
