import { describe, expect, it } from 'vitest';
import { decodePush } from '../../../src/simulator/push-codec.js';
import { FaultInjector } from '../../../src/simulator/fault-injector.js';
import { trueBookView } from '../../../src/simulator/rest-views.js';
import { StreamHub } from '../../../src/simulator/stream-hub.js';
import type { StreamConnection } from '../../../src/simulator/stream-connection.js';
import { namedListings, syntheticListings } from '../../../src/simulator/synthetic-listing.js';
import { SyntheticMarket } from '../../../src/simulator/synthetic-market.js';
import { framePayload } from '../../../src/simulator/push-frame.js';
import { ErrorCode } from '../../../src/support/errors.js';
import { shortest } from '../../support/model-book.js';
import { DepthFollower } from '../../support/stream-client.js';
import type { PushMessage } from '../../../src/simulator/push-codec.js';

const START_MS = 1_790_000_000_000;
const SEED = 20_261_122;

interface World {
  readonly market: SyntheticMarket;
  readonly pushes: PushMessage[];
  /** Runs the market for a number of ticks; `look` after each. */
  readonly run: (ticks: number, look?: () => void) => void;
  readonly subscribe: (channel: string) => void;
}

function world(symbols: readonly string[], rate: number, seed = SEED): World {
  const hub = new StreamHub(new FaultInjector({ dropConnections: () => {}, freezeConnections: () => {}, keepHistory: () => {} }));
  const market = new SyntheticMarket(hub, { listings: namedListings(symbols, seed), rate, seed, startMs: START_MS });
  hub.attach(market);
  const pushes: PushMessage[] = [];
  const client = {
    enqueue: (frame: Buffer) => {
      pushes.push(decodePush(framePayload(frame)));
      return false;
    },
  } as unknown as StreamConnection;
  return {
    market,
    pushes,
    run: (ticks, look) => {
      for (let i = 0; i < ticks; i++) {
        market.advance(START_MS + (market.tick + 1) * 10);
        look?.();
      }
    },
    subscribe: (channel) => expect(hub.subscribe(client, channel)).toBeDefined(),
  };
}

