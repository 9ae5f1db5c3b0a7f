import { beforeEach, describe, expect, test } from 'vitest';
import { COUNT_DROPPED, COUNT_GAPS } from '../../../src/book/book-layout.js';
import { METER_LINE_HEALED, METER_LINE_LEAD, METER_LINE_WINS } from '../../../src/memory/shard-meter.js';
import { StateReason } from '../../../src/model/book-state.js';
import { Channel, Format } from '../../../src/model/publication.js';
import { readTimes } from '../../../src/publish/meter-reader.js';
import { EARLY_FRAMES_MAX } from '../../../src/shard/early-pushes.js';
import { deal } from '../../support/deals.js';
import type { DepthFrame } from '../../support/depth-frame.js';
import { bytesField } from '../../support/push-frame.js';
import { ShardBench } from '../../support/shard-bench.js';

const FULL = { channel: Channel.BOOK, depth: 0, intervalMs: 0, format: Format.JSON };

let bench: ShardBench;
beforeEach(() => {
  bench = new ShardBench({ lines: 2, staleAfterMs: 100_000 }).live();
});

const push = (version: number): DepthFrame => ({ from: version, bids: [[(version / 100).toFixed(2), '1']] });
const on = (line: number, ...versions: number[]): void => {
  for (const version of versions) bench.frame(push(version), 1, line);
};
const ticks = (count: number): void => {
  for (let i = 0; i < count; i++) bench.tick(10);
};
const meter = (word: number): number => new Float64Array(bench.buffers.meters)[word]!;
const version = (): number => bench.book().version;

