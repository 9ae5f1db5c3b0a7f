import { beforeEach, describe, expect, test } from 'vitest';
import { Channel, Format, MessageKind, type PublicationSpec } from '../../../src/model/publication.js';
import { PublicationHub } from '../../../src/publish/publication-hub.js';
import type { Subscriber } from '../../../src/publish/subscriber.js';
import { deliver, FakeMarketData, FakePort } from '../../support/fake-market-data.js';
import { FakeConnection } from './fake-connection.js';

const BOOK: PublicationSpec = { channel: Channel.BOOK, depth: 20, intervalMs: 100, format: Format.JSON };
const TOP: PublicationSpec = { channel: Channel.BOOK_TOP, depth: 5, intervalMs: 0, format: Format.JSON };
const STATUS: PublicationSpec = { channel: Channel.STATUS, depth: 0, intervalMs: 0, format: Format.JSON };
const SOFT = 1000;
const HARD = 5000;

let market: FakeMarketData;
let port: FakePort;
let hub: PublicationHub;

beforeEach(() => {
  market = new FakeMarketData();
  for (const name of ['BTCUSDT', 'ETHUSDT', 'XRPUSDT']) market.addLive(name);
  port = new FakePort();
  hub = new PublicationHub(port, { softLimitBytes: SOFT, hardLimitBytes: HARD, hardLimitMs: 2000, closeGraceMs: 2000 });
});

function client(): { connection: FakeConnection; subscriber: Subscriber } {
  const connection = new FakeConnection();
  return { connection, subscriber: hub.addClient(connection) };
}

function subscribe(subscriber: Subscriber, name: string, spec: PublicationSpec): number {
  hub.subscribe(subscriber, market.symbol(name), spec);
  return subscriber.subscriptions.get([...subscriber.subscriptions.keys()].at(-1)!)!.publication.id;
}

/** Delivers in one turn. */
function turn(...messages: [publicationId: number, kind: MessageKind, payload: string, token?: number][]): void {
  for (const [id, kind, payload, token] of messages) deliver(hub, id, kind, payload, token);
  hub.flush();
}

const { SNAPSHOT, DELTA, SNAPSHOT_FOR, STATE, STATE_FOR } = MessageKind;

test('what is small leaves before what is large, whoever came first', () => {
  const left: string[] = [];
  const [whole, quotes, more] = [client(), client(), client()];
  for (const [name, { connection }] of Object.entries({ whole, quotes, more })) connection.outlet.uncork = () => void left.push(name);
  const book = subscribe(whole.subscriber, 'BTCUSDT', TOP);
  const quote = subscribe(quotes.subscriber, 'ETHUSDT', TOP);
  hub.subscribe(more.subscriber, market.symbol('BTCUSDT'), TOP);
  hub.subscribe(more.subscriber, market.symbol('XRPUSDT'), TOP);
  turn([book, SNAPSHOT, 'x'.repeat(4500)], [quote, SNAPSHOT, 'y']);
  expect(left).toEqual(['quotes', 'whole', 'more']);
});

