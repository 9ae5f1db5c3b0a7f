import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.js';

type Level = readonly [price: number, quantity: number];

interface Book {
  readonly bids: readonly Level[];
  readonly asks: readonly Level[];
  /** After a push: the first version of it, which is all that ccxt keeps. */
  readonly nonce: number;
}

interface Trade {
  readonly price: number;
  readonly amount: number;
  readonly side: 'buy' | 'sell';
  readonly timestamp: number;
}

/** The part of ccxt's MEXC class that is used here. */
interface CcxtExchange {
  urls: { api: Record<string, unknown> };
  markets: Record<
    string,
    { readonly id: string; readonly precision: { readonly price: number; readonly amount: number }; readonly active: boolean }
  >;
  loadHttpProxyAgent(): Promise<unknown>;
  loadMarkets(): Promise<unknown>;
  fetchOrderBook(symbol: string, limit?: number): Promise<Book>;
  fetchTrades(symbol: string): Promise<Trade[]>;
  fetchOHLCV(symbol: string, timeframe: string): Promise<number[][]>;
  fetchTicker(symbol: string): Promise<{ readonly last: number; readonly bid: number; readonly ask: number }>;
  watchOrderBook(symbol: string): Promise<Book>;
  watchTrades(symbol: string): Promise<Trade[]>;
  watchOHLCV(symbol: string, timeframe: string): Promise<number[][]>;
  close(): Promise<void>;
}

let simulator: Simulator;
let exchange: CcxtExchange;

/** A client nobody here wrote: what it understands, the simulated exchange says as the real one does. */
describe("ccxt's MEXC class on the simulated exchange", () => {
  beforeAll(async () => {
    // ccxt drops a push that begins before its snapshot, also when it ends after it. At up to five bursts a second no window of 100 ms
    // holds two of them, so no snapshot falls inside a push and that does no harm.
    simulator = await startSimulator({ symbols: 30, rate: 5, seed: 11 });
    // The package takes seconds to load, so only this file pays for it.
    const { default: ccxt } = (await import('ccxt')) as unknown as { default: { pro: { mexc: new (options: object) => CcxtExchange } } };
    exchange = new ccxt.pro.mexc({ options: { defaultType: 'spot' }, enableRateLimit: false });
    // Every address of the class, so that nothing can reach for the internet.
    const { restUrl, wsUrl } = simulator;
    const futuresUrl = `${restUrl}/api/v1/contract`;
    exchange.urls.api = {
      spot: { public: restUrl, private: restUrl },
      spot2: { public: restUrl, private: restUrl },
      contract: { public: futuresUrl, private: futuresUrl },
      broker: { private: restUrl },
      ws: { spot: wsUrl, swap: wsUrl },
    };
    // Plain ws:// addresses need its agents loaded first.
    await exchange.loadHttpProxyAgent();
  }, 60_000);

  afterAll(async () => {
    await exchange.close();
    await simulator.close();
  });

  it('loads the markets', async () => {
    await exchange.loadMarkets();
    expect(
      Object.values(exchange.markets)
        .map(({ id }) => id)
        .sort(),
    ).toEqual([...simulator.symbols].sort());
    expect(exchange.markets['BTC/USDT']).toMatchObject({ id: 'BTCUSDT', active: true, precision: { price: 0.01, amount: 1e-8 } });
    expect(exchange.markets['币安人生/USDT']).toMatchObject({ id: '币安人生USDT' });
  });

  it('fetches an order book', async () => {
    const before = simulator.trueBook('BTCUSDT').version;
    const book = await exchange.fetchOrderBook('BTC/USDT', 5000);
    expect(book.nonce).toBeGreaterThanOrEqual(before);
    expect(book.nonce).toBeLessThanOrEqual(simulator.trueBook('BTCUSDT').version);
    expect(book.bids.length).toBeGreaterThan(300);
    expect(book.bids[0]![0]).toBeLessThan(book.asks[0]![0]);
    expect((await exchange.fetchOrderBook('币安人生/USDT', 5)).asks).toHaveLength(5);
  });

  it('fetches trades, candles and a ticker', async () => {
    const trades = await exchange.fetchTrades('BTC/USDT');
    expect(trades.length).toBeGreaterThan(0);
    for (const trade of trades)
      expect(trade).toMatchObject({ price: expect.any(Number) as number, side: expect.stringMatching(/^(buy|sell)$/) as string });
    const candles = await exchange.fetchOHLCV('BTC/USDT', '1m');
    expect(candles.length).toBeGreaterThan(100);
    const ticker = await exchange.fetchTicker('BTC/USDT');
    expect(ticker.bid).toBeLessThan(ticker.ask);
  });

  it('watches an order book, and holds the true one', async () => {
    let compared = 0;
    for (let update = 0; update < 200 && compared < 5; update++) {
      const book = await exchange.watchOrderBook('ETH/USDT');
      expect(book.bids[0]![0]).toBeLessThan(book.asks[0]![0]);
      const truth = simulator.trueBook('ETHUSDT');
      // ccxt keeps only a push's first version; a book it just updated is the true one unless the market moved since.
      const top = (levels: readonly (readonly [unknown, unknown])[]): number[][] =>
        levels.slice(0, 20).map(([price, quantity]) => [Number(price), Number(quantity)]);
      if (JSON.stringify(top(book.bids)) !== JSON.stringify(top(truth.bids))) continue;
      expect(top(book.asks)).toEqual(top(truth.asks));
      expect(book.nonce).toBeLessThanOrEqual(truth.version);
      compared++;
    }
    expect(compared).toBe(5);
  }, 60_000);

  it('watches trades and candles', async () => {
    const trades = await exchange.watchTrades('BTC/USDT');
    expect(trades[0]).toMatchObject({ price: expect.any(Number) as number, amount: expect.any(Number) as number });
    const candles = await exchange.watchOHLCV('BTC/USDT', '1m');
    expect(candles.at(-1)).toHaveLength(6);
  });
});
