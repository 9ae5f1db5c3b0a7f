import type { Ticker } from '../model/ticker.js';
import type { ProtoWriter } from './proto-writer.js';

const encoder = new TextEncoder();

/** Fields of `TickerResponse` and, as text, of `TickerText`: prices and quantities under the same numbers. */
export const TickerField = {
  SYMBOL: 1,
  PRICE_CHANGE: 2,
  PRICE_CHANGE_PERCENT: 3,
  WEIGHTED_AVG_PRICE: 4,
  LAST_PRICE: 5,
  LAST_QUANTITY: 6,
  BID_PRICE: 7,
  BID_QUANTITY: 8,
  ASK_PRICE: 9,
  ASK_QUANTITY: 10,
  OPEN_PRICE: 11,
  HIGH_PRICE: 12,
  LOW_PRICE: 13,
  VOLUME: 14,
  QUOTE_VOLUME: 15,
  OPEN_TIME: 16,
  CLOSE_TIME: 17,
  FIRST_ID: 18,
  LAST_ID: 19,
  COUNT: 20,
  TEXT: 100,
  STATE: 101,
  EPOCH: 102,
  SEQ: 103,
  PUBLISHED_AT: 104,
} as const;

/** The field of `TickerUpdate`. */
export const TICKER_UPDATE_TICKER = 1;

const figures = (Object.keys(TickerField) as (keyof typeof TickerField)[])
  .filter((name) => TickerField[name] >= TickerField.PRICE_CHANGE && TickerField[name] <= TickerField.COUNT)
  .map((name) => ({ field: TickerField[name], key: name.toLowerCase() as keyof Ticker }));

/** The twenty fields and the texts; what is `null` is left out. */
export function writeTicker(writer: ProtoWriter, ticker: Ticker): void {
  writer.bytes(TickerField.SYMBOL, encoder.encode(ticker.symbol));
  for (const { field, key } of figures) {
    const value = ticker[key];
    // The nearest double to decimal text is what `Number` gives.
    if (typeof value === 'string') writer.double(field, Number(value));
    else if (value !== null && value > 0) writer.uint(field, value);
  }
  const mark = writer.open(TickerField.TEXT);
  for (const { field, key } of figures) {
    const value = ticker[key];
    if (typeof value === 'string') writer.bytes(field, encoder.encode(value));
  }
  writer.close(mark);
}
