import type { ProtoWriter } from './proto-writer.js';

/** Field numbers of `proto/market_data.proto`, as far as books are concerned. A test compares them with the file. */
export const EntryField = { PRICE: 1, QUANTITY: 2, PRICE_TEXT: 100, QUANTITY_TEXT: 101 } as const;
export const BookField = {
  SYMBOL: 1,
  LAST_UPDATE_ID: 2,
  BIDS: 3,
  ASKS: 4,
  TIMESTAMP: 5,
  STATE: 100,
  STATE_REASON: 101,
  EPOCH: 102,
  SEQ: 103,
  AGE_MS: 104,
  RECEIVED_AT: 105,
  PUBLISHED_AT: 106,
  PRICE_SCALE: 107,
  QUANTITY_SCALE: 108,
  VERIFIED_BIDS: 109,
  VERIFIED_ASKS: 110,
} as const;
export const UpdateField = {
  SYMBOL: 1,
  IS_SNAPSHOT: 2,
  ORDER_BOOK: 3,
  PREV: 100,
  FIRST_UPDATE_ID: 101,
  REASON: 102,
  STATUS: 103,
} as const;
export const StatusField = { STATE: 1, REASON: 2, EPOCH: 3, SEQ: 4, LAST_UPDATE_ID: 5, SINCE: 6, PUBLISHED_AT: 7 } as const;

/** `BookState` of the contract begins at 1, for 0 is what a message without the field says. */
export const PROTO_STATE_OFFSET = 1;

/** Unix ms as it stands in a message: whole, and left out when it is not known. */
export function writeTime(writer: ProtoWriter, field: number, ms: number): void {
  if (ms > 0) writer.uint(field, Math.floor(ms));
}

/** The first `count` levels of the columns as repeated `OrderBookEntry`. */
export function writeLevels(
  writer: ProtoWriter,
  field: number,
  ticks: Float64Array,
  lots: Float64Array,
  count: number,
  priceScale: number,
  quantityScale: number,
  exact: boolean,
): void {
  for (let i = 0; i < count; i++) {
    const mark = writer.open(field);
    writer.number(EntryField.PRICE, ticks[i]!, priceScale);
    writer.number(EntryField.QUANTITY, lots[i]!, quantityScale);
    if (exact) {
      writer.decimal(EntryField.PRICE_TEXT, ticks[i]!, priceScale);
      writer.decimal(EntryField.QUANTITY_TEXT, lots[i]!, quantityScale);
    }
    writer.close(mark);
  }
}