describe('a book on two lines', () => {
  test('takes what comes first', () => {
    on(0, 101);
    on(1, 101, 102);
    on(0, 102, 103);
    expect([version(), bench.counter(COUNT_DROPPED), bench.resyncs, bench.states]).toEqual([103, 2, [], ['live synced']]);
  });

  test('waits for what one line lost, and is never anything but live', () => {
    bench.open(7, FULL);
    on(0, 101, 103, 104);
    expect([version(), bench.state()]).toEqual([101, 'live synced']);
    ticks(49);
    on(1, 101, 102);
    expect([version(), bench.counter(COUNT_GAPS), bench.resyncs, bench.states]).toEqual([104, 0, [], ['live synced']]);
    const bodies = bench.messages.map(({ body }) => [body['type'], body['prev'], body['seq']]);
    expect(bodies).toEqual([
      ['snapshot', null, 1],
      ['delta', 1, 2],
      ['delta', 2, 3],
      ['delta', 3, 4],
      ['delta', 4, 5],
    ]);
    on(1, 103, 104, 105);
    expect([version(), meter(METER_LINE_HEALED)]).toEqual([105, 1]);
    ticks(100);
    expect([bench.state(), bench.resyncs]).toEqual(['live synced', []]);
  });

  test('fills several holes, of both lines, in whatever order', () => {
    on(0, 101, 103, 105);
    on(1, 106, 104, 102);
    expect([version(), bench.counter(COUNT_GAPS), bench.sides().bids.length]).toEqual([106, 0, 7]);
  });

  test('takes a push of other bounds that reaches over the hole', () => {
    on(0, 101, 104);
    bench.frame({ from: 100, to: 103, bids: [['50', '2']] }, 1, 1);
    expect([version(), bench.counter(COUNT_GAPS)]).toEqual([104, 0]);
  });

  test('a book that was silent takes what came early together with the push that ends its silence', () => {
    bench = new ShardBench({ lines: 2, staleAfterMs: 1000 }).live();
    for (let at = 101; at < 120; at++) {
      bench.tick(100);
      on(0, at);
    }
    for (let waited = 0; bench.state() !== 'stale silent' && waited < 600; waited++) bench.tick(100);
    expect(bench.state()).toBe('stale silent');
    on(0, 121);
    on(1, 120);
    expect([bench.state(), version(), bench.counter(COUNT_GAPS)]).toEqual(['live synced', 121, 0]);
    ticks(100);
    expect(bench.state()).toBe('live synced');
  });

  test('a hole in both is a gap after half a second, and what waited joins the snapshot', () => {
    on(0, 101, 103);
    on(1, 103, 104);
    ticks(49);
    expect([bench.state(), bench.resyncs]).toEqual(['live synced', []]);
    ticks(1);
    expect([bench.state(), bench.resyncs, bench.counter(COUNT_GAPS)]).toEqual(['syncing gap', ['gap'], 1]);
    bench.snapshot({ lastUpdateId: 102, bids: [['1', '1']] });
    expect([bench.state(), version()]).toEqual(['live synced', 104]);
  });

  test('a clock that jumps does not end the waiting: what came meanwhile is not read yet', () => {
    on(0, 101, 103);
    bench.tick(5_000);
    expect(bench.state()).toBe('live synced');
    on(1, 102);
    expect([version(), bench.resyncs]).toEqual([103, []]);
  });

  test('so is one with too many pushes behind it', () => {
    on(0, ...Array.from({ length: EARLY_FRAMES_MAX }, (_, i) => 102 + i));
    expect(bench.state()).toBe('live synced');
    on(0, 102 + EARLY_FRAMES_MAX);
    expect([bench.state(), bench.resyncs]).toEqual(['syncing gap', ['gap']]);
    bench.snapshot({ lastUpdateId: 101, bids: [['1', '1']] });
    expect([bench.state(), version()]).toEqual(['live synced', 102 + EARLY_FRAMES_MAX]);
  });

  test('a line that is lost while pushes wait takes them along', () => {
    on(0, 101, 103);
    bench.lineDown(StateReason.LINE_DOWN).lineUp();
    ticks(60);
    expect(bench.resyncs).toEqual([]);
    // One of them is not in this snapshot, and may be the last for long.
    bench.snapshot({ lastUpdateId: 102, bids: [['1', '1']] });
    expect([bench.states.at(-1), bench.resyncs]).toEqual(['syncing line_down', ['snapshot_old']]);
    bench.snapshot({ lastUpdateId: 103, bids: [['1', '1']] });
    expect([bench.state(), version()]).toEqual(['live synced', 103]);
  });

  test('what waited once and was taken says nothing of what waits after the exchange began to count anew', () => {
    bench = new ShardBench({ lines: 2, staleAfterMs: 1000 }).live();
    on(0, 101, 103);
    on(1, 102);
    for (let waited = 0; bench.state() !== 'stale silent' && waited < 600; waited++) bench.tick(100);
    for (let insisted = 0; insisted < 6; insisted++) bench.snapshot({ lastUpdateId: 5, bids: [['1', '1']] });
    expect([bench.state(), version()]).toEqual(['live synced', 5]);
    on(0, 7);
    bench.lineDown(StateReason.LINE_DOWN).lineUp();
    bench.snapshot({ lastUpdateId: 7, bids: [['1', '1']] });
    expect([bench.state(), version()]).toEqual(['live synced', 7]);
  });

  test('nor is a snapshot from before them taken when the book is lost by another push', () => {
    on(0, 101, 103);
    bench.frame(bytesField(313, bytesField(2, Uint8Array.of(0xff))), 1, 1);
    bench.snapshot({ lastUpdateId: 102, bids: [['1', '1']] });
    expect([bench.state(), bench.resyncs]).toEqual(['syncing bad_frame', ['bad_frame', 'snapshot_old']]);
    bench.snapshot({ lastUpdateId: 103, bids: [['1', '1']] });
    expect([bench.state(), version()]).toEqual(['live synced', 103]);
  });

  test('a push that waited and cannot be read any more, at scales that the one before it needed, loses the book', () => {
    bench.frame({ from: 102, bids: [['1000000000000000', '1']] });
    bench.frame({ from: 101, bids: [['0.0000000001', '1']] }, 1, 1);
    expect([bench.state(), version()]).toEqual(['syncing bad_frame', 101]);
    bench.snapshot({ lastUpdateId: 101, bids: [['1', '1']] });
    expect([bench.state(), bench.resyncs]).toEqual(['syncing bad_frame', ['bad_frame', 'snapshot_old']]);
  });

  test('of pushes that wait for a snapshot the newest counts, not the one that came last, on the line that is behind', () => {
    bench.lineDown(StateReason.LINE_DOWN).lineUp();
    on(0, 101, 102, 103);
    on(1, 101, 102);
    bench.lineDown(StateReason.LINE_DOWN).lineUp();
    bench.snapshot({ lastUpdateId: 102, bids: [['1', '1']] });
    expect([bench.state(), bench.resyncs]).toEqual(['syncing line_down', ['snapshot_old']]);
    bench.snapshot({ lastUpdateId: 103, bids: [['1', '1']] });
    expect([bench.state(), version()]).toEqual(['live synced', 103]);
  });

  test('each line lost another one of those that wait: what is let go, to begin with the line that is behind, stays known', () => {
    bench.lineDown(StateReason.LINE_DOWN).lineUp();
    on(0, 101, 103);
    on(1, 101, 102);
    bench.snapshot({ lastUpdateId: 100, bids: [['1', '1']] });
    bench.snapshot({ lastUpdateId: 102, bids: [['1', '1']] });
    expect([bench.state(), bench.resyncs]).toEqual(['syncing line_down', ['gap', 'snapshot_old']]);
    bench.snapshot({ lastUpdateId: 103, bids: [['1', '1']] });
    expect([bench.state(), version()]).toEqual(['live synced', 103]);
  });

  test('a line that stood still and brings what is known long since is no new count of the exchange', () => {
    const versions = Array.from({ length: 30 }, (_, i) => 101 + i);
    on(0, ...versions);
    ticks(600);
    on(1, ...versions);
    expect([bench.state(), bench.resyncs]).toEqual(['live synced', []]);
    // But a stream of nothing else for five seconds is.
    for (let i = 0; i < 60; i++) {
      ticks(10);
      on(i % 2, 5);
    }
    expect(bench.resyncs).toEqual(['gap']);
  });

  test('says which line was faster, and by how much', () => {
    on(0, 101);
    bench.now += 4;
    on(1, 101, 102, 103);
    bench.now += 10;
    on(0, 102, 103);
    // Copies that are no race: the same line again, and a third.
    on(0, 103);
    on(1, 102);
    const lead = readTimes([new Float64Array(bench.buffers.meters)], METER_LINE_LEAD);
    expect([lead.counts.reduce((sum, each) => sum + each, 0), lead.sumMs]).toEqual([3, 24]);
    expect([meter(METER_LINE_WINS), meter(METER_LINE_WINS + 1), meter(METER_LINE_HEALED)]).toEqual([1, 2, 0]);
  });

  test('a push that comes on one line alone is won by it, one that waited for another too', () => {
    const wins = (): number[] => [meter(METER_LINE_WINS), meter(METER_LINE_WINS + 1)];
    on(0, 101, 102);
    expect(wins()).toEqual([2, 0]);
    on(0, 104);
    bench.now += 4;
    on(1, 104, 103);
    expect(wins()).toEqual([3, 1]);
    bench.now += 6;
    on(1, 104);
    const lead = readTimes([new Float64Array(bench.buffers.meters)], METER_LINE_LEAD);
    expect([lead.counts.reduce((sum, each) => sum + each, 0), lead.sumMs]).toEqual([1, 10]);
  });
});

