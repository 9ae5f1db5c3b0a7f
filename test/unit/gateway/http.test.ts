import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { buildHttp } from '../../../src/gateway/http.js';
import { booksRequired } from '../../../src/gateway/readiness.js';
import { BookState } from '../../../src/model/book-state.js';
import { PublicationHub } from '../../../src/publish/publication-hub.js';
import { until } from '../../support/until.js';
import { FakeMarketData, FakePort, shardStatus } from '../../support/fake-market-data.js';

let market: FakeMarketData;
let app: FastifyInstance;

beforeEach(async () => {
  market = new FakeMarketData();
  app = await buildHttp({ market, hub: new PublicationHub(new FakePort()), logger: pino({ level: 'silent' }), closeGraceMs: 100 });
});
afterEach(() => app.close());

type Method = 'GET' | 'POST' | 'DELETE' | 'PUT' | 'PATCH' | 'OPTIONS' | 'HEAD';

async function ask(method: Method, url: string, payload?: string, headers: Record<string, string> = {}) {
  return app.inject({ method, url, headers, ...(payload === undefined ? {} : { payload }) });
}

/** Sends bytes as they are and gives everything that comes back until the server closes. */
async function sendRaw(bytes: string): Promise<string> {
  const { port } = app.server.address() as AddressInfo;
  const socket = net.connect(port, '127.0.0.1');
  const received: Buffer[] = [];
  socket.on('data', (chunk) => received.push(chunk));
  socket.write(bytes);
  await once(socket, 'close');
  return Buffer.concat(received).toString();
}

describe('problems', () => {
  test.each<[Method, string, number, string]>([
    ['GET', '/', 404, 'ROUTE_NOT_FOUND'],
    ['GET', '/nothing/here', 404, 'ROUTE_NOT_FOUND'],
    ['GET', '/orderbook', 404, 'ROUTE_NOT_FOUND'],
    ['GET', '/orderbook/', 404, 'SYMBOL_NOT_TRACKED'],
    ['GET', `/orderbook/${'x'.repeat(2000)}`, 414, 'BAD_REQUEST'],
    ['POST', '/orderbook/BTCUSDT', 405, 'METHOD_NOT_ALLOWED'],
    ['PUT', '/symbols/BTCUSDT', 405, 'METHOD_NOT_ALLOWED'],
    ['DELETE', '/bbo?symbols=A', 405, 'METHOD_NOT_ALLOWED'],
    ['GET', '/orderbook/%E0%A4%A', 400, 'BAD_REQUEST'],
    ['GET', '/orderbook/%', 400, 'BAD_REQUEST'],
    ['GET', '/orderbook/%00', 404, 'SYMBOL_NOT_TRACKED'],
    ['GET', '/status?x=1', 400, 'BAD_PARAMETER'],
    ['GET', '/health/live?x=1', 400, 'BAD_PARAMETER'],
    ['GET', '/status/NOPE', 404, 'SYMBOL_NOT_TRACKED'],
    ['GET', '/ws', 426, 'UPGRADE_REQUIRED'],
    ['POST', '/symbols/NOPE', 404, 'SYMBOL_NOT_LISTED'],
    ['POST', `/symbols/${'X'.repeat(65)}`, 404, 'SYMBOL_NOT_LISTED'],
    ['DELETE', '/symbols/NOPE', 404, 'SYMBOL_NOT_TRACKED'],
  ])('%s %s gives %d %s', async (method, url, status, code) => {
    const answer = await ask(method, url);
    expect([answer.statusCode, answer.headers['content-type']]).toEqual([status, 'application/problem+json; charset=utf-8']);
    expect(answer.json()).toEqual({
      ...answer.json(),
      type: `urn:mdp:problem:${code}`,
      title: expect.any(String),
      status,
      detail: expect.any(String),
      code,
      requestId: expect.any(String),
    });
  });

  test('a wrong method is told the right ones', async () => {
    const answer = await ask('PUT', '/symbols/BTCUSDT');
    expect(answer.headers.allow).toBe('DELETE, GET, HEAD, POST');
  });

  test.each<[string, string, number, string]>([
    ['{"a":', 'application/json', 400, 'BAD_REQUEST'],
    ['', 'application/json', 400, 'BAD_REQUEST'],
    ['{"__proto__":{}}', 'application/json', 400, 'BAD_REQUEST'],
    ['a=1', 'application/x-www-form-urlencoded', 415, 'MEDIA_TYPE_NOT_SUPPORTED'],
    [JSON.stringify('x'.repeat(20_000)), 'application/json', 413, 'BODY_TOO_LARGE'],
  ])('the body %.10s as %s gives %d %s', async (payload, type, status, code) => {
    const answer = await ask('POST', '/symbols/BTCUSDT', payload, { 'content-type': type });
    expect([answer.statusCode, answer.json().code]).toEqual([status, code]);
  });

  test('a failure of our own shows nothing of itself', async () => {
    market.addLive('BTCUSDT');
    market.readBook = () => {
      throw new Error('secret');
    };
    const answer = await ask('GET', '/orderbook/BTCUSDT');
    expect([answer.statusCode, answer.json().code]).toEqual([500, 'INTERNAL_ERROR']);
    expect(answer.body).not.toContain('secret');
  });

  test.each([
    ['nonsense\r\n\r\n', 'HTTP/1.1 400 Bad Request', 'BAD_REQUEST'],
    [`GET /bbo HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`, 'HTTP/1.1 431 Request Header Fields Too Large', 'BAD_REQUEST'],
    ['CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n', 'HTTP/1.1 405 Method Not Allowed', 'METHOD_NOT_ALLOWED'],
  ])('bytes that no handler sees are answered with a problem: %.10s', async (bytes, statusLine, code) => {
    await app.listen({ port: 0, host: '127.0.0.1' });
    const [head = '', body = ''] = (await sendRaw(bytes)).split('\r\n\r\n');
    expect(head.split('\r\n')[0]).toBe(statusLine);
    expect(head).toContain('application/problem+json');
    expect(JSON.parse(body)).toMatchObject({ code });
  });
});

