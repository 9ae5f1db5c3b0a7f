import type { FastifyInstance } from 'fastify';
import pino from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { buildHttp } from '../../../src/gateway/http.js';
import { BookState } from '../../../src/model/book-state.js';
import { PublicationHub } from '../../../src/publish/publication-hub.js';
import { type FakeBook, FakeMarketData, FakePort } from '../../support/fake-market-data.js';

const NOW = 1_700_000_000_300;

let market: FakeMarketData;
let app: FastifyInstance;
let book: FakeBook;

beforeEach(async () => {
  market = new FakeMarketData();
  app = await buildHttp({ market, hub: new PublicationHub(new FakePort()), logger: pino({ level: 'silent' }), now: () => NOW });
  book = market.addLive('BTCUSDT', 2);
  market.tickers.set('BTCUSDT', { lastPrice: '10000.5', openPrice: '10100', quoteVolume: '5000000000.123456789', closeTimeMs: NOW });
});
afterEach(() => app.close());

async function get(url: string) {
  return app.inject({ method: 'GET', url });
}

const TICKER = {
  symbol: 'BTCUSDT',
  state: 'live',
  epoch: 1,
  seq: 7,
  version: 4242,
  ageMs: 250,
  te: 1_700_000_000_000,
  tr: 1_700_000_000_050,
  tp: NOW,
  price_change: '-99.50',
  price_change_percent: '-0.9851',
  weighted_avg_price: null,
  last_price: '10000.50',
  last_quantity: null,
  bid_price: '9999.99',
  bid_quantity: '1.0000',
  ask_price: '10000.01',
  ask_quantity: '2.0000',
  open_price: '10100.00',
  high_price: null,
  low_price: null,
  volume: null,
  quote_volume: '5000000000.123456789',
  open_time: NOW - 86_400_000,
  close_time: NOW,
  first_id: null,
  last_id: null,
  count: null,
};

test('GET /ticker/:symbol gives the envelope and the ticker', async () => {
  const answer = await get('/ticker/btcusdt');
  expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
  expect(answer.headers['cache-control']).toBe('no-cache');
  expect(answer.json()).toEqual(TICKER);
});

test('JSON numbers on request', async () => {
  expect((await get('/ticker/BTCUSDT?numbers=float')).json()).toMatchObject({
    price_change: -99.5,
    last_price: 10000.5,
    quote_volume: Number('5000000000.123456789'),
    high_price: null,
    close_time: NOW,
  });
});

test('a book that is not live takes bid and ask with it, and nothing else', async () => {
  Object.assign(book, { state: BookState.STALE });
  expect((await get('/ticker/BTCUSDT')).json()).toEqual({
    ...TICKER,
    state: 'stale',
    bid_price: null,
    bid_quantity: null,
    ask_price: null,
    ask_quantity: null,
  });
});

test('GET /tickers gives all, or those that are named', async () => {
  for (let i = 0; i < 250; i++) market.addLive(`X${i}USDT`, 1);
  const all = (await get('/tickers')).json();
  expect(all).toHaveLength(251);
  expect(all[0]).toEqual(TICKER);
  expect(all[250]).toMatchObject({ symbol: 'X249USDT', last_price: null, bid_price: '9999.99' });
  expect((await get('/tickers?symbols=X1USDT,btcusdt,X1USDT')).json().map(({ symbol }: { symbol: string }) => symbol)).toEqual([
    'X1USDT',
    'BTCUSDT',
  ]);
  expect((await get('/tickers?symbols=BTCUSDT,NOPE')).json()).toMatchObject({ status: 404, code: 'SYMBOL_NOT_TRACKED', symbol: 'NOPE' });
  expect((await get('/tickers?symbols=,')).json()).toMatchObject({ code: 'BAD_PARAMETER', parameter: 'symbols' });
});

test('either reader that meets its writer is tried again, and then says so', async () => {
  book.busyReads = 2;
  market.busyTickers = 2;
  expect((await get('/ticker/BTCUSDT')).statusCode).toBe(200);
  market.busyTickers = 5;
  const busy = await get('/ticker/BTCUSDT');
  expect([busy.statusCode, busy.json().code]).toEqual([503, 'BOOK_BUSY']);
});