describe('a tape on two lines', () => {
  const times = (): number[] => bench.tape().trades.map(({ timestamp }) => timestamp);

  test('takes each trade once, whichever line it comes on and while it waits for the last trades, too', () => {
    bench
      .deals([deal(3)], 1, 0)
      .deals([deal(3)], 1, 1)
      .streamUp();
    bench.deals([deal(4)], 1, 1).trades([deal(1), deal(2), deal(3)]);
    bench.deals([deal(4), deal(5)], 1, 0);
    bench.deals([deal(5), deal(6)], 1, 1);
    bench.deals([deal(6)], 1, 0);
    expect(times()).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('trades without ids are told apart by their number', () => {
    bench.streamUp().trades([]);
    const same = deal(7, { id: null });
    bench.deals([same, same], 1, 0);
    bench.deals([same], 1, 1);
    expect(times()).toEqual([7, 7]);
    bench.deals([same, same], 1, 1);
    expect(times()).toEqual([7, 7, 7]);
    bench.deals([same], 1, 0);
    expect(times()).toEqual([7, 7, 7]);
  });

  test('what one line lost comes late on the other, and is there', () => {
    bench.streamUp().trades([]);
    bench.deals([deal(1)], 1, 0).deals([deal(3)], 1, 0);
    bench
      .deals([deal(1)], 1, 1)
      .deals([deal(2)], 1, 1)
      .deals([deal(3)], 1, 1);
    expect(times().toSorted((a, b) => a - b)).toEqual([1, 2, 3]);
  });

  test('a copy older than everything a full tape holds is not taken for a new trade', () => {
    const small = new ShardBench({ lines: 2, tape: 4 }).track().streamUp().trades([]);
    for (let time = 1; time <= 20; time++) small.tick(4_000).deals([deal(time * 4_000)]);
    for (let time = 1; time <= 20; time++) small.deals([deal(time * 4_000)], 1, 1);
    expect(small.tape().trades.map(({ id }) => id)).toEqual([17, 18, 19, 20]);
  });
});
