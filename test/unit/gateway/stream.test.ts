import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { buildHttp, type HttpOptions } from '../../../src/gateway/http.js';
import { Channel, Format, MessageKind } from '../../../src/model/publication.js';
import { PublicationHub } from '../../../src/publish/publication-hub.js';
import type { SubscriberLimits } from '../../../src/publish/subscriber.js';
import { deliver, FakeMarketData, FakePort } from '../../support/fake-market-data.js';
import { until } from '../../support/until.js';

const { SNAPSHOT, DELTA, SNAPSHOT_FOR, STATE, STATE_FOR } = MessageKind;

interface Client {
  readonly ws: WebSocket;
  readonly received: Record<string, unknown>[];
  /** The next message nobody took yet. */
  next(): Promise<Record<string, unknown>>;
  send(message: unknown): void;
  ask(message: unknown): Promise<Record<string, unknown>>;
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
}

let market: FakeMarketData;
let port: FakePort;
let hub: PublicationHub;
let app: FastifyInstance;
let clients: Client[];

async function start(options: Partial<HttpOptions> = {}, limits: Partial<SubscriberLimits> = {}): Promise<void> {
  hub = new PublicationHub(port, limits);
  market.onUntrack = (symbolId) => hub.symbolUntracked(symbolId);
  app = await buildHttp({ market, hub, logger: pino({ level: 'silent' }), checkIntervalMs: 20, closeGraceMs: 200, ...options });
  await app.listen({ port: 0, host: '127.0.0.1' });
}

function url(path = '/ws'): string {
  return `ws://127.0.0.1:${(app.server.address() as AddressInfo).port}${path}`;
}

async function connect(options: { readonly autoPong?: boolean } = {}): Promise<Client> {
  const ws = new WebSocket(url(), options);
  const received: Record<string, unknown>[] = [];
  let taken = 0;
  ws.on('message', (data: Buffer) => received.push(JSON.parse(data.toString())));
  ws.on('error', () => {});
  const closed = once(ws, 'close').then(([code, reason]) => ({ code: code as number, reason: String(reason) }));
  const client: Client = {
    ws,
    received,
    closed,
    next: async () => {
      await until(() => received.length > taken, { what: 'a message' });
      return received[taken++]!;
    },
    send: (message) => ws.send(typeof message === 'string' ? message : JSON.stringify(message)),
    ask: (message) => {
      client.send(message);
      return client.next();
    },
  };
  clients.push(client);
  await once(ws, 'open');
  return client;
}

/** The raw socket of a `ws` client. */
function rawSocket(client: Client): Socket {
  return (client.ws as unknown as { _socket: Socket })._socket;
}

function turn(...messages: [publicationId: number, kind: MessageKind, payload: unknown, token?: number][]): void {
  for (const [id, kind, payload, token] of messages) deliver(hub, id, kind, payload, token);
  hub.flush();
}

function subscribeTo(channel: string, symbols: string[], more: object = {}): object {
  return { op: 'subscribe', id: 1, channel, symbols, ...more };
}

beforeEach(() => {
  market = new FakeMarketData();
  for (const name of ['BTCUSDT', 'ETHUSDT', '币安人生USDT']) market.addLive(name);
  port = new FakePort();
  clients = [];
});
afterEach(async () => {
  for (const { ws } of clients) ws.terminate();
  await app.close();
});

