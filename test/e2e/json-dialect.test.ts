import { readFileSync } from 'node:fs';
import pino from 'pino';
import { describe, expect } from 'vitest';
import type { Engine } from '../../src/engine.js';
import { it, type Open } from '../support/cleanup.js';
import { getStatus, getSymbolStatus, startEngine } from '../support/engine.js';
import { type JsonExchange, startJsonExchange } from '../support/json-exchange.js';
import { parsePage } from '../support/prometheus.js';
import { PushClient } from '../support/push-client.js';
import { sharedDir, sharedPath } from '../support/shared.js';
import { until } from '../support/until.js';

interface Book {
  readonly version: number;
  readonly epoch: number;
  readonly seq: number;
  readonly te: number;
  readonly bids: readonly (readonly [string, string])[];
  readonly asks: readonly (readonly [string, string])[];
}

interface Scene {
  readonly exchange: JsonExchange;
  readonly engine: Engine;
  readonly lines: { readonly msg: string; readonly code?: string; readonly symbol?: string }[];
  book(symbol: string): Promise<Book | undefined>;
  /** Waits for the book to hold this version, live. */
  at(symbol: string, version: number): Promise<Book>;
}

async function start(opened: Open, symbols: readonly string[]): Promise<Scene> {
  const lines: Scene['lines'] = [];
  const exchange = opened(await startJsonExchange(symbols));
  const logger = pino({ level: 'info' }, { write: (line: string) => lines.push(JSON.parse(line) as Scene['lines'][number]) });
  const engine = opened(await startEngine(exchange, { logger }));
  const isSubscribed = (symbol: string): boolean =>
    [...exchange.stream.subscribed().keys()].some((channel) => channel.includes('.depth.') && channel.endsWith(`@${symbol}`));
  await until(() => symbols.every(isSubscribed), { what: 'all depth subscribed' });
  const book = async (symbol: string): Promise<Book | undefined> => {
    const response = await fetch(`${engine.url}/orderbook/${symbol}?depth=full`);
    return response.ok ? ((await response.json()) as Book) : undefined;
  };
  const at = async (symbol: string, version: number): Promise<Book> => {
    let found: Book | undefined;
    await until(async () => (found = await book(symbol))?.version === version, { what: `${symbol} at ${version}` });
    return found!;
  };
  return { exchange, engine, lines, book, at };
}

async function refusals(engine: Engine): Promise<Record<string, number>> {
  const page = parsePage(await (await fetch(`${engine.url}/metrics`)).text());
  return Object.fromEntries(page.get('mdp_text_frames_refused_total')!.samples.map(({ labels, value }) => [labels['code'], value]));
}

const trades = async (engine: Engine, symbol: string) => {
  const page = engine.market.readTrades(engine.market.find(symbol)!, 100, null);
  return page?.trades.map(({ price, quantity, timestamp, is_buyer_maker }) => [price, quantity, timestamp, is_buyer_maker]) ?? [];
};