describe('symbols', () => {
  test('are listed, tracked and untracked', async () => {
    market.listed.add('ETHUSDT');
    market.addLive('BTCUSDT');
    const added = await ask('POST', '/symbols/ethusdt');
    expect([added.statusCode, added.headers.location]).toEqual([201, '/symbols/ETHUSDT']);
    expect(added.json()).toMatchObject({ symbol: 'ETHUSDT', added: true, priceScale: 2 });
    const again = await ask('POST', '/symbols/ETHUSDT', '{}', { 'content-type': 'application/json' });
    expect([again.statusCode, again.json().added]).toEqual([200, false]);
    const listed = (await ask('GET', '/symbols')).json();
    expect(listed).toMatchObject({ count: 2, symbols: [{ symbol: 'BTCUSDT' }, { symbol: 'ETHUSDT' }] });
    expect((await ask('GET', '/symbols/btcusdt')).json()).toMatchObject({ symbol: 'BTCUSDT' });
    const gone = await ask('DELETE', '/symbols/ethusdt');
    expect([gone.statusCode, gone.body]).toEqual([204, '']);
    expect((await ask('DELETE', '/symbols/ETHUSDT')).statusCode).toBe(404);
  });

  test('beyond the capacity are a 507', async () => {
    market.listed.add('BTCUSDT');
    market.capacity = 0;
    const answer = await ask('POST', '/symbols/BTCUSDT');
    expect([answer.statusCode, answer.json().code]).toEqual([507, 'SYMBOL_CAPACITY_REACHED']);
  });
});

test('status tells of the engine, its clients and each book', async () => {
  market.addLive('BTCUSDT');
  expect((await ask('GET', '/status')).json()).toMatchObject({
    source: { simulated: true },
    books: { tracked: 1, live: 1 },
    clients: { clients: 0, subscriptions: 0 },
  });
  expect((await ask('GET', '/status/btcusdt')).json()).toMatchObject({ symbol: 'BTCUSDT', state: 'live', seq: 7 });
});

