import { describe, expect, test } from 'vitest';
import { HISTOGRAM_BUCKETS, HISTOGRAM_NEGATIVE, HISTOGRAM_SUM, histogramBoundsUs } from '../../../src/memory/log-histogram.js';
import * as meter from '../../../src/memory/shard-meter.js';
import { Channel, Format } from '../../../src/model/publication.js';
import { readTimes } from '../../../src/publish/meter-reader.js';
import { depthFrame } from '../../support/depth-frame.js';
import { ShardBench } from '../../support/shard-bench.js';
import { pushDepth } from '../../support/pushes-in-a-buffer.js';

const FULL = { channel: Channel.BOOK, depth: 0, intervalMs: 0, format: Format.JSON };

function words(bench: ShardBench): Float64Array {
  return new Float64Array(bench.buffers.meters);
}

const offsets = { ...meter };

/** All counters that are not 0, by name. */
function counters(bench: ShardBench): Record<string, number> {
  const names = ['LEVELS', 'APPLIED', 'DROPPED', 'GAPS', 'RESYNCS', 'REFUSED', 'CROSSED', 'MESSAGES', 'OUTBOUND_STALLS'] as const;
  return Object.fromEntries(names.map((name) => [name, words(bench)[offsets[`METER_${name}`]]!]).filter(([, count]) => count !== 0));
}

function times(bench: ShardBench, at: number): { count: number; sumMs: number; negative: number } {
  const { counts, sumMs, negative } = readTimes([words(bench)], at);
  return { count: counts.reduce((sum, each) => sum + each, 0), sumMs, negative };
}

describe('what a shard counts', () => {
  test('levels and updates applied, known ones, gaps, snapshots, bad input, crossings', () => {
    const bench = new ShardBench().live();
    expect(counters(bench)).toEqual({ LEVELS: 2, RESYNCS: 1 });
    bench.frame({ from: 101, bids: [['99', '1']], asks: [['100.5', '0']] });
    bench.frame({ from: 101 });
    expect(counters(bench)).toEqual({ LEVELS: 4, RESYNCS: 1, APPLIED: 1, DROPPED: 1 });
    bench.frame(Uint8Array.of(0xca, 0x13, 0x7f)).snapshot({ lastUpdateId: 200 });
    bench.frame({ from: 300 });
    expect(counters(bench)).toMatchObject({ REFUSED: 1, RESYNCS: 2, GAPS: 1 });
    bench.snapshot({ lastUpdateId: 400, bids: [['5', '1']], asks: [['4', '1']] });
    expect(counters(bench)).toMatchObject({ RESYNCS: 3, CROSSED: 1 });
  });

  test('counts go on when a symbol is untracked, and when the worker is replaced', () => {
    const bench = new ShardBench().live();
    bench.frame({ from: 101, bids: [['99', '1']] });
    const before = counters(bench);
    bench.untrack();
    bench.die();
    expect(counters(bench)).toEqual(before);
    bench.track().lineUp().snapshot({ lastUpdateId: 7 });
    expect(counters(bench)).toMatchObject({ RESYNCS: 2 });
  });

  test('messages, and records that find the outbound ring full', () => {
    const bench = new ShardBench({ outboundBytes: 1024 }).live().open(1, FULL);
    expect(counters(bench)).toMatchObject({ MESSAGES: 1 });
    bench.draining = false;
    for (let version = 101; version < 120; version++) bench.frame({ from: version, bids: [['99', String(version)]] });
    const { MESSAGES, OUTBOUND_STALLS } = counters(bench);
    expect([MESSAGES! > 1, OUTBOUND_STALLS! > 0]).toEqual([true, true]);
  });
});

describe('times', () => {
  test('from the exchange to receipt, of pushes that were applied live; a clock ahead of ours is counted', () => {
    const bench = new ShardBench().live();
    bench.frame({ from: 101, sendTime: bench.now - 12 });
    bench.frame({ from: 102, sendTime: bench.now + 1270 });
    expect(times(bench, meter.METER_EXCHANGE_TO_RECEIVED)).toEqual({ count: 2, sumMs: 12, negative: 1 });
  });

  test('from receipt into the book: waiting in the ring is part of it', () => {
    const bench = new ShardBench().live();
    pushDepth(bench.ingress, 301, depthFrame({ from: 101 }), bench.now);
    pushDepth(bench.ingress, 301, depthFrame({ from: 102 }), bench.now + 2);
    // One that is known already is no news.
    pushDepth(bench.ingress, 301, depthFrame({ from: 102 }), bench.now + 3);
    bench.now += 5;
    bench.work();
    expect(times(bench, meter.METER_RECEIVED_TO_APPLIED)).toEqual({ count: 2, sumMs: 5 + 3, negative: 0 });
  });

  test('from receipt to the sockets, of messages about a push, and of no others', () => {
    const bench = new ShardBench()
      .live()
      .open(1, FULL)
      .open(2, { ...FULL, intervalMs: 100 });
    const published = (): number =>
      bench.published.subarray(HISTOGRAM_BUCKETS, HISTOGRAM_BUCKETS + histogramBoundsUs.length + 1).reduce((a, b) => a + b, 0);
    bench.requestSnapshot(1, 5);
    expect(published()).toBe(0);
    bench.frame({ from: 101, bids: [['99', '1']] });
    expect([published(), bench.published[HISTOGRAM_SUM]]).toEqual([1, 0]);
    // The second one had to wait for its interval.
    bench.tick(100);
    expect([published(), bench.published[HISTOGRAM_SUM], bench.published[HISTOGRAM_NEGATIVE]]).toEqual([2, 100, 0]);
    bench.lineDown(4);
    bench.tick(100);
    expect(published()).toBe(2);
  });
});
