import { describe, expect, test, vi } from 'vitest';

import {
  COUNT_APPLIED,
  COUNT_CROSSED,
  COUNT_DROPPED,
  COUNT_GAPS,
  COUNT_INEXACT,
  COUNT_REFUSED,
  COUNT_RESYNCS,
  headerInts,
  VERSION,
} from '../../../src/book/book-layout.js';
import { DepthDecode } from '../../../src/mexc/decode-depth.js';
import { StateReason } from '../../../src/model/book-state.js';
import { Channel, Format } from '../../../src/model/publication.js';
import { PENDING_FRAMES_MAX } from '../../../src/shard/pending-updates.js';
import { REFUSED_SNAPSHOT } from '../../../src/shard/records.js';
import { depthFrame } from '../../support/depth-frame.js';
import type { TextLevel } from '../../support/model-book.js';
import { bytesField } from '../../support/push-frame.js';
import { ShardBench, SYMBOL } from '../../support/shard-bench.js';
import { pushDepth } from '../../support/pushes-in-a-buffer.js';

const FULL = { channel: Channel.BOOK, depth: 0, intervalMs: 0, format: Format.JSON };

describe('start-up', () => {
  test('a tracked book is syncing, and live once a snapshot came', () => {
    const bench = new ShardBench().track();
    expect([bench.state(), bench.book().epoch, bench.states]).toEqual(['syncing start', 0, []]);
    bench.lineUp();
    expect(bench.state()).toBe('syncing start');
    bench.snapshot({ lastUpdateId: 1005, bids: [['10.02', '5']], asks: [['10.03', '4']] });
    expect([bench.state(), bench.states, bench.resyncs]).toEqual(['live synced', ['live synced'], []]);
    expect(bench.sides()).toEqual({ bids: [['10.02', '5']], asks: [['10.03', '4']] });
    expect(bench.book()).toMatchObject({ epoch: 1, seq: 1, version: 1005, receiveTimeMs: bench.now });
  });

  test('pushes wait for the snapshot: old ones are dropped, the one that straddles it is applied whole', () => {
    const bench = new ShardBench().track().lineUp();
    bench.frame({ from: 1001, to: 1003, bids: [['10.02', '99']] });
    bench.frame({ from: 1004, to: 1007, bids: [['10.01', '0']], asks: [['10.03', '3.5']] });
    bench.frame({ from: 1008, bids: [['10', '1']] });
    expect([bench.state(), bench.book().bidLevels]).toEqual(['syncing start', 0]);
    bench.snapshot({
      lastUpdateId: 1005,
      bids: [
        ['10.020', '5.00'],
        ['10.010', '7.50'],
      ],
      asks: [['10.030', '4.00']],
    });
    expect(bench.sides()).toEqual({
      bids: [
        ['10.02', '5'],
        ['10', '1'],
      ],
      asks: [['10.03', '3.5']],
    });
    expect([bench.state(), bench.book().version, bench.book().seq, bench.counter(COUNT_DROPPED)]).toEqual(['live synced', 1008, 3, 1]);
    expect(bench.states).toEqual(['live synced']);
  });

  test('without a line there is nothing to join: pushes and snapshots are passed over', () => {
    const bench = new ShardBench().track();
    bench.frame({ from: 1, bids: [['1', '1']] }).snapshot({ lastUpdateId: 1 });
    expect([bench.state(), bench.resyncs]).toEqual(['syncing start', []]);
    bench.lineUp().snapshot({ lastUpdateId: 5 });
    expect([bench.state(), bench.book().version]).toEqual(['live synced', 5]);
  });

  test('a snapshot older than the first push that waits is no use: another one is asked for', () => {
    const bench = new ShardBench().track().lineUp();
    bench.frame({ from: 1010, to: 1011, bids: [['9', '9']] });
    bench.snapshot({ lastUpdateId: 1005, bids: [['8', '8']] });
    expect([bench.state(), bench.resyncs, bench.book().bidLevels]).toEqual(['syncing start', ['snapshot_old'], 0]);
    bench.snapshot({ lastUpdateId: 1009, bids: [['8', '8']] });
    expect([bench.state(), bench.book().version]).toEqual(['live synced', 1011]);
    expect(bench.levels('bid')).toEqual([
      ['9', '9'],
      ['8', '8'],
    ]);
  });

  test('a snapshot in front of a hole among the waiting pushes asks for one behind it', () => {
    const bench = new ShardBench().track().lineUp();
    for (const from of [1001, 1002, 1010]) bench.frame({ from, bids: [[String(from), '1']] });
    bench.snapshot({ lastUpdateId: 1000 });
    expect([bench.state(), bench.resyncs]).toEqual(['syncing start', ['gap']]);
    bench.snapshot({ lastUpdateId: 1005 });
    expect(bench.resyncs).toEqual(['gap', 'snapshot_old']);
    bench.snapshot({ lastUpdateId: 1012 });
    expect([bench.state(), bench.book().version, bench.counter(COUNT_DROPPED)]).toEqual(['live synced', 1012, 1]);
  });

  test('a damaged push among those that wait: only what came behind it can be used', () => {
    const bench = new ShardBench().track().lineUp();
    bench.frame({ from: 1001, bids: [['1', '1']] });
    bench.frame(depthFrame({ from: 1002, bids: [['2', '2']] }).subarray(0, 70));
    bench.frame({ from: 1003, bids: [['3', '3']] });
    bench.snapshot({ lastUpdateId: 1000 });
    expect([bench.state(), bench.resyncs, bench.refusals]).toEqual(['syncing start', ['bad_frame'], [DepthDecode.TRUNCATED]]);
    bench.snapshot({ lastUpdateId: 1002 });
    expect([bench.state(), bench.levels('bid')]).toEqual(['live synced', [['3', '3']]]);
  });

  test('a damaged push that waits is made up for by a later one that joins the snapshot: it shows that the snapshot reaches behind both', () => {
    const bench = new ShardBench().track().lineUp();
    bench.frame(depthFrame({ from: 1002, bids: [['2', '2']] }).subarray(0, 70));
    bench.frame(depthFrame({ from: 1003, bids: [['2', '3']] }).subarray(0, 70));
    bench.frame({ from: 1004, bids: [['3', '3']] });
    bench.snapshot({ lastUpdateId: 1003, bids: [['2', '3']] });
    expect([bench.state(), bench.book().version, bench.resyncs]).toEqual(['live synced', 1004, []]);
    expect(bench.levels('bid')).toEqual([
      ['3', '3'],
      ['2', '3'],
    ]);
  });

  test('more pushes than may wait: all are let go, a snapshot is asked for, and it goes on from there', () => {
    const bench = new ShardBench({ inboundBytes: 2 ** 22 }).track().lineUp();
    for (let i = 0; i < PENDING_FRAMES_MAX; i++) bench.frame({ from: 1000 + i, bids: [['1', String(i)]] });
    expect(bench.resyncs).toEqual([]);
    bench.frame({ from: 3000 });
    expect([bench.resyncs, bench.state()]).toEqual([['buffer_overflow'], 'syncing start']);
    bench.frame({ from: 3001, bids: [['7', '7']] });
    bench.snapshot({ lastUpdateId: 2999 });
    expect(bench.resyncs).toEqual(['buffer_overflow', 'snapshot_old']);
    bench.snapshot({ lastUpdateId: 3000 });
    expect([bench.state(), bench.book().version]).toEqual(['live synced', 3001]);
  });

  test.each<[string, Uint8Array]>([
    ['HTML', Buffer.from('<html>403</html>')],
    ['nothing', Buffer.alloc(0)],
    ['half an answer', Buffer.from('{"lastUpdateId":5,"bids":[["1"')],
    ['a number that is none', Buffer.from('{"lastUpdateId":5,"bids":[["1","-1"]],"asks":[]}')],
  ])('%s instead of a snapshot is refused and asked for again', (_, body) => {
    const bench = new ShardBench()
      .track()
      .lineUp()
      .frame({ from: 6, bids: [['6', '6']] });
    bench.snapshot(body);
    expect([bench.state(), bench.resyncs, bench.refusals]).toEqual(['syncing start', ['snapshot_malformed'], [REFUSED_SNAPSHOT]]);
    bench.snapshot({ lastUpdateId: 5 });
    expect([bench.state(), bench.book().version]).toEqual(['live synced', 6]);
  });

  test('a snapshot for a live book comes too late and changes nothing', () => {
    const bench = new ShardBench().live();
    bench.snapshot({ lastUpdateId: 500, bids: [['1', '1']] });
    expect([bench.book().version, bench.book().epoch, bench.state()]).toEqual([100, 1, 'live synced']);
  });

  test('a crossed snapshot is suspect, and the next one is not held against it', () => {
    const bench = new ShardBench().track().lineUp();
    bench.snapshot({ lastUpdateId: 5, bids: [['2', '1']], asks: [['1', '1']] });
    expect([bench.state(), bench.resyncs, bench.counter(COUNT_CROSSED)]).toEqual(['suspect crossed', ['crossed'], 1]);
    bench.snapshot({ lastUpdateId: 6, bids: [['1', '1']], asks: [['2', '1']] });
    expect([bench.state(), bench.book().epoch]).toEqual(['live synced', 2]);
  });
});

