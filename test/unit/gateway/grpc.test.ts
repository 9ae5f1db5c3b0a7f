import { status as Status } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { ServiceDefinition } from '@grpc/grpc-js';
import { protoPath as healthProto } from 'grpc-health-check';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { GatewayOptions } from '../../../src/gateway/context.js';
import { type GrpcServer, startGrpcServer } from '../../../src/gateway/grpc/server.js';
import { buildHttp } from '../../../src/gateway/http.js';
import { BookState, StateReason } from '../../../src/model/book-state.js';
import { Channel, Format, MessageKind } from '../../../src/model/publication.js';
import type { TapePage, Trade } from '../../../src/model/trade.js';
import { PublicationHub } from '../../../src/publish/publication-hub.js';
import type { SubscriberLimits } from '../../../src/publish/subscriber.js';
import { systemClock } from '../../../src/support/clock.js';
import { FakeMarketData, FakePort } from '../../support/fake-market-data.js';
import { type CallFailure, GrpcClient, type GrpcStream, marketData, type Message } from '../../support/grpc-client.js';
import { encodeMarketData } from '../../support/market-data-schema.js';
import { until } from '../../support/until.js';

const { SNAPSHOT, DELTA, STATE } = MessageKind;
const NOW = 1_700_000_000_100;

let market: FakeMarketData;
let port: FakePort;
let hub: PublicationHub;
let checks: NodeJS.Timeout;
let server: GrpcServer;
let client: GrpcClient;

async function start(options: Partial<GatewayOptions> = {}, limits: Partial<SubscriberLimits> = {}): Promise<void> {
  hub = new PublicationHub(port, limits);
  market.onUntrack = (symbolId) => hub.symbolUntracked(symbolId);
  // The WebSocket side does this for all clients of a hub.
  checks = setInterval(() => hub.check(systemClock()), 20);
  const timing = { checkIntervalMs: 20, closeGraceMs: 200 };
  server = await startGrpcServer({ market, hub, logger: pino({ level: 'silent' }), ...timing, ...options, host: '127.0.0.1', port: 0 });
  client = new GrpcClient(server.address);
}

beforeEach(() => {
  market = new FakeMarketData();
  market.addLive('BTCUSDT', 30);
  port = new FakePort();
});

afterEach(async () => {
  client.close();
  await server.close();
  clearInterval(checks);
});

/** One message to everybody, in a turn of its own. */
function send(kind: MessageKind, update: Record<string, unknown>, publication = 1): void {
  hub.deliver(publication, kind, 0, Buffer.from(encodeMarketData('OrderBookUpdate', update)));
  hub.flush();
}

function whole(seq: number, levels = 1): Record<string, unknown> {
  const bids = Array.from({ length: levels }, (_, i) => ({ price: 100 - i / 8, quantity: 1 + i }));
  return { symbol: 'BTCUSDT', isSnapshot: true, orderBook: { symbol: 'BTCUSDT', seq, epoch: 1, bids } };
}

function seqOf(message: Message | undefined): unknown {
  return (message?.['order_book'] as Message | undefined)?.['seq'];
}

async function opened(streams: number): Promise<void> {
  await until(() => hub.status().subscriptions === streams, { what: `${streams} subscriptions` });
}

async function failure(call: Promise<Message>): Promise<CallFailure> {
  return call.then(
    (answer) => Promise.reject(new Error(`answered ${JSON.stringify(answer)}`)),
    (error: unknown) => error as CallFailure,
  );
}

