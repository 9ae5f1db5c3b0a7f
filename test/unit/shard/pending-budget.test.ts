import { describe, expect, test } from 'vitest';

import { METER_OVERFLOWS, METER_PENDING_BYTES, METER_PENDING_PUSHES } from '../../../src/memory/shard-meter.js';
import { AuditOutcome } from '../../../src/model/audit.js';
import { StateReason } from '../../../src/model/book-state.js';
import { EARLY_FRAMES_MAX } from '../../../src/shard/early-pushes.js';
import { PENDING_SHARD_BYTES_MAX } from '../../../src/shard/pending-budget.js';
import { depthFrame } from '../../support/depth-frame.js';
import { bytesField } from '../../support/push-frame.js';
import { ShardBench } from '../../support/shard-bench.js';

const meter = (bench: ShardBench, word: number): number => new Float64Array(bench.buffers.meters)[word]!;
const waiting = (bench: ShardBench): [number, number] => [meter(bench, METER_PENDING_PUSHES), meter(bench, METER_PENDING_BYTES)];

/** One bid of a cent times the version, in a frame of about so many bytes. */
function push(version: number, bytes: number): Uint8Array {
  return Buffer.concat([depthFrame({ from: version, bids: [[(version / 100).toFixed(2), '1']] }), bytesField(999, Buffer.alloc(bytes))]);
}

/** `count` books in slots from 1 on whose snapshots do not come. */
function syncing(count: number, lines = 1): ShardBench {
  const bench = new ShardBench({ symbols: count + 2, inboundBytes: 2 ** 22, lines, staleAfterMs: 1e9 });
  for (let slot = 1; slot <= count; slot++) bench.track(`SYM${slot}USDT`, slot).lineUp(slot);
  return bench;
}

/** Fills the budget to the last byte, with a MiB each. */
function fill(bench: ShardBench, slots: number): void {
  const quarter = push(1, 2 ** 18 - 512);
  for (let i = 0; i < 4; i++) for (let slot = 1; slot <= slots; slot++) bench.frame(quarter, slot);
  expect(waiting(bench)).toEqual([4 * slots, PENDING_SHARD_BYTES_MAX]);
  expect(bench.resyncs).toEqual([]);
}