describe('what is known of the versions', () => {
  test.each<[string, TextLevel, TextLevel]>([
    ['a crossed snapshot', ['5', '1'], ['1', '1']],
    ['one of them that crosses the book', ['3', '1'], ['9', '1']],
  ])('pushes that waited and are let go with %s stay known', (_, bid, first) => {
    const bench = new ShardBench().track().lineUp();
    bench.frame({ from: 101, bids: [first] }).frame({ from: 102, bids: [['1', '2']] });
    bench.snapshot({ lastUpdateId: 100, bids: [bid], asks: [['4', '1']] });
    expect(bench.state()).toBe('suspect crossed');
    bench.snapshot({ lastUpdateId: 101, bids: [['1', '1']] });
    expect([bench.state(), bench.resyncs]).toEqual(['suspect crossed', ['crossed', 'snapshot_old']]);
    bench.snapshot({ lastUpdateId: 102, bids: [['1', '2']] });
    expect([bench.state(), bench.book().version]).toEqual(['live synced', 102]);
  });

  test('a push whose versions no later one follows keeps no snapshot away', () => {
    const bench = new ShardBench().track().lineUp();
    bench.frame({ from: 1001, to: 1003, bids: [['10.02', '9']] });
    bench.frame({ from: 9_001_004, to: 9_001_007, bids: [['10.01', '8']] });
    bench.frame({ from: 1008, to: 1009, bids: [['10', '1']] });
    bench.snapshot({ lastUpdateId: 1002, bids: [['10.02', '5']] });
    expect([bench.state(), bench.resyncs]).toEqual(['syncing start', ['gap']]);
    // The push behind the hole is all that is left; this snapshot reaches it.
    bench.snapshot({ lastUpdateId: 1007, bids: [['10.03', '5']] });
    expect([bench.state(), bench.book().version]).toEqual(['live synced', 1009]);
    expect(bench.levels('bid')).toEqual([
      ['10.03', '5'],
      ['10', '1'],
    ]);
  });

  test('a snapshot from before the line was lost is asked for again, until the exchange insists', () => {
    const bench = new ShardBench().live({ lastUpdateId: 100 });
    bench.frame({ from: 101, to: 120, bids: [['10.02', '9']] });
    bench.lineDown(StateReason.LINE_DOWN).lineUp();
    for (let old = 1; old <= 5; old++) bench.snapshot({ lastUpdateId: 100 });
    expect([bench.state(), bench.resyncs]).toEqual(['syncing line_down', Array.from({ length: 5 }, () => 'snapshot_old')]);
    bench.snapshot({ lastUpdateId: 100 });
    expect([bench.state(), bench.book().version]).toEqual(['live synced', 100]);
    // The versions begun anew are all that the next worker is told of.
    bench.die().track().lineUp().snapshot({ lastUpdateId: 100 });
    expect([bench.state(), bench.book().version]).toEqual(['live synced', 100]);
  });

  test('nor is what a dead worker knew forgotten', () => {
    const bench = new ShardBench().live({ lastUpdateId: 100 });
    bench.frame({ from: 101, to: 120, bids: [['10.02', '9']] });
    for (let death = 1; death <= 2; death++) {
      bench.die();
      bench.track().lineUp().snapshot({ lastUpdateId: 100 });
      expect([bench.state(), bench.resyncs.at(-1)]).toEqual(['syncing worker_lost', 'snapshot_old']);
    }
    bench.snapshot({ lastUpdateId: 120 });
    expect([bench.state(), bench.book().version]).toEqual(['live synced', 120]);
    // A slot given up and used again knows nothing of the book before.
    bench.untrack().track().lineUp().snapshot({ lastUpdateId: 3 });
    expect([bench.state(), bench.book().version]).toEqual(['live synced', 3]);
  });

  test.each<[string, (bench: ShardBench) => void]>([
    [
      'that it had not read',
      (bench) => {
        for (const from of [101, 102]) pushDepth(bench.ingress, 301, depthFrame({ from, bids: [['10.02', '9']] }), bench.now);
      },
    ],
    [
      'for which the ring had no room, as the next record would have told it',
      (bench) => {
        for (let i = 0; bench.ingress.framesDropped === 0; i++) pushDepth(bench.ingress, 301, new Uint8Array(2 ** 21), bench.now);
        pushDepth(bench.ingress, 301, depthFrame({ from: 102, bids: [['10.02', '9']] }), bench.now);
      },
    ],
    ['that it could not read', (bench) => void bench.frame(bytesField(313, bytesField(2, Uint8Array.of(0xff))))],
    ['behind a hole', (bench) => void bench.frame({ from: 102, bids: [['10.02', '9']] })],
    [
      'that waited for a snapshot',
      (bench) =>
        void bench
          .lineDown(StateReason.LINE_DOWN)
          .lineUp()
          .frame({ from: 101, to: 102, bids: [['10.02', '9']] }),
    ],
  ])('nor are pushes of a dead worker %s', (_, push) => {
    const bench = new ShardBench().live({ lastUpdateId: 100 });
    push(bench);
    bench.die().track().lineUp();
    bench.ingress.tellLost();
    bench.snapshot({ lastUpdateId: 100 });
    expect([bench.state(), bench.resyncs.at(-1)]).toEqual(['syncing worker_lost', 'snapshot_old']);
    bench.snapshot({ lastUpdateId: 102 });
    expect([bench.state(), bench.book().version]).toEqual(['live synced', 102]);
    // All that was known is in the book now.
    bench.die().track().lineUp().snapshot({ lastUpdateId: 102 });
    expect([bench.state(), bench.book().version]).toEqual(['live synced', 102]);
  });

  test('nor are those that waited for the other line when the worker died', () => {
    const bench = new ShardBench({ lines: 2 }).live({ lastUpdateId: 100 });
    bench.frame({ from: 102, bids: [['10.02', '9']] });
    expect(bench.state()).toBe('live synced');
    bench.die().track().lineUp().snapshot({ lastUpdateId: 101 });
    expect([bench.state(), bench.resyncs.at(-1)]).toEqual(['syncing worker_lost', 'snapshot_old']);
  });

  test('one that stands where the book stood is not old', () => {
    const bench = new ShardBench().live({ lastUpdateId: 100 });
    bench.lineDown(StateReason.LINE_DOWN).lineUp().snapshot({ lastUpdateId: 100 });
    expect([bench.state(), bench.resyncs]).toEqual(['live synced', []]);
  });
});