describe('the turn of many clients that are given much', () => {
  const WHOLE = 'x'.repeat(4500);

  /** So many followers of one book, in the middle of their turn, and who was written to, by number. */
  function crowd(count: number): { id: number; clients: readonly ReturnType<typeof client>[]; taken: () => number[] } {
    const clients = Array.from({ length: count }, client);
    let id = 0;
    for (const { subscriber } of clients) id = subscribe(subscriber, 'BTCUSDT', TOP);
    deliver(hub, id, SNAPSHOT, WHOLE);
    const taken = (): number[] => clients.flatMap(({ connection }, i) => (connection.taken().length > 0 ? [i] : []));
    return { id, clients, taken };
  }
  const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

  test('ends a few at a time, in order', () => {
    const { taken } = crowd(150);
    expect(hub.flush()).toBe(true);
    expect(taken()).toEqual(range(0, 64));
    expect(hub.flush()).toBe(true);
    expect(taken()).toEqual(range(64, 128));
    expect(hub.flush()).toBe(false);
    expect(taken()).toEqual(range(128, 150));
    expect(hub.flush()).toBe(false);
    expect(taken()).toEqual([]);
  });

  test('is not waited for by those that are given little, and takes what comes meanwhile', () => {
    const { id, clients, taken } = crowd(100);
    hub.flush();
    expect(taken()).toEqual(range(0, 64));
    for (const { connection } of clients.slice(0, 64)) connection.drain();
    const quotes = client();
    const quote = subscribe(quotes.subscriber, 'ETHUSDT', TOP);
    deliver(hub, quote, SNAPSHOT, 'y');
    deliver(hub, id, SNAPSHOT, 'newer');
    expect(clients[99]!.connection.taken()).toEqual([]);
    expect(hub.flush()).toBe(false);
    expect(quotes.connection.taken()).toEqual(['y']);
    expect(clients[0]!.connection.taken()).toEqual(['newer']);
    expect(clients[99]!.connection.taken()).toEqual([WHOLE, 'newer']);
  });

  test('ends without a word for a client that is closed meanwhile', () => {
    const { id, clients } = crowd(100);
    hub.flush();
    clients[90]!.subscriber.close(0, 'RATE_LIMITED');
    clients[91]!.connection.open = false;
    deliver(hub, id, SNAPSHOT, 'newer');
    hub.flush();
    const ended = clients.slice(90, 93).map(({ connection }) => connection.taken());
    expect(ended).toEqual([[], [], [WHOLE, 'newer']]);
  });
});

test('hundreds that do not read are sent away a few at a time', () => {
  const clients = Array.from({ length: 10 }, client);
  for (const { connection } of clients) connection.fakeSocket.writableLength = HARD + 1;
  hub.check(0);
  const closed: number[] = [];
  for (let nowMs = 2000; nowMs < 2003; nowMs++) {
    hub.check(nowMs);
    closed.push(hub.status().slowClosed);
  }
  expect(closed).toEqual([4, 8, 10]);
});

describe('publications', () => {
  test('are opened with the first subscriber and closed with the last', () => {
    const a = client();
    const b = client();
    const id = subscribe(a.subscriber, 'BTCUSDT', BOOK);
    expect(subscribe(b.subscriber, 'BTCUSDT', BOOK)).toBe(id);
    expect(port.calls).toEqual([{ call: 'open', symbolId: 0, publicationId: id, spec: BOOK }]);
    hub.unsubscribe([...a.subscriber.subscriptions.values()][0]!);
    expect(port.calls).toHaveLength(1);
    hub.removeClient(b.subscriber);
    expect(port.calls.at(-1)).toEqual({ call: 'close', symbolId: 0, publicationId: id });
    expect(hub.status()).toMatchObject({ clients: 1, publications: 0, subscriptions: 0 });
  });

  test('differ by symbol, channel, depth and interval, and are never mixed up with one that was closed', () => {
    const { subscriber } = client();
    const specs = [BOOK, { ...BOOK, depth: 5 }, { ...BOOK, intervalMs: 0 }, TOP];
    const ids = [...specs.map((spec) => subscribe(subscriber, 'BTCUSDT', spec)), subscribe(subscriber, 'ETHUSDT', BOOK)];
    expect(new Set(ids).size).toBe(5);
    expect(hub.subscribe(subscriber, market.symbol('BTCUSDT'), BOOK)).toBe(false);
    expect(port.opened()).toHaveLength(5);
    hub.removeClient(subscriber);
    const other = client();
    expect(ids).not.toContain(subscribe(other.subscriber, 'BTCUSDT', BOOK));
    turn([ids[0]!, SNAPSHOT, 'late']);
    expect(other.connection.taken()).toEqual([]);
  });

  test('reach all their subscribers, one write a client and turn', () => {
    const clients = [client(), client(), client()];
    const ids = ['BTCUSDT', 'ETHUSDT'].map((name) => clients.map(({ subscriber }) => subscribe(subscriber, name, TOP))[0]!);
    turn([ids[0]!, SNAPSHOT, 'btc1'], [ids[1]!, SNAPSHOT, 'eth1'], [ids[0]!, SNAPSHOT, 'btc2']);
    for (const { connection } of clients) expect(connection.fakeSocket.writes).toEqual([['btc1', 'eth1', 'btc2']]);
  });

  test('leave the others alone when one subscriber goes', () => {
    const [a, b, c] = [client(), client(), client()];
    const id = [a, b, c].map(({ subscriber }) => subscribe(subscriber, 'BTCUSDT', TOP))[0]!;
    hub.removeClient(a.subscriber);
    turn([id, SNAPSHOT, 'x']);
    expect([a, b, c].map(({ connection }) => connection.taken())).toEqual([[], ['x'], ['x']]);
  });
});

