import type { FastifyInstance } from 'fastify';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { buildHttp } from '../../../src/gateway/http.js';
import { BookState, StateReason } from '../../../src/model/book-state.js';
import { PublicationHub } from '../../../src/publish/publication-hub.js';
import { FakeMarketData, FakePort } from '../../support/fake-market-data.js';

const NOW = 1_700_000_000_300;

let market: FakeMarketData;
let app: FastifyInstance;

beforeEach(async () => {
  market = new FakeMarketData();
  app = await buildHttp({ market, hub: new PublicationHub(new FakePort()), logger: pino({ level: 'silent' }), now: () => NOW });
});
afterEach(() => app.close());

async function get(url: string, headers: Record<string, string> = {}) {
  return app.inject({ method: 'GET', url, headers });
}

describe('GET /orderbook/:symbol', () => {
  test('gives the envelope and the levels, best first, at the scales of the symbol', async () => {
    market.addLive('BTCUSDT', 2);
    const answer = await get('/orderbook/BTCUSDT');
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(answer.headers['cache-control']).toBe('no-cache');
    expect(answer.headers.etag).toBe('"fake1234-1-7-20-string-0-Infinity"');
    expect(answer.json()).toEqual({
      symbol: 'BTCUSDT',
      state: 'live',
      epoch: 1,
      seq: 7,
      version: 4242,
      ageMs: 250,
      te: 1_700_000_000_000,
      tr: 1_700_000_000_050,
      tp: NOW,
      verifiedDepth: { bids: 2, asks: 2 },
      bids: [
        ['9999.99', '1.0000'],
        ['9999.98', '1.0001'],
      ],
      asks: [
        ['10000.01', '2.0000'],
        ['10000.02', '2.0001'],
      ],
    });
  });

  test('says how many of the levels are proven, also when only that has changed', async () => {
    const book = market.addLive('BTCUSDT', 4);
    const verified = async (depth: string): Promise<unknown> => (await get(`/orderbook/BTCUSDT?depth=${depth}`)).json().verifiedDepth;
    expect(await verified('full')).toEqual({ bids: 4, asks: 4 });
    book.proven = [book.bids[2]![0], book.asks[0]![0]];
    expect([await verified('full'), await verified('2')]).toEqual([
      { bids: 3, asks: 1 },
      { bids: 2, asks: 1 },
    ]);
  });

  test('gives JSON numbers on request', async () => {
    const book = market.addLive('BTCUSDT', 0);
    book.bids = [[1, 3]];
    book.asks = [[8_427_012, Number.MAX_SAFE_INTEGER]];
    const { bids, asks } = (await get('/orderbook/BTCUSDT?numbers=float')).json();
    expect(bids).toEqual([[0.01, 0.0003]]);
    expect(asks).toEqual([[84270.12, Number.MAX_SAFE_INTEGER / 1e4]]);
  });

  test('says null where the exchange gave no time', async () => {
    market.addLive('BTCUSDT').exchangeTimeMs = NaN;
    expect((await get('/orderbook/BTCUSDT')).json().te).toBeNull();
  });

  test.each([
    ['', 20],
    ['?depth=1', 1],
    ['?depth=37', 37],
    ['?depth=5000', 5000],
    ['?depth=full', 6000],
  ])('depth %s gives %d levels', async (query, levels) => {
    market.addLive('BTCUSDT', 6000, 100_000_000);
    const { bids, asks } = (await get(`/orderbook/BTCUSDT${query}`)).json();
    expect([bids.length, asks.length]).toEqual([levels, levels]);
  });

  test.each([
    ['depth=0', 'depth', '1 to 5000, or full'],
    ['depth=5001', 'depth', '1 to 5000, or full'],
    ['depth=-1', 'depth', '1 to 5000, or full'],
    ['depth=1e3', 'depth', '1 to 5000, or full'],
    ['depth=', 'depth', '1 to 5000, or full'],
    ['depth=1&depth=2', 'depth', '1 to 5000, or full'],
    ['numbers=int', 'numbers', 'string or float'],
    ['allowStale=1', 'allowStale', 'true or false'],
    ['allowStale=true&allowStale=false', 'allowStale', 'true or false'],
    ['limit=5', 'limit', ['depth', 'numbers', 'allowStale']],
    ['__proto__=1', '__proto__', ['depth', 'numbers', 'allowStale']],
  ])('%s is refused with the allowed values', async (query, parameter, allowed) => {
    market.addLive('BTCUSDT');
    const answer = await get(`/orderbook/BTCUSDT?${query}`);
    expect(answer.statusCode).toBe(400);
    expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8');
    expect(answer.json()).toMatchObject({ status: 400, code: 'BAD_PARAMETER', parameter, allowed, requestId: expect.any(String) });
  });

  test.each([
    '"fake1234-1-7-20-string-0-Infinity"',
    'W/"fake1234-1-7-20-string-0-Infinity"',
    '"other", W/"fake1234-1-7-20-string-0-Infinity"',
    '*',
  ])('If-None-Match %s is answered with 304 and no body', async (header) => {
    market.addLive('BTCUSDT');
    const answer = await get('/orderbook/BTCUSDT', { 'if-none-match': header });
    expect(answer.statusCode).toBe(304);
    expect(answer.body).toBe('');
    expect(answer.headers.etag).toBe('"fake1234-1-7-20-string-0-Infinity"');
    expect(market.reads).toEqual([{ symbol: 'BTCUSDT', depth: 1 }]);
  });

  test.each(['"fake1234-1-6-20-string-0-Infinity"', '"fake1234-1-7-50-string-0-Infinity"', 'fake1234-1-7-20-string-0-Infinity', '"', ''])(
    'If-None-Match %s is answered with the book',
    async (header) => {
      market.addLive('BTCUSDT');
      expect((await get('/orderbook/BTCUSDT', { 'if-none-match': header })).statusCode).toBe(200);
    },
  );

  test('a proof that changed without the levels is not answered with 304', async () => {
    const book = market.addLive('BTCUSDT', 4);
    book.proven = [book.bids[0]![0], book.asks[0]![0]];
    const known = String((await get('/orderbook/BTCUSDT')).headers.etag);
    expect((await get('/orderbook/BTCUSDT', { 'if-none-match': known })).statusCode).toBe(304);
    book.proven[1] = book.asks[2]![0];
    const answer = await get('/orderbook/BTCUSDT', { 'if-none-match': known });
    expect([answer.statusCode, answer.json().verifiedDepth]).toEqual([200, { bids: 1, asks: 3 }]);
    const next = String(answer.headers.etag);
    book.proven[0] = book.bids[1]![0];
    expect((await get('/orderbook/BTCUSDT', { 'if-none-match': next })).json().verifiedDepth).toEqual({ bids: 2, asks: 3 });
  });

  test('a state that changed without the content is not answered with 304', async () => {
    const book = market.addLive('BTCUSDT');
    const { etag } = (await get('/orderbook/BTCUSDT?allowStale=true')).headers;
    book.state = BookState.STALE;
    const answer = await get('/orderbook/BTCUSDT?allowStale=true', { 'if-none-match': String(etag) });
    expect(answer.statusCode).toBe(200);
    expect(answer.json().state).toBe('stale');
  });

  test('levels of one version are read once, with a fresh head each time', async () => {
    const book = market.addLive('BTCUSDT', 30);
    const first = (await get('/orderbook/BTCUSDT')).json();
    expect((await get('/orderbook/BTCUSDT')).json()).toEqual(first);
    expect(market.reads.map(({ depth }) => depth)).toEqual([20, 1]);
    book.seq++;
    book.bids[0]![1] = 1;
    const next = (await get('/orderbook/BTCUSDT')).json();
    expect(next).toMatchObject({ seq: 8 });
    expect(next.bids[0]).toEqual(['9999.99', '0.0001']);
  });

  test('levels of a symbol tracked anew are not taken from before', async () => {
    market.addLive('BTCUSDT', 1);
    await get('/orderbook/BTCUSDT');
    market.untrack('BTCUSDT');
    market.addLive('BTCUSDT', 1, 500);
    expect((await get('/orderbook/BTCUSDT')).json().bids).toEqual([['4.99', '1.0000']]);
  });

  test('a book that is not live is a 503 with its state', async () => {
    const book = market.addLive('BTCUSDT');
    Object.assign(book, { state: BookState.STALE, reason: StateReason.LINE_DOWN });
    const answer = await get('/orderbook/BTCUSDT');
    expect(answer.statusCode).toBe(503);
    expect(answer.headers['retry-after']).toBe('1');
    expect(answer.json()).toMatchObject({
      code: 'BOOK_NOT_LIVE',
      symbol: 'BTCUSDT',
      state: 'stale',
      reason: 'line_down',
      ageMs: 250,
    });
    const stale = await get('/orderbook/BTCUSDT?allowStale=true');
    expect(stale.statusCode).toBe(200);
    expect(stale.json()).toMatchObject({ state: 'stale', epoch: 1, seq: 7, ageMs: 250 });
  });

  test('a book without any snapshot is a 503 whatever the client allows', async () => {
    market.add({ symbol: 'BTCUSDT' });
    const answer = await get('/orderbook/BTCUSDT?allowStale=true');
    expect(answer.statusCode).toBe(503);
    expect(answer.json()).toMatchObject({ code: 'BOOK_NOT_LIVE', state: 'syncing', reason: 'start', ageMs: null });
  });

  test('a writer that is faster a few times is waited for, one that always is gives BOOK_BUSY', async () => {
    const book = market.addLive('BTCUSDT');
    book.busyReads = 3;
    expect((await get('/orderbook/BTCUSDT')).statusCode).toBe(200);
    book.busyReads = 1000;
    const answer = await get('/orderbook/BTCUSDT');
    expect(answer.statusCode).toBe(503);
    expect(answer.headers['retry-after']).toBe('1');
    expect(answer.json()).toMatchObject({ code: 'BOOK_BUSY', symbol: 'BTCUSDT' });
  });

  test('requests that wait for a writer do not mix their books', async () => {
    market.addLive('BTCUSDT', 3).busyReads = 2;
    market.addLive('ETHUSDT', 3, 5000).busyReads = 1;
    market.addLive('XRPUSDT', 3, 70);
    const names = ['BTCUSDT', 'ETHUSDT', 'XRPUSDT', 'ETHUSDT'];
    const answers = await Promise.all(names.map((name) => get(`/orderbook/${name}`)));
    expect(answers.map((answer) => answer.json().asks[0][0])).toEqual(['10000.01', '50.01', '0.71', '50.01']);
    expect(answers.map((answer) => answer.json().symbol)).toEqual(names);
  });

  test.each([
    ['/orderbook/btcusdt', 'BTCUSDT'],
    ['/orderbook/BtcUsdt', 'BTCUSDT'],
    [`/orderbook/${encodeURIComponent('币安人生USDT')}`, '币安人生USDT'],
    [`/orderbook/${encodeURIComponent('币安人生usdt')}`, '币安人生USDT'],
    ['/orderbook/A%2FBUSDT', 'A/BUSDT'],
  ])('%s finds %s', async (url, symbol) => {
    for (const name of ['BTCUSDT', '币安人生USDT', 'A/BUSDT']) market.addLive(name);
    expect((await get(url)).json().symbol).toBe(symbol);
  });

  test('an unknown symbol is a 404 with the nearest name', async () => {
    market.addLive('BTCUSDT');
    const answer = await get('/orderbook/BTCUSD');
    expect(answer.statusCode).toBe(404);
    expect(answer.json()).toMatchObject({ code: 'SYMBOL_NOT_TRACKED', symbol: 'BTCUSD', nearest: 'BTCUSDT' });
    expect((await get('/orderbook/ZZZ')).json()).not.toHaveProperty('nearest');
    expect((await get(`/orderbook/${'x'.repeat(900)}`)).statusCode).toBe(404);
  });

  test('looking for similar names is bounded', async () => {
    market.addLive('BTCUSDT');
    for (let i = 0; i < 30; i++) expect((await get('/orderbook/BTCUSD')).statusCode).toBe(404);
    expect(market.nearestCalls).toBe(20);
  });

  test('HEAD is answered without a body', async () => {
    market.addLive('BTCUSDT');
    const answer = await app.inject({ method: 'HEAD', url: '/orderbook/BTCUSDT' });
    expect([answer.statusCode, answer.body]).toEqual([200, '']);
  });
});