describe('GetOrderBook', () => {
  beforeEach(() => start({ now: () => NOW }));

  test('gives what the contract names, and what was added to it', async () => {
    expect(await client.call('GetOrderBook', { symbol: 'btcusdt', depth: 2 })).toEqual({
      symbol: 'BTCUSDT',
      last_update_id: 4242,
      bids: [
        { price: 9999.99, quantity: 1, price_text: '', quantity_text: '' },
        { price: 9999.98, quantity: 1.0001, price_text: '', quantity_text: '' },
      ],
      asks: [
        { price: 10000.01, quantity: 2, price_text: '', quantity_text: '' },
        { price: 10000.02, quantity: 2.0001, price_text: '', quantity_text: '' },
      ],
      timestamp: 1_700_000_000_000,
      state: 'LIVE',
      state_reason: 'synced',
      epoch: 1,
      seq: 7,
      age_ms: 50,
      received_at: 1_700_000_000_050,
      published_at: NOW,
      price_scale: 2,
      quantity_scale: 4,
      verified_bids: 2,
      verified_asks: 2,
    });
  });

  test.each([
    [{}, 20],
    [{ depth: 1 }, 1],
    [{ depth: 5000 }, 30],
    [{ full_depth: true, depth: 3 }, 30],
  ])('%j is %i levels', async (request, levels) => {
    const { bids, asks } = await client.call('GetOrderBook', { symbol: 'BTCUSDT', ...request });
    expect([(bids as unknown[]).length, (asks as unknown[]).length]).toEqual([levels, levels]);
  });

  test('gives decimal text where it is asked for', async () => {
    const { bids } = await client.call('GetOrderBook', { symbol: 'BTCUSDT', depth: 1, exact: true });
    expect(bids).toEqual([{ price: 9999.99, quantity: 1, price_text: '9999.99', quantity_text: '1.0000' }]);
  });

  test('a symbol nobody keeps is NOT_FOUND, with the nearest name', async () => {
    expect(await failure(client.call('GetOrderBook', { symbol: 'BTCUSTD' }))).toEqual({
      code: Status.NOT_FOUND,
      details: 'BTCUSTD is not tracked; did you mean BTCUSDT?',
      metadata: { code: 'SYMBOL_NOT_TRACKED', nearest: 'BTCUSDT' },
    });
  });

  test('a name that is cut within a letter is NOT_FOUND too', async () => {
    const { code, details } = await failure(client.call('GetOrderBook', { symbol: `${'A'.repeat(63)}😀` }));
    expect([code, details]).toEqual([Status.NOT_FOUND, `${'A'.repeat(63)}\uFFFD… is not tracked`]);
    expect(await client.call('GetOrderBook', { symbol: 'BTCUSDT' })).toMatchObject({ seq: 7 });
  });

  test.each([
    ['GetOrderBook', 'a number without bytes', [0x10]],
    ['GetTicker', 'a kind of field there is not', [0x0e]],
    ['GetRecentTrades', 'a varint without end', Array.from({ length: 20 }, () => 0xff)],
  ])('%s: %s is INVALID_ARGUMENT', async (method, _, bytes) => {
    const service = { [method]: { ...marketData[method]!, requestSerialize: () => Buffer.from(bytes) } };
    expect(await failure(client.call(method, {}, service))).toEqual({
      code: Status.INVALID_ARGUMENT,
      details: 'the request is no message of the contract',
      metadata: { code: 'BAD_REQUEST' },
    });
  });

  test.each([-1, 5001, -2_147_483_648])('depth %i is INVALID_ARGUMENT', async (depth) => {
    expect(await failure(client.call('GetOrderBook', { symbol: 'BTCUSDT', depth }))).toEqual({
      code: Status.INVALID_ARGUMENT,
      details: `depth must be 1 to 5000, or 0 for 20, not ${depth}`,
      metadata: { code: 'BAD_PARAMETER', parameter: 'depth' },
    });
  });

  test('a book that is not live is UNAVAILABLE and says when to ask again; or the last known one', async () => {
    Object.assign(market.books.get(market.symbol('BTCUSDT'))!, { state: BookState.STALE, reason: StateReason.LINE_DOWN });
    const { code, metadata } = await failure(client.call('GetOrderBook', { symbol: 'BTCUSDT' }));
    expect(code).toBe(Status.UNAVAILABLE);
    expect(metadata).toEqual({
      code: 'BOOK_NOT_LIVE',
      state: 'stale',
      reason: 'line_down',
      'retry-after-ms': '1000',
      'grpc-retry-pushback-ms': '1000',
    });
    const stale = await client.call('GetOrderBook', { symbol: 'BTCUSDT', allow_stale: true, depth: 1 });
    expect(stale).toMatchObject({ state: 'STALE', state_reason: 'line_down', seq: 7 });
  });

  test('a book whose writer is faster every time is UNAVAILABLE', async () => {
    market.books.get(market.symbol('BTCUSDT'))!.busyReads = 100;
    const { code, metadata } = await failure(client.call('GetOrderBook', { symbol: 'BTCUSDT' }));
    expect([code, metadata['code']]).toEqual([Status.UNAVAILABLE, 'BOOK_BUSY']);
  });

  test('a failure of our own shows nothing of itself', async () => {
    market.readBook = () => {
      throw new Error('secret');
    };
    expect(await failure(client.call('GetOrderBook', { symbol: 'BTCUSDT' }))).toEqual({
      code: Status.INTERNAL,
      details: 'the server failed to answer; the log has the details',
      metadata: { code: 'INTERNAL_ERROR' },
    });
  });
});