describe('book subscriptions', () => {
  test('begin with a snapshot: deltas before it are not sent', () => {
    const a = client();
    const id = subscribe(a.subscriber, 'BTCUSDT', BOOK);
    turn([id, STATE, 'syncing']);
    turn([id, SNAPSHOT, 's1'], [id, DELTA, 'd2']);
    expect(a.connection.taken()).toEqual(['syncing', 's1', 'd2']);
    const b = client();
    subscribe(b.subscriber, 'BTCUSDT', BOOK);
    const [request] = port.requests();
    expect(request).toMatchObject({ publicationId: id, reason: 'subscribe' });
    turn([id, DELTA, 'd3'], [id, SNAPSHOT_FOR, 's3', request!.token], [id, DELTA, 'd4']);
    expect(a.connection.taken()).toEqual(['d3', 'd4']);
    expect(b.connection.taken()).toEqual(['s3', 'd4']);
    expect(hub.requestCount).toBe(0);
  });

  test('that join before the first message wait for it without a request', () => {
    const [a, b] = [client(), client()];
    const id = subscribe(a.subscriber, 'BTCUSDT', BOOK);
    subscribe(b.subscriber, 'BTCUSDT', BOOK);
    turn([id, SNAPSHOT, 's1']);
    expect([a, b].map(({ connection }) => connection.taken())).toEqual([['s1'], ['s1']]);
    expect(port.requests()).toEqual([]);
  });

  test('need no answer to their request any more when a broadcast came first', () => {
    const [a, b] = [client(), client()];
    const id = subscribe(a.subscriber, 'BTCUSDT', BOOK);
    turn([id, SNAPSHOT, 's1']);
    subscribe(b.subscriber, 'BTCUSDT', BOOK);
    const { token } = port.requests()[0]!;
    turn([id, SNAPSHOT, 's2']);
    turn([id, SNAPSHOT_FOR, 's2 again', token], [id, DELTA, 'd3']);
    expect(b.connection.taken()).toEqual(['s2', 'd3']);
  });

  test('told that the book is not live ask again as soon as deltas flow', () => {
    const [a, b] = [client(), client()];
    const id = subscribe(a.subscriber, 'BTCUSDT', BOOK);
    turn([id, SNAPSHOT, 's1'], [id, STATE, 'stale']);
    subscribe(b.subscriber, 'BTCUSDT', BOOK);
    turn([id, STATE_FOR, 'stale', port.requests()[0]!.token]);
    turn([id, STATE, 'live'], [id, DELTA, 'd2'], [id, DELTA, 'd3']);
    expect(port.requests()).toHaveLength(2);
    turn([id, SNAPSHOT_FOR, 's3', port.requests()[1]!.token], [id, DELTA, 'd4']);
    expect(a.connection.taken()).toEqual(['s1', 'stale', 'live', 'd2', 'd3', 'd4']);
    expect(b.connection.taken()).toEqual(['stale', 'live', 's3', 'd4']);
  });

  test('ask again when a request stays without an answer', () => {
    const [a, b] = [client(), client()];
    const id = subscribe(a.subscriber, 'BTCUSDT', BOOK);
    turn([id, SNAPSHOT, 's1']);
    subscribe(b.subscriber, 'BTCUSDT', BOOK);
    for (const nowMs of [5_000, 14_999]) hub.check(nowMs);
    expect(port.requests()).toHaveLength(1);
    hub.check(15_000);
    const [lost, repeated] = port.requests();
    turn([id, SNAPSHOT_FOR, 'lost', lost!.token], [id, SNAPSHOT_FOR, 's2', repeated!.token]);
    expect(b.connection.taken()).toEqual(['s2']);
  });
});

