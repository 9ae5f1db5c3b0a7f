import { afterEach, describe, expect, it } from 'vitest';
import { baseIntervals } from '../../src/candle/base-interval.js';
import { formatChannel } from '../../src/mexc/channels.js';
import { BookState } from '../../src/model/book-state.js';
import { NO_SYMBOL, StreamKind } from '../../src/model/feed.js';
import { systemClock } from '../../src/support/clock.js';
import type { CodedError } from '../../src/support/errors.js';
import { name, setUpFeed, tracked } from '../support/feed-harness.js';
import type { FeedHarness, FeedHarnessOptions } from '../support/feed-harness.js';
import { sendJson } from '../support/scripted-http.js';
import { until } from '../support/until.js';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const it of open.splice(0)) await it.close();
});

const all = [StreamKind.DEALS, StreamKind.MINI_TICKERS];
const setUp = (options?: FeedHarnessOptions): Promise<FeedHarness> => setUpFeed(open, { streams: all, ...options });

const deals = (id: number): string => formatChannel({ kind: 'deals', symbol: name(id), speed: '100ms' });
const kline = (id: number): string => formatChannel({ kind: 'kline', symbol: name(id), interval: 'Min1' });
const TICKERS = 'spot@public.miniTickers.v3.api.pb@24H';
const HOURS = { base: baseIntervals.indexOf('1h'), fromMs: 3_600_000, toMs: 7_200_000 };
const { signal: waiting } = new AbortController();
const TRADES = '/api/v3/trades?symbol=S0USDT&limit=1000';

describe('streams beside the depth', () => {
  it('come on connections of their own, trades once the book is settled', async () => {
    const harness = await setUp();
    const { exchange, feed } = harness;
    harness.onSnapshot = () => {};
    feed.start([tracked(0)]);
    await until(() => exchange.subscribed().has(TICKERS) && harness.count('snapshot') === 1);
    expect(exchange.subscribed().has(deals(0))).toBe(false);
    feed.bookState(0, BookState.LIVE);
    await until(() => harness.count('streamUp', 0) === 1);
    expect(exchange.clients.map(({ channels }) => [...channels].some((channel) => channel.includes('depth')))).toEqual([true, false]);
    expect([...exchange.clients[1]!.channels].sort()).toEqual([deals(0), TICKERS].sort());
    for (const channel of [deals(0), TICKERS]) expect(exchange.pushChannel(channel)).toBe(1);
    await until(() => harness.count('deals', 0) === 1 && harness.count('miniTickers') === 1);
    expect(harness.events.filter(({ kind }) => kind === 'streamUp')).toEqual([{ kind: 'streamUp', id: 0, stream: StreamKind.DEALS }]);
  });

  it('take at most thirty subscriptions a connection', async () => {
    const harness = await setUp({ settlingMax: 1000 });
    harness.feed.start(Array.from({ length: 35 }, (_, id) => tracked(id)));
    await until(() => harness.count('streamUp') === 35);
    const sizes = harness.exchange.clients.map(({ channels }) => channels.size).sort((a, b) => b - a);
    expect(sizes).toEqual([30, 30, 6, 5]);
  });

  it('that are lost come back and leave the books alone', async () => {
    const harness = await setUp();
    const { exchange, feed } = harness;
    feed.start([tracked(0)]);
    await until(() => harness.count('streamUp') === 1);
    exchange.clients.find(({ channels }) => channels.has(TICKERS))!.socket.terminate();
    await until(() => harness.count('streamUp') === 2 && exchange.subscribed().has(TICKERS));
    const heard = harness.of(0).map(({ kind }) => kind);
    expect(heard).toEqual(['lineUp', 'snapshot', 'streamUp', 'streamDown', 'streamUp']);
  });

  it('that are refused are tried again and leave the books alone', async () => {
    const harness = await setUp();
    let refusals = 0;
    harness.exchange.refuse = (channel) => (channel === deals(0) && ++refusals <= 2 ? 'Blocked!' : undefined);
    harness.feed.start([tracked(0)]);
    await until(() => harness.count('streamUp') === 1);
    expect(refusals).toBe(3);
    expect(harness.of(0).map(({ kind }) => kind)).toEqual(['lineUp', 'snapshot', 'streamUp']);
  });

  it('end with the symbol', async () => {
    const harness = await setUp();
    const { exchange, feed } = harness;
    feed.start([tracked(0), tracked(1)]);
    feed.openKline(0);
    await until(() => harness.count('streamUp') === 3);
    feed.untrack(0);
    await until(() => !exchange.subscribed().has(deals(0)) && !exchange.subscribed().has(kline(0)));
    expect(exchange.subscribed().has(deals(1))).toBe(true);
    feed.openKline(0);
    feed.tradesWanted(0);
    feed.track({ ...tracked(2), id: 0 });
    await until(() => exchange.subscribed().has(deals(2)));
    expect(exchange.subscribed().has(kline(2))).toBe(false);
  });

  it('move with a connection that is replaced', async () => {
    let skewMs = 0;
    const clock = (): number => systemClock() + skewMs;
    const harness = await setUp({ clock, timings: { connectionAgeMaxMs: 3_600_000, connectionAgeCheckMs: 10, replacementHoldMs: 40 } });
    const { exchange, feed } = harness;
    feed.start([tracked(0)]);
    await until(() => harness.count('streamUp') === 1);
    const before = exchange.clients.length;
    skewMs = 3_600_000;
    await until(() => exchange.clients.length === before + 2 && feed.status().connections.every(({ connection }) => connection >= 1));
    await until(() => [...exchange.subscribed().values()].every((count) => count === 1));
    expect(exchange.pushChannel(deals(0))).toBe(1);
    await until(() => harness.count('deals') === 1);
    expect(harness.count('streamDown') + harness.count('lineDown')).toBe(0);
  });
});

