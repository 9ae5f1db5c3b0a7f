import { beforeEach, describe, expect, test } from 'vitest';
import { StateReason } from '../../../src/model/book-state.js';
import { Channel, Format, MessageKind, type PublicationSpec } from '../../../src/model/publication.js';
import { TickerReader } from '../../../src/publish/ticker-reader.js';
import { REFUSED_TICKERS } from '../../../src/shard/records.js';
import type { HeldFigures } from '../../../src/ticker/ticker-words.js';
import { type Deal, deal } from '../../support/deals.js';
import type { TextLevel } from '../../support/model-book.js';
import { type BenchMessage, ShardBench, type ShardBenchOptions } from '../../support/shard-bench.js';
import { pushMiniTickers } from '../../support/pushes-in-a-buffer.js';

const ID = 7;
const { SNAPSHOT, SNAPSHOT_FOR } = MessageKind;
const MINI = { symbol: 'BTCUSDT', price: '100.25', high: '101', low: '99', volume: '20000', quantity: '200', zonedRate: '0.0025' };
const REST = { symbol: 'BTCUSDT', lastPrice: '100', openPrice: '100', highPrice: '102', lowPrice: '99', volume: '190', closeTime: 500_000 };

let bench: ShardBench;
let reader: TickerReader;
let version: number;

function start(options?: ShardBenchOptions): void {
  bench = new ShardBench(options).live();
  reader = new TickerReader(bench.buffers.tickers);
  version = 100;
}
beforeEach(() => start());

function spec(intervalMs: number): PublicationSpec {
  return { channel: Channel.TICKER, depth: 0, intervalMs, format: Format.JSON };
}
function push(bids: readonly TextLevel[], asks: readonly TextLevel[] = []): void {
  bench.now++;
  bench.frame({ from: ++version, bids, asks, sendTime: 1_754_741_322_000 + version });
}
function bodies(): BenchMessage['body'][] {
  return bench.take(ID).map(({ body }) => body);
}
function held(slot = 1): HeldFigures {
  return reader.read(slot)!;
}

describe('what the exchange says', () => {
  test('is kept of the symbols of the shard, whichever source it comes from', () => {
    bench.track('ETHUSDT', 2);
    bench.miniTickers([MINI, { ...MINI, symbol: 'ETHUSDT', price: '5' }, { ...MINI, symbol: 'NOPEUSDT' }]);
    bench.tickers([{ ...REST, symbol: 'NOPEUSDT' }, REST]);
    expect(held()).toMatchObject({ lastPrice: '100.25', openPrice: '100', highPrice: '101', volume: '200', quoteVolume: '20000' });
    expect(held(2)).toMatchObject({ lastPrice: '5', openPrice: null });
    expect(held(3)).toMatchObject({ lastPrice: null, volume: null });
    expect(bench.refusals).toEqual([]);
  });

  test('an answer of any length is read to its end, between other things to do', () => {
    const others = Array.from({ length: 1000 }, (_, i) => ({ ...REST, symbol: `NO${i}USDT` }));
    bench.ingress.tickers(new TextEncoder().encode(JSON.stringify([...others, REST])), bench.now);
    bench.ingress.tick(bench.now);
    bench.work();
    expect(held().openPrice).toBe('100');
  });

  test('a message that cannot be read is refused, and what it said before stands', () => {
    bench.tickers('{"code":429}');
    bench.tickers(`[${JSON.stringify(REST)},{"symbol":`);
    pushMiniTickers(bench.ingress, Uint8Array.of(0x0a, 0xff), bench.now);
    bench.work();
    expect(bench.refusals).toEqual([REFUSED_TICKERS, REFUSED_TICKERS, REFUSED_TICKERS]);
    expect(held().openPrice).toBe('100');
    expect(bench.state()).toBe('live synced');
  });

  test('belongs to the symbol, not to its slot, and outlives the worker', () => {
    bench.miniTickers([MINI]);
    bench.die();
    bench.track();
    expect(held().lastPrice).toBe('100.25');
    bench.untrack();
    bench.track('ETHUSDT', 1);
    expect(held().lastPrice).toBeNull();
    bench.miniTickers([MINI]);
    expect(held().lastPrice).toBeNull();
  });
});

