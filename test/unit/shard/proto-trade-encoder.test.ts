import { expect, test } from 'vitest';
import { Channel, Format, MessageKind } from '../../../src/model/publication.js';
import { type Deal, deal } from '../../support/deals.js';
import { ShardBench } from '../../support/shard-bench.js';

const ID = 7;

function start(): ShardBench {
  const bench = new ShardBench().track();
  bench.streamUp().trades([deal(1), deal(2)]);
  return bench.open(ID, { channel: Channel.TRADE, format: Format.PROTOBUF, depth: 0, intervalMs: 0 });
}

test('a stream begins with the next trade; each has a message of its own, and says what REST says', () => {
  const bench = start();
  // The fan-out hears of the beginning; clients get nothing.
  expect(bench.take(ID).map(({ kind, frame }) => [kind, frame.length])).toEqual([[MessageKind.SNAPSHOT, 0]]);
  const deals: Deal[] = [deal(3, { sell: true, price: '0.10', quantity: '0.3' }), deal(4, { id: 'é' }), deal(5)];
  bench.deals(deals);
  const messages = bench.take(ID);
  expect(bench.tradesHeads.map(({ count, seq }) => [count, seq])).toEqual([
    [1, 3],
    [1, 4],
    [1, 5],
  ]);
  expect(messages.map(({ body }) => body)).toEqual(
    bench.tape(3).trades.map(({ id, symbol, price, quantity, timestamp, is_buyer_maker, exchange_id }) => ({
      trade: {
        id,
        symbol,
        price: Number(price),
        quantity: Number(quantity),
        buyerOrderId: 0,
        sellerOrderId: 0,
        timestamp,
        isBuyerMaker: is_buyer_maker,
        priceText: price,
        quantityText: quantity,
        exchangeId: exchange_id,
      },
      skipped: null,
      epoch: 1,
      publishedAt: bench.now,
    })),
  );
});

test('a hole has a message of its own; the state of the tape has none', () => {
  const bench = start();
  bench.take(ID);
  bench.streamDown();
  bench.streamUp().trades([deal(8), deal(9)]);
  const sent = bench.take(ID).filter(({ frame }) => frame.length > 0);
  expect(sent.map(({ body }) => [body['skipped'], (body['trade'] as { timestamp: number } | null)?.timestamp, body['epoch']])).toEqual([
    [{ count: 0, from: 2, to: 8 }, undefined, 2],
    [null, 8, 2],
    [null, 9, 2],
  ]);
});