describe('subscriptions', () => {
  test('are acknowledged before the first data, with defaults shown', async () => {
    await start();
    // Answers from inside the call are the worst case for the order.
    port.on('call', ({ call, publicationId }) => {
      if (call === 'open') turn([publicationId, SNAPSHOT, { ch: 'book', type: 'snapshot' }]);
    });
    const client = await connect();
    expect(await client.ask(subscribeTo('book', ['btcusdt']))).toEqual({
      op: 'subscribed',
      id: 1,
      channel: 'book',
      depth: 20,
      interval: 100,
      ok: ['BTCUSDT'],
      failed: [],
    });
    expect(await client.next()).toEqual({ ch: 'book', type: 'snapshot' });
    expect(port.opened()[0]!.spec).toEqual({ channel: Channel.BOOK, depth: 20, intervalMs: 100, format: Format.JSON });
  });

  test('are answered, and ended, behind the data of a turn that goes on for many clients', async () => {
    await start();
    const followers: Client[] = [];
    for (let i = 0; i < 70; i++) {
      const client = await connect();
      await client.ask(subscribeTo('book_top', ['BTCUSDT'], { interval: 0 }));
      followers.push(client);
    }
    const [answered, closed, left] = followers.slice(-3) as [Client, Client, Client];
    const { publicationId } = port.opened()[0]!;
    deliver(hub, publicationId, SNAPSHOT, { ch: 'book_top', pad: 'x'.repeat(5_000) });
    expect(hub.flush()).toBe(true);
    await until(() => followers[63]!.received.length === 2, { what: 'the first 64' });
    expect([answered, closed, left].map(({ received }) => received.length)).toEqual([1, 1, 1]);

    answered.send({ op: 'unsubscribe', channel: 'book_top', symbols: ['BTCUSDT'] });
    await until(() => answered.received.length === 3, { what: 'the data, then the answer' });
    expect(answered.received.slice(1).map(({ ch, op }) => ch ?? op)).toEqual(['book_top', 'unsubscribed']);
    closed.ws.close(1000);
    await closed.closed;
    expect(hub.flush()).toBe(false);
    await until(() => left.received.length === 2, { what: 'the rest' });
    expect(closed.received.length).toBe(1);
  });

  test('succeed in part', async () => {
    await start();
    const client = await connect();
    const answer = await client.ask(subscribeTo('bbo', ['NOPE', 'ETHUSDT', 'BTCXXX', '币安人生usdt', 'ethusdt', '']));
    expect(answer).toEqual({
      op: 'subscribed',
      id: 1,
      channel: 'bbo',
      interval: 0,
      ok: ['ETHUSDT', '币安人生USDT'],
      failed: [
        { symbol: 'NOPE', code: 'SYMBOL_NOT_TRACKED', message: expect.any(String), retryable: true },
        { symbol: 'BTCXXX', code: 'SYMBOL_NOT_TRACKED', message: expect.any(String), retryable: true, nearest: 'BTCUSDT' },
        { symbol: '', code: 'SYMBOL_NOT_TRACKED', message: expect.any(String), retryable: true },
      ],
    });
    expect(port.opened()).toHaveLength(2);
  });

  test('made twice give the data once, and two depths of one symbol live side by side', async () => {
    await start();
    const client = await connect();
    const small = subscribeTo('book', ['BTCUSDT'], { depth: 5, interval: '0ms' });
    expect(await client.ask(small)).toMatchObject({ op: 'subscribed', ok: ['BTCUSDT'] });
    expect(await client.ask(small)).toMatchObject({ op: 'subscribed', ok: ['BTCUSDT'], failed: [] });
    expect(await client.ask(subscribeTo('book', ['BTCUSDT'], { depth: 'full' }))).toMatchObject({ depth: 'full' });
    const [five, full] = port.opened();
    expect(port.opened()).toHaveLength(2);
    turn([five!.publicationId, SNAPSHOT, { depth: 5 }], [full!.publicationId, SNAPSHOT, { depth: 'full' }]);
    expect([await client.next(), await client.next()]).toEqual([{ depth: 5 }, { depth: 'full' }]);
    expect(await client.ask({ op: 'ping' })).toMatchObject({ op: 'pong' });
  });

  test('end by what they match, and nothing comes after the acknowledgement', async () => {
    await start();
    const client = await connect();
    await client.ask(subscribeTo('book_top', ['BTCUSDT', 'ETHUSDT'], { depth: 5 }));
    await client.ask(subscribeTo('book_top', ['BTCUSDT'], { depth: 50 }));
    await client.ask(subscribeTo('bbo', ['BTCUSDT']));
    const unsubscribe = { op: 'unsubscribe', id: 'u', channel: 'book_top' };
    expect(await client.ask({ ...unsubscribe, symbols: ['btcusdt', 'NOPE'], depth: 50 })).toEqual({
      op: 'unsubscribed',
      id: 'u',
      channel: 'book_top',
      depth: 50,
      ok: ['BTCUSDT'],
      failed: [{ symbol: 'NOPE', code: 'NOT_SUBSCRIBED', message: expect.any(String), retryable: false }],
    });
    expect(hub.status().subscriptions).toBe(3);
    expect(await client.ask(unsubscribe)).toMatchObject({ ok: ['BTCUSDT', 'ETHUSDT'], failed: [] });
    expect(await client.ask(unsubscribe)).toMatchObject({ ok: [], failed: [] });
    const bbo = port.opened().find(({ spec }) => spec.channel === Channel.BBO)!;
    turn(...port.opened().map(({ publicationId }): [number, MessageKind, number] => [publicationId, SNAPSHOT, publicationId]));
    expect(await client.next()).toBe(bbo.publicationId);
    expect(port.calls.filter(({ call }) => call === 'close')).toHaveLength(3);
  });

  test('of a symbol that is untracked end with a message', async () => {
    await start();
    const client = await connect();
    await client.ask(subscribeTo('book', ['BTCUSDT', 'ETHUSDT'], { depth: 'full', interval: 0 }));
    await client.ask(subscribeTo('status', ['BTCUSDT']));
    const answer = await app.inject({ method: 'DELETE', url: '/symbols/BTCUSDT' });
    expect(answer.statusCode).toBe(204);
    expect(await client.next()).toMatchObject({
      op: 'unsubscribed',
      channel: 'book',
      depth: 'full',
      interval: 0,
      ok: ['BTCUSDT'],
      code: 'SYMBOL_UNTRACKED',
    });
    expect(await client.next()).toMatchObject({ op: 'unsubscribed', channel: 'status', ok: ['BTCUSDT'] });
    expect(await client.ask(subscribeTo('book', ['BTCUSDT']))).toMatchObject({ ok: [], failed: [{ code: 'SYMBOL_NOT_TRACKED' }] });
    expect(hub.status().subscriptions).toBe(1);
  });

  test('are bounded for each client', async () => {
    await start({ subscriptionsPerClient: 2 });
    const client = await connect();
    expect(await client.ask(subscribeTo('bbo', ['BTCUSDT', 'ETHUSDT', '币安人生USDT']))).toMatchObject({
      ok: ['BTCUSDT', 'ETHUSDT'],
      failed: [{ symbol: '币安人生USDT', code: 'SUBSCRIPTION_LIMIT', retryable: false }],
    });
    // Those it has already are no news.
    expect(await client.ask(subscribeTo('bbo', ['ETHUSDT']))).toMatchObject({ ok: ['ETHUSDT'], failed: [] });
  });

  test('are as many in a time as may be: a message with more is refused, and possible later', async () => {
    let nowMs = 1_000_000;
    await start({ subscriptionsPerClient: 3, subscriptionsPerSecond: 2, now: () => nowMs });
    const client = await connect();
    // Everything at once.
    expect(await client.ask(subscribeTo('bbo', ['BTCUSDT', 'ETHUSDT', '币安人生USDT']))).toMatchObject({ op: 'subscribed', failed: [] });
    await client.ask({ op: 'unsubscribe', channel: 'bbo' });
    nowMs += 900;
    const again = subscribeTo('bbo', ['BTCUSDT', 'ETHUSDT']);
    expect(await client.ask(again)).toEqual({
      op: 'error',
      id: 1,
      code: 'RATE_LIMITED',
      message: 'more than 2 new subscriptions in a second: possible in 100 ms',
      retryable: true,
    });
    expect([port.opened().length, hub.status().subscriptions]).toEqual([3, 0]);
    nowMs += 100;
    expect(await client.ask(again)).toMatchObject({ op: 'subscribed', ok: ['BTCUSDT', 'ETHUSDT'] });
    // Those it has already cost nothing.
    expect(await client.ask(again)).toMatchObject({ op: 'subscribed', ok: ['BTCUSDT', 'ETHUSDT'] });
    expect(await client.ask(subscribeTo('bbo', ['币安人生USDT']))).toMatchObject({ code: 'RATE_LIMITED' });
  });

  test('that come and go without end close the client with 4029', async () => {
    let nowMs = 1_000_000;
    await start({ subscriptionsPerClient: 3, subscriptionsPerSecond: 1, messagesPerSecond: 30, rateLimitedSeconds: 2, now: () => nowMs });
    const client = await connect();
    for (let second = 0; second < 2; second++, nowMs += 1000) {
      for (let i = 0; i < 5; i++) {
        client.send(subscribeTo('bbo', ['BTCUSDT', 'ETHUSDT', '币安人生USDT']));
        client.send({ op: 'unsubscribe', channel: 'bbo' });
      }
      if (second === 0) await until(() => client.received.some(({ message }) => String(message).includes('messages')));
    }
    expect(await client.closed).toEqual({ code: 4029, reason: 'RATE_LIMITED' });
    expect(port.opened()).toHaveLength(3);
  });

  test('end with their client', async () => {
    await start();
    const client = await connect();
    await client.ask(subscribeTo('bbo', ['BTCUSDT']));
    client.ws.close();
    await until(() => port.calls.some(({ call }) => call === 'close'), { what: 'the publication to close' });
    expect(hub.status()).toMatchObject({ clients: 0, subscriptions: 0, publications: 0 });
  });
});