describe('pushes that wait, of all books of a shard', () => {
  test('no snapshots for long: their memory stays bounded, books that are live stay so, and all come back', () => {
    const books = 100;
    const live = books + 1;
    const bench = syncing(books);
    bench.track('LIVEUSDT', live).lineUp(live).snapshot({ lastUpdateId: 100 }, live);
    const versions = Array.from({ length: books + 1 }, () => 100);
    const frame = new Map<number, Uint8Array>();
    let most = 0;
    let round = 0;
    const next = (slot: number): void => {
      const version = ++versions[slot]!;
      if (!frame.has(version)) frame.set(version, push(version, 20_000));
      bench.frame(frame.get(version)!, slot);
      most = Math.max(most, meter(bench, METER_PENDING_BYTES));
    };
    // Every fourth is three times as busy as the others.
    for (; round < 25; round++) {
      for (let slot = 1; slot <= books; slot++) for (let i = 0; i < (slot % 4 === 0 ? 3 : 1); i++) next(slot);
      bench.frame({ from: 101 + round, bids: [['1', String(round + 1)]] }, live);
    }
    expect(most).toBeGreaterThan(PENDING_SHARD_BYTES_MAX * 0.9);
    expect(most).toBeLessThanOrEqual(PENDING_SHARD_BYTES_MAX);
    expect(bench.resyncs.length).toBeGreaterThan(10);
    expect(new Set(bench.resyncs.map((each) => each.replace(/^\d+ /, '')))).toEqual(new Set(['buffer_overflow']));
    expect(meter(bench, METER_OVERFLOWS)).toBe(bench.resyncs.length);
    // The busy ones hold most, and they alone had to begin afresh.
    expect(bench.resyncs.filter((each) => Number(each.split(' ')[0]) % 4 !== 0)).toEqual([]);
    expect([bench.state(live), bench.book(live).version, bench.states]).toEqual(['live synced', 100 + round, [`${live} live synced`]]);

    for (let slot = 1; slot <= books; slot++) {
      const at = versions[slot]! - 1;
      bench.snapshot({ lastUpdateId: at, bids: [['9', '9']] }, slot);
      next(slot);
      expect([slot, bench.state(slot), bench.book(slot).version]).toEqual([slot, 'live synced', at + 2]);
      // What waited for it, and what came after.
      expect(bench.levels('bid', 1, slot)).toEqual([['9', '9']]);
    }
    expect(waiting(bench)).toEqual([0, 0]);
  });

  test('a book that began afresh takes no snapshot from before what it let go', () => {
    const bench = syncing(64);
    fill(bench, 64);
    bench.frame(push(7, 4000), 3);
    expect(bench.resyncs).toEqual(['3 buffer_overflow']);
    bench.snapshot({ lastUpdateId: 6 }, 3);
    expect([bench.state(3), bench.resyncs]).toEqual(['syncing start', ['3 buffer_overflow', '3 snapshot_old']]);
    bench.snapshot({ lastUpdateId: 7 }, 3);
    expect([bench.state(3), bench.book(3).version]).toEqual(['live synced', 7]);
  });

  test('another book’s push took the room: the same', () => {
    const bench = syncing(65);
    fill(bench, 64);
    bench.frame({ from: 9 }, 65);
    expect(bench.resyncs).toEqual(['buffer_overflow']);
    bench.snapshot({ lastUpdateId: 0 });
    expect(bench.resyncs).toEqual(['buffer_overflow', 'snapshot_old']);
    bench.snapshot({ lastUpdateId: 1 });
    expect([bench.state(), bench.book().version]).toEqual(['live synced', 1]);
    bench.snapshot({ lastUpdateId: 8 }, 65);
    expect([bench.state(65), bench.book(65).version]).toEqual(['live synced', 9]);
  });

  test('an audit that holds most ends, and its book stays live', () => {
    const bench = syncing(65);
    bench.snapshot({ lastUpdateId: 100 }).audit();
    for (let version = 101; version <= 112; version++) bench.frame(push(version, 2 ** 18));
    expect(waiting(bench)).toEqual([12, 2 ** 22]);
    const quarter = push(1, 2 ** 18 - 512);
    for (let i = 0; i < 4; i++) for (let slot = 2; slot <= 62; slot++) bench.frame(quarter, slot);
    expect(bench.audits.map(({ outcome }) => outcome)).toEqual([AuditOutcome.OVERFLOW]);
    expect([bench.state(), bench.book().version, bench.resyncs, meter(bench, METER_OVERFLOWS)]).toEqual(['live synced', 112, [], 0]);
    expect(waiting(bench)).toEqual([61 * 4, 61 * 2 ** 20]);
  });

  test('two lines: what came too early finds no room, and is not forgotten', () => {
    const bench = syncing(65, 2);
    bench.snapshot({ lastUpdateId: 100 });
    const quarter = push(1, 2 ** 18 - 512);
    for (let i = 0; i < 4; i++) for (let slot = 2; slot <= 65; slot++) bench.frame(quarter, slot);
    const last = 102 + EARLY_FRAMES_MAX;
    for (let version = 102; version <= last; version++) bench.frame(push(version, 20_000));
    expect(bench.state()).toBe('syncing gap');
    // All others hold a MiB: it is the first with more.
    expect(bench.resyncs.at(-1)).toBe('buffer_overflow');
    bench.snapshot({ lastUpdateId: 140 });
    expect([bench.state(), bench.resyncs.at(-1)]).toEqual(['syncing gap', 'snapshot_old']);
    bench.snapshot({ lastUpdateId: last });
    expect([bench.state(), bench.book().version]).toEqual(['live synced', last]);
  });

  test('nothing waits of a symbol that is gone, whose line is down, or in a worker that is no more', () => {
    const bench = syncing(3);
    for (let slot = 1; slot <= 3; slot++) bench.frame({ from: 1 }, slot).frame({ from: 2 }, slot);
    expect(waiting(bench)).toEqual([6, 3 * 4096]);
    bench.untrack(1).lineDown(StateReason.LINE_DOWN, 2);
    expect(waiting(bench)).toEqual([2, 4096]);
    bench.die();
    expect(waiting(bench)).toEqual([0, 0]);
  });
});