describe('SubscribeToOrderBookUpdates', () => {
  test.each([
    [{}, Channel.BOOK_TOP, 20, 0, Format.PROTOBUF],
    [{ depth: 7, update_speed: 95 }, Channel.BOOK_TOP, 7, 100, Format.PROTOBUF],
    [{ full_depth: true, exact: true }, Channel.BOOK_TOP, 0, 0, Format.PROTOBUF_EXACT],
    [{ mode: 'DELTAS', update_speed: 60_000 }, Channel.BOOK, 20, 60_000, Format.PROTOBUF],
  ])('%j asks the shard for the right publication', async (request, channel, depth, intervalMs, format) => {
    await start();
    client.books({ symbol: 'BTCUSDT', ...request });
    await opened(1);
    expect(port.opened()[0]!.spec).toEqual({ channel, depth, intervalMs, format });
  });

  test.each([
    [{ depth: -1 }, 'depth'],
    [{ update_speed: -1 }, 'update_speed'],
    [{ update_speed: 60_001 }, 'update_speed'],
    [{ mode: 2 }, 'mode'],
    [{ slow_policy: 7 }, 'slow_policy'],
  ])('%j is INVALID_ARGUMENT', async (request, parameter) => {
    await start();
    const { code, metadata } = await client.books({ symbol: 'BTCUSDT', ...request }).end();
    expect([code, metadata]).toEqual([Status.INVALID_ARGUMENT, { code: 'BAD_PARAMETER', parameter }]);
  });

  test('a symbol nobody keeps is NOT_FOUND', async () => {
    await start();
    const { code, metadata } = await client.books({ symbol: 'NOPE' }).end();
    expect([code, metadata]).toEqual([Status.NOT_FOUND, { code: 'SYMBOL_NOT_TRACKED' }]);
  });

  test('fifty streams are one publication, and get the same message', async () => {
    await start();
    const clients = Array.from({ length: 5 }, () => new GrpcClient(server.address));
    const streams = clients.flatMap((each) => Array.from({ length: 10 }, () => each.books({ symbol: 'BTCUSDT', depth: 5 })));
    await opened(50);
    expect(port.opened()).toHaveLength(1);
    send(SNAPSHOT, whole(8, 3));
    await until(() => streams.every(({ received }) => received.length === 1), { what: 'a message on every stream' });
    expect(streams.map(({ received }) => received[0])).toEqual(streams.map(() => streams[0]!.received[0]));
    for (const each of clients) each.close();
    await opened(0);
    expect(port.calls.at(-1)).toMatchObject({ call: 'close' });
  });

  test('a client that leaves is forgotten', async () => {
    await start();
    const stream = client.books({ symbol: 'BTCUSDT' });
    await opened(1);
    stream.cancel();
    await opened(0);
    expect((await stream.end()).code).toBe(Status.CANCELLED);
    expect(hub.clientCount).toBe(0);
  });

  test('a symbol that is no longer tracked ends its streams with NOT_FOUND', async () => {
    await start();
    const stream = client.books({ symbol: 'BTCUSDT' });
    await opened(1);
    market.untrack('BTCUSDT');
    const { code, metadata } = await stream.end();
    expect([code, metadata]).toEqual([Status.NOT_FOUND, { code: 'SYMBOL_UNTRACKED' }]);
  });
});

