import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { formatDecimal } from '../../../src/model/decimal.js';
import { BookField, EntryField, StatusField, UpdateField, writeLevels } from '../../../src/shard/proto-book.js';
import { TICKER_UPDATE_TICKER, TickerField } from '../../../src/shard/proto-ticker.js';
import { SkippedField, TradeField, TradesField, TradeUpdateField } from '../../../src/shard/proto-trade.js';
import { ProtoWriter } from '../../../src/shard/proto-writer.js';
import { decodeMarketData, encodeMarketData, marketDataSchema } from '../../support/market-data-schema.js';

const writer = new ProtoWriter();

function written(write: () => void): number[] {
  writer.begin();
  write();
  return [...writer.take()];
}

test('field numbers are those of the contract', () => {
  const table = {
    OrderBookEntry: EntryField,
    OrderBookResponse: BookField,
    OrderBookUpdate: UpdateField,
    BookStatus: StatusField,
    TickerResponse: TickerField,
    Trade: TradeField,
    SkippedTrades: SkippedField,
    RecentTradesResponse: TradesField,
    TradeUpdate: TradeUpdateField,
    TickerUpdate: { TICKER: TICKER_UPDATE_TICKER },
  };
  for (const [type, fields] of Object.entries(table)) {
    const theirs = marketDataSchema
      .lookupType(`market_data.${type}`)
      .fieldsArray.map(({ name, id }) => [name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase(), id]);
    expect(fields, type).toEqual(Object.fromEntries(theirs));
  }
});

test('a ticker’s texts have the numbers of its figures', () => {
  const numbers = (type: string): [string, number][] =>
    marketDataSchema.lookupType(`market_data.${type}`).fieldsArray.map(({ name, id }) => [name, id]);
  const texts = numbers('TickerText');
  expect(texts).toHaveLength(14);
  expect(numbers('TickerResponse')).toEqual(expect.arrayContaining(texts));
});

describe('values are written as other encoders write them', () => {
  test('whole numbers of every length', () => {
    const edges = Array.from({ length: 53 }, (_, bits) => [2 ** bits - 1, 2 ** bits]).flat();
    for (const seq of [...edges, Number.MAX_SAFE_INTEGER]) {
      expect([seq, written(() => writer.uint(BookField.SEQ, seq))]).toEqual([seq, [...encodeMarketData('OrderBookResponse', { seq })]]);
    }
  });

  test('defaults are left out, except where presence is the message', () => {
    const nothing = written(() => {
      writer.uint(BookField.SEQ, 0);
      writer.double(EntryField.PRICE, 0);
      writer.bool(UpdateField.IS_SNAPSHOT, false);
      writer.bytes(BookField.SYMBOL, new Uint8Array(0));
    });
    expect(nothing).toEqual([]);
    expect(written(() => writer.presentUint(UpdateField.PREV, 0))).toEqual([...encodeMarketData('OrderBookUpdate', { prev: 0 })]);
  });

  test('messages inside messages, of every length of length', () => {
    for (const length of [0, 1, 100, 120, 127, 128, 129, 16_000, 16_383, 16_384, 70_000, 3_000_000]) {
      const symbol = 'x'.repeat(length);
      const bytes = written(() => {
        const mark = writer.open(UpdateField.ORDER_BOOK);
        writer.bytes(BookField.SYMBOL, new TextEncoder().encode(symbol));
        writer.uint(BookField.SEQ, 7);
        writer.close(mark);
        writer.uint(UpdateField.FIRST_UPDATE_ID, 9);
      });
      const theirs = encodeMarketData('OrderBookUpdate', { orderBook: { symbol, seq: 7 }, firstUpdateId: 9 });
      expect([length, Buffer.compare(Buffer.from(bytes), theirs)]).toEqual([length, 0]);
    }
  });
});

test('levels are the nearest doubles to their decimal text, and the text itself', () => {
  const level = fc.record({ tick: fc.maxSafeNat(), lots: fc.maxSafeNat() });
  fc.assert(
    fc.property(fc.array(level, { maxLength: 20 }), fc.nat(12), fc.nat(12), fc.boolean(), (levels, priceScale, quantityScale, exact) => {
      const ticks = Float64Array.from(levels, ({ tick }) => tick);
      const lots = Float64Array.from(levels, (each) => each.lots);
      writer.begin();
      writeLevels(writer, BookField.BIDS, ticks, lots, levels.length, priceScale, quantityScale, exact);
      const { bids } = decodeMarketData('OrderBookResponse', writer.take());
      const expected = levels.map((each) => {
        const price = formatDecimal(each.tick, priceScale);
        const quantity = each.lots === 0 ? '0' : formatDecimal(each.lots, quantityScale);
        const texts = { priceText: each.tick === 0 ? '0' : price, quantityText: quantity };
        return { price: Number(price), quantity: Number(quantity), ...(exact ? texts : { priceText: '', quantityText: '' }) };
      });
      expect(bids).toEqual(expected);
    }),
    { numRuns: 300 },
  );
});
