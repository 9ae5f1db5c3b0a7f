import { beforeEach, describe, expect, test } from 'vitest';
import { bookAnalytics } from '../../../src/analytics/book-analytics.js';
import { StateReason } from '../../../src/model/book-state.js';
import { Channel, Format, MessageKind, type PublicationSpec } from '../../../src/model/publication.js';
import type { TextLevel } from '../../support/model-book.js';
import { type BenchMessage, ShardBench, type ShardBenchOptions } from '../../support/shard-bench.js';

const ID = 7;
const { SNAPSHOT, SNAPSHOT_FOR, STATE, STATE_FOR } = MessageKind;

let bench: ShardBench;
let version: number;

function start(options?: ShardBenchOptions): void {
  bench = new ShardBench(options).live();
  version = 100;
}
beforeEach(() => start());

function spec(depth: number, intervalMs: number): PublicationSpec {
  return { channel: Channel.ANALYTICS, depth, intervalMs, format: Format.JSON };
}

function push(bids: readonly TextLevel[], asks: readonly TextLevel[] = []): void {
  bench.now++;
  bench.frame({ from: ++version, bids, asks, sendTime: 1_754_741_322_000 + version });
}

function bodies(): BenchMessage['body'][] {
  return bench.take(ID).map(({ body }) => body);
}

/** What REST says of the book as it is. */
function figures(depth: number): Record<string, unknown> {
  return { ...bookAnalytics(bench.book(), { depth, bps: [5, 10, 50, 100], numbers: 'string' }) };
}

test('begins with all figures, in the envelope every message has', () => {
  bench.open(ID, spec(5, 0));
  expect(bench.messages.map(({ kind }) => kind)).toEqual([SNAPSHOT]);
  expect(bodies()).toEqual([
    {
      ch: 'analytics',
      sym: 'BTCUSDT',
      depth: 5,
      interval: 0,
      type: 'snapshot',
      epoch: 1,
      seq: 1,
      prev: null,
      xv: [100, 100],
      te: null,
      tr: 1_000_000,
      tp: 1_000_000,
      state: 'live',
      best_bid: ['99.50', '1.000'],
      best_ask: ['100.50', '2.000'],
      spread: '1.00',
      spread_bps: 100,
      mid: '100.00',
      microprice: (99.5 * 2 + 100.5) / 3,
      imbalance: -1 / 3,
      bands: [5, 10, 50, 100].map((bps) => ({
        bps,
        bid: bps < 50 ? { base: '0.000', quote: '0.00000', covered: true } : { base: '1.000', quote: '99.50000', covered: false },
        ask: bps < 50 ? { base: '0.000', quote: '0.00000', covered: true } : { base: '2.000', quote: '201.00000', covered: false },
      })),
    },
  ]);
});

describe('afterwards', () => {
  test('each update that changes a figure brings all of them, and no other does', () => {
    bench.open(ID, spec(1, 0));
    push([['50', '1']]);
    bodies();
    push([['99.51', '3']]);
    push([['40', '1']]);
    push([], [['100.5', '2.5']]);
    const taken = bodies();
    expect(taken.map(({ seq, mid, imbalance }) => [seq, mid, imbalance])).toEqual([
      [3, '100.005', 0.2],
      [5, '100.005', (3 - 2.5) / 5.5],
    ]);
    expect(taken[1]).toMatchObject(figures(1));
  });

  test('with an interval, the newest when it is due', () => {
    bench.open(ID, spec(20, 100));
    bodies();
    push([['99.6', '1']]);
    push([['99.7', '1']]);
    expect(bodies()).toEqual([]);
    bench.tick(50);
    expect(bodies()).toEqual([]);
    bench.tick(50);
    expect(bodies()).toMatchObject([{ seq: 3, ...figures(20) }]);
    bench.tick(500);
    expect(bodies()).toEqual([]);
  });

  test('an empty side is null', () => {
    bench.open(ID, spec(20, 0));
    bodies();
    push([], [['100.5', '0']]);
    expect(bodies()).toMatchObject([
      {
        best_ask: null,
        spread: null,
        spread_bps: null,
        mid: null,
        microprice: null,
        imbalance: 1,
        bands: [5, 10, 50, 100].map((bps) => ({ bps, bid: null, ask: null })),
      },
    ]);
    push([['99.5', '0']]);
    expect(bodies()).toMatchObject([{ best_bid: null, imbalance: null }]);
  });
});

