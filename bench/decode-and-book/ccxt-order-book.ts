import type { TextBook, TextLevel } from './stream.js';

/** One side: an array of [price, quantity], best first. */
export type CcxtSide = [number, number][] & { storeArray(delta: [number, number]): void };

/** What is used of ccxt's streaming `OrderBook`, whose published types leave these members out. */
export interface CcxtOrderBook {
  readonly bids: CcxtSide;
  readonly asks: CcxtSide;
  nonce: number | undefined;
  reset(snapshot: { bids: [number, number][]; asks: [number, number][]; nonce: number }): void;
}

export function toTextBook(book: CcxtOrderBook, version: number, priceScale: number, quantityScale: number): TextBook {
  const toText = ([price, quantity]: [number, number]): TextLevel => [price.toFixed(priceScale), quantity.toFixed(quantityScale)];
  return { version, bids: Array.from(book.bids, toText), asks: Array.from(book.asks, toText) };
}