test('states, snapshots for one and deltas for all reach whom they are meant for', async () => {
  await start();
  const [a, b] = [await connect(), await connect()];
  await a.ask(subscribeTo('book', ['BTCUSDT']));
  const id = port.opened()[0]!.publicationId;
  turn([id, SNAPSHOT, { seq: 1 }]);
  await a.next();
  await b.ask(subscribeTo('book', ['BTCUSDT']));
  const { token } = port.requests()[0]!;
  turn([id, DELTA, { seq: 2 }], [id, STATE_FOR, { state: 'live' }, token]);
  turn([id, STATE, { state: 'stale' }], [id, SNAPSHOT, { seq: 3 }], [id, SNAPSHOT_FOR, { seq: 'old' }, token], [id, DELTA, { seq: 4 }]);
  expect([await a.next(), await a.next(), await a.next(), await a.next()]).toEqual([
    { seq: 2 },
    { state: 'stale' },
    { seq: 3 },
    { seq: 4 },
  ]);
  expect([await b.next(), await b.next(), await b.next(), await b.next()]).toEqual([
    { state: 'live' },
    { state: 'stale' },
    { seq: 3 },
    { seq: 4 },
  ]);
});

describe('bad input', () => {
  test('is answered with an error, and the connection lives on', async () => {
    await start();
    const client = await connect();
    for (const [message, code] of [
      ['{', 'BAD_JSON'],
      ['[]', 'BAD_MESSAGE'],
      [{ op: 'nope', id: 3 }, 'UNKNOWN_OP'],
      [subscribeTo('nothing', ['BTCUSDT']), 'UNKNOWN_CHANNEL'],
      [subscribeTo('candle', ['BTCUSDT'], { interval: 100 }), 'INTERVAL_NOT_SUPPORTED'],
      [subscribeTo('candle', ['BTCUSDT'], { every: 3 }), 'INTERVAL_NOT_SUPPORTED'],
      [subscribeTo('book', ['BTCUSDT'], { depth: 3 }), 'DEPTH_NOT_SUPPORTED'],
      [subscribeTo('book', ['BTCUSDT'], { interval: 3 }), 'INTERVAL_NOT_SUPPORTED'],
      [subscribeTo('book', []), 'BAD_SYMBOLS'],
      ['{"op":"ping","id":"\ud800"}', 'pong'],
    ] as const) {
      const answer = await client.ask(message);
      expect(answer['code'] ?? answer['op']).toBe(code);
    }
    client.ws.send(Buffer.from([1, 2, 3]), { binary: true });
    expect(await client.next()).toMatchObject({ op: 'error', code: 'BINARY_NOT_SUPPORTED', retryable: false });
    expect(await client.ask({ op: 'ping', id: 9 })).toEqual({ op: 'pong', id: 9, tp: expect.any(Number) });
  });

  test.each([
    ['a message above 64 KiB', 1009, (client: Client) => client.ws.send('x'.repeat(65 * 1024))],
    ['text that is not UTF-8', 1007, (client: Client) => client.ws.send(Buffer.from([0xff, 0xfe]), { binary: false })],
    ['a reserved opcode', 1002, (client: Client) => rawSocket(client).write(Buffer.from([0x83, 0x80, 0, 0, 0, 0]))],
    ['a frame without a mask', 1002, (client: Client) => rawSocket(client).write(Buffer.from([0x81, 1, 0x61]))],
  ])('%s closes that client with %d, and no other', async (_, code, offend) => {
    await start();
    const [bad, good] = [await connect(), await connect()];
    offend(bad);
    expect((await bad.closed).code).toBe(code);
    expect(await good.ask({ op: 'ping' })).toMatchObject({ op: 'pong' });
  });

  test('too many messages are refused, dropped, and in the end close the client with 4029', async () => {
    let nowMs = 1_000_000;
    await start({ messagesPerSecond: 3, rateLimitedSeconds: 2, now: () => nowMs });
    const client = await connect();
    for (let i = 0; i < 6; i++) client.send({ op: 'ping', id: i });
    await until(() => client.received.length >= 4);
    expect(client.received[3]).toMatchObject({ op: 'error', code: 'RATE_LIMITED', retryable: true });
    nowMs += 1000;
    for (let i = 0; i < 6; i++) client.send({ op: 'ping', id: i });
    expect(await client.closed).toEqual({ code: 4029, reason: 'RATE_LIMITED' });
  });

  test('pongs that nobody asked for count as messages', async () => {
    let nowMs = 1_000_000;
    await start({ messagesPerSecond: 3, rateLimitedSeconds: 2, now: () => nowMs });
    const client = await connect();
    for (let i = 0; i < 6; i++) client.ws.pong();
    await until(() => client.received.length > 0);
    expect(client.received[0]).toMatchObject({ op: 'error', code: 'RATE_LIMITED' });
    nowMs += 1000;
    for (let i = 0; i < 6; i++) client.ws.pong();
    expect(await client.closed).toEqual({ code: 4029, reason: 'RATE_LIMITED' });
  });

  test('an upgrade elsewhere is refused', async () => {
    await start();
    for (const [path, status] of [
      ['/bbo', 400],
      ['/nothing', 404],
      ['/orderbook/%', 400],
    ] as const) {
      const ws = new WebSocket(url(path));
      ws.on('error', () => {});
      const [, response] = await once(ws, 'unexpected-response');
      expect(response.statusCode).toBe(status);
      expect(response.headers['content-type']).toContain('application/problem+json');
      response.resume();
      // It is the server that ends the connection.
      await once(response.socket, 'close');
    }
  });

  test('more clients than there is room for are refused', async () => {
    await start({ clients: 1 });
    await connect();
    const ws = new WebSocket(url());
    const [, response] = await once(ws, 'unexpected-response');
    expect(response.statusCode).toBe(503);
    response.destroy();
  });
});