describe('the plain dialect', () => {
  const depth = (channel: string, v: number, b: unknown[], a: unknown[]) => ({
    c: channel,
    s: 'BTCUSDT',
    d: { s: 'BTCUSDT', t: 1_700_000_000_000 + v, v, b, a },
    t: 1_700_000_000_000 + v,
  });

  it('makes books live from its snapshots, applies what is newer, drops what is not', async ({ opened }) => {
    const { exchange, engine, at, book } = await start(opened, ['BTCUSDT', 'ETHUSDT']);
    const client = opened(await PushClient.connect(engine.wsUrl));
    const [follower] = await client.follow(['BTCUSDT'], 'full', 0);
    // One that comes before any snapshot waits for it.
    exchange.send('BTCUSDT', depth('depth', 12, [['99.5', '7']], []));
    exchange.send(
      'BTCUSDT',
      depth(
        'depth.snapshot',
        10,
        [
          ['100.00', '1.5'],
          ['99.5', '2'],
        ],
        [['101', '3']],
      ),
    );
    const first = await at('BTCUSDT', 12);
    expect(first).toMatchObject({ epoch: 1, te: 1_700_000_000_012 });
    expect([first.bids, first.asks]).toEqual([
      [
        ['100.00', '1.50'],
        ['99.50', '7.00'],
      ],
      [['101.00', '3.00']],
    ]);
    // Versions need not follow each other in this dialect; more decimals than listed rescale the book.
    exchange.send('BTCUSDT', depth('depth', 20, [['100.00', '0']], [['100.125', '4']]));
    exchange.send('BTCUSDT', depth('depth', 20, [['1', '1']], []));
    exchange.send('BTCUSDT', depth('depth', 19, [['2', '1']], []));
    exchange.send('BTCUSDT', depth('depth', 21, [], [['101', '0']]));
    const second = await at('BTCUSDT', 21);
    expect([second.epoch, second.bids, second.asks]).toEqual([1, [['99.500', '7.00']], [['100.125', '4.00']]]);
    await until(() => follower!.live && follower!.version === 21, { what: 'the client at 21' });
    expect(follower!.bids()).toEqual([['99.500', '7.00']]);
    // A snapshot replaces everything, also when its count begins anew.
    exchange.send('BTCUSDT', depth('depth.snapshot', 3, [['50', '1']], [['51', '1']]));
    expect(await at('BTCUSDT', 3)).toMatchObject({ epoch: 2, bids: [['50.000', '1.00']], asks: [['51.000', '1.00']] });
    const status = await getSymbolStatus(engine.url, 'BTCUSDT');
    expect(status.counters).toMatchObject({ framesDropped: 2, gaps: 0, framesRefused: 0 });
    // The other symbol got nothing, and REST had no book to give.
    expect(await book('ETHUSDT')).toBeUndefined();
  });

  it('puts deals on the tape', async ({ opened }) => {
    const { exchange, engine, at } = await start(opened, ['BTCUSDT']);
    // Trades are subscribed once the book is there.
    exchange.send('BTCUSDT', depth('depth.snapshot', 1, [['1', '1']], [['2', '1']]));
    await at('BTCUSDT', 1);
    const deal = (t: number, m: boolean) => ({ s: 'BTCUSDT', p: '100.5', q: '0.25', v: '25.125', t, m });
    exchange.send('BTCUSDT', { c: 'deals', s: 'BTCUSDT', d: deal(1_700_000_000_001, true), t: 1_700_000_000_002 });
    exchange.send('BTCUSDT', { c: 'deals', s: 'BTCUSDT', d: deal(1_700_000_000_003, false), t: 1_700_000_000_004 });
    await until(async () => (await trades(engine, 'BTCUSDT')).length === 2, { what: 'two trades' });
    expect(await trades(engine, 'BTCUSDT')).toEqual([
      ['100.50', '0.25', 1_700_000_000_001, true],
      ['100.50', '0.25', 1_700_000_000_003, false],
    ]);
  });
});

describe('tickers', () => {
  const ticker = async (engine: Engine, symbol: string) =>
    (await (await fetch(`${engine.url}/ticker/${symbol}`)).json()) as Record<string, unknown>;

  it('of both dialects, one symbol or many', async ({ opened }) => {
    const { exchange, engine } = await start(opened, ['BTCUSDT', 'ETHUSDT']);
    const plain = { s: 'BTCUSDT', o: '80000', h: '85000', l: '79000', c: '84270.50', v: '123.4', qv: '10000000', t: 1_700_000_000_002 };
    exchange.send('BTCUSDT', { c: 'ticker', s: 'BTCUSDT', d: plain, t: 1_700_000_000_003 });
    await until(async () => (await ticker(engine, 'BTCUSDT'))['close_time'] === 1_700_000_000_002, { what: "BTCUSDT's ticker" });
    expect(await ticker(engine, 'BTCUSDT')).toMatchObject({
      last_price: '84270.50',
      open_price: '80000.00',
      high_price: '85000.00',
      low_price: '79000.00',
      volume: '123.40',
      quote_volume: '10000000',
    });
    // Without a symbol of its own the frame goes to every shard; `v` is the turnover there, and `q` the volume.
    const mini = { s: 'ETHUSDT', p: '3449.84', r: '0.0354', tr: '0', h: '3500', l: '3400', v: '5000000', q: '1450', t: '1700000000005' };
    exchange.send('BTCUSDT', { c: 'spot@public.miniTickers.v3.api@24H', d: [mini, { ...mini, s: 'XYZUSDT' }], t: 1_700_000_000_006 });
    await until(async () => (await ticker(engine, 'ETHUSDT'))['close_time'] === 1_700_000_000_005, { what: "ETHUSDT's ticker" });
    expect(await ticker(engine, 'ETHUSDT')).toMatchObject({ last_price: '3449.84', volume: '1450.00', quote_volume: '5000000' });
    expect(await refusals(engine)).toEqual({ LEGACY_BAD_JSON: 0, LEGACY_INVALID_FORMAT: 0, LEGACY_UNSUPPORTED_CHANNEL: 0 });
  });
});

