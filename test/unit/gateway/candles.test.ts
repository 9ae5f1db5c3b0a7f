import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { buildHttp } from '../../../src/gateway/http.js';
import type { Candle } from '../../../src/model/candle.js';
import { candleIntervals } from '../../../src/model/candle-interval.js';
import { PublicationHub } from '../../../src/publish/publication-hub.js';
import { CodedError, ErrorCode } from '../../../src/support/errors.js';
import { FakeMarketData, FakePort } from '../../support/fake-market-data.js';

let market: FakeMarketData;
let app: FastifyInstance;

beforeEach(async () => {
  market = new FakeMarketData();
  market.addLive('BTCUSDT');
  app = await buildHttp({ market, hub: new PublicationHub(new FakePort()), logger: pino({ level: 'silent' }) });
});
afterEach(() => app.close());

function candle(open_time: number, closed = true, complete = true): Candle {
  return {
    symbol: 'BTCUSDT',
    interval: '1m',
    open_time,
    open: '1.00',
    high: '2.00',
    low: '1.00',
    close: '2.00',
    volume: '3.000',
    close_time: open_time + 60_000,
    quote_asset_volume: null,
    number_of_trades: null,
    taker_buy_base_asset_volume: null,
    taker_buy_quote_asset_volume: null,
    closed,
    complete,
  };
}

describe('GET /candles/:symbol', () => {
  it('gives what the engine has, for the interval and range asked for', async () => {
    market.candleAnswer = [candle(60_000)];
    const answer = await app.inject('/candles/btcusdt');
    expect(answer.json()).toEqual([candle(60_000)]);
    await app.inject('/candles/BTCUSDT?interval=1M&start=5&end=1700000000000&limit=1000');
    expect(market.candleRequests).toEqual([
      { symbol: 'BTCUSDT', interval: '1m', range: { start: null, end: null, limit: 100 } },
      { symbol: 'BTCUSDT', interval: '1M', range: { start: 5, end: 1_700_000_000_000, limit: 1000 } },
    ]);
  });

  test.each([
    ['all over, whole, and up to the end', '?end=120500', [candle(60_000), candle(120_000)], true],
    ['up to now: tomorrow the same request says more', '', [candle(60_000)], false],
    ['the candle of the end is not there yet', '?end=180000', [candle(60_000), candle(120_000)], false],
    ['the newest is open', '?end=120000', [candle(60_000), candle(120_000, false)], false],
    ['one is not whole', '?end=120000', [candle(60_000, true, false), candle(120_000)], false],
    ['there are none', '?end=120000', [], false],
  ] as const)('may be kept for good only when nothing can change: %s', async (_, query, candles, forGood) => {
    market.candleAnswer = candles;
    const { headers } = await app.inject(`/candles/BTCUSDT${query}`);
    expect(headers['cache-control']).toBe(forGood ? 'public, max-age=86400, immutable' : 'no-cache');
  });

  test.each([
    ['interval=7m', 'interval', `one of ${candleIntervals.join(', ')}`],
    ['interval=60m', 'interval', `one of ${candleIntervals.join(', ')}`],
    ['limit=0', 'limit', '1 to 1000'],
    ['limit=1001', 'limit', '1 to 1000'],
    ['start=yesterday', 'start', 'Unix ms'],
    ['start=2&end=1', 'start', 'Unix ms up to end'],
  ])('refuses %s, and says what may be', async (query, parameter, allowed) => {
    const answer = await app.inject(`/candles/BTCUSDT?${query}`);
    expect([answer.statusCode, answer.json()]).toMatchObject([400, { code: 'BAD_PARAMETER', parameter, allowed }]);
    expect(market.candleRequests).toEqual([]);
  });

  it('says when the history is not there yet, or the exchange cannot be asked', async () => {
    market.candleAnswer = new CodedError(ErrorCode.CANDLES_NOT_READY, 'not yet');
    const late = await app.inject('/candles/BTCUSDT');
    expect([late.statusCode, late.headers['retry-after'], late.json<{ code: string }>().code]).toEqual([503, '2', 'CANDLES_NOT_READY']);
    market.candleAnswer = new CodedError(ErrorCode.EXCHANGE_QUEUE_FULL, 'too many', { retryAfterMs: 4_100 });
    const full = await app.inject('/candles/BTCUSDT');
    expect([full.statusCode, full.headers['retry-after'], full.json()]).toMatchObject([503, '5', { code: 'EXCHANGE_QUEUE_FULL' }]);
    market.candleAnswer = new CodedError(ErrorCode.EXCHANGE_UNREACHABLE, 'no');
    expect((await app.inject('/candles/BTCUSDT')).json()).toMatchObject({ status: 503, code: 'EXCHANGE_UNREACHABLE' });
    expect((await app.inject('/candles/NOPE')).json()).toMatchObject({ status: 404, code: 'SYMBOL_NOT_TRACKED' });
  });
});