describe('tickers', () => {
  const figures = { lastPrice: '10000.5', openPrice: '10100', quoteVolume: '5000000000.123456789', closeTimeMs: NOW };

  test('GetTicker gives the figures as doubles, and as text what is known', async () => {
    await start({ now: () => NOW });
    market.tickers.set('BTCUSDT', figures);
    expect(await client.call('GetTicker', { symbol: 'btcusdt' })).toEqual({
      symbol: 'BTCUSDT',
      price_change: -99.5,
      price_change_percent: -0.9851,
      weighted_avg_price: 0,
      last_price: 10000.5,
      last_quantity: 0,
      bid_price: 9999.99,
      bid_quantity: 1,
      ask_price: 10000.01,
      ask_quantity: 2,
      open_price: 10100,
      high_price: 0,
      low_price: 0,
      volume: 0,
      quote_volume: Number('5000000000.123456789'),
      open_time: NOW - 86_400_000,
      close_time: NOW,
      first_id: 0,
      last_id: 0,
      count: 0,
      text: {
        price_change: '-99.50',
        price_change_percent: '-0.9851',
        last_price: '10000.50',
        bid_price: '9999.99',
        bid_quantity: '1.0000',
        ask_price: '10000.01',
        ask_quantity: '2.0000',
        open_price: '10100.00',
        quote_volume: '5000000000.123456789',
      },
      state: 'LIVE',
      epoch: 1,
      seq: 7,
      published_at: NOW,
    });
  });

  test('without a live book there are the figures; without any, it is UNAVAILABLE', async () => {
    await start();
    market.books.get(market.symbol('BTCUSDT'))!.state = BookState.SYNCING;
    const { code, metadata } = await failure(client.call('GetTicker', { symbol: 'BTCUSDT' }));
    expect([code, metadata['code'], metadata['retry-after-ms']]).toEqual([Status.UNAVAILABLE, 'BOOK_NOT_LIVE', '1000']);
    expect((await client.stream('SubscribeToTickers', { symbol: 'BTCUSDT' }).end()).code).toBe(Status.UNAVAILABLE);
    market.tickers.set('BTCUSDT', figures);
    expect(await client.call('GetTicker', { symbol: 'BTCUSDT' })).toMatchObject({ last_price: 10000.5, bid_price: 0, state: 'SYNCING' });
    expect((await failure(client.call('GetTicker', { symbol: 'NOPE' }))).code).toBe(Status.NOT_FOUND);
  });

  test.each([
    [{}, 1000],
    [{ update_speed: 1 }, 10],
  ])('SubscribeToTickers with %j asks for one every %i ms', async (request, intervalMs) => {
    await start();
    client.stream('SubscribeToTickers', { symbol: 'BTCUSDT', ...request });
    await opened(1);
    expect(port.opened()[0]!.spec).toEqual({ channel: Channel.TICKER, depth: 0, intervalMs, format: Format.PROTOBUF });
  });
});