describe('a replaced worker', () => {
  test('is told its publications again, and their subscribers wait for a snapshot', () => {
    const [a, b] = [client(), client()];
    const btc = subscribe(a.subscriber, 'BTCUSDT', BOOK);
    const eth = subscribe(a.subscriber, 'ETHUSDT', BOOK);
    turn([btc, SNAPSHOT, 's1'], [eth, SNAPSHOT, 's1']);
    subscribe(b.subscriber, 'BTCUSDT', BOOK);
    const { token } = port.requests()[0]!;
    hub.reopen([0]);
    expect(port.opened().map(({ publicationId }) => publicationId)).toEqual([btc, eth, btc]);
    for (const { connection } of [a, b]) connection.taken();
    turn([eth, DELTA, 'eth goes on'], [btc, SNAPSHOT_FOR, 'of the old worker', token]);
    turn([btc, SNAPSHOT, 's2'], [btc, DELTA, 'd3']);
    expect(a.connection.taken()).toEqual(['eth goes on', 's2', 'd3']);
    expect(b.connection.taken()).toEqual(['s2', 'd3']);
    expect(hub.requestCount).toBe(0);
  });
});

test('an untracked symbol ends its subscriptions, and the clients are told', () => {
  const [a, b] = [client(), client()];
  subscribe(a.subscriber, 'BTCUSDT', BOOK);
  subscribe(a.subscriber, 'BTCUSDT', TOP);
  subscribe(b.subscriber, 'BTCUSDT', BOOK);
  const eth = subscribe(b.subscriber, 'ETHUSDT', TOP);
  hub.symbolUntracked(0);
  expect([a, b].map(({ connection }) => connection.ended)).toEqual([['0:0:20:100:0', '0:1:5:0:0'], ['0:0:20:100:0']]);
  expect(port.calls.filter(({ call }) => call === 'close')).toHaveLength(2);
  expect(hub.status()).toMatchObject({ publications: 1, subscriptions: 1 });
  turn([eth, SNAPSHOT, 'x']);
  expect(b.connection.taken()).toEqual(['x']);
});

