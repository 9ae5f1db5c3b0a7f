import type { FastifyInstance } from 'fastify';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { buildHttp } from '../../../src/gateway/http.js';
import { BookState, StateReason } from '../../../src/model/book-state.js';
import { PublicationHub } from '../../../src/publish/publication-hub.js';
import { type FakeBook, FakeMarketData, FakePort } from '../../support/fake-market-data.js';

const NOW = 1_700_000_000_300;
const ENVELOPE = {
  symbol: 'BTCUSDT',
  state: 'live',
  epoch: 1,
  seq: 7,
  version: 4242,
  ageMs: 250,
  te: 1_700_000_000_000,
  tr: 1_700_000_000_050,
  tp: NOW,
};

let market: FakeMarketData;
let app: FastifyInstance;
let book: FakeBook;

beforeEach(async () => {
  market = new FakeMarketData();
  app = await buildHttp({ market, hub: new PublicationHub(new FakePort()), logger: pino({ level: 'silent' }), now: () => NOW });
  book = market.addLive('BTCUSDT', 0);
  // 99.99 and 100.01, four and six base units; then 99.00 and 101.50.
  book.bids = [
    [9_999, 40_000],
    [9_900, 10_000],
  ];
  book.asks = [
    [10_001, 60_000],
    [10_150, 20_000],
  ];
});
afterEach(() => app.close());

async function get(url: string) {
  return app.inject({ method: 'GET', url });
}

describe('GET /analytics/:symbol', () => {
  test('gives the envelope and every figure', async () => {
    const answer = await get('/analytics/btcusdt?depth=1&bps=1,100,200');
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(answer.json()).toEqual({
      ...ENVELOPE,
      depth: 1,
      best_bid: ['99.99', '4.0000'],
      best_ask: ['100.01', '6.0000'],
      spread: '0.02',
      spread_bps: 2,
      mid: '100.00',
      microprice: 99.998,
      imbalance: -0.2,
      bands: [
        {
          bps: 1,
          bid: { base: '4.0000', quote: '399.960000', covered: true },
          ask: { base: '6.0000', quote: '600.060000', covered: true },
        },
        // 99.00 lies on the border.
        {
          bps: 100,
          bid: { base: '5.0000', quote: '498.960000', covered: false },
          ask: { base: '6.0000', quote: '600.060000', covered: true },
        },
        {
          bps: 200,
          bid: { base: '5.0000', quote: '498.960000', covered: false },
          ask: { base: '8.0000', quote: '803.060000', covered: false },
        },
      ],
    });
  });

  test('has defaults, prints half a tick, and gives JSON numbers on request', async () => {
    book.asks[0] = [10_002, 60_000];
    const text = (await get('/analytics/BTCUSDT')).json();
    expect(text).toMatchObject({ depth: 20, mid: '100.005', imbalance: -3 / 13 });
    expect(text.bands.map(({ bps }: { bps: number }) => bps)).toEqual([5, 10, 50, 100]);
    const numbers = (await get('/analytics/BTCUSDT?numbers=float&depth=full&bps=200')).json();
    expect(numbers).toMatchObject({ depth: 'full', mid: 100.005, spread: 0.03, best_bid: [99.99, 4] });
    expect(numbers.bands[0].bid).toEqual({ base: 5, quote: 498.96, covered: false });
  });

  test('says null where a side is empty', async () => {
    book.asks = [];
    expect((await get('/analytics/BTCUSDT?bps=10')).json()).toEqual({
      ...ENVELOPE,
      depth: 20,
      best_bid: ['99.99', '4.0000'],
      best_ask: null,
      spread: null,
      spread_bps: null,
      mid: null,
      microprice: null,
      imbalance: 1,
      bands: [{ bps: 10, bid: null, ask: null }],
    });
    book.bids = [];
    expect((await get('/analytics/BTCUSDT')).json().imbalance).toBeNull();
  });

  test('reads the whole book only for a band that needs it', async () => {
    Object.assign(book, market.addLive('ETHUSDT', 3_000, 1_000_000));
    market.reads = [];
    const near = (await get('/analytics/BTCUSDT?bps=1')).json();
    expect(near.bands[0].ask).toMatchObject({ covered: true });
    expect(market.reads.map(({ depth }) => depth)).toEqual([512]);
    const far = (await get('/orderbook/BTCUSDT/depth?bps=20,25,1000')).json();
    expect(market.reads.map(({ depth }) => depth)).toEqual([512, 512, 0]);
    // 10,000 * 0.0020 = 2,000 ticks.
    expect(far.bands.map(({ bid }: { bid: { base: string } }) => bid.base)).toEqual(['2199.9000', '2812.3750', '3449.8500']);
    expect(far.bands.map(({ bid }: { bid: { covered: boolean } }) => bid.covered)).toEqual([true, true, false]);
    expect(Object.keys(far)).toEqual([...Object.keys(ENVELOPE), 'mid', 'bands']);
  });

  test.each([
    ['depth=0', 'depth'],
    ['bps=0', 'bps'],
    ['bps=10001', 'bps'],
    ['bps=5,', 'bps'],
    ['bps=1,2,3,4,5,6,7,8,9,10,11', 'bps'],
    ['levels=5', 'levels'],
  ])('refuses %s', async (query, parameter) => {
    const answer = await get(`/analytics/BTCUSDT?${query}`);
    expect([answer.statusCode, answer.json().code, answer.json().parameter]).toEqual([400, 'BAD_PARAMETER', parameter]);
  });
});