describe('the sequence rule', () => {
  test('pushes that follow or overlap are applied, those already held are dropped', () => {
    const bench = new ShardBench().live();
    bench.frame({ from: 101, to: 103, bids: [['99', '5']] });
    bench.frame({ from: 101, to: 103, bids: [['99', '777']] });
    bench.frame({ from: 50, to: 99, bids: [['99', '777']] });
    bench.frame({ from: 102, to: 104, bids: [['99', '6']] });
    expect(bench.levels('bid')).toEqual([
      ['99.5', '1'],
      ['99', '6'],
    ]);
    expect([bench.state(), bench.book().version, bench.book().seq]).toEqual(['live synced', 104, 3]);
    expect([COUNT_APPLIED, COUNT_DROPPED, COUNT_GAPS].map((counter) => bench.counter(counter))).toEqual([2, 2, 0]);
  });

  test('a gap ends the epoch; the pushes behind it wait for the snapshot that closes it', () => {
    const bench = new ShardBench().live();
    bench.frame({ from: 102, bids: [['98', '1']] });
    expect([bench.state(), bench.resyncs, bench.counter(COUNT_GAPS)]).toEqual(['syncing gap', ['gap'], 1]);
    // As it was before the gap, not half of what came after.
    expect([bench.levels('bid'), bench.book().version]).toEqual([[['99.5', '1']], 100]);
    bench.frame({ from: 103, to: 104, bids: [['97', '1']] });
    const { seq } = bench.book();
    bench.snapshot({ lastUpdateId: 101, bids: [['99', '9']] });
    expect([bench.state(), bench.book().epoch, bench.book().version]).toEqual(['live synced', 2, 104]);
    expect(bench.levels('bid')).toEqual([
      ['99', '9'],
      ['98', '1'],
      ['97', '1'],
    ]);
    expect(bench.book().seq).toBe(seq + 3);
    expect(bench.states).toEqual(['live synced', 'syncing gap', 'live synced']);
  });

  test('seq never goes back, whatever happens, and every resync is an epoch', () => {
    const bench = new ShardBench().live();
    let [lastSeq, lastEpoch, version] = [bench.book().seq, bench.book().epoch, 100];
    for (let round = 0; round < 20; round++) {
      bench.frame({ from: version + 1, bids: [['99', String(round)]] });
      if (round % 3 === 0) bench.frame({ from: version + 5 });
      if (round % 3 === 1) bench.lineDown(StateReason.LINE_DOWN).lineUp();
      if (round % 3 === 2) bench.frame({ from: version + 2, bids: [['5000', '1']] });
      version += 10;
      bench.snapshot({ lastUpdateId: version, bids: [['99.5', '1']], asks: [['100.5', '2']] });
      const { seq, epoch } = bench.book();
      expect([bench.state(), bench.book().version]).toEqual(['live synced', version]);
      expect(seq).toBeGreaterThan(lastSeq);
      expect(epoch).toBe(lastEpoch + 1);
      [lastSeq, lastEpoch] = [seq, epoch];
    }
    expect(bench.counter(COUNT_RESYNCS)).toBe(21);
  });
});

