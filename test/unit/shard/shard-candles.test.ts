import { beforeEach, describe, expect, it, vi } from 'vitest';
import { baseIntervals } from '../../../src/candle/base-interval.js';
import { createCandleBuffer } from '../../../src/candle/candle-layout.js';
import { ROW_WORDS } from '../../../src/candle/candle-row.js';
import { toCandle } from '../../../src/candle/candle-text.js';
import type { CandleAnswer } from '../../../src/candle/query.js';
import { type CandleInterval, candleIntervals, HOUR_MS, MINUTE_MS } from '../../../src/model/candle-interval.js';
import type { KlinesRange } from '../../../src/model/feed.js';
import { Channel, Format, type PublicationSpec } from '../../../src/model/publication.js';
import { REFUSED_KLINES } from '../../../src/shard/records.js';
import { ShardCandles } from '../../../src/shard/shard-candles.js';
import { DealsBuffer } from '../../../src/tape/deals-buffer.js';
import { bytesField, varintField } from '../../support/push-frame.js';
import { ShardBench, SYMBOL } from '../../support/shard-bench.js';

const START = Date.parse('2024-02-29T22:17:00Z');

let bench: ShardBench;

beforeEach(() => {
  bench = new ShardBench();
  bench.now = START;
  bench.track().tick();
});

/** The push of a minute as it stands; all four prices and the volume. */
function push(openMs: number, prices: readonly [open: number, high: number, low: number, close: number], volume: number): Buffer {
  const [open, high, low, close] = prices.map(String);
  const body = [
    bytesField(1, 'Min1'),
    varintField(2, openMs / 1000),
    ...[open!, close!, high!, low!, String(volume), '7'].map((text, i) => bytesField(3 + i, text)),
    varintField(9, openMs / 1000 + 60),
  ];
  return Buffer.concat([
    bytesField(1, `spot@public.kline.v3.api.pb@${SYMBOL}@Min1`),
    bytesField(3, SYMBOL),
    bytesField(308, Buffer.concat(body)),
  ]);
}

/** What the exchange answers: every candle has volume 1 a minute, and prices that grow by 1 a minute from the start of the hour. */
function answer(range: KlinesRange): void {
  const { base, fromMs, toMs } = range;
  const interval = baseIntervals[base]!;
  const length = { '1m': 1, '5m': 5, '15m': 15, '30m': 30, '1h': 60, '4h': 240, '1d': 1440 }[interval];
  const rows: unknown[] = [];
  const priceAt = (ms: number): string => String(1_000_000 + (ms - START) / MINUTE_MS);
  for (let openMs = fromMs; openMs < toMs && openMs <= bench.now; openMs += length * MINUTE_MS) {
    const end = openMs + length * MINUTE_MS;
    rows.push([openMs, priceAt(openMs), priceAt(end), priceAt(openMs), priceAt(end), String(length), end, '1']);
  }
  bench.klines(range, rows);
}

function ask(interval: CandleInterval, limit = 2): CandleAnswer {
  return bench.askCandles({ interval, startMs: null, endMs: bench.now, limit });
}

function candlesOf({ rows }: CandleAnswer, interval: CandleInterval) {
  return Array.from({ length: rows.length / ROW_WORDS }, (_, i) => toCandle(rows, i * ROW_WORDS, SYMBOL, interval));
}

function spec(interval: CandleInterval, every = 1000): PublicationSpec {
  return { channel: Channel.CANDLE, format: Format.JSON, depth: 0, intervalMs: every, candleInterval: candleIntervals.indexOf(interval) };
}