describe('health', () => {
  test('live is 200 whatever the books do', async () => {
    market.add({ symbol: 'BTCUSDT' });
    expect((await ask('GET', '/health/live')).json()).toEqual({ status: 'live' });
  });

  test('ready follows the books', async () => {
    const book = market.add({ symbol: 'BTCUSDT' });
    const starting = await ask('GET', '/health/ready');
    expect([starting.statusCode, starting.headers['retry-after']]).toEqual([503, '1']);
    expect(starting.json()).toMatchObject({ code: 'NOT_READY', phase: 'starting', live: 0, tracked: 1, required: 1 });
    book.state = BookState.LIVE;
    const ready = await ask('GET', '/health/ready');
    expect([ready.statusCode, ready.json()]).toEqual([200, { status: 'ready', live: 1, tracked: 1, required: 1 }]);
    book.state = BookState.STALE;
    expect((await ask('GET', '/health/ready')).json()).toMatchObject({ code: 'NOT_READY', phase: 'degraded' });
  });

  test('ready wants every shard', async () => {
    market.addLive('BTCUSDT');
    market.shards = [shardStatus(0, 'running'), shardStatus(1, 'restarting')];
    const answer = await ask('GET', '/health/ready');
    expect([answer.statusCode, answer.json().shards]).toEqual([503, [{ shard: 1, state: 'restarting', deaths: 0, lastDeath: null }]]);
    expect(answer.json().reason).toBe('shards_not_running');
  });

  test('ready wants workers that stay alive', async () => {
    market.addLive('BTCUSDT');
    const dying = (deaths: number): void => void (market.shards = [{ ...shardStatus(0, 'running'), deaths, lastDeath: 'hung' }]);
    dying(2);
    expect((await ask('GET', '/health/ready')).statusCode).toBe(200);
    dying(3);
    const answer = await ask('GET', '/health/ready');
    expect([answer.statusCode, answer.json()]).toMatchObject([
      503,
      { reason: 'worker_deaths', live: 1, shards: [{ shard: 0, lastDeath: 'hung' }] },
    ]);
  });

  test.each([
    [0, 0],
    [1, 1],
    [2, 1],
    [10, 9],
    [2000, 1800],
  ])('of %d books %d are required', (tracked, required) => {
    expect(booksRequired(tracked, 0.9)).toBe(required);
  });
});

describe('close', () => {
  test('waits for an answer under way', async () => {
    market.addLive('BTCUSDT');
    await app.close();
    app = await buildHttp({ market, hub: new PublicationHub(new FakePort()), logger: pino({ level: 'silent' }), closeGraceMs: 20_000 });
    await app.listen({ port: 0, host: '127.0.0.1' });
    const { port } = app.server.address() as AddressInfo;
    let answer: (() => void) | undefined;
    market.candles = () =>
      new Promise((resolve) => {
        answer = () => resolve([]);
      });
    const response = fetch(`http://127.0.0.1:${port}/candles/BTCUSDT`);
    const give = await until(() => answer, { what: 'the request' });
    const closed = app.close();
    await until(() => !app.server.listening, { what: 'the end to begin' });
    give();
    const { status, body } = await response.then(async (each) => ({ status: each.status, body: await each.json() }));
    expect([status, body]).toEqual([200, []]);
    // Nothing keeps it then: its connection, kept for the next request, is not cut by the grace time only.
    const answeredAt = performance.now();
    await closed;
    expect(performance.now() - answeredAt).toBeLessThan(10_000);
  });

  test('cuts a client that does not finish its request', async () => {
    await app.listen({ port: 0, host: '127.0.0.1' });
    const { port } = app.server.address() as AddressInfo;
    const socket = net.connect(port, '127.0.0.1');
    socket.on('error', () => {});
    socket.resume();
    const connected = once(app.server, 'connection');
    socket.write('POST /symbols/BTCUSDT HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 5\r\n\r\n{');
    await connected;
    const closed = once(socket, 'close');
    await app.close();
    await closed;
  });
});