describe('what breaks trust', () => {
  test('a crossed book is suspect until a snapshot', () => {
    const bench = new ShardBench().live();
    bench.frame({ from: 101, bids: [['100.51', '1']] });
    expect([bench.state(), bench.resyncs, bench.counter(COUNT_CROSSED)]).toEqual(['suspect crossed', ['crossed'], 1]);
    bench.frame({ from: 102, bids: [['100.51', '0']] });
    expect(bench.state()).toBe('suspect crossed');
    bench.snapshot({ lastUpdateId: 101, bids: [['99', '1']], asks: [['101', '1']] });
    expect([bench.state(), bench.book().version]).toEqual(['live synced', 102]);
  });

  test('locked is not crossed', () => {
    const bench = new ShardBench().live().frame({ from: 101, bids: [['100.5', '1']] });
    expect(bench.state()).toBe('live synced');
  });

  test.each<[string, Uint8Array, number]>([
    [
      'truncated',
      depthFrame({
        from: 101,
        bids: [
          ['99', '5'],
          ['98', '5'],
        ],
      }).subarray(0, 75),
      DepthDecode.TRUNCATED,
    ],
    ['without versions', depthFrame({ from: '', bids: [['99', '5']] }), DepthDecode.MALFORMED],
    [
      'with a number that is none',
      depthFrame({
        from: 101,
        bids: [
          ['99', '5'],
          ['98', 'x'],
        ],
      }),
      DepthDecode.BAD_NUMBER,
    ],
    ['with a price beyond all sense', depthFrame({ from: 101, bids: [['9'.repeat(30), '5']] }), DepthDecode.BAD_NUMBER],
  ])('a push %s changes nothing, and the book is not trusted any more', (_, frame, outcome) => {
    const bench = new ShardBench().live();
    const before = { ...bench.sides(), seq: bench.book().seq, version: bench.book().version };
    bench.frame(frame);
    expect({ ...bench.sides(), seq: bench.book().seq, version: bench.book().version }).toEqual(before);
    expect([bench.state(), bench.resyncs, bench.refusals, bench.counter(COUNT_REFUSED)]).toEqual([
      'syncing bad_frame',
      ['bad_frame'],
      [outcome],
      1,
    ]);
    bench.snapshot({ lastUpdateId: 101 });
    expect(bench.state()).toBe('live synced');
  });

  test('every truncation of a push leaves the levels as they were', () => {
    const frame = depthFrame({
      from: 101,
      to: 102,
      bids: [
        ['99.25', '5'],
        ['98', '0.125'],
      ],
      asks: [['100.5', '0']],
      sendTime: 1_754_741_322_152,
    });
    const bench = new ShardBench({ inboundBytes: 2 ** 16, outboundBytes: 2 ** 16 }).live();
    let version = 100;
    for (let length = 0; length < frame.length; length++) {
      bench.frame(frame.subarray(0, length));
      expect([bench.state(), bench.levels('bid'), bench.levels('ask')]).toEqual(['syncing bad_frame', [['99.5', '1']], [['100.5', '2']]]);
      bench.snapshot({ lastUpdateId: ++version, bids: [['99.5', '1']], asks: [['100.5', '2']] });
    }
    bench.frame({ from: version + 1, bids: [['99.25', '5']] });
    expect([bench.state(), bench.levels('bid')[1]]).toEqual(['live synced', ['99.25', '5']]);
  });

  test('after a refused push a snapshot from before it is not taken for the book', () => {
    const bench = new ShardBench().live();
    bench.frame(depthFrame({ from: 101, bids: [['99', '5']] }).subarray(0, 75));
    bench.snapshot({ lastUpdateId: 100, bids: [['99.5', '1']], asks: [['100.5', '2']] });
    expect([bench.state(), bench.resyncs]).toEqual(['syncing bad_frame', ['bad_frame', 'snapshot_old']]);
    bench.snapshot({ lastUpdateId: 101, bids: [['99.5', '1']], asks: [['100.5', '2']] });
    expect(bench.state()).toBe('live synced');
  });

  test('versions that begin anew are noticed, and the snapshot of the new count is taken', () => {
    const bench = new ShardBench().live();
    for (let version = 1; version <= 30; version++) {
      bench.now += 1_000;
      bench.frame({ from: version, bids: [['99', '5']] });
    }
    expect([bench.state(), bench.resyncs]).toEqual(['syncing gap', ['gap']]);
    bench.snapshot({ lastUpdateId: 25, bids: [['99.5', '1']], asks: [['100.5', '2']] });
    expect([bench.state(), bench.book().version]).toEqual(['live synced', 30]);
  });

  test('a push with another body is refused, and nothing is held against the book', () => {
    const bench = new ShardBench().live().frame(bytesField(314, ''));
    expect([bench.state(), bench.refusals]).toEqual(['live synced', [DepthDecode.NOT_DEPTH]]);
  });

  test('a line that goes down takes the book with it, and its return waits for a snapshot', () => {
    const bench = new ShardBench().live();
    bench.lineDown(StateReason.LINE_DOWN);
    expect([bench.state(), bench.levels('bid')]).toEqual(['stale line_down', [['99.5', '1']]]);
    bench.frame({ from: 101, bids: [['98', '1']] }).snapshot({ lastUpdateId: 200 });
    expect([bench.state(), bench.book().version]).toEqual(['stale line_down', 100]);
    bench.lineUp();
    expect(bench.state()).toBe('syncing line_down');
    bench.frame({ from: 151, bids: [['97', '1']] }).snapshot({ lastUpdateId: 150 });
    expect([bench.state(), bench.levels('bid'), bench.book().epoch]).toEqual(['live synced', [['97', '1']], 2]);
  });

  test('a refused subscription is said as the reason', () => {
    const bench = new ShardBench().track().lineDown(StateReason.SUBSCRIPTION_REFUSED);
    expect([bench.state(), bench.states]).toEqual(['syncing subscription_refused', ['syncing subscription_refused']]);
  });

  test('pushes lost on the way to the shard: said at the next tick, synced anew', () => {
    const bench = new ShardBench({ inboundBytes: 1024 }).live();
    // Without work in between the ring is full after a few.
    for (let i = 0; i < 20; i++) pushDepth(bench.ingress, 301, depthFrame({ from: 101 + i, bids: [['99', '1']] }), bench.now);
    expect(bench.ingress.framesDropped).toBeGreaterThan(10);
    bench.work().tick();
    expect([bench.state(), bench.resyncs]).toEqual(['syncing ring_full', ['ring_full']]);
    bench.snapshot({ lastUpdateId: 150 });
    expect(bench.state()).toBe('live synced');
    bench.tick();
    expect(bench.state()).toBe('live synced');
  });

  test('pushes lost on the way that lead nowhere new, as the other line brought them, cost nothing', () => {
    const bench = new ShardBench({ inboundBytes: 1024 }).track('OTHERUSDT', 2).live();
    for (let i = 0; i < 20; i++) pushDepth(bench.ingress, 302, new Uint8Array(40), bench.now);
    pushDepth(bench.ingress, 301, depthFrame({ from: 98, to: 100, bids: [['99', '1']] }), bench.now);
    expect(bench.ingress.framesDropped).toBeGreaterThan(0);
    bench.work().tick();
    expect([bench.state(), bench.resyncs]).toEqual(['live synced', []]);
  });

  test.each([
    ['live', 100],
    ['without one', -1],
  ])('a snapshot from before a push that was lost is not taken for a book %s', (_, held) => {
    const bench = new ShardBench({ inboundBytes: 1024 }).track('OTHERUSDT', 2);
    if (held < 0) bench.track().lineUp();
    else bench.live();
    // What fills the ring is of another symbol: nothing of this one waits, and nothing of it may come for long.
    for (let i = 0; i < 20; i++) pushDepth(bench.ingress, 302, new Uint8Array(40), bench.now);
    for (const from of [101, 104]) pushDepth(bench.ingress, 301, depthFrame({ from, to: from + 2, bids: [['99', '1']] }), bench.now);
    bench.work().tick();
    bench.snapshot({ lastUpdateId: 105 });
    expect([bench.state(), bench.resyncs.at(-1)]).toEqual([expect.stringContaining('syncing'), 'snapshot_old']);
    bench.snapshot({ lastUpdateId: 106 });
    expect(bench.state()).toBe('live synced');
  });
});

