import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { buildHttp } from '../../../src/gateway/http.js';
import type { TapePage, Trade } from '../../../src/model/trade.js';
import { PublicationHub } from '../../../src/publish/publication-hub.js';
import { FakeMarketData, FakePort } from '../../support/fake-market-data.js';

const trade = (id: number): Trade => ({
  id,
  symbol: 'BTCUSDT',
  price: '84270.00',
  quantity: '0.0010',
  buyer_order_id: null,
  seller_order_id: null,
  timestamp: 1_700_000_000_000 + id,
  is_buyer_maker: id % 2 === 0,
  exchange_id: id > 2 ? `x${id}` : null,
});
const page: TapePage = {
  state: 'live',
  epoch: 2,
  seq: 5,
  receivedAt: 1_700_000_000_100,
  trades: [1, 2, 3, 4, 5].map(trade),
  skipped: [{ from: null, to: 1_700_000_000_001 }],
  next: null,
};

let market: FakeMarketData;
let app: FastifyInstance;
beforeEach(async () => {
  market = new FakeMarketData();
  market.addLive('BTCUSDT');
  market.tapes.set('BTCUSDT', page);
  app = await buildHttp({
    market,
    hub: new PublicationHub(new FakePort()),
    logger: pino({ level: 'silent' }),
    now: () => 1_700_000_000_150,
  });
});
afterEach(() => app.close());

const get = (url: string, headers: Record<string, string> = {}) => app.inject({ method: 'GET', url, headers });

describe('GET /trades/:symbol', () => {
  it('gives the newest trades, oldest first, with the envelope', async () => {
    const answer = await get('/trades/btcusdt');
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(answer.json()).toEqual({
      symbol: 'BTCUSDT',
      state: 'live',
      epoch: 2,
      seq: 5,
      version: null,
      ageMs: 50,
      te: 1_700_000_000_005,
      tr: 1_700_000_000_100,
      tp: 1_700_000_000_150,
      trades: page.trades,
      skipped: page.skipped,
      next: null,
    });
  });

  it('pages backwards', async () => {
    const ids: number[][] = [];
    let next: number | null = null;
    do {
      const answer: { trades: Trade[]; next: number | null } = (
        await get(`/trades/BTCUSDT?limit=2${next === null ? '' : `&before=${next}`}`)
      ).json();
      ids.push(answer.trades.map(({ id }) => id));
      next = answer.next;
    } while (next !== null);
    expect(ids).toEqual([[4, 5], [2, 3], [1]]);
  });

  it('says when nothing is new', async () => {
    const { headers } = await get('/trades/BTCUSDT');
    const again = (url: string) => get(url, { 'if-none-match': String(headers['etag']) });
    expect((await again('/trades/BTCUSDT')).statusCode).toBe(304);
    expect((await again('/trades/BTCUSDT?limit=5')).statusCode).toBe(200);
    market.tapes.set('BTCUSDT', { ...page, seq: 6 });
    expect((await again('/trades/BTCUSDT')).statusCode).toBe(200);
  });

  it('serves a tape that is not live, with its state, unless nothing was ever known', async () => {
    market.tapes.set('BTCUSDT', { ...page, state: 'stale' });
    expect((await get('/trades/BTCUSDT')).json()).toMatchObject({ state: 'stale', seq: 5 });
    market.tapes.delete('BTCUSDT');
    const refused = await get('/trades/BTCUSDT');
    expect([refused.statusCode, refused.headers['retry-after'], refused.json()]).toMatchObject([
      503,
      '1',
      { code: 'TRADES_NOT_READY', symbol: 'BTCUSDT', state: 'syncing' },
    ]);
    market.tapes.set('BTCUSDT', { ...page, seq: 0, receivedAt: null, trades: [], skipped: [] });
    expect((await get('/trades/BTCUSDT')).json()).toMatchObject({ state: 'live', te: null, ageMs: null, trades: [] });
  });

  it('tries again while the writer is faster, and gives up some time', async () => {
    const book = market.books.get(market.symbol('BTCUSDT'))!;
    book.busyReads = 3;
    expect((await get('/trades/BTCUSDT')).statusCode).toBe(200);
    book.busyReads = 100;
    expect((await get('/trades/BTCUSDT')).json()).toMatchObject({ status: 503, code: 'BOOK_BUSY', symbol: 'BTCUSDT' });
  });

  it.each(['limit=0', 'limit=1001', 'limit=x', 'limit=', 'before=0', 'before=-1', 'before=1e3', 'after=5'])('refuses %s', async (query) => {
    expect((await get(`/trades/BTCUSDT?${query}`)).json()).toMatchObject({ status: 400, code: 'BAD_PARAMETER' });
  });

  it('refuses a symbol that is not tracked', async () => {
    expect((await get('/trades/BTCEUR')).json()).toMatchObject({ status: 404, code: 'SYMBOL_NOT_TRACKED', nearest: 'BTCUSDT' });
  });
});