describe('recent trades', () => {
  const trade = (id: number): Trade => ({
    id,
    symbol: 'BTCUSDT',
    price: `${100 + id}.10`,
    quantity: '0.30000000',
    buyer_order_id: null,
    seller_order_id: null,
    timestamp: NOW + id,
    is_buyer_maker: id % 2 === 0,
    exchange_id: id === 1 ? null : `X${id}`,
  });
  const page = (page: Partial<TapePage>): TapePage => ({
    state: 'live',
    epoch: 2,
    seq: 3,
    receivedAt: NOW,
    trades: [trade(1), trade(2), trade(3)],
    skipped: [{ from: null, to: NOW + 1 }],
    next: null,
    ...page,
  });

  test('are given oldest first, with what is missing', async () => {
    await start();
    market.tapes.set('BTCUSDT', page({}));
    const { trades, ...rest } = await client.call('GetRecentTrades', { symbol: 'BTCUSDT' });
    expect((trades as unknown[])[0]).toEqual({
      id: 1,
      symbol: 'BTCUSDT',
      price: 101.1,
      quantity: 0.3,
      buyer_order_id: 0,
      seller_order_id: 0,
      timestamp: NOW + 1,
      is_buyer_maker: false,
      price_text: '101.10',
      quantity_text: '0.30000000',
      exchange_id: '',
    });
    expect((trades as Message[]).map(({ id, is_buyer_maker, exchange_id }) => [id, is_buyer_maker, exchange_id])).toEqual([
      [1, false, ''],
      [2, true, 'X2'],
      [3, false, 'X3'],
    ]);
    expect(rest).toEqual({ skipped: [{ count: 0, from: 0, to: NOW + 1 }], state: 'LIVE', epoch: 2, seq: 3, next: 0 });
  });

  test('come in pages', async () => {
    await start();
    market.tapes.set('BTCUSDT', page({}));
    const ids = async (request: Message): Promise<unknown[]> => {
      const { trades } = await client.call('GetRecentTrades', { symbol: 'BTCUSDT', ...request });
      return (trades as Message[]).map(({ id }) => id);
    };
    expect([await ids({ limit: 2 }), await ids({ limit: 2, before: 2 })]).toEqual([[2, 3], [1]]);
  });

  test('are UNAVAILABLE until the exchange has said what was traded last', async () => {
    await start();
    const { code, metadata } = await failure(client.call('GetRecentTrades', { symbol: 'BTCUSDT' }));
    expect([code, metadata['code'], metadata['retry-after-ms']]).toEqual([Status.UNAVAILABLE, 'TRADES_NOT_READY', '1000']);
    market.tapes.set('BTCUSDT', page({ state: 'stale' }));
    expect(await client.call('GetRecentTrades', { symbol: 'BTCUSDT' })).toMatchObject({ state: 'STALE', seq: 3 });
  });

  test.each([-1, 1001])('a limit of %i is INVALID_ARGUMENT', async (limit) => {
    await start();
    const { code, metadata } = await failure(client.call('GetRecentTrades', { symbol: 'BTCUSDT', limit }));
    expect([code, metadata['parameter']]).toEqual([Status.INVALID_ARGUMENT, 'limit']);
  });
});

describe('limits on streams', () => {
  test('one too many on a connection is RESOURCE_EXHAUSTED, and there is room again when one ends', async () => {
    await start({ grpcStreamsPerConnection: 2 });
    const first = client.books({ symbol: 'BTCUSDT' });
    client.books({ symbol: 'BTCUSDT' });
    await opened(2);
    const { code, metadata } = await client.books({ symbol: 'BTCUSDT' }).end();
    expect([code, metadata]).toEqual([Status.RESOURCE_EXHAUSTED, { code: 'SUBSCRIPTION_LIMIT' }]);
    const other = new GrpcClient(server.address);
    other.books({ symbol: 'BTCUSDT' });
    await opened(3);
    first.cancel();
    await opened(2);
    client.books({ symbol: 'BTCUSDT' });
    await opened(3);
    other.close();
  });

  test('one too many of all clients is RESOURCE_EXHAUSTED', async () => {
    await start({ grpcStreams: 1 });
    client.books({ symbol: 'BTCUSDT' });
    await opened(1);
    const { code, metadata } = await client.books({ symbol: 'BTCUSDT' }).end();
    expect([code, metadata['code'], metadata['retry-after-ms']]).toEqual([Status.RESOURCE_EXHAUSTED, 'TOO_MANY_CLIENTS', '5000']);
  });

  test('a book in one way too many is RESOURCE_EXHAUSTED; the ways there are stay open to all', async () => {
    await start({ grpcVariantsPerSymbol: 2 });
    client.books({ symbol: 'BTCUSDT', depth: 5 });
    const second = client.books({ symbol: 'BTCUSDT', depth: 5, update_speed: 100 });
    await opened(2);
    const { code, metadata } = await client.books({ symbol: 'BTCUSDT', depth: 6 }).end();
    expect([code, metadata]).toEqual([Status.RESOURCE_EXHAUSTED, { code: 'SUBSCRIPTION_LIMIT' }]);
    client.books({ symbol: 'BTCUSDT', depth: 5 });
    await opened(3);
    second.cancel();
    await opened(2);
    client.books({ symbol: 'BTCUSDT', depth: 6 });
    await opened(3);
  });

  test('a request too large is RESOURCE_EXHAUSTED', async () => {
    await start();
    const { code } = await failure(client.call('GetOrderBook', { symbol: 'X'.repeat(70_000) }));
    expect(code).toBe(Status.RESOURCE_EXHAUSTED);
  });
});

