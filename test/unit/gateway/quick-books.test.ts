import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, request as httpRequest, type Server } from 'node:http';
import net, { type AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createContext } from '../../../src/gateway/context.js';
import { buildHttp } from '../../../src/gateway/http.js';
import { answerQuickly } from '../../../src/gateway/quick-books.js';
import { BookState, StateReason } from '../../../src/model/book-state.js';
import { PublicationHub } from '../../../src/publish/publication-hub.js';
import { FakeMarketData, FakePort } from '../../support/fake-market-data.js';

const NOW = 1_700_000_000_300;
const ETAG = '"fake1234-1-7-20-string-0-Infinity"';

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

interface Question {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

let market: FakeMarketData;

beforeEach(() => {
  market = new FakeMarketData();
  market.addLive('BTCUSDT', 300);
});

/** Over a socket, the way clients come. */
function ask(server: Server, path: string, { method = 'GET', headers = {}, body }: Question = {}): Promise<Answer> {
  const { port } = server.address() as AddressInfo;
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: '127.0.0.1', port, path, method, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, body: text }));
    });
    request.on('error', reject);
    request.end(body);
  });
}

describe('beside the route', () => {
  let app: FastifyInstance;

  beforeEach(async () => {
    app = await buildHttp({ market, hub: new PublicationHub(new FakePort()), logger: pino({ level: 'silent' }), now: () => NOW });
    await app.listen({ host: '127.0.0.1', port: 0 });
  });
  afterEach(() => app.close());

  /** The same question, put to Fastify itself. */
  async function route(url: string, headers: Record<string, string> = {}): Promise<Answer> {
    const answer = await app.inject({ method: 'GET', url, headers });
    return { status: answer.statusCode, headers: answer.headers as IncomingHttpHeaders, body: answer.body };
  }

  function lasting({ status, headers, body }: Answer): unknown {
    const { date: _date, connection: _connection, 'keep-alive': _keepAlive, ...others } = headers;
    return { status, headers: others, body: body.replace(/"requestId":"[^"]+"/, '') };
  }

  test.each<[string, Record<string, string>?]>([
    ['/orderbook/BTCUSDT'],
    ['/orderbook/BTCUSDT?depth=20'],
    ['/orderbook/btcusdt?depth=1'],
    ['/orderbook/BTCUSDT?depth=999'],
    ['/orderbook/BTCUSDT?depth=1000'],
    ['/orderbook/BTCUSDT?depth=0'],
    ['/orderbook/BTCUSDT?depth=20&numbers=float'],
    ['/orderbook/BTCUSDT?depth=full'],
    ['/orderbook/BTCUSDT', { 'if-none-match': ETAG }],
    ['/orderbook/BTCUSDT', { 'if-none-match': `W/${ETAG}, "other"` }],
    ['/orderbook/BTCUSDT', { 'if-none-match': '"another"' }],
    ['/orderbook/BTCUSDT', { 'if-none-match': '*' }],
  ])('%s %j is answered as the route answers it', async (url, headers = {}) => {
    expect(lasting(await ask(app.server, url, { headers }))).toEqual(lasting(await route(url, headers)));
    // Once more, now that the levels are known.
    expect(lasting(await ask(app.server, url, { headers }))).toEqual(lasting(await route(url, headers)));
  });

  test('what it cannot show is refused as ever', async () => {
    market.books.get(market.symbol('BTCUSDT'))!.state = BookState.STALE;
    market.books.get(market.symbol('BTCUSDT'))!.reason = StateReason.GAP;
    const answer = await ask(app.server, '/orderbook/BTCUSDT?depth=20');
    expect([answer.status, JSON.parse(answer.body).code]).toEqual([503, 'BOOK_NOT_LIVE']);
    expect(JSON.parse((await ask(app.server, '/orderbook/NOPE?depth=20')).body).code).toBe('SYMBOL_NOT_TRACKED');
  });

  test('a book that is being written is read again', async () => {
    market.books.get(market.symbol('BTCUSDT'))!.busyReads = 2;
    expect((await ask(app.server, '/orderbook/BTCUSDT?depth=20')).status).toBe(200);
  });

  test('requests written at once are answered in order, each with its own book', async () => {
    market.addLive('ETHUSDT', 2);
    const { port } = app.server.address() as AddressInfo;
    const socket = net.connect(port, '127.0.0.1');
    const names = ['BTCUSDT', 'ETHUSDT', 'BTCUSDT', 'NOPE', 'ETHUSDT'];
    const last = 'GET /orderbook/BTCUSDT?depth=1 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n';
    socket.write(`${names.map((name) => `GET /orderbook/${name}?depth=2 HTTP/1.1\r\nhost: x\r\n\r\n`).join('')}${last}`);
    let text = '';
    socket.setEncoding('utf8').on('data', (part: string) => (text += part));
    await once(socket, 'close');
    expect(text.match(/"symbol":"\w+"/g)).toEqual([...names, 'BTCUSDT'].map((name) => `"symbol":"${name}"`));
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual([200, 200, 200, 404, 200, 200].map((status) => `HTTP/1.1 ${status}`));
  });
});

describe('which requests', () => {
  let server: Server;
  let closing: boolean;

  beforeEach(async () => {
    closing = false;
    server = createServer((_request, response) => response.writeHead(418).end('the long way'));
    const context = createContext({ market, hub: new PublicationHub(new FakePort()), logger: pino({ level: 'silent' }), now: () => NOW });
    answerQuickly(server, context, { 'x-content-type-options': 'nosniff' }, () => closing);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  });

  test.each<[string, Question?]>([
    ['/orderbook/BTCUSDT'],
    ['/orderbook/BTCUSDT?depth=20'],
    ['/orderbook/btcusdt?depth=500'],
    ['/orderbook/BTCUSDT', { headers: { 'if-none-match': '"another"' } }],
  ])('%s %j goes the short way', async (path, question) => {
    expect(await ask(server, path, question)).toMatchObject({ status: 200, headers: { 'x-content-type-options': 'nosniff' } });
  });

  test('a known tag is answered 304 and nothing else', async () => {
    const answer = await ask(server, '/orderbook/BTCUSDT', { headers: { 'if-none-match': ETAG } });
    expect(answer).toMatchObject({ status: 304, headers: { etag: ETAG, 'cache-control': 'no-cache' }, body: '' });
  });

  test.each<[string, Question?]>([
    ['/orderbook/BTCUSDT', { method: 'HEAD' }],
    ['/orderbook/BTCUSDT', { method: 'POST' }],
    ['/orderbook/BTCUSDT', { headers: { 'content-length': '2' }, body: 'xx' }],
    ['/orderbook/BTCUSDT', { headers: { 'transfer-encoding': 'chunked' }, body: 'xx' }],
    ['/orderbook/NOPE'],
    ['/orderbook/BTCUSDT/'],
    ['/orderbook/BTCUSDT?'],
    ['/orderbook/BTCUSDT?depth=0'],
    ['/orderbook/BTCUSDT?depth=020'],
    ['/orderbook/BTCUSDT?depth=5001'],
    ['/orderbook/BTCUSDT?depth=20&allowStale=true'],
    ['/orderbook/BTC%55SDT'],
    ['/ORDERBOOK/BTCUSDT'],
  ])('%s %j goes the long way', async (path, question) => {
    expect((await ask(server, path, question)).status).toBe(418);
  });

  test('a book that is not live, or is being written, goes the long way', async () => {
    const book = market.books.get(market.symbol('BTCUSDT'))!;
    book.busyReads = 1;
    expect((await ask(server, '/orderbook/BTCUSDT')).status).toBe(418);
    book.state = BookState.SYNCING;
    expect((await ask(server, '/orderbook/BTCUSDT')).status).toBe(418);
  });

  test('nothing is answered any more by a server that closes', async () => {
    closing = true;
    expect((await ask(server, '/orderbook/BTCUSDT')).status).toBe(418);
  });
});