describe('GET /orderbooks', () => {
  test('gives what it can and says what failed', async () => {
    market.addLive('BTCUSDT');
    market.addLive('ETHUSDT');
    Object.assign(market.addLive('XRPUSDT'), { state: BookState.SUSPECT, reason: StateReason.CROSSED });
    const answer = await get('/orderbooks?symbols=btcusdt,NOPE,XRPUSDT,ETHUSDT&depth=1');
    expect(answer.statusCode).toBe(200);
    const { books, failed } = answer.json();
    expect(books.map((book: { symbol: string; bids: unknown[] }) => [book.symbol, book.bids.length])).toEqual([
      ['BTCUSDT', 1],
      ['ETHUSDT', 1],
    ]);
    expect(failed).toMatchObject([
      { symbol: 'NOPE', code: 'SYMBOL_NOT_TRACKED' },
      { symbol: 'XRPUSDT', code: 'BOOK_NOT_LIVE', state: 'suspect', reason: 'crossed' },
    ]);
  });

  test('gives an empty list when everything failed', async () => {
    expect((await get('/orderbooks?symbols=NOPE')).json()).toMatchObject({ books: [], failed: [{ symbol: 'NOPE' }] });
  });

  test.each([
    ['', 'symbols'],
    ['?symbols=', 'symbols'],
    ['?symbols=,,', 'symbols'],
    [`?symbols=${Array.from({ length: 101 }, (_, i) => `S${i}`).join(',')}`, 'symbols'],
    ['?symbols=BTCUSDT&depth=501', 'depth'],
    ['?symbols=BTCUSDT&depth=full', 'depth'],
  ])('%s is refused', async (query, parameter) => {
    const answer = await get(`/orderbooks${query}`);
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({ code: 'BAD_PARAMETER', parameter });
  });
});