describe('silence', () => {
  /** A book with a push every 100 ms; stale after 20 such pauses, at least a second. */
  function rhythmic(): ShardBench {
    const bench = new ShardBench({ staleAfterMs: 1000 }).live();
    for (let i = 0; i < 40; i++) {
      bench.tick(100);
      bench.frame({ from: 101 + i, bids: [['99', String(1 + i)]] });
    }
    return bench;
  }

  test('a book silent for longer than its rhythm allows is stale, and a push makes it live in the same epoch', () => {
    const bench = rhythmic();
    bench.tick(1900);
    expect(bench.state()).toBe('live synced');
    bench.tick(300);
    expect([bench.state(), bench.resyncs]).toEqual(['stale silent', ['silent']]);
    bench.frame({ from: 141, bids: [['98', '1']] });
    expect([bench.state(), bench.book().epoch, bench.book().version]).toEqual(['live synced', 1, 141]);
  });

  test('a snapshot of the version held proves that nothing was missed', () => {
    const bench = rhythmic().tick(3000);
    const { seq, version } = bench.book();
    bench.snapshot({ lastUpdateId: version, bids: [['1', '1']] });
    expect([bench.state(), bench.book().epoch, bench.book().seq]).toEqual(['live synced', 1, seq]);
    expect(bench.levels('bid')).toHaveLength(2);
    // And it is given more patience from then on.
    bench.tick(3000);
    expect(bench.state()).toBe('live synced');
    bench.tick(3000);
    expect(bench.state()).toBe('stale silent');
  });

  test('a newer snapshot begins an epoch, an older one is not believed', () => {
    const bench = rhythmic().tick(3000);
    const { version } = bench.book();
    bench.snapshot({ lastUpdateId: version - 1 });
    expect([bench.state(), bench.resyncs]).toEqual(['stale silent', ['silent', 'snapshot_old']]);
    bench.snapshot({ lastUpdateId: version + 50, bids: [['7', '7']] });
    expect([bench.state(), bench.book().epoch, bench.levels('bid')]).toEqual(['live synced', 2, [['7', '7']]]);
  });

  test('old snapshots of one silence count for no other: the exchange does not insist on them', () => {
    const bench = rhythmic();
    for (let round = 0; round < 8; round++) {
      for (let waited = 0; bench.state() !== 'stale silent' && waited < 600; waited++) bench.tick(1000);
      const { version } = bench.book();
      bench.snapshot({ lastUpdateId: version - 1, bids: [['1', '1']] });
      expect([bench.state(), bench.book().version]).toEqual(['stale silent', version]);
      // By a snapshot and by a push in turn.
      if (round % 2 === 0) bench.snapshot({ lastUpdateId: version });
      else bench.frame({ from: version + 1 });
      expect([bench.state(), bench.book().epoch]).toEqual(['live synced', 1]);
    }
  });

  test('an old push does not end the silence, a gap does not either', () => {
    const bench = rhythmic().tick(3000);
    bench.frame({ from: 120 });
    expect(bench.state()).toBe('stale silent');
    bench.frame({ from: 900 });
    expect([bench.state(), bench.resyncs]).toEqual(['syncing gap', ['silent', 'gap']]);
  });

  test('a crossing push on a silent book is suspect, not live', () => {
    const bench = rhythmic()
      .tick(3000)
      .frame({ from: 141, bids: [['500', '1']] });
    expect([bench.state(), bench.states.at(-1)]).toEqual(['suspect crossed', 'suspect crossed']);
  });
});