describe('the channel', () => {
  test('begins with all there is, in the envelope of the book', () => {
    bench.tickers([REST]).miniTickers([MINI], 900_000);
    bench.open(ID, spec(0));
    expect(bench.messages.map(({ kind }) => kind)).toEqual([SNAPSHOT]);
    expect(bodies()).toEqual([
      {
        ch: 'ticker',
        sym: 'BTCUSDT',
        interval: 0,
        type: 'snapshot',
        epoch: 1,
        seq: 1,
        prev: null,
        te: null,
        tr: 1_000_000,
        tp: 1_000_000,
        state: 'live',
        price_change: '0.25',
        price_change_percent: '0.2500',
        weighted_avg_price: '100.0000',
        last_price: '100.25',
        last_quantity: null,
        bid_price: '99.50',
        bid_quantity: '1.000',
        ask_price: '100.50',
        ask_quantity: '2.000',
        open_price: '100.00',
        high_price: '101.00',
        low_price: '99.00',
        volume: '200.000',
        quote_volume: '20000',
        open_time: 900_000 - 86_400_000,
        close_time: 900_000,
        first_id: null,
        last_id: null,
        count: null,
      },
    ]);
  });

  test('then sends every change of it, and nothing else', () => {
    bench.open(ID, spec(0));
    bodies();
    push([['98', '1']]);
    bench.miniTickers([{ ...MINI, symbol: 'ETHUSDT' }]);
    expect(bodies()).toEqual([]);
    push([['99.6', '1']]);
    bench.miniTickers([MINI]);
    bench.miniTickers([MINI]);
    expect(bodies()).toMatchObject([
      { seq: 3, bid_price: '99.60', last_price: null },
      { seq: 3, bid_price: '99.60', last_price: '100.25' },
    ]);
  });

  test('with an interval, the newest when it is due', () => {
    bench.open(ID, spec(100));
    bodies();
    push([['99.6', '1']]);
    bench.miniTickers([MINI]);
    bench.tick(50);
    expect(bodies()).toEqual([]);
    bench.tick(50);
    expect(bodies()).toMatchObject([{ bid_price: '99.60', last_price: '100.25' }]);
    bench.tick(100);
    expect(bodies()).toEqual([]);
  });

  test('does not need a live book: without one there is no bid and no ask', () => {
    bench = new ShardBench().track();
    bench.open(ID, spec(100));
    expect(bodies()).toMatchObject([{ type: 'snapshot', state: 'syncing', tr: null, bid_price: null, last_price: null }]);
    bench.miniTickers([MINI]).tick(100);
    expect(bodies()).toMatchObject([{ state: 'syncing', bid_price: null, last_price: '100.25' }]);
    bench.lineUp().snapshot({ lastUpdateId: 100, bids: [['99.5', '1']], asks: [] });
    expect(bodies()).toMatchObject([{ state: 'live', epoch: 1, bid_price: '99.50', ask_price: null }]);
    bench.lineDown(StateReason.LINE_DOWN);
    expect(bodies()).toMatchObject([{ state: 'stale', bid_price: null, last_price: '100.25' }]);
  });

  test('the last trade is that of the tape, until the exchange says something newer', () => {
    const at = (price: string, time: number): Deal => deal(time, { price, quantity: '0.5' });
    bench
      .miniTickers([MINI], 900_000)
      .streamUp()
      .trades([at('100.1', 900_001)]);
    bench.open(ID, spec(0));
    expect(bodies()).toMatchObject([{ last_price: '100.10', last_quantity: '0.500' }]);
    bench.deals([at('100.5', 900_002)]);
    expect(bodies()).toMatchObject([{ last_price: '100.50', last_quantity: '0.500', price_change: null }]);
    bench.miniTickers([{ ...MINI, price: '100.5' }], 900_003);
    expect(bodies()).toMatchObject([{ last_price: '100.50', last_quantity: '0.500', close_time: 900_003 }]);
    bench.miniTickers([{ ...MINI, price: '100.75' }], 900_004);
    expect(bodies()).toMatchObject([{ last_price: '100.75', last_quantity: null }]);
    bench.deals([at('100.75', 900_005)]);
    expect(bodies()).toMatchObject([{ last_price: '100.75', last_quantity: '0.500' }]);
  });

  test('a newcomer gets it for himself, the others before him', () => {
    bench.open(ID, spec(1000));
    bodies();
    bench.miniTickers([MINI]).requestSnapshot(ID, 5);
    expect(bench.take(ID).map(({ kind, token, body }) => [kind, token, body['last_price']])).toEqual([
      [SNAPSHOT, 0, '100.25'],
      [SNAPSHOT_FOR, 5, '100.25'],
    ]);
  });

  test('what found no room is said when there is some', () => {
    start({ outboundBytes: 2 ** 12 });
    bench.open(ID, spec(0));
    bodies();
    bench.draining = false;
    for (let i = 0; i < 10; i++) bench.miniTickers([{ ...MINI, price: String(100 + i) }], 900_000 + i);
    bench.draining = true;
    bench.work();
    expect(bodies().length).toBeLessThan(10);
    bench.tick();
    expect(bodies()).toMatchObject([{ last_price: '109.00' }]);
  });
});

test('says in protobuf what it says in JSON', () => {
  const proto = 8;
  bench.now = 200_000_000;
  bench.open(ID, spec(0));
  bench.open(proto, { ...spec(0), format: Format.PROTOBUF });
  bench.tickers([{ ...REST, closeTime: 190_000_000 }]);
  bench.miniTickers([{ ...MINI, price: '98.5' }]);
  push([['99.75', '3']]);
  bench.lineDown(StateReason.LINE_DOWN);
  const json = bench.take(ID);
  const theirs = bench.take(proto);
  expect(theirs.map(({ kind }) => kind)).toEqual(json.map(({ kind }) => kind));
  expect(json.length).toBeGreaterThan(4);
  for (const [index, { body }] of theirs.entries()) {
    const { text, ...ticker } = body['ticker'] as Readonly<Record<string, unknown>> & { readonly text: Readonly<Record<string, string>> };
    const expected = json[index]!.body;
    for (const [field, value] of Object.entries(ticker)) {
      const name = field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
      if (['symbol', 'published_at', 'state'].includes(name)) continue;
      expect([name, value]).toEqual([name, Number(expected[name])]);
      if (name in expected && typeof expected[name] === 'string') expect(text[field]).toBe(expected[name]);
    }
    expect(Object.keys(text)).toHaveLength(
      Object.values(expected).filter((value) => typeof value === 'string' && /^-?[0-9.]+$/.test(value)).length,
    );
    expect([ticker['symbol'], ticker['publishedAt'], String(ticker['state']).toLowerCase()]).toEqual([
      'BTCUSDT',
      expected['tp'],
      expected['state'],
    ]);
  }
});