describe('a slow client', () => {
  test('of a stateless channel gets the newest message once it has drained, and holds up nobody', () => {
    const [slow, fast] = [client(), client()];
    const id = [slow, fast].map(({ subscriber }) => subscribe(subscriber, 'BTCUSDT', TOP))[0]!;
    turn([id, SNAPSHOT, 't1']);
    slow.connection.lag(SOFT + 1);
    for (const text of ['t2', 't3', 't4']) {
      turn([id, SNAPSHOT, text]);
      fast.connection.drain();
    }
    expect(slow.subscriber.slow).toBe(true);
    slow.connection.drain();
    slow.subscriber.drained();
    expect(slow.connection.taken()).toEqual(['t1', 't4']);
    expect(fast.connection.taken()).toEqual(['t1', 't2', 't3', 't4']);
    turn([id, SNAPSHOT, 't5']);
    expect(slow.connection.taken()).toEqual(['t5']);
    expect(hub.status()).toMatchObject({ conflated: 2, slowdowns: 1, slowClients: 0 });
  });

  test('of a book skips to a snapshot once it has drained', () => {
    const { connection, subscriber } = client();
    const id = subscribe(subscriber, 'BTCUSDT', BOOK);
    turn([id, SNAPSHOT, 's1'], [id, DELTA, 'd2']);
    connection.lag(SOFT + 1);
    turn([id, DELTA, 'd3'], [id, DELTA, 'd4']);
    turn([id, STATE, 'stale'], [id, STATE, 'live'], [id, DELTA, 'd5']);
    expect(port.requests()).toEqual([]);
    connection.drain();
    subscriber.drained();
    expect(port.requests()).toMatchObject([{ reason: 'slow' }]);
    turn([id, DELTA, 'd6'], [id, SNAPSHOT_FOR, 's6', port.requests()[0]!.token], [id, DELTA, 'd7']);
    expect(connection.taken()).toEqual(['s1', 'd2', 'live', 's6', 'd7']);
    expect(hub.status().deltasSkipped).toBe(3);
  });

  test('that falls behind again before its snapshot came asks again', () => {
    const { connection, subscriber } = client();
    const id = subscribe(subscriber, 'BTCUSDT', BOOK);
    turn([id, SNAPSHOT, 's1']);
    for (let round = 0; round < 3; round++) {
      connection.lag(SOFT + 1);
      if (round === 0) turn([id, DELTA, 'd']);
      else turn([id, SNAPSHOT_FOR, 'not taken', port.requests().at(-1)!.token]);
      connection.drain();
      subscriber.drained();
    }
    expect(port.requests()).toHaveLength(3);
    turn([id, SNAPSHOT_FOR, 's9', port.requests().at(-1)!.token]);
    expect(connection.taken()).toEqual(['s1', 's9']);
  });

  test.each([
    [
      [STATE, 'stale', SNAPSHOT, 't2'],
      ['stale', 't2'],
    ],
    [
      [SNAPSHOT, 't2', STATE, 'stale'],
      ['t2', 'stale'],
    ],
    [
      [STATE, 'stale', SNAPSHOT, 't2', STATE, 'live'],
      ['t2', 'live'],
    ],
    [[STATE, 'stale', STATE, 'live'], ['live']],
  ])('keeps the order of what it kept: %j', (messages, expected) => {
    const { connection, subscriber } = client();
    const id = subscribe(subscriber, 'BTCUSDT', TOP);
    turn([id, SNAPSHOT, 't1']);
    connection.taken();
    connection.lag(SOFT + 1);
    for (let i = 0; i < messages.length; i += 2) turn([id, messages[i] as MessageKind, messages[i + 1] as string]);
    connection.drain();
    subscriber.drained();
    expect(connection.taken()).toEqual(expected);
    expect(subscriber.pendingBytes).toBe(0);
  });

  test('keeps the newest status of each symbol', () => {
    const { connection, subscriber } = client();
    const ids = ['BTCUSDT', 'ETHUSDT'].map((name) => subscribe(subscriber, name, STATUS));
    connection.lag(SOFT + 1);
    for (const text of ['a', 'b']) turn([ids[0]!, STATE, `btc ${text}`], [ids[1]!, STATE, `eth ${text}`]);
    connection.drain();
    subscriber.drained();
    expect(connection.taken()).toEqual(['btc b', 'eth b']);
  });

  test('is not one that takes a burst within one turn', () => {
    const { connection, subscriber } = client();
    const ids = ['BTCUSDT', 'ETHUSDT', 'XRPUSDT'].map((name) => subscribe(subscriber, name, BOOK));
    const big = 's'.repeat(SOFT);
    turn(...ids.map((id): [number, MessageKind, string] => [id, SNAPSHOT, big]));
    expect(connection.taken()).toEqual([big, big, big]);
    expect(subscriber.slow).toBe(false);
  });

  test('never has more in its socket than the hard limit and one frame, nor more kept than the hard limit', () => {
    const { connection, subscriber } = client();
    const names = Array.from({ length: 40 }, (_, i) => `S${i}USDT`);
    for (const name of names) market.addLive(name);
    const ids = names.map((name) => subscribe(subscriber, name, TOP));
    const payload = 't'.repeat(400);
    for (let round = 0; round < 5; round++) turn(...ids.map((id): [number, MessageKind, string] => [id, SNAPSHOT, payload]));
    expect(connection.fakeSocket.writableLength).toBeLessThanOrEqual(HARD + 404);
    expect(subscriber.pendingBytes).toBeLessThanOrEqual(HARD);
    // Those that could not be kept are asked for, a soft limit's worth at a time.
    connection.drain();
    subscriber.drained();
    connection.drain();
    subscriber.drained();
    const asked = port.requests().length;
    expect(asked).toBeGreaterThan(0);
    expect(asked * 404).toBeLessThanOrEqual(SOFT + 404);
    const given = new Set<number>();
    for (let i = 0; i < port.requests().length; i++) {
      const { publicationId, token } = port.requests()[i]!;
      turn([publicationId, SNAPSHOT_FOR, payload, token]);
      connection.drain();
      given.add(publicationId);
    }
    expect(connection.taken().length).toBeGreaterThanOrEqual(ids.length);
    expect(hub.requestCount).toBe(0);
  });

  test('is closed with 4008 after some checks past the hard limit, and dropped when it does not go', () => {
    const { connection, subscriber } = client();
    const id = subscribe(subscriber, 'BTCUSDT', BOOK);
    turn([id, SNAPSHOT, 's1']);
    connection.lag(SOFT + 1);
    for (let i = 0; i < 10; i++) turn([id, DELTA, 'd'.repeat(500)]);
    hub.check(1000);
    hub.check(2000);
    expect(connection.closedWith).toBeUndefined();
    hub.check(3000);
    expect(connection.closedWith).toBe('SLOW_CONSUMER');
    hub.check(4000);
    expect(connection.terminated).toBe(0);
    hub.check(5000);
    expect(connection.terminated).toBe(1);
    turn([id, DELTA, 'd']);
    expect(connection.taken()).toEqual(['s1']);
    expect(hub.status().slowClosed).toBe(1);
  });

  test('is not closed when it drains in between', () => {
    const { connection, subscriber } = client();
    const id = subscribe(subscriber, 'BTCUSDT', TOP);
    for (let round = 0; round < 10; round++) {
      connection.lag(SOFT + 1);
      for (let i = 0; i < 10; i++) turn([id, SNAPSHOT, 't'.repeat(500)]);
      hub.check(round * 1000);
      hub.check(round * 1000 + 500);
      connection.drain();
      subscriber.drained();
      connection.drain();
    }
    expect(connection.closedWith).toBeUndefined();
  });

  test('loses what was kept for a subscription it ends', () => {
    const { connection, subscriber } = client();
    const id = subscribe(subscriber, 'BTCUSDT', TOP);
    connection.lag(SOFT + 1);
    turn([id, SNAPSHOT, 't1'], [id, STATE, 'stale']);
    hub.unsubscribe([...subscriber.subscriptions.values()][0]!);
    connection.drain();
    subscriber.drained();
    expect(connection.taken()).toEqual([]);
    expect(subscriber.pendingBytes).toBe(0);
  });
});