describe('numbers', () => {
  test('more decimals than the scale: the book is rescaled once, levels stay', () => {
    const bench = new ShardBench().live();
    bench.frame({ from: 101, bids: [['99.125', '0.00005']] });
    expect([bench.state(), bench.book().priceScale, bench.book().quantityScale, bench.book().epoch]).toEqual(['live synced', 3, 5, 1]);
    expect(bench.sides()).toEqual({
      bids: [
        ['99.5', '1'],
        ['99.125', '0.00005'],
      ],
      asks: [['100.5', '2']],
    });
    bench.frame({ from: 102, bids: [['99.5', '0']] });
    expect(bench.levels('bid')).toEqual([['99.125', '0.00005']]);
  });

  test('a snapshot with more decimals, with pushes that wait and need more still', () => {
    const bench = new ShardBench().track().lineUp();
    bench.frame({ from: 6, bids: [['1.23456', '1']] });
    bench.snapshot({ lastUpdateId: 5, bids: [['1.234', '0.0001']] });
    expect([bench.state(), bench.book().priceScale, bench.book().quantityScale]).toEqual(['live synced', 5, 4]);
    expect(bench.levels('bid')).toEqual([
      ['1.23456', '1'],
      ['1.234', '0.0001'],
    ]);
  });

  test('a number beyond 2^53 is kept as the nearest double, and counted', () => {
    const bench = new ShardBench().live().frame({ from: 101, bids: [['99', '123456789012345678']] });
    expect([bench.state(), bench.counter(COUNT_INEXACT)]).toEqual(['live synced', 1]);
    expect(bench.book().bidLots[1]).toBe(Number('123456789012345678e3'));
  });

  test('decimals that the prices held cannot follow: the push is refused, the book keeps its scale', () => {
    const bench = new ShardBench().live({ lastUpdateId: 100, bids: [['84270.01', '1']], asks: [['84270.02', '2']] });
    bench.frame({ from: 101, bids: [['0.0000000000000000000001', '1']] });
    expect([bench.state(), bench.refusals, bench.book().priceScale]).toEqual(['syncing bad_frame', [DepthDecode.BAD_NUMBER], 2]);
    expect(bench.sides()).toEqual({ bids: [['84270.01', '1']], asks: [['84270.02', '2']] });
    bench.snapshot({ lastUpdateId: 101, bids: [['84270', '1']] });
    expect([bench.state(), bench.levels('bid')]).toEqual(['live synced', [['84270', '1']]]);
  });

  test('such a push among those that wait does not keep the book from its snapshot', () => {
    const bench = new ShardBench().track().lineUp();
    bench.frame({ from: 101, bids: [['0.0000000000000000000001', '1']] });
    bench.snapshot({ lastUpdateId: 100, bids: [['84270', '1']] });
    expect([bench.state(), bench.resyncs, bench.book().priceScale]).toEqual(['syncing start', ['bad_frame'], 2]);
    bench.snapshot({ lastUpdateId: 101, bids: [['84270', '1']] });
    expect([bench.state(), bench.levels('bid')]).toEqual(['live synced', [['84270', '1']]]);
  });

  test('a push whose own numbers do not fit one scale is refused, and the scale stays', () => {
    const bench = new ShardBench().live();
    bench.frame({
      from: 101,
      bids: [
        ['100', '1'],
        ['0.0000000000000000000001', '1'],
      ],
    });
    expect([bench.state(), bench.refusals, bench.book().priceScale]).toEqual(['syncing bad_frame', [DepthDecode.BAD_NUMBER], 2]);
  });
});