describe('the made-up market', () => {
  it('is the same for the same seed, and another for another', () => {
    const books = [SEED, SEED, SEED + 1].map((seed) => {
      const { market, run } = world(['BTCUSDT', 'PEPEUSDT'], 10, seed);
      run(500);
      return market.symbols.map((symbol) => trueBookView(symbol, symbol.book()));
    });
    expect(books[1]).toEqual(books[0]);
    expect(books[2]).not.toEqual(books[0]);
  });

  it('is never crossed, has no empty side and no wild spread, and keeps its number of levels', () => {
    const { market, run } = world(['BTCUSDT', 'PEPEUSDT', '龙虾USDT', 'KISHUUSDT', 'QQQBTC'], 50);
    let bad = 0;
    run(6_000, () => {
      for (const symbol of market.symbols) {
        const { bids, asks } = symbol.book();
        if (!(bids.tickAt(0) < asks.tickAt(0) && bids.tickAt(bids.size - 1) >= 1)) bad++;
      }
    });
    expect(bad).toBe(0);
    for (const symbol of market.symbols) {
      const { bids, asks } = symbol.book();
      for (const side of [bids, asks]) {
        expect(side.size).toBeGreaterThan(symbol.listing.levels * 0.6);
        expect(side.size).toBeLessThan(symbol.listing.levels * 1.4);
      }
      expect((asks.tickAt(0) - bids.tickAt(0)) / bids.tickAt(0)).toBeLessThan(0.002);
      expect(symbol.trades().count).toBeGreaterThan(50);
    }
  });

  it('pushes contiguous ranges with at most one level a version, sorted, trimmed, and about half deletes', () => {
    const { market, pushes, run, subscribe } = world(['BTCUSDT', 'DOGEUSDT'], 8);
    const channels = market.symbols.flatMap(({ listing }) =>
      ['10ms', '100ms'].map((speed) => `spot@public.aggre.depth.v3.api.pb@${speed}@${listing.symbol}`),
    );
    const before = new Map(market.symbols.map((symbol) => [symbol.listing.symbol, symbol.book().version]));
    for (const channel of channels) subscribe(channel);
    run(3_000);
    let levels = 0;
    let deletes = 0;
    for (const channel of channels) {
      let version = before.get(channel.split('@').at(-1)!)!;
      for (const push of pushes.filter((candidate) => candidate.channel === channel)) {
        const { asks = [], bids = [], fromVersion, toVersion, eventType } = push.publicAggreDepths!;
        expect(Number(fromVersion)).toBe(version + 1);
        version = Number(toVersion);
        expect(asks.length + bids.length).toBeGreaterThan(0);
        expect(asks.length + bids.length).toBeLessThanOrEqual(version - Number(fromVersion) + 1);
        expect(asks.map((level) => Number(level.price))).toEqual(asks.map((level) => Number(level.price)).sort((a, b) => a - b));
        expect(bids.map((level) => Number(level.price))).toEqual(bids.map((level) => Number(level.price)).sort((a, b) => b - a));
        expect([...asks, ...bids].filter(({ price, quantity }) => shortest(price) !== price || shortest(quantity) !== quantity)).toEqual(
          [],
        );
        expect(channel.startsWith(`${eventType}@`)).toBe(true);
        levels += asks.length + bids.length;
        deletes += [...asks, ...bids].filter((level) => level.quantity === '0').length;
      }
      // The last window of 100 ms may still be open.
      if (channel.includes('@10ms@')) expect(version).toBe(market.find(channel.split('@').at(-1)!)!.book().version);
    }
    expect(deletes / levels).toBeGreaterThan(0.4);
    expect(deletes / levels).toBeLessThan(0.55);
  });

  it('a follower of either speed holds the true book after every push, and tickers agree at their version', () => {
    const { market, pushes, run, subscribe } = world(['SOLUSDT'], 20);
    const symbol = market.symbols[0]!;
    const followers = (['10ms', '100ms'] as const).map((speed) => new DepthFollower('SOLUSDT', speed));
    const start = trueBookView(symbol, symbol.book());
    for (const follower of followers) follower.snapshot({ lastUpdateId: start.version, bids: start.bids, asks: start.asks });
    for (const kind of ['depth', 'bookTicker']) {
      for (const speed of ['10ms', '100ms']) subscribe(`spot@public.aggre.${kind}.v3.api.pb@${speed}@SOLUSDT`);
    }
    let compared = 0;
    let tickers = 0;
    run(2_000, () => {
      for (const push of pushes.splice(0)) {
        for (const follower of followers) follower.take(push);
        const quote = push.publicAggreBookTicker;
        if (quote === undefined) continue;
        for (const follower of followers.filter(({ version }) => String(version) === quote.version)) {
          expect([quote.bidPrice, quote.bidQuantity]).toEqual(follower.book.best('bid'));
          expect([quote.askPrice, quote.askQuantity]).toEqual(follower.book.best('ask'));
          tickers++;
        }
      }
      const now = trueBookView(symbol, symbol.book());
      for (const follower of followers.filter(({ version }) => version === now.version)) {
        expect(follower.book.levels('bid', 5)).toEqual(now.bids.slice(0, 5));
        compared++;
      }
    });
    const end = trueBookView(symbol, symbol.book());
    for (const follower of followers) {
      expect(follower.gaps + follower.crossed).toBe(0);
      expect(follower.version).toBe(end.version);
      expect(follower.book.levels('bid')).toEqual(end.bids);
      expect(follower.book.levels('ask')).toEqual(end.asks);
    }
    expect(compared).toBeGreaterThan(1_000);
    expect(tickers).toBeGreaterThan(1_000);
  });

  it('keeps to the cadence of each channel', () => {
    const { pushes, run, subscribe } = world(['BTCUSDT'], 100);
    const count = (channel: string): number => pushes.filter((push) => push.channel === channel).length;
    const name = (text: string): string => `spot@public.${text}`;
    const channels = {
      ticker10: name('aggre.bookTicker.v3.api.pb@10ms@BTCUSDT'),
      depth10: name('aggre.depth.v3.api.pb@10ms@BTCUSDT'),
      depth100: name('aggre.depth.v3.api.pb@100ms@BTCUSDT'),
      limit: name('limit.depth.v3.api.pb@BTCUSDT@5'),
      kline: name('kline.v3.api.pb@BTCUSDT@Min1'),
      mini: name('miniTicker.v3.api.pb@BTCUSDT@UTC+8'),
      minis: name('miniTickers.v3.api.pb@24H'),
    };
    for (const channel of Object.values(channels)) subscribe(channel);
    run(3_000);
    expect(count(channels.ticker10)).toBe(3_000);
    expect(count(channels.depth10)).toBeGreaterThan(1_500);
    expect(count(channels.depth100)).toBe(300);
    expect(count(channels.limit)).toBe(300);
    expect(count(channels.kline)).toBeGreaterThanOrEqual(20);
    expect(count(channels.kline)).toBeLessThanOrEqual(30);
    expect(count(channels.mini)).toBe(10);
    const times = pushes.filter((push) => push.channel === channels.ticker10).map((push) => push.sendTime);
    expect(times).toEqual(times.map((_, index) => START_MS + (index + 1) * 10));
  });

  it('sends klines without a send time and mini tickers with the turnover as volume', () => {
    const { pushes, run, subscribe } = world(['BTCUSDT', 'ETHUSDT'], 20);
    subscribe('spot@public.kline.v3.api.pb@BTCUSDT@Hour4');
    subscribe('spot@public.miniTickers.v3.api.pb@UTC+8');
    subscribe('spot@public.limit.depth.v3.api.pb@BTCUSDT@10');
    run(1_200);
    const kline = pushes.find((push) => push.publicSpotKline)!;
    expect(kline).not.toHaveProperty('sendTime');
    expect(kline.symbolId).toMatch(/^[0-9a-f]{32}$/);
    expect(kline.publicSpotKline!.windowEnd - kline.publicSpotKline!.windowStart).toBe(4 * 3_600);
    const minis = pushes.find((push) => push.publicMiniTickers)!;
    expect(minis).not.toHaveProperty('symbol');
    const item = minis.publicMiniTickers!.items![0]!;
    expect(Number(item.volume) / Number(item.quantity) / Number(item.price)).toBeCloseTo(1, 1);
    const limit = pushes.find((push) => push.publicLimitDepths)!;
    expect(limit.publicLimitDepths!.eventType).toBe('spot@public.limit.depth.v3.api.pb');
    expect(limit.publicLimitDepths!.asks).toHaveLength(10);
    for (const { price, quantity } of limit.publicLimitDepths!.bids!) expect([price, quantity].join()).toMatch(/^\d+\.\d{2},\d+\.\d{8}$/);
  });
});

