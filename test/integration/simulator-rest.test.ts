import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Simulator, type SimulatorOptions, startSimulator } from '../../src/simulator/simulator.js';
import { ErrorCode } from '../../src/support/errors.js';

let simulator: Simulator;

async function get(path: string): Promise<{ status: number; headers: Headers; text: string; body: unknown }> {
  const response = await fetch(simulator.restUrl + path);
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: response.headers.get('content-type')?.includes('json') ? (JSON.parse(text) as unknown) : undefined,
  };
}

describe('market data', () => {
  beforeAll(async () => {
    simulator = await startSimulator({ symbols: 60, rate: 20 });
  });
  afterAll(() => simulator.close());

  it('marks every answer as simulated', async () => {
    for (const path of ['/api/v3/ping', '/api/v3/depth?symbol=NOPE', '/sim/status', '/nowhere']) {
      expect((await get(path)).headers.get('x-simulated-exchange')).toBe('market-data-processor');
    }
  });

  it('answers ping, time and defaultSymbols', async () => {
    expect((await get('/api/v3/ping')).text).toBe('{}');
    expect((await get('/api/v3/time')).text).toMatch(/^\{"serverTime":\d{13}\}$/);
    expect((await get('/api/v3/defaultSymbols')).body).toMatchObject({ code: 0, msg: 'success', data: simulator.symbols });
  });

  it('lists its symbols, all, one, or some', async () => {
    const all = (await get('/api/v3/exchangeInfo')).body as { symbols: Record<string, unknown>[] };
    expect(Object.keys(all)).toEqual(['timezone', 'serverTime', 'rateLimits', 'exchangeFilters', 'symbols']);
    expect(all.symbols.map((symbol) => symbol['symbol'])).toEqual(simulator.symbols);
    expect(all.symbols[0]).toMatchObject({
      status: '1',
      baseAsset: 'BTC',
      quoteAsset: 'USDT',
      baseAssetPrecision: 8,
      quotePrecision: 2,
      quoteAssetPrecision: 2,
      tradeSideType: 1,
    });
    const names = `龙虾USDT,BTCUSDT`;
    const some = (await get(`/api/v3/exchangeInfo?symbols=${encodeURIComponent(names)}`)).body as typeof all;
    expect(some.symbols.map((symbol) => symbol['symbol'])).toEqual(['龙虾USDT', 'BTCUSDT']);
    expect((await get('/api/v3/exchangeInfo?symbol=NOPE')).text).toBe('{"msg":"invalid symbol","code":-1121}');
  });

  it('answers depth with padded numbers, best first, timestamp last', async () => {
    const { text, body } = await get(`/api/v3/depth?symbol=BTCUSDT&limit=5000`);
    const depth = body as { lastUpdateId: number; bids: [string, string][]; asks: [string, string][] };
    expect(text).toMatch(/^\{"lastUpdateId":\d+,"bids":\[\["\d+\.\d\d","\d+\.\d{8}"\].*\],"asks":\[\[.*\]\],"timestamp":\d{13}\}$/);
    const prices = (levels: [string, string][]): number[] => levels.map(([price]) => Number(price));
    expect(prices(depth.bids)).toEqual(prices(depth.bids).sort((a, b) => b - a));
    expect(prices(depth.asks)).toEqual(prices(depth.asks).sort((a, b) => a - b));
    expect(depth.bids.length).toBeGreaterThan(300);
    expect(((await get('/api/v3/depth?symbol=BTCUSDT')).body as typeof depth).bids).toHaveLength(100);
    expect(((await get(`/api/v3/depth?symbol=${encodeURIComponent('币安人生USDT')}&limit=7`)).body as typeof depth).asks).toHaveLength(7);
  });

  it('answers trades newest first, without ids', async () => {
    const trades = (await get('/api/v3/trades?symbol=BTCUSDT&limit=5')).body as Record<string, unknown>[];
    expect(trades).toHaveLength(5);
    expect(Object.keys(trades[0]!)).toEqual(['id', 'price', 'qty', 'quoteQty', 'time', 'isBuyerMaker', 'isBestMatch', 'tradeType']);
    const times = trades.map((trade) => trade['time'] as number);
    expect(times).toEqual([...times].sort((a, b) => b - a));
    for (const trade of trades) expect([trade['id'], trade['isBuyerMaker']]).toEqual([null, trade['tradeType'] === 'ASK']);
    const middle = times[2]!;
    const aggregate = (await get(`/api/v3/aggTrades?symbol=BTCUSDT&startTime=${middle}&endTime=${middle}`)).body as Record<
      string,
      unknown
    >[];
    expect(aggregate.length).toBeGreaterThan(0);
    for (const trade of aggregate) expect(trade).toMatchObject({ a: null, f: null, l: null, T: middle, M: true });
    expect((await get(`/api/v3/aggTrades?symbol=BTCUSDT&startTime=${middle}`)).status).toBe(400);
  });

  it.each([
    ['1m', 60_000],
    ['5m', 300_000],
    ['60m', 3_600_000],
    ['4h', 14_400_000],
    ['1d', 86_400_000],
    ['1W', 604_800_000],
    ['1M', null],
  ])('answers klines of %s', async (interval, length) => {
    const rows = (await get(`/api/v3/klines?symbol=ETHUSDT&interval=${interval}&limit=20`)).body as (number | string)[][];
    expect(rows.length).toBeGreaterThan(1);
    expect(rows.length).toBeLessThanOrEqual(20);
    for (const [index, row] of rows.entries()) {
      expect(row).toHaveLength(8);
      if (length !== null) expect((row[6] as number) - (row[0] as number)).toBe(length);
      if (index > 0) {
        expect(row[0]).toBe(rows[index - 1]![6]);
        expect(row[1]).toBe(rows[index - 1]![4]);
      }
      const [open, high, low, close] = [1, 2, 3, 4].map((column) => Number(row[column]));
      expect(high).toBeGreaterThanOrEqual(Math.max(open!, close!));
      expect(low).toBeLessThanOrEqual(Math.min(open!, close!));
    }
  });

  it('takes the klines of a stretch of time', async () => {
    const start = Math.floor(Date.now() / 60_000) * 60_000 - 600_000;
    const rows = (await get(`/api/v3/klines?symbol=BTCUSDT&interval=1m&startTime=${start}&endTime=${start + 179_999}`)).body as number[][];
    expect(rows.map(([time]) => time)).toEqual([start, start + 60_000, start + 120_000]);
  });

  it('answers the tickers, an object for one symbol and an array for all', async () => {
    const day = (await get('/api/v3/ticker/24hr?symbol=BTCUSDT')).body as Record<string, string>;
    expect(Object.keys(day).slice(0, 5)).toEqual(['symbol', 'priceChange', 'priceChangePercent', 'prevClosePrice', 'lastPrice']);
    expect(day).toMatchObject({ count: null });
    expect(Number(day['priceChangePercent'])).toBeCloseTo(Number(day['priceChange']) / Number(day['openPrice']), 3);
    const all = (await get('/api/v3/ticker/24hr')).body as { symbol: string; quoteVolume: string }[];
    expect(all).toHaveLength(60);
    expect(Number(all[0]!.quoteVolume)).toBeGreaterThan(5 * Number(all[40]!.quoteVolume));
    expect((await get('/api/v3/ticker/price?symbol=BTCUSDT')).text).toMatch(/^\{"symbol":"BTCUSDT","price":"[\d.]+"\}$/);
    expect((await get('/api/v3/ticker/bookTicker')).body).toHaveLength(60);
    expect((await get('/api/v3/avgPrice?symbol=BTCUSDT')).body).toMatchObject({ mins: 5 });
  });

  it.each([
    ['/api/v3/depth?symbol=NOPE', 400, '{"msg":"invalid symbol","code":-1121}'],
    ['/api/v3/depth?symbol=btcusdt', 400, '{"msg":"invalid symbol","code":-1121}'],
    ['/api/v3/depth', 400, '{"msg":"parameter null","code":44444}'],
    ['/api/v3/depth?symbol=BTCUSDT&limit=0', 400, '{"msg":"parameter error","code":33333}'],
    ['/api/v3/klines?symbol=BTCUSDT&interval=1h', 400, '{"msg":"Invalid interval.","code":-1120}'],
    ['/api/v3/nothing', 404, '{"msg":"Not Found","code":404}'],
    ['/api/v3/toString', 404, '{"msg":"Not Found","code":404}'],
  ])('refuses %s', async (path, status, text) => {
    expect(await get(path)).toMatchObject({ status, text });
  });

  it('tells the true book', async () => {
    const { body } = await get(`/sim/book/${encodeURIComponent('龙虾USDT')}`);
    expect(body).toMatchObject({ symbol: '龙虾USDT' });
    expect((await get('/sim/book/NOPE')).status).toBe(400);
    expect((await get('/sim/book/%E0%A4')).status).toBe(400);
    expect(() => simulator.trueBook('NOPE')).toThrow(expect.objectContaining({ code: ErrorCode.SYMBOL_NOT_LISTED }));
    expect((await get('/sim/status')).body).toMatchObject({ simulated: true, market: 'synthetic', symbols: 60 });
  });
});