describe('candles', () => {
  it('are subscribed from the first user to the last', async () => {
    const harness = await setUp();
    const { exchange, feed } = harness;
    feed.start([tracked(0)]);
    feed.openKline(0);
    feed.openKline(0);
    await until(() => harness.events.some((event) => event.kind === 'streamUp' && event.stream === StreamKind.KLINE));
    expect(exchange.pushChannel(kline(0))).toBe(1);
    await until(() => harness.count('kline', 0) === 1);
    feed.closeKline(0);
    feed.openKline(0);
    feed.closeKline(0);
    feed.closeKline(0);
    await until(() => !exchange.subscribed().has(kline(0)));
    expect(exchange.clients.flatMap(({ messages }) => messages).filter((text) => text.includes(kline(0)))).toHaveLength(2);
    feed.closeKline(0);
  });
});

describe('requests that are not snapshots', () => {
  it('fetch trades, candles and tickers unparsed', async () => {
    const harness = await setUp();
    const { feed } = harness;
    feed.start([tracked(0)]);
    await until(() => harness.count('streamUp') === 1);
    feed.tradesWanted(0);
    await until(() => harness.count('trades') === 1);
    await feed.requestKlines(0, HOURS, waiting);
    await feed.requestTickers();
    expect(harness.events.slice(-3)).toEqual([
      { kind: 'trades', id: 0, body: JSON.stringify([TRADES]) },
      {
        kind: 'klines',
        id: 0,
        range: HOURS,
        body: '["/api/v3/klines?symbol=S0USDT&interval=60m&startTime=3600000&endTime=7199999&limit=500"]',
      },
      { kind: 'tickers', id: NO_SYMBOL, body: '["/api/v3/ticker/24hr"]' },
    ]);
  });

  it('wait until no book wants the budget', async () => {
    const harness = await setUp({ settlingMax: 1, budgetOptions: { ratePerSecond: 20, burst: 2 } });
    const { feed, http } = harness;
    feed.start(Array.from({ length: 6 }, (_, id) => tracked(id)));
    await feed.requestTickers();
    expect(http.requests.filter((path) => path.startsWith('/api/v3/depth'))).toHaveLength(6);
    expect(http.requests.at(-1)).toBe('/api/v3/ticker/24hr');
  });

  it('are made again when they fail, and told the failure when a client waits', async () => {
    const harness = await setUp();
    const { feed } = harness;
    let failures = 0;
    harness.onOther = (path, response) => {
      if (path.startsWith('/api/v3/klines')) sendJson(response, 400, { code: -1121, msg: 'invalid symbol' });
      else sendJson(response, ++failures <= 2 ? 500 : 200, [path]);
    };
    feed.start([tracked(0)]);
    await until(() => harness.count('streamUp') === 1);
    feed.tradesWanted(0);
    await until(() => harness.count('trades') === 1);
    expect(failures).toBe(3);
    await expect(feed.requestKlines(0, HOURS, waiting)).rejects.toMatchObject({ code: 'EXCHANGE_REFUSED' });
    expect(harness.count('klines')).toBe(0);
  });

  it('do not wait behind many questions for candles, of which no more than can be answered may wait', async () => {
    const harness = await setUp({ budgetOptions: { ratePerSecond: 20, burst: 2 } });
    const { feed } = harness;
    harness.onOther = (path, response) => sendJson(response, 200, path.endsWith('/time') ? { serverTime: 5 } : [path]);
    feed.start([tracked(0)]);
    await until(() => harness.count('streamUp') === 1);
    const clients = Array.from({ length: 150 }, () => new AbortController());
    const refused: unknown[] = [];
    for (const [i, { signal }] of clients.entries()) {
      feed.requestKlines(0, { ...HOURS, fromMs: -i * 3_600_000 }, signal).catch((error: unknown) => refused.push(error));
    }
    await until(() => refused.length > 0);
    expect(new Set(refused.map((error) => (error as CodedError).code))).toEqual(new Set(['EXCHANGE_QUEUE_FULL']));
    expect(feed.status().requests.candles).toMatchObject({ refused: refused.length });
    feed.tradesWanted(0);
    await Promise.all([feed.requestTickers(), feed.requestTime(), until(() => harness.count('trades') === 1)]);
    expect(feed.status().requests.candles.waiting).toBeGreaterThan(50);
    for (const client of clients) client.abort();
    expect(feed.status().requests.candles.waiting).toBe(0);
  });

  it('keep their place while the exchange takes no requests', async () => {
    const harness = await setUp({ budgetOptions: { pauseBaseMs: 50 } });
    let throttled = 0;
    harness.onOther = (path, response) => sendJson(response, ++throttled === 1 ? 429 : 200, [path]);
    harness.feed.start([tracked(0)]);
    await until(() => harness.count('streamUp') === 1);
    await harness.feed.requestTickers();
    expect(throttled).toBe(2);
  });

  it('about trades are forgotten when the worker that asked dies', async () => {
    const harness = await setUp();
    const { feed } = harness;
    const answers: (() => void)[] = [];
    harness.onOther = (path, response) => {
      if (path === TRADES) answers.push(() => sendJson(response, 200, [path]));
      else sendJson(response, 200, { serverTime: 1 });
    };
    feed.start([tracked(0)]);
    await until(() => harness.count('streamUp') === 1);
    feed.tradesWanted(0);
    await until(() => answers.length === 1);
    feed.shardLost([0]);
    answers[0]!();
    // Behind it, an answer that is awaited.
    await feed.requestTime();
    expect(harness.count('trades')).toBe(0);
    feed.tradesWanted(0);
    await until(() => answers.length === 2);
    answers[1]!();
    await until(() => harness.count('trades') === 1);
  });

  it('about trades are forgotten when the stream goes down, and refused when the feed closes', async () => {
    const harness = await setUp();
    const { feed, exchange } = harness;
    const answers: (() => void)[] = [];
    harness.onOther = (path, response) => void answers.push(() => sendJson(response, 200, [path]));
    feed.start([tracked(0)]);
    await until(() => harness.count('streamUp') === 1);
    feed.tradesWanted(0);
    await until(() => answers.length === 1);
    exchange.clients.find(({ channels }) => channels.has(deals(0)))!.socket.terminate();
    await until(() => harness.count('streamUp') === 2);
    feed.tradesWanted(0);
    await until(() => answers.length === 2);
    for (const answer of answers) answer();
    await until(() => harness.count('trades') === 1);
    const told = feed.requestTickers().catch((error: unknown) => error);
    await feed.close();
    expect(await told).toMatchObject({ code: 'SHUTTING_DOWN' });
    expect(harness.count('trades')).toBe(1);
  });
});