describe("MEXC's retired dialect", () => {
  const increase = (r: number, asks: unknown[] = [], bids: unknown[] = []) => ({
    c: 'spot@public.increase.depth.v3.api@SOLUSDT',
    d: { asks, bids, e: 'spot@public.increase.depth.v3.api', r: String(r) },
    s: 'SOLUSDT',
    t: 1_736_682_893_806,
  });
  const limit = (r: number, bids: unknown[], asks: unknown[]) => ({
    c: 'spot@public.limit.depth.v3.api@SOLUSDT@10',
    d: { bids, asks, e: 'spot@public.limit.depth.v3.api', r: String(r) },
    s: 'SOLUSDT',
    t: 1_736_682_893_806,
  });

  it('finds a missing version, and a newer limit.depth heals it', async ({ opened }) => {
    const { exchange, engine, at, book } = await start(opened, ['SOLUSDT']);
    exchange.send('SOLUSDT', limit(10, [{ p: '186.69', v: '46.87' }], [{ p: '186.70', v: '340' }]));
    await at('SOLUSDT', 10);
    exchange.send('SOLUSDT', increase(12, [{ p: '186.71', v: '1' }]));
    await until(async () => (await book('SOLUSDT')) === undefined, { what: 'the book out of service' });
    expect(await getSymbolStatus(engine.url, 'SOLUSDT')).toMatchObject({ state: 'syncing', reason: 'gap', counters: { gaps: 1 } });
    exchange.send('SOLUSDT', limit(11, [{ p: '186.69', v: '5' }], [{ p: '186.70', v: '340' }]));
    // The push behind the hole waited, and joins it.
    expect(await at('SOLUSDT', 12)).toMatchObject({
      epoch: 2,
      bids: [['186.69', '5.00']],
      asks: [
        ['186.70', '340.00'],
        ['186.71', '1.00'],
      ],
    });
  });

  it('puts deals on the tape', async ({ opened }) => {
    const { exchange, engine, at } = await start(opened, ['SOLUSDT']);
    exchange.send('SOLUSDT', limit(10, [{ p: '186.69', v: '46.87' }], [{ p: '186.70', v: '340' }]));
    await at('SOLUSDT', 10);
    const deals = [
      { S: 2, p: '186.70', t: 1_736_682_893_700, v: '0.5' },
      { S: 1, p: '186.71', t: 1_736_682_893_701, v: '2' },
    ];
    const frame = {
      c: 'spot@public.deals.v3.api@SOLUSDT',
      d: { deals, e: 'spot@public.deals.v3.api' },
      s: 'SOLUSDT',
      t: 1_736_682_893_702,
    };
    exchange.send('SOLUSDT', frame);
    await until(async () => (await trades(engine, 'SOLUSDT')).length === 2, { what: 'two trades' });
    expect(await trades(engine, 'SOLUSDT')).toEqual([
      ['186.70', '0.50', 1_736_682_893_700, true],
      ['186.71', '2.00', 1_736_682_893_701, false],
    ]);
  });
});