test.each([0, 1, 100, 500])('reaches as far as depth %d and the bands need', (depth) => {
  const side = (direction: number): TextLevel[] =>
    Array.from({ length: 3000 }, (_, i) => [(100 + direction * (0.01 + i * 0.01)).toFixed(2), String(1 + (i % 7))]);
  bench = new ShardBench().live({ lastUpdateId: 100, bids: side(-1), asks: side(1) });
  version = 100;
  bench.open(ID, spec(depth, 0));
  expect(bodies()).toMatchObject([figures(depth)]);
  // Wider apart: the bands now need fewer levels, and then more.
  push([['99.99', '0']]);
  expect(bodies()).toMatchObject([figures(depth)]);
  push(
    side(-1)
      .slice(0, 2000)
      .map(([price]) => [price, '9']),
  );
  expect(bodies()).toMatchObject([figures(depth)]);
});

describe('trust', () => {
  test('a book that leaves live says so, and all figures come when it is back', () => {
    bench.open(ID, spec(20, 0));
    bodies();
    bench.lineDown(StateReason.LINE_DOWN);
    expect(bodies()).toMatchObject([{ ch: 'analytics', type: 'state', state: 'stale', reason: 'line_down', depth: 20, interval: 0 }]);
    bench.lineUp();
    expect(bodies()).toMatchObject([{ type: 'state', state: 'syncing' }]);
    bench.snapshot({ lastUpdateId: 200, bids: [['99', '1']], asks: [['101', '1']] });
    expect(bodies()).toMatchObject([{ type: 'snapshot', epoch: 2, ...figures(20) }]);
  });

  test('a newcomer gets the figures for himself, the others before him', () => {
    bench.open(ID, spec(20, 1000));
    bodies();
    push([['99.6', '1']]);
    bench.requestSnapshot(ID, 5);
    const taken = bench.take(ID);
    expect(taken.map(({ kind, token, body }) => [kind, token, body['seq']])).toEqual([
      [SNAPSHOT, 0, 2],
      [SNAPSHOT_FOR, 5, 2],
    ]);
    bench.requestSnapshot(ID, 6);
    expect(bench.take(ID).map(({ kind, token }) => [kind, token])).toEqual([[SNAPSHOT_FOR, 6]]);
    bench.lineDown(StateReason.LINE_DOWN);
    bench.requestSnapshot(ID, 7);
    expect(bench.take(ID).map(({ kind, token }) => [kind, token])).toEqual([
      [STATE, 0],
      [STATE_FOR, 7],
    ]);
  });

  test('what found no room is said again when there is some', () => {
    start({ outboundBytes: 2 ** 12 });
    bench.open(ID, spec(20, 0));
    bodies();
    bench.draining = false;
    for (let i = 0; i < 10; i++) push([['99.6', String(i + 1)]]);
    const last = figures(20);
    bench.draining = true;
    bench.work();
    expect(bodies().length).toBeLessThan(10);
    bench.tick();
    expect(bodies()).toMatchObject([{ seq: 11, ...last }]);

    bench.draining = false;
    for (let i = 0; i < 10; i++) push([['99.6', String(i + 20)]]);
    bench.lineDown(StateReason.LINE_DOWN);
    bench.draining = true;
    bench.work();
    bench.take(ID);
    bench.tick();
    expect(bodies()).toMatchObject([{ type: 'state', state: 'stale' }]);
  });
});
