import type { SkippedTrades, Trade } from '../model/trade.js';
import { writeTime } from './proto-book.js';
import type { ProtoWriter } from './proto-writer.js';

const encoder = new TextEncoder();

/** Field numbers of `proto/market_data.proto`, as far as trades are concerned. A test compares them with the file. */
export const TradeField = {
  ID: 1,
  SYMBOL: 2,
  PRICE: 3,
  QUANTITY: 4,
  BUYER_ORDER_ID: 5,
  SELLER_ORDER_ID: 6,
  TIMESTAMP: 7,
  IS_BUYER_MAKER: 8,
  PRICE_TEXT: 100,
  QUANTITY_TEXT: 101,
  EXCHANGE_ID: 102,
} as const;
export const SkippedField = { COUNT: 1, FROM: 2, TO: 3 } as const;
export const TradesField = { TRADES: 1, SKIPPED: 100, STATE: 101, EPOCH: 102, SEQ: 103, NEXT: 104 } as const;
export const TradeUpdateField = { TRADE: 1, SKIPPED: 100, EPOCH: 101, PUBLISHED_AT: 102 } as const;

/** A trade as the message in `field`. */
export function writeTrade(writer: ProtoWriter, field: number, trade: Trade): void {
  const mark = writer.open(field);
  writer.uint(TradeField.ID, trade.id);
  writer.bytes(TradeField.SYMBOL, encoder.encode(trade.symbol));
  // The nearest double to decimal text is what `Number` gives.
  writer.double(TradeField.PRICE, Number(trade.price));
  writer.double(TradeField.QUANTITY, Number(trade.quantity));
  writer.uint(TradeField.BUYER_ORDER_ID, trade.buyer_order_id ?? 0);
  writer.uint(TradeField.SELLER_ORDER_ID, trade.seller_order_id ?? 0);
  writeTime(writer, TradeField.TIMESTAMP, trade.timestamp);
  writer.bool(TradeField.IS_BUYER_MAKER, trade.is_buyer_maker);
  writer.bytes(TradeField.PRICE_TEXT, encoder.encode(trade.price));
  writer.bytes(TradeField.QUANTITY_TEXT, encoder.encode(trade.quantity));
  writer.bytes(TradeField.EXCHANGE_ID, encoder.encode(trade.exchange_id ?? ''));
  writer.close(mark);
}

/** Missing trades as the message in `field`; `count` 0 = not known. */
export function writeSkipped(writer: ProtoWriter, field: number, { from, to }: SkippedTrades, count = 0): void {
  const mark = writer.open(field);
  writer.uint(SkippedField.COUNT, count);
  writeTime(writer, SkippedField.FROM, from ?? 0);
  writeTime(writer, SkippedField.TO, to);
  writer.close(mark);
}