describe('a book that is not live', () => {
  const status = { state: 'SYNCING', reason: 'gap', epoch: 1, seq: 7 };
  const lose = (): void => {
    Object.assign(market.books.get(market.symbol('BTCUSDT'))!, { state: BookState.SYNCING, reason: StateReason.GAP });
    send(STATE, { symbol: 'BTCUSDT', status: { ...status, state: 1 } });
  };

  test('is told to clients that asked for states', async () => {
    await start({ notLiveGraceMs: 0 });
    const streams = [client.books({ symbol: 'BTCUSDT', with_status: true }), client.books({ symbol: 'BTCUSDT', mode: 'DELTAS' })];
    await opened(2);
    lose();
    expect(await streams[0]!.next()).toMatchObject({ symbol: 'BTCUSDT', is_snapshot: false, order_book: null, status });
    send(STATE, { symbol: 'BTCUSDT', status: { ...status, state: 1 } }, 2);
    expect(await streams[1]!.next()).toMatchObject({ order_book: null, status });
  });

  test('at the start is UNAVAILABLE for all others', async () => {
    await start();
    market.books.get(market.symbol('BTCUSDT'))!.state = BookState.SYNCING;
    const { code, metadata } = await client.books({ symbol: 'BTCUSDT' }).end();
    expect([code, metadata['code'], metadata['retry-after-ms']]).toEqual([Status.UNAVAILABLE, 'BOOK_NOT_LIVE', '1000']);
  });

  test('ends their streams with UNAVAILABLE when it stays so', async () => {
    await start({ notLiveGraceMs: 40 });
    const stream = client.books({ symbol: 'BTCUSDT' });
    await opened(1);
    send(SNAPSHOT, whole(7));
    lose();
    const { code, metadata } = await stream.end();
    expect([code, metadata]).toEqual([
      Status.UNAVAILABLE,
      { code: 'BOOK_NOT_LIVE', state: 'syncing', reason: 'gap', 'retry-after-ms': '1000', 'grpc-retry-pushback-ms': '1000' },
    ]);
    expect(stream.received.map(seqOf)).toEqual([7]);
  });

  test('is passed over when it is soon live again', async () => {
    await start({ notLiveGraceMs: 10_000 });
    const stream = client.books({ symbol: 'BTCUSDT' });
    await opened(1);
    lose();
    send(SNAPSHOT, whole(9));
    expect(seqOf(await stream.next())).toBe(9);
    expect(stream.ended).toBeUndefined();
  });
});

