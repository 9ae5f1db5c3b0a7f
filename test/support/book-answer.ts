import type { TextLevel } from './model-book.js';
import { shortest } from './model-book.js';

/** `GET /orderbook/:symbol` */
export interface BookAnswer {
  readonly symbol: string;
  readonly state: string;
  readonly epoch: number;
  readonly seq: number;
  readonly version: number;
  readonly bids: readonly TextLevel[];
  readonly asks: readonly TextLevel[];
}

/** Asks the engine for a book; `undefined` while it is not live. Any other refusal is thrown. */
export async function fetchBook(url: string, symbol: string, depth: number | 'full'): Promise<BookAnswer | undefined> {
  const response = await fetch(`${url}/orderbook/${encodeURIComponent(symbol)}?depth=${depth}`);
  const text = await response.text();
  if (response.ok) return JSON.parse(text) as BookAnswer;
  if (response.status === 503) return undefined;
  throw new Error(`${symbol}: ${response.status} ${text}`);
}

/** A side as one text, numbers without needless zeros; for comparing whole sides at once. */
export function sideText(levels: readonly TextLevel[]): string {
  return levels.map(([price, quantity]) => `${shortest(price)} ${shortest(quantity)}`).join('\n');
}