describe('memory', () => {
  test('an untracked book gives everything back', () => {
    const bench = new ShardBench().live();
    bench.open(7, FULL);
    expect(bench.reader.usedBytes()).toBeGreaterThan(0);
    bench.untrack();
    expect([bench.reader.usedBytes(), bench.untrackedSlots]).toEqual([0, [1]]);
    // What still comes for it finds nobody.
    bench.frame({ from: 101 }).snapshot({ lastUpdateId: 3 }).requestSnapshot(7, 1).tick();
    expect([bench.resyncs, bench.take(7).length]).toEqual([[], 1]);
  });

  test('a slot used by another symbol shows nothing of the one before', () => {
    const bench = new ShardBench().live();
    bench.frame({ from: 101, bids: [['99', '5']] }).untrack();
    bench.track('ETHUSDT', 1, 4, 5);
    expect(bench.book()).toMatchObject({
      bidLevels: 0,
      askLevels: 0,
      version: 0,
      receiveTimeMs: 0,
      exchangeTimeMs: NaN,
      priceScale: 4,
      quantityScale: 5,
    });
    expect([bench.state(), bench.counter(COUNT_APPLIED)]).toEqual(['syncing start', 0]);
    bench.open(8, FULL);
    expect(bench.take(8)[0]!.body).toMatchObject({ sym: 'ETHUSDT', type: 'state', state: 'syncing' });
    bench.lineUp().snapshot({ lastUpdateId: 1, bids: [['1.0001', '1']] });
    expect(bench.take(8)[0]!.body).toMatchObject({ sym: 'ETHUSDT', b: [['1.0001', '1.00000']] });
  });

  test('a full arena: the book says so, holds nothing, and recovers when there is room', () => {
    // Room for the headers and about 100 pages.
    const bench = new ShardBench({ booksBytes: 20_000 }).live();
    bench.frame({ from: 101, asks: Array.from({ length: 200 }, (_, i) => [String(200 + 1000 * i), '1']) });
    expect([bench.state(), bench.resyncs, bench.book().bidCount, bench.book().receiveTimeMs]).toEqual([
      'suspect memory_full',
      ['memory_full'],
      0,
      0,
    ]);
    expect(bench.reader.usedBytes()).toBe(0);
    // The push that found no room is not in this one.
    bench.snapshot({ lastUpdateId: 100, bids: [['99', '1']] });
    expect([bench.state(), bench.resyncs.at(-1)]).toEqual(['suspect memory_full', 'snapshot_old']);
    bench.snapshot({ lastUpdateId: 150, bids: [['99', '1']] });
    expect([bench.state(), bench.levels('bid')]).toEqual(['live synced', [['99', '1']]]);
  });

  test('nor is a push forgotten whose decimals the book finds no room for, or what waits for a snapshot that finds none', () => {
    // In one page of the ladder, and at four decimals more in one each.
    const bids = Array.from({ length: 150 }, (_, i): TextLevel => [(0.01 * (i + 1)).toFixed(2), '1']);
    const bench = new ShardBench({ booksBytes: 20_000 }).live({ lastUpdateId: 100, bids });
    bench.frame({ from: 101, bids: [['0.000001', '1']] });
    bench.snapshot({ lastUpdateId: 100, bids: [['99', '1']] });
    expect([bench.state(), bench.resyncs]).toEqual(['suspect memory_full', ['memory_full', 'snapshot_old']]);
    bench.frame({ from: 102, bids: [['0.01', '1']] }).frame({ from: 103, bids: [['0.01', '1']] });
    bench.snapshot({ lastUpdateId: 101, bids: [...bids, ['0.000001', '1']] });
    bench.snapshot({ lastUpdateId: 102, bids: [['99', '1']] });
    expect([bench.state(), bench.resyncs.slice(2)]).toEqual(['suspect memory_full', ['memory_full', 'snapshot_old']]);
    bench.snapshot({ lastUpdateId: 103, bids: [['99', '1']] });
    expect([bench.state(), bench.book().version]).toEqual(['live synced', 103]);
  });

  test('nor is what waits behind a push whose decimals the book that was lost finds no room for', () => {
    const bids = Array.from({ length: 150 }, (_, i): TextLevel => [(0.01 * (i + 1)).toFixed(2), '1']);
    const bench = new ShardBench({ booksBytes: 20_000 }).live({ lastUpdateId: 100, bids });
    bench.frame({ from: 102, bids: [['0.01', '2']] }).frame({ from: 103, bids: [['0.000001', '1']] });
    bench.frame({ from: 104, bids: [['0.01', '3']] });
    bench.snapshot({ lastUpdateId: 101, bids: [['0.01', '1']] });
    expect(bench.state()).toBe('suspect memory_full');
    bench.snapshot({ lastUpdateId: 103, bids: [['0.01', '2']] });
    expect([bench.state(), bench.resyncs.at(-1)]).toEqual(['suspect memory_full', 'snapshot_old']);
    bench.snapshot({ lastUpdateId: 104, bids: [['0.01', '3']] });
    expect([bench.state(), bench.book().version]).toEqual(['live synced', 104]);
  });

  test('nor is anything read that is let go while it is looked through', () => {
    const bids = Array.from({ length: 150 }, (_, i): TextLevel => [(0.01 * (i + 1)).toFixed(2), '1']);
    const bench = new ShardBench({ booksBytes: 20_000 }).live({ lastUpdateId: 100, bids });
    for (const from of [102, 103, 104]) bench.frame({ from, bids: [['0.01', '2']] });
    bench.frame({ from: 105, bids: [['0.000001', '1']] }).lineDown(StateReason.LINE_DOWN);
    expect([bench.states.slice(2), bench.refusals]).toEqual([['suspect memory_full', 'stale line_down'], []]);
    bench.lineUp().snapshot({ lastUpdateId: 104, bids: [['0.01', '2']] });
    expect([bench.states.at(-1), bench.resyncs.at(-1)]).toEqual(['syncing line_down', 'snapshot_old']);
  });

  test('a book that finds no room to be opened says so', () => {
    const bench = new ShardBench({ booksBytes: 4_928 });
    for (const slot of [1, 2, 3]) bench.track(`S${slot}`, slot);
    expect([1, 2, 3].map((slot) => bench.state(slot))).toContain('suspect memory_full');
    expect(bench.running).toBe(true);
  });
});