describe('limits', () => {
  afterEach(() => simulator.close());

  const start = async (options: SimulatorOptions): Promise<void> => {
    simulator = await startSimulator(options);
  };
  const burst = (count: number, path = '/api/v3/depth?symbol=BTCUSDT&limit=5'): Promise<number[]> =>
    Promise.all(Array.from({ length: count }, async () => (await get(path)).status));

  it('answers 429 with Retry-After, per endpoint', async () => {
    await start({ limits: { restWeightPer10s: 5 } });
    expect((await burst(6)).toSorted((a, b) => a - b)).toEqual([200, 200, 200, 200, 200, 429]);
    const refused = await get('/api/v3/depth?symbol=BTCUSDT');
    expect(refused.text).toBe('{"code":429,"msg":"Too Many Requests"}');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await get('/api/v3/ping')).status).toBe(200);
    expect((await get('/sim/status')).body).toMatchObject({ requestsRefused: 2 });
  });

  it('answers a burst with the firewall page', async () => {
    await start({ limits: { restBurstPerSecond: 10, restBurstPer10s: 10 } });
    await burst(10);
    const refused = await get('/api/v3/ping');
    expect(refused).toMatchObject({ status: 403, body: undefined });
    expect(refused.headers.get('content-type')).toBe('text/html');
    expect(refused.headers.has('retry-after')).toBe(false);
    expect(refused.text).toContain('Access Denied');
  });

  it('refuses options that make no sense, all at once', async () => {
    await expect(startSimulator({ rate: 0, seed: 1.5, speed: -1, symbols: 0 })).rejects.toMatchObject({
      code: ErrorCode.CONFIG_INVALID,
      message: expect.stringMatching(/symbols.*rate.*seed.*speed/) as string,
    });
    await start({});
    await expect(startSimulator({ port: simulator.port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
});