test('nothing is sent to a client that is closing', () => {
  const { connection, subscriber } = client();
  const id = subscribe(subscriber, 'BTCUSDT', TOP);
  connection.open = false;
  turn([id, SNAPSHOT, 't1']);
  expect(connection.taken()).toEqual([]);
});

describe('trades', () => {
  const TRADE: PublicationSpec = { channel: Channel.TRADE, depth: 0, intervalMs: 0, format: Format.JSON };
  const message = (first: number, last: number, bytes = 100, epoch = 1) => ({
    count: last - first + 1,
    epoch,
    seq: last,
    firstMs: first * 10,
    lastMs: last * 10,
    frame: Buffer.concat([Buffer.from([0x81, 100]), Buffer.from(`${first}-${last}`.padEnd(bytes - 2))]),
  });
  function trades(id: number, ...messages: ReturnType<typeof message>[]): void {
    for (const each of messages) hub.deliverTrades(id, each);
    hub.flush();
  }
  function lastToken(): number {
    const call = port.calls.at(-1)!;
    return call.call === 'requestSnapshot' ? call.token : -1;
  }
  const taken = (connection: FakeConnection): string[] => connection.taken().map((text) => text.trim());

  test('reach everybody behind the snapshot, and nobody before it', () => {
    const a = client();
    const id = subscribe(a.subscriber, 'BTCUSDT', TRADE);
    trades(id, message(1, 2));
    turn([id, SNAPSHOT, 'recent']);
    const b = client();
    subscribe(b.subscriber, 'BTCUSDT', TRADE);
    trades(id, message(3, 3), message(4, 6));
    expect(taken(a.connection)).toEqual(['recent', '3-3', '4-6']);
    expect(taken(b.connection)).toEqual([]);
    turn([id, SNAPSHOT_FOR, 'recent b', lastToken()]);
    trades(id, message(7, 7));
    expect(taken(b.connection)).toEqual(['recent b', '7-7']);
    hub.deliverTrades(id + 1, message(8, 8));
  });

  test('wait for a slow client, in order', () => {
    const { connection, subscriber } = client();
    const id = subscribe(subscriber, 'BTCUSDT', TRADE);
    turn([id, SNAPSHOT, 'recent']);
    connection.taken();
    connection.lag(SOFT + 1);
    trades(id, message(1, 2), message(3, 3));
    trades(id, message(4, 4));
    turn([id, STATE, 'stale']);
    expect(taken(connection)).toEqual([]);
    connection.drain();
    subscriber.drained();
    expect(taken(connection)).toEqual(['1-2', '3-3', '4-4', 'stale']);
    expect([subscriber.pendingBytes, hub.status().tradesSkipped]).toEqual([0, 0]);
    trades(id, message(5, 5));
    expect(taken(connection)).toEqual(['5-5']);
  });

  test('are dropped oldest first when too many wait, and the client is told which', () => {
    const { connection, subscriber } = client();
    const id = subscribe(subscriber, 'BTCUSDT', TRADE);
    turn([id, SNAPSHOT, 'recent']);
    trades(id, message(1, 1));
    connection.taken();
    connection.lag(SOFT + 1);
    for (let first = 2; first < 10; first += 2) trades(id, message(first, first + 1, 2000));
    expect(subscriber.pendingBytes).toBeLessThanOrEqual(HARD);
    const [subscription] = subscriber.subscriptions.values();
    expect(subscription!.backlog.skipped).toEqual({ epoch: 1, prev: 1, seq: 5, count: 4, fromMs: 10, toMs: 60 });
    connection.drain();
    subscriber.drained();
    expect(taken(connection)).toEqual([`skipped ${subscription!.key} 1-5 4`, '6-7', '8-9']);
    expect([subscriber.pendingBytes, hub.status().tradesSkipped]).toEqual([0, 4]);
  });

  test('dropped around a hole are told as missing, without a number', () => {
    const { connection, subscriber } = client();
    const id = subscribe(subscriber, 'BTCUSDT', TRADE);
    turn([id, SNAPSHOT, 'recent']);
    connection.lag(SOFT + 1);
    trades(id, message(1, 1, 2000), { ...message(2, 1, 2000, 2), count: -1 }, message(2, 2, 2000, 2), message(3, 3, 2000, 2));
    const [subscription] = subscriber.subscriptions.values();
    expect(subscription!.backlog.skipped).toMatchObject({ epoch: 2, prev: 0, seq: 1, count: null });
  });

  test('give way to a snapshot that finds the client slow: it gets one of its own', () => {
    const { connection, subscriber } = client();
    const id = subscribe(subscriber, 'BTCUSDT', TRADE);
    turn([id, SNAPSHOT, 'recent']);
    connection.taken();
    connection.lag(SOFT + 1);
    trades(id, message(1, 1));
    turn([id, SNAPSHOT, 'recent again']);
    trades(id, message(2, 2));
    connection.drain();
    subscriber.drained();
    expect([taken(connection), subscriber.pendingBytes]).toEqual([[], 0]);
    turn([id, SNAPSHOT_FOR, 'for you', lastToken()]);
    trades(id, message(3, 3));
    expect(taken(connection)).toEqual(['for you', '3-3']);
  });
});