describe('listings', () => {
  it('begin with well-known pairs and go on with made-up ones, turnover falling', () => {
    const listings = syntheticListings(2_000, 1);
    const names = listings.map(({ symbol }) => symbol);
    expect(new Set(names).size).toBe(2_000);
    expect(names.slice(0, 3)).toEqual(['BTCUSDT', 'ETHUSDT', 'SOLUSDT']);
    expect(names.slice(0, 50)).toEqual(expect.arrayContaining(['币安人生USDT', '龙虾USDT']));
    const quotes = new Set(listings.map(({ quoteAsset }) => quoteAsset));
    expect(quotes).toEqual(new Set(['USDT', 'USDC', 'BTC', 'ETH']));
    const usd = listings.map(({ turnover, quoteUsd }) => turnover * quoteUsd);
    expect(usd[0]! / usd[1_999]!).toBeGreaterThan(1_000);
    for (const { priceScale, quantityScale, price } of listings) {
      expect(priceScale).toBeGreaterThanOrEqual(2);
      expect(quantityScale).toBeLessThanOrEqual(8);
      expect(price * 10 ** priceScale).toBeGreaterThan(1_000);
    }
    expect(syntheticListings(60, 1)).toEqual(listings.slice(0, 60));
  });

  it.each([[['btcusdt']], [['BTC']], [['USDT']], [['BTCUSDT', 'BTCUSDT']]])('refuse %j', (symbols) => {
    expect(() => namedListings(symbols, 1)).toThrow(expect.objectContaining({ code: ErrorCode.CONFIG_INVALID }));
  });
});