describe('GET /orderbook/:symbol/slippage', () => {
  test('fills a size from the levels', async () => {
    expect((await get('/orderbook/BTCUSDT/slippage?side=buy&size=7.00')).json()).toEqual({
      ...ENVELOPE,
      side: 'buy',
      size: '7.00',
      notional: null,
      ref: 'mid',
      reference_price: '100.00',
      base: 7,
      quote: 701.56,
      average_price: 701.56 / 7,
      worst_price: '101.50',
      levels: 2,
      slippage: 1.56 / 7,
      slippage_bps: 156 / 7,
    });
  });

  test('fills a notional to the last fraction of a lot, from the best level', async () => {
    expect((await get('/orderbook/BTCUSDT/slippage?side=sell&notional=449.46&ref=best')).json()).toMatchObject({
      size: null,
      notional: '449.46',
      ref: 'best',
      reference_price: '99.99',
      base: 4.5,
      quote: 449.46,
      average_price: 99.88,
      worst_price: '99.00',
      slippage: 0.11,
    });
  });

  test.each(['side=buy&size=8.0001', 'side=sell&notional=498.960001'])('is null beyond the book: %s', async (query) => {
    expect((await get(`/orderbook/BTCUSDT/slippage?${query}`)).json()).toMatchObject({
      reference_price: '100.00',
      base: null,
      quote: null,
      average_price: null,
      worst_price: null,
      levels: null,
      slippage: null,
      slippage_bps: null,
    });
  });

  test.each(['side=buy&size=8.0000', 'side=sell&notional=498.96'])('takes the whole side: %s', async (query) => {
    expect((await get(`/orderbook/BTCUSDT/slippage?${query}`)).json()).toMatchObject({ levels: 2 });
  });

  test('has no slippage where there is no mid', async () => {
    book.bids = [];
    expect((await get('/orderbook/BTCUSDT/slippage?side=buy&size=1')).json()).toMatchObject({
      reference_price: null,
      average_price: 100.01,
      slippage: null,
      slippage_bps: null,
    });
    expect((await get('/orderbook/BTCUSDT/slippage?side=buy&size=1&ref=best')).json()).toMatchObject({ slippage: 0, slippage_bps: 0 });
  });

  test.each([
    ['size=1', 'side'],
    ['side=long&size=1', 'side'],
    ['side=buy', 'size'],
    ['side=buy&size=1&notional=1', 'size'],
    ['side=buy&size=0.0', 'size'],
    ['side=buy&notional=-1', 'notional'],
    ['side=buy&size=1e3', 'size'],
    ['side=buy&size=1&ref=last', 'ref'],
    ['side=buy&size=1&size=2', 'size'],
  ])('refuses %s', async (query, parameter) => {
    const answer = await get(`/orderbook/BTCUSDT/slippage?${query}`);
    expect([answer.statusCode, answer.json().code, answer.json().parameter]).toEqual([400, 'BAD_PARAMETER', parameter]);
  });
});

test.each(['/analytics/BTCUSDT?x', '/orderbook/BTCUSDT/depth?x', '/orderbook/BTCUSDT/slippage?side=buy&size=1'])(
  'a book that is not live is refused at %s unless it is asked for as it is',
  async (path) => {
    const url = path.replace('?x', '?bps=10');
    Object.assign(book, { state: BookState.STALE, reason: StateReason.LINE_DOWN });
    const refused = await get(url);
    expect(refused.statusCode).toBe(503);
    expect(refused.headers['retry-after']).toBe('1');
    expect(refused.json()).toMatchObject({ code: 'BOOK_NOT_LIVE', state: 'stale', reason: 'line_down', ageMs: 250 });
    expect((await get(`${url}&allowStale=true`)).json()).toMatchObject({ ...ENVELOPE, state: 'stale' });
    Object.assign(book, { receiveTimeMs: 0 });
    expect((await get(`${url}&allowStale=true`)).statusCode).toBe(503);
    expect((await get(url.replace('BTCUSDT', 'NOPEUSDT'))).statusCode).toBe(404);
  },
);

test('a book that changes during every read is BOOK_BUSY', async () => {
  book.busyReads = 5;
  expect((await get('/analytics/BTCUSDT')).json().code).toBe('BOOK_BUSY');
});

test('a crossed book that is asked for as it is has a negative spread', async () => {
  Object.assign(book, { state: BookState.SUSPECT, reason: StateReason.CROSSED, asks: [[9_990, 10_000]] });
  expect((await get('/analytics/BTCUSDT?allowStale=true')).json()).toMatchObject({ state: 'suspect', spread: '-0.09', mid: '99.945' });
});