describe('a question', () => {
  it('is answered with what to ask the exchange for, and then with the candles', () => {
    bench.tick(30_000);
    const first = ask('1h');
    expect([first.token, first.missing, first.rows.length]).toEqual([7, 2, 0]);
    expect(first.asks.map(({ base, fromMs, toMs }) => [baseIntervals[base], fromMs, toMs])).toEqual([
      ['1m', Date.parse('2024-02-29T22:00Z'), Date.parse('2024-02-29T22:18Z')],
      ['1h', Date.parse('2024-02-29T21:00Z'), Date.parse('2024-02-29T22:00Z')],
    ]);
    for (const one of first.asks) answer(one);
    const second = ask('1h');
    expect([second.missing, second.asks]).toEqual([0, []]);
    expect(candlesOf(second, '1h')).toMatchObject([
      { open: '999923.00', close: '999983.00', volume: '60.000', closed: true, complete: true },
      { open: '999983.00', close: '1000001.00', volume: '18.000', closed: false, complete: true },
    ]);
    // Kept: nothing is asked twice.
    bench.tick(10_000);
    expect(ask('1h').asks).toEqual([]);
  });

  it('for more than one request brings is asked page by page, the newest first, until the exchange has no more', () => {
    let pages = 0;
    for (let question = ask('30m', 1000); question.asks.length > 0; question = ask('30m', 1000)) {
      for (const one of question.asks) {
        if (baseIntervals[one.base] === '30m' && ++pages === 2) bench.klines(one, []);
        else answer(one);
      }
    }
    expect(pages).toBe(2);
    const candles = candlesOf(ask('30m', 1000), '30m');
    expect(candles).toHaveLength(501);
    expect(candles[0]!.open_time).toBe(Date.parse('2024-02-29T22:00Z') - 250 * HOUR_MS);
  });

  it('survives answers that cannot be read', () => {
    const { asks } = ask('1h', 1);
    bench.klines(asks[0]!, '[[1]]');
    expect(bench.refusals).toEqual([REFUSED_KLINES]);
    for (const one of ask('1h', 1).asks) answer(one);
    expect(candlesOf(ask('1h', 1), '1h')).toHaveLength(1);
  });

  it('finds nothing of the symbol that had the slot before', () => {
    for (const one of ask('1h').asks) answer(one);
    bench.kline(push(START, [1, 2, 1, 2], 5));
    bench.untrack().track('ETHUSDT');
    expect(ask('1h').missing).toBe(2);
    expect(ask('1m', 1).missing).toBe(1);
  });
});

describe('the channel', () => {
  it('sends the open candle at its pace, and each one once more when it is over', () => {
    bench.kline(push(START, [100, 100, 100, 100], 1)).open(5, spec('1m'));
    bench.tick();
    expect(bench.take(5).map(({ body }) => body)).toMatchObject([
      {
        ch: 'candle',
        sym: SYMBOL,
        interval: '1m',
        every: 1000,
        type: 'snapshot',
        open_time: START,
        close: '100.00',
        volume: '1.000',
        closed: false,
      },
    ]);
    for (let i = 0; i < 10; i++) bench.kline(push(START, [100, 100 + i, 100, 100 + i], 2 + i)).tick(100);
    expect(bench.take(5).map(({ body }) => body['volume'])).toEqual(['11.000']);
    // Nothing new, nothing sent.
    for (let i = 0; i < 30; i++) bench.tick(100);
    expect(bench.take(5)).toEqual([]);

    bench.now = START + 60_000;
    bench.tick();
    bench.kline(push(START + 60_000, [109, 109, 109, 109], 0.5)).tick(1500);
    expect(bench.take(5).map(({ body }) => [body['open_time'], body['volume'], body['closed']])).toEqual([
      [START + 60_000, '0.000', false],
      [START + 60_000, '0.500', false],
    ]);
    // No trades are seen here: whether the last push was the last word of the minute the exchange has to say.
    bench.tick(600);
    expect(bench.klineAsks.map(({ base, fromMs }) => [baseIntervals[base], fromMs])).toEqual([['1m', START]]);
    expect(bench.take(5)).toEqual([]);
    bench
      .klines(bench.klineAsks[0]!, [[START, '100', '110', '100', '109', '12', START + 60_000, '1300']])
      .tick()
      .tick(1000);
    expect(bench.take(5).map(({ body }) => body)).toMatchObject([
      { open_time: START, high: '110.00', close: '109.00', volume: '12.000', closed: true, complete: true },
      { open_time: START + 60_000, open: '109.00', closed: false },
    ]);
    for (let i = 0; i < 200; i++) bench.tick();
    expect(bench.take(5).filter(({ body }) => body['closed'] === true)).toEqual([]);
  });

  it('gives up waiting for the exchange, and says that the candle is not complete', () => {
    bench
      .kline(push(START, [100, 101, 100, 101], 1))
      .open(5, spec('1m'))
      .tick();
    bench.now = START + 60_000;
    bench.tick();
    for (let second = 0; second < 12; second++) bench.tick(1000);
    const finals = bench.take(5).filter(({ body }) => body['closed'] === true);
    expect(finals.map(({ body }) => [body['open_time'], body['complete']])).toEqual([[START, false]]);
  });

  it('a last word that finds no room is sent as soon as there is some, once', () => {
    bench = new ShardBench({ outboundBytes: 4096 });
    bench.now = START;
    bench.track().tick();
    bench
      .kline(push(START, [100, 101, 100, 101], 1))
      .open(5, spec('1m', 0))
      .tick();
    bench.take(5);
    bench.draining = false;
    bench.now = START + 60_000;
    bench.tick();
    // Newer and newer ones until the ring is full.
    for (let i = 1; i < 30; i++) bench.kline(push(START + 60_000, [101, 101, 101, 101], i)).tick();
    bench.now = START + 62_000;
    bench.tick();
    bench.now = START + 71_000;
    bench.tick();
    bench.draining = true;
    bench.tick().tick();
    const finals = bench.take(5).filter(({ body }) => body['closed'] === true);
    expect(finals.map(({ body }) => body['open_time'])).toEqual([START]);
  });

  it('of a long candle begins once the history is read', () => {
    bench
      .kline(push(START, [1e6, 1e6, 1e6, 1e6], 1))
      .open(5, spec('1d'))
      .tick();
    expect(bench.take(5)).toEqual([]);
    for (const one of bench.klineAsks.splice(0)) answer(one);
    bench.tick(1000);
    expect(bench.take(5).map(({ body }) => [body['interval'], body['open_time'], body['closed']])).toEqual([
      ['1d', Date.parse('2024-02-29T00:00Z'), false],
    ]);
    // A newcomer gets it at once.
    bench.requestSnapshot(5, 77);
    expect(bench.take(5)).toMatchObject([{ token: 77, body: { interval: '1d' } }]);
  });

  it('what is lacking is looked for when something came, or now and then', () => {
    const assemble = vi.spyOn(ShardCandles.prototype, 'assemble');
    bench.open(5, spec('1d', 0)).tick();
    for (let i = 0; i < 600; i++) bench.tick(10);
    expect(assemble.mock.calls.length).toBeLessThan(10);
    // The feed hears that it still lacks.
    expect(bench.klineAsks.length).toBeGreaterThanOrEqual(4);
    const asks = new Map(bench.klineAsks.map((one) => [one.base, one]));
    for (const one of asks.values()) answer(one);
    bench.tick();
    expect(bench.take(5)).toHaveLength(1);
    assemble.mockRestore();
  });

  it('a push that cannot be read is counted, and one of another length is none of ours', () => {
    bench.kline(Buffer.from('a2130a0a044d696e31109910', 'hex'));
    expect(bench.refusals).toEqual([REFUSED_KLINES]);
  });
});