describe('a client that does not read', () => {
  /** Some 90 KB a message: HTTP/2 takes no second one. */
  const LEVELS = 4_000;

  async function stoppedAndReading(options: Message = {}): Promise<[GrpcStream, GrpcStream]> {
    const stopped = client.books({ symbol: 'BTCUSDT', ...options });
    const other = new GrpcClient(server.address);
    const reading = other.books({ symbol: 'BTCUSDT' });
    await opened(2);
    stopped.pause();
    return [stopped, reading];
  }

  /** Sends messages, each once the reading client has the one before. */
  async function pour(reading: GrpcStream, from: number, count: number, publication = 1): Promise<void> {
    for (let seq = from; seq < from + count; seq++) {
      send(SNAPSHOT, whole(seq, LEVELS), publication);
      await until(() => seqOf(reading.received.at(-1)) === seq, { what: `message ${seq} at the client that reads` });
    }
  }

  test('costs a bounded number of messages, delays nobody, and gets the newest state when it reads again', async () => {
    await start();
    const [stopped, reading] = await stoppedAndReading();
    await pour(reading, 1, 60);
    const { framesSent, conflated, slowClients } = hub.status();
    expect(reading.received).toHaveLength(60);
    // What grpc-js takes on either side, 16 each, and the windows of HTTP/2; everything else gave way to the newest.
    expect(framesSent - 60).toBeLessThanOrEqual(40);
    expect(slowClients).toBe(1);
    expect(conflated).toBeGreaterThanOrEqual(15);
    stopped.resume();
    await until(() => seqOf(stopped.received.at(-1)) === 60, { what: 'the newest state' });
    expect(stopped.received).toHaveLength(framesSent - 60 + 1);
    expect(hub.status().slowClients).toBe(0);
    await pour(reading, 61, 1);
    await until(() => seqOf(stopped.received.at(-1)) === 61, { what: 'a message behind it' });
  });

  test('past the hard limit ends with RESOURCE_EXHAUSTED, as it learns when it reads', async () => {
    await start({}, { hardLimitBytes: 1_000_000, hardLimitMs: 40, closeGraceMs: 60_000 });
    const [stopped, reading] = await stoppedAndReading();
    await pour(reading, 1, 40);
    await until(() => hub.status().slowClosed === 1, { what: 'the slow client to be sent away' });
    stopped.resume();
    const { code, metadata } = await stopped.end();
    expect([code, metadata]).toEqual([Status.RESOURCE_EXHAUSTED, { code: 'SLOW_CONSUMER' }]);
    await pour(reading, 41, 1);
  });

  test('loses its fullest streams when a connection holds too many bytes in all', async () => {
    await start({ grpcUnreadBytes: 500_000 });
    const [stopped, reading] = await stoppedAndReading();
    await pour(reading, 1, 40);
    await until(() => hub.status().slowClosed === 1, { what: 'the stream to be sent away' });
    stopped.resume();
    const { code, metadata } = await stopped.end();
    expect([code, metadata]).toEqual([Status.RESOURCE_EXHAUSTED, { code: 'SLOW_CONSUMER' }]);
    await pour(reading, 41, 1);
  });

  test('and never reads again is reset', async () => {
    await start({}, { hardLimitBytes: 1_000_000, hardLimitMs: 40, closeGraceMs: 40 });
    const [stopped, reading] = await stoppedAndReading();
    await pour(reading, 1, 40);
    await opened(1);
    expect(hub.status()).toMatchObject({ slowClosed: 1, clients: 1 });
    stopped.resume();
    expect((await stopped.end()).code).toBe(Status.RESOURCE_EXHAUSTED);
  });

  test('ends before anything is left out when it asked for that', async () => {
    await start();
    const [stopped, reading] = await stoppedAndReading({ slow_policy: 'DISCONNECT' });
    await pour(reading, 1, 40);
    expect(hub.status()).toMatchObject({ slowClosed: 1, conflated: 0 });
    stopped.resume();
    const { code, metadata } = await stopped.end();
    expect([code, metadata]).toEqual([Status.RESOURCE_EXHAUSTED, { code: 'SLOW_CONSUMER' }]);
    expect(stopped.received.map(seqOf)).toEqual(stopped.received.map((_, index) => index + 1));
  });

  test('of trades is told what it missed, and gets the rest in order', async () => {
    await start({}, { hardLimitBytes: 200_000 });
    const stopped = client.stream('SubscribeToTrades', { symbol: 'BTCUSDT' });
    await opened(1);
    expect(port.opened()[0]!.spec).toEqual({ channel: Channel.TRADE, depth: 0, intervalMs: 0, format: Format.PROTOBUF });
    // As a shard begins this format: nothing for the client.
    hub.deliver(1, SNAPSHOT, 0, Buffer.alloc(0));
    const text = 'x'.repeat(5_000);
    let id = 0;
    const trade = (): void => {
      id++;
      const frame = Buffer.from(encodeMarketData('TradeUpdate', { trade: { id, exchangeId: text }, epoch: 1 }));
      hub.deliverTrades(1, { count: 1, epoch: 1, seq: id, firstMs: NOW + id, lastMs: NOW + id, frame });
      hub.flush();
    };
    trade();
    await stopped.next();
    stopped.pause();
    await until(
      () => {
        trade();
        return hub.status().tradesSkipped >= 10;
      },
      { what: 'trades to be dropped' },
    );
    stopped.resume();
    await until(() => (stopped.received.at(-1)?.['trade'] as Message | null)?.['id'] === id, { what: 'the newest trade' });
    const seen = stopped.received.map(({ trade: one, skipped }) => (one as Message | null)?.['id'] ?? (skipped as Message)['count']);
    const gap = stopped.received.findIndex(({ skipped }) => skipped !== null);
    const { tradesSkipped } = hub.status();
    // 1, 2, 3 … as far as it was sent; how many were dropped; and from there on to the newest.
    expect(seen).toEqual([
      ...Array.from({ length: gap }, (_, i) => i + 1),
      tradesSkipped,
      ...Array.from({ length: id - gap - tradesSkipped }, (_, i) => gap + tradesSkipped + 1 + i),
    ]);
    expect(stopped.received[gap]).toMatchObject({ skipped: { from: NOW + gap, to: NOW + gap + tradesSkipped + 1 }, epoch: 1 });
  });

  test('of deltas is given a snapshot afterwards', async () => {
    await start();
    const stopped = client.books({ symbol: 'BTCUSDT', mode: 'DELTAS' });
    await opened(1);
    send(SNAPSHOT, whole(1));
    await stopped.next();
    stopped.pause();
    await until(
      () => {
        const seq = hub.status().framesSent + 1;
        send(DELTA, { ...whole(seq, LEVELS), isSnapshot: false, prev: seq - 1 });
        return hub.status().deltasSkipped > 3;
      },
      { what: 'deltas to be left out' },
    );
    stopped.resume();
    await until(() => port.requests().length === 1, { what: 'a request for a snapshot' });
    const { token, reason } = port.requests()[0]!;
    expect(reason).toBe('slow');
    hub.deliver(1, MessageKind.SNAPSHOT_FOR, token, Buffer.from(encodeMarketData('OrderBookUpdate', { ...whole(99), reason: 'slow' })));
    hub.flush();
    await until(() => stopped.received.at(-1)?.['reason'] === 'slow', { what: 'the snapshot' });
    const seqs = stopped.received.map(seqOf);
    expect(seqs).toEqual([...seqs.slice(0, -1).map((_, index) => index + 1), 99]);
  });
});