describe('the end of a worker', () => {
  test('its memory is taken over: books are empty and syncing, epochs go on', () => {
    const bench = new ShardBench().live();
    bench.frame({ from: 101, bids: [['99', '5']] });
    // A write section nobody will end.
    const { seq } = bench.book();
    new Int32Array(bench.buffers.books)[headerInts(1) + VERSION]!++;
    expect(() => bench.book()).toThrow('a write section is open');
    bench.die(77);
    expect([bench.state(), bench.book().bidLevels, bench.book().bidCount, bench.book().receiveTimeMs]).toEqual([
      'syncing worker_lost',
      0,
      0,
      0,
    ]);
    expect([bench.reader.usedBytes(), bench.ingress.usedBytes(0)]).toEqual([0, 0]);
    bench.work();
    expect([bench.state(), bench.book().seq]).toEqual(['syncing worker_lost', seq]);
    bench.live({ lastUpdateId: 300, bids: [['3', '3']] });
    expect([bench.state(), bench.book().epoch, bench.book().seq, bench.levels('bid')]).toEqual(['live synced', 2, seq + 1, [['3', '3']]]);
  });

  test('a shard ends when it is told to', () => {
    const bench = new ShardBench().live();
    expect(bench.running).toBe(true);
    bench.ingress.shutDown();
    bench.work();
    expect(bench.running).toBe(false);
  });
});

test('books of other symbols in the shard notice nothing', () => {
  const bench = new ShardBench().track(SYMBOL, 1).track('币安人生USDT', 2);
  for (const slot of [1, 2]) bench.lineUp(slot).snapshot({ lastUpdateId: 10, bids: [['1', '1']] }, slot);
  bench.frame({ from: 50 }, 1).frame({ from: 11, bids: [['2', '2']] }, 2);
  expect([bench.state(1), bench.state(2), bench.levels('bid', 0, 2)]).toEqual([
    'syncing gap',
    'live synced',
    [
      ['2', '2'],
      ['1', '1'],
    ],
  ]);
  bench.untrack(1);
  expect(bench.state(2)).toBe('live synced');
});

describe('waiting for records', () => {
  /** Whether the shard goes to sleep although a record is there: a look would have found it. */
  function sleeps(bench: ShardBench): boolean {
    const waits = vi.spyOn(Atomics, 'wait');
    try {
      pushDepth(bench.ingress, 301, new Uint8Array(0), bench.now);
      bench.idle();
      return waits.mock.calls.length > 0;
    } finally {
      waits.mockRestore();
    }
  }

  test('it sleeps at once unless it is told otherwise', () => {
    const bench = new ShardBench().live();
    expect(sleeps(bench)).toBe(true);
  });

  test('it looks before it sleeps, for a while after the last news; ticks of the clock are none', () => {
    const spinUs = 20_000;
    const bench = new ShardBench({ spinUs }).live();
    expect(sleeps(bench)).toBe(false);
    bench.work();
    bench.now += 15;
    expect(sleeps(bench)).toBe(false);
    bench.work();
    bench.tick(15);
    expect(sleeps(bench)).toBe(false);
    // That was news once more, 5 ms before the end.
    bench.work();
    bench.tick(10);
    bench.tick(10);
    expect(sleeps(bench)).toBe(true);
  });
});