describe.skipIf(sharedDir === undefined)('a recorded session', () => {
  it('plays the recorded session: later snapshots equal the top 10 of the book', async ({ opened }) => {
    const { exchange, engine, at } = await start(opened, ['SOLUSDT']);
    const frames = readFileSync(sharedPath('data', 'mexc-captured', 'jsonera_solusdt_20250112.txt'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.slice(line.indexOf(' ') + 1));
    const parsed = frames.map((frame) => JSON.parse(frame) as { c: string; d: { r: string; bids: unknown; asks: unknown } });
    let compared = 0;
    for (const [index, frame] of frames.entries()) {
      exchange.send('SOLUSDT', frame);
      const { c, d } = parsed[index]!;
      const book = await at('SOLUSDT', Number(d.r));
      if (!c.includes('limit.depth')) continue;
      const top = (levels: readonly (readonly [string, string])[]) => levels.slice(0, 10).map(([p, v]) => ({ p, v }));
      expect([top(book.bids), top(book.asks)]).toEqual([d.bids, d.asks]);
      compared++;
    }
    expect([frames.length, compared]).toEqual([7, 3]);
    const final = await at('SOLUSDT', 4_474_505_334);
    // The first snapshot alone began an epoch; what the later ones say was held already.
    expect(final.epoch).toBe(1);
    expect(final.asks[0]).toEqual(['186.70', '339.74']);
    expect(final.asks.at(-1)).toEqual(['187.26', '0.22']);
    expect((await getSymbolStatus(engine.url, 'SOLUSDT')).counters).toMatchObject({ gaps: 0, resyncs: 1, framesRefused: 0 });
  });
});

describe('frames that cannot be read', () => {
  it('are refused by kind, counted, logged at a bounded rate, and hurt nobody', async ({ opened }) => {
    const { exchange, engine, lines, at } = await start(opened, ['BTCUSDT', 'ETHUSDT']);
    const snapshot = (symbol: string) => ({ c: 'depth.snapshot', s: symbol, d: { v: 1, b: [['1', '1']], a: [['2', '1']] } });
    for (const symbol of ['BTCUSDT', 'ETHUSDT']) {
      exchange.send(symbol, snapshot(symbol));
      await at(symbol, 1);
    }
    for (let round = 0; round < 50; round++) {
      // With a symbol they are refused by its shard, without by the main thread.
      exchange.send('BTCUSDT', '{"c":"depth","s":"BTCUSDT","d":{"v":2,');
      exchange.send('BTCUSDT', 'nonsense');
      exchange.send('BTCUSDT', '{"c":"depth","s":"BTCUSDT","d":{"v":2,"b":[["1","minus one"]]}}');
      exchange.send('BTCUSDT', '{"x":1}');
      exchange.send('BTCUSDT', '{"c":"orders","s":"BTCUSDT","d":{}}');
      exchange.send('BTCUSDT', '{"c":"orders","d":{}}');
    }
    const expected = { LEGACY_BAD_JSON: 100, LEGACY_INVALID_FORMAT: 100, LEGACY_UNSUPPORTED_CHANNEL: 100 };
    await until(async () => Object.values(await refusals(engine)).every((count) => count === 100), { what: 'all refused' });
    expect(await refusals(engine)).toEqual(expected);
    const told = lines.filter(({ code }) => code?.startsWith('LEGACY_'));
    for (const code of Object.keys(expected)) {
      const ofCode = told.filter((line) => line.code === code);
      // One from the shard, which names the symbol, and one from the main thread.
      expect([code, ofCode.map(({ symbol }) => symbol ?? '').toSorted()]).toEqual([code, ['', 'BTCUSDT']]);
    }
    // Both books are as they were, and go on.
    for (const symbol of ['BTCUSDT', 'ETHUSDT']) {
      exchange.send(symbol, { c: 'depth', s: symbol, d: { v: 2, b: [['1', '5']], a: [] } });
      expect(await at(symbol, 2)).toMatchObject({ epoch: 1, seq: 2, bids: [['1.00', '5.00']] });
    }
    expect((await getStatus(engine.url)).connections.every(({ reconnects }) => reconnects === 0)).toBe(true);
  });
});