describe('health', () => {
  const health = loadSync(healthProto, { keepCase: true, enums: String, defaults: true })['grpc.health.v1.Health'] as ServiceDefinition;

  test('follows readiness', async () => {
    await start();
    const http = await buildHttp({ market, hub, logger: pino({ level: 'silent' }) });
    const ask = async (service: string): Promise<unknown> => (await client.call('Check', { service }, health))['status'];
    expect([await ask(''), await ask('market_data.MarketDataService')]).toEqual(['SERVING', 'SERVING']);
    const watch = client.stream('Watch', { service: '' }, health);
    expect(await watch.next()).toEqual({ status: 'SERVING' });
    market.books.get(market.symbol('BTCUSDT'))!.state = BookState.SYNCING;
    expect(await watch.next()).toEqual({ status: 'NOT_SERVING' });
    expect(await ask('')).toBe('NOT_SERVING');
    expect((await http.inject('/health/ready')).statusCode).toBe(503);
    market.books.get(market.symbol('BTCUSDT'))!.state = BookState.LIVE;
    expect(await watch.next()).toEqual({ status: 'SERVING' });
    expect((await http.inject('/health/ready')).statusCode).toBe(200);
    expect((await failure(client.call('Check', { service: 'nope' }, health))).code).toBe(Status.NOT_FOUND);
    await http.close();
  });
});

describe('the end', () => {
  test('tells every stream, and does not wait for one that does not read', async () => {
    await start();
    const streams = [client.books({ symbol: 'BTCUSDT' }), client.books({ symbol: 'BTCUSDT', depth: 5 })];
    await opened(2);
    streams[1]!.pause();
    for (let seq = 1; seq < 20; seq++) send(SNAPSHOT, whole(seq, 4_000), 2);
    await server.close();
    const { code, metadata } = await streams[0]!.end();
    expect([code, metadata['code'], metadata['retry-after-ms']]).toEqual([Status.UNAVAILABLE, 'SHUTTING_DOWN', '5000']);
    await opened(0);
    expect((await failure(client.call('GetOrderBook', { symbol: 'BTCUSDT' }))).code).toBe(Status.UNAVAILABLE);
  });

  test('a port that is taken is an error with a code', async () => {
    await start();
    const again = Number(server.address.split(':')[1]);
    const attempt = startGrpcServer({ market, hub, logger: pino({ level: 'silent' }), host: '127.0.0.1', port: again });
    await expect(attempt).rejects.toMatchObject({ code: 'GRPC_PORT_UNAVAILABLE', message: `port ${server.address} is in use` });
  });
});