it('candles outlive their worker', () => {
  for (const one of ask('1m', 3).asks) answer(one);
  bench.die();
  bench.track().tick();
  expect(candlesOf(ask('1m', 3), '1m').map(({ open_time, closed }) => [open_time, closed])).toEqual([
    [START - 2 * MINUTE_MS, true],
    [START - MINUTE_MS, false],
    [START, false],
  ]);
});

describe('trades, to the candles of two symbols', () => {
  const nowMs = START + 30_000;
  let candles: ShardCandles;

  beforeEach(() => {
    candles = new ShardCandles(createCandleBuffer(2), { answer: () => true, ask: () => true, refused: () => {} });
    for (const slot of [0, 1]) candles.track(slot, 2, 3);
    candles.tick(nowMs);
  });

  function trade(slot: number, ...times: readonly number[]): void {
    const deals = new DealsBuffer(times.length);
    deals.times.set(times);
    deals.ticks.fill(100);
    deals.lots.fill(1);
    deals.count = times.length;
    candles.trades(slot, deals, 2, 3);
  }

  function minutesOf(slot: number) {
    const { rows } = candles.assemble(slot, { interval: '1m', startMs: null, endMs: nowMs, limit: 10 });
    return candlesOf({ rows } as unknown as CandleAnswer, '1m').map(({ open_time, closed }) => [(open_time - START) / MINUTE_MS, closed]);
  }

  it('minutes that are over are closed as soon as the tape is whole', () => {
    trade(0, ...[-5, -4, -3, -2, -1, 0].map((minute) => START + minute * MINUTE_MS + 1_000));
    candles.tapeIsWhole(0, true);
    expect(minutesOf(0).map(([, closed]) => closed)).toEqual([true, true, true, true, true, false].slice(-minutesOf(0).length));
    expect(minutesOf(0).length).toBeGreaterThan(3);
  });

  it('a wrong time in one trade does not move the clock of the other symbol', () => {
    for (const slot of [0, 1]) candles.tapeIsWhole(slot, true);
    trade(0, nowMs - 1_000);
    trade(1, nowMs + 20 * HOUR_MS);
    candles.tick(nowMs + 10);
    trade(0, nowMs + 20);
    expect(minutesOf(0).at(-1)).toEqual([0, false]);
    // Two that agree are another matter: our own clock is behind.
    trade(1, nowMs + 20 * HOUR_MS + 1);
    expect(candles.nowMs).toBe(nowMs + 20 * HOUR_MS);
  });
});