describe('a client that does not read', () => {
  const FILLER = { filler: 'x'.repeat(50_000) };

  /** Delivers until the server's side of the client's socket has more than `bytes` waiting. */
  async function stuff(id: number, done: () => boolean): Promise<void> {
    await until(
      () => {
        turn([id, SNAPSHOT, FILLER]);
        return done();
      },
      { what: 'the client to fall behind' },
    );
  }

  test('gets a fresh snapshot when it reads again, while another misses nothing', async () => {
    await start({}, { hardLimitMs: 1_000_000 });
    const [slow, fast] = [await connect(), await connect()];
    for (const client of [slow, fast]) {
      await client.ask(subscribeTo('book', ['BTCUSDT'], { interval: 0 }));
      await client.ask(subscribeTo('book_top', ['ETHUSDT'], { interval: 0 }));
    }
    const [book, top] = port.opened().map(({ publicationId }) => publicationId);
    rawSocket(slow).pause();
    turn([book!, SNAPSHOT, { seq: 1 }]);
    await stuff(top!, () => hub.status().slowClients === 1 && hub.status().conflated > 3);
    for (let seq = 2; seq <= 100; seq++) turn([book!, DELTA, { seq, prev: seq - 1 }]);
    turn([top!, SNAPSHOT, { newest: true }]);
    const bookMessages = (client: Client) => client.received.filter((message) => 'seq' in message).map(({ seq }) => seq);
    await until(() => bookMessages(fast).length === 100, { what: 'the fast client to get everything' });
    expect(port.requests()).toEqual([]);
    rawSocket(slow).resume();
    await until(() => port.requests().length === 1, { what: 'the snapshot request' });
    expect(port.requests()[0]).toMatchObject({ publicationId: book, reason: 'slow' });
    turn([book!, SNAPSHOT_FOR, { seq: 100, reason: 'slow' }, port.requests()[0]!.token], [book!, DELTA, { seq: 101 }]);
    await until(() => bookMessages(slow).at(-1) === 101, { what: 'the slow client to catch up' });
    expect(bookMessages(slow)).toEqual([1, 100, 101]);
    expect(slow.received).toContainEqual({ newest: true });
    expect(bookMessages(fast)).toEqual(Array.from({ length: 101 }, (_, i) => i + 1));
  });

  test('is closed with 4008 and then dropped, without the bytes it never took', async () => {
    await start({}, { hardLimitBytes: 2 * 1024 * 1024, hardLimitMs: 50, closeGraceMs: 100 });
    const [dead, good] = [await connect(), await connect()];
    await dead.ask(subscribeTo('book_top', ['ETHUSDT'], { interval: 0 }));
    await good.ask(subscribeTo('bbo', ['BTCUSDT']));
    const [top, bbo] = port.opened().map(({ publicationId }) => publicationId);
    rawSocket(dead).pause();
    await stuff(top!, () => hub.status().slowClosed === 1);
    await until(() => hub.clientCount === 1, { what: 'the client to be dropped' });
    turn([bbo!, SNAPSHOT, { still: 'here' }]);
    expect(await good.next()).toEqual({ still: 'here' });
    rawSocket(dead).resume();
    await dead.closed;
  });

  test('reads its close frame when it comes back in time', async () => {
    await start({}, { hardLimitBytes: 2 * 1024 * 1024, hardLimitMs: 0, closeGraceMs: 20_000 });
    const client = await connect();
    await client.ask(subscribeTo('book_top', ['ETHUSDT'], { interval: 0 }));
    rawSocket(client).pause();
    await stuff(port.opened()[0]!.publicationId, () => hub.status().slowClosed === 1);
    rawSocket(client).resume();
    expect(await client.closed).toEqual({ code: 4008, reason: 'SLOW_CONSUMER' });
  });

  test('cannot pile up answers either', async () => {
    await start({ messagesPerSecond: 1_000_000 }, { hardLimitBytes: 1024 * 1024, softLimitBytes: 64 * 1024, closeGraceMs: 50 });
    const client = await connect();
    rawSocket(client).pause();
    const flood = JSON.stringify(
      subscribeTo(
        'bbo',
        Array.from({ length: 1000 }, (_, i) => `NO${i}`),
      ),
    );
    await until(
      () => {
        if (client.ws.readyState === WebSocket.OPEN) client.ws.send(flood);
        return hub.status().slowClosed === 1;
      },
      { what: 'the flooding client to be closed' },
    );
    await until(() => hub.clientCount === 0, { what: 'the flooding client to be dropped' });
  });
});