describe('GET /bbo', () => {
  test('lists every tracked symbol, without prices where the book is not live', async () => {
    market.addLive('BTCUSDT');
    Object.assign(market.addLive('ETHUSDT'), { state: BookState.STALE, reason: StateReason.SILENT });
    market.add({ symbol: 'XRPUSDT' });
    market.addLive('EMPTYUSDT', 0);
    const answer = await get('/bbo');
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(answer.json()).toEqual([
      {
        symbol: 'BTCUSDT',
        state: 'live',
        epoch: 1,
        seq: 7,
        version: 4242,
        ageMs: 250,
        te: 1_700_000_000_000,
        tr: 1_700_000_000_050,
        tp: NOW,
        bid: ['9999.99', '1.0000'],
        ask: ['10000.01', '2.0000'],
      },
      expect.objectContaining({ symbol: 'ETHUSDT', state: 'stale', bid: null, ask: null }),
      expect.objectContaining({ symbol: 'XRPUSDT', state: 'syncing', version: null, tr: null, ageMs: null, bid: null }),
      expect.objectContaining({ symbol: 'EMPTYUSDT', state: 'live', bid: null, ask: null }),
    ]);
    const stale = (await get('/bbo?allowStale=true&symbols=ethusdt&numbers=float')).json();
    expect(stale).toMatchObject([{ symbol: 'ETHUSDT', state: 'stale', bid: [9999.99, 1], ask: [10000.01, 2] }]);
  });

  test('is an empty list when nothing is tracked', async () => {
    expect((await get('/bbo')).json()).toEqual([]);
  });

  test('refuses unknown symbols', async () => {
    const answer = await get('/bbo?symbols=NOPE');
    expect([answer.statusCode, answer.json().code]).toEqual([404, 'SYMBOL_NOT_TRACKED']);
  });
});