describe('a quiet client', () => {
  test('is pinged, and dropped when it does not answer for long', async () => {
    let nowMs = 1_000_000;
    await start({ now: () => nowMs });
    const [alive, dead] = [await connect(), await connect({ autoPong: false })];
    await alive.ask({ op: 'ping' });
    for (let step = 0; step < 3; step++) {
      const pinged = [alive, dead].map(({ ws }) => once(ws, 'ping'));
      nowMs += 20_000;
      if (step < 2) await Promise.all(pinged);
      else await pinged[0];
      // The answer must have been noted before the clock moves on.
      await alive.ask({ op: 'ping' });
    }
    expect((await dead.closed).code).toBe(1006);
    expect(alive.ws.readyState).toBe(WebSocket.OPEN);
  });

  test('is not pinged at the same moment as all others that came with it', async () => {
    let nowMs = 1_000_000;
    await start({ now: () => nowMs });
    const pinged = new Set<number>();
    for (let i = 0; i < 20; i++) (await connect()).ws.once('ping', () => pinged.add(i));
    nowMs += 10_000;
    await until(() => pinged.size >= 9, { what: 'half of them to be pinged' });
    await (await connect()).ask({ op: 'ping' });
    expect(pinged.size).toBeLessThan(12);
    nowMs += 10_000;
    await until(() => pinged.size === 20, { what: 'all of them to be pinged' });
  });

  test('gets an answer to its own ping', async () => {
    await start();
    const client = await connect();
    const pong = once(client.ws, 'pong');
    client.ws.ping('hello');
    expect(String((await pong)[0])).toBe('hello');
  });
});

describe('close', () => {
  test('ends clients with 1001, also those that never read, and leaves nothing behind', async () => {
    await start();
    const [good, deaf] = [await connect(), await connect()];
    for (const client of [good, deaf]) await client.ask(subscribeTo('bbo', ['BTCUSDT']));
    rawSocket(deaf).pause();
    await app.close();
    expect(await good.closed).toEqual({ code: 1001, reason: 'SHUTTING_DOWN' });
    expect(hub.status()).toMatchObject({ clients: 0, subscriptions: 0, publications: 0 });
    expect(app.websocketServer.clients.size).toBe(0);
  });
});
