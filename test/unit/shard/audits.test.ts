import { describe, expect, it } from 'vitest';
import { AuditOutcome, auditOutcomeNames } from '../../../src/model/audit.js';
import { StateReason } from '../../../src/model/book-state.js';
import { Channel, Format, MessageKind } from '../../../src/model/publication.js';
import { decodeReport, encodeReport } from '../../../src/shard/audit-report.js';
import { PENDING_FRAMES_MAX } from '../../../src/shard/pending-updates.js';
import { ShardBench, SYMBOL } from '../../support/shard-bench.js';

const BOOK = 7;
const start = { lastUpdateId: 100, bids: [['99.5', '1']], asks: [['100.5', '2']] } as const;

function outcomes(bench: ShardBench): string[] {
  return bench.audits.map(({ outcome }) => auditOutcomeNames[outcome]);
}

/** A live book at version 100 whose full stream is open. */
function live(): ShardBench {
  const bench = new ShardBench().live(start);
  bench.open(BOOK, { channel: Channel.BOOK, depth: 0, intervalMs: 0, format: Format.JSON });
  bench.take(BOOK);
  return bench;
}

/** A push of one bid. */
function push(from: number, to: number, price: string, quantity: string) {
  return { symbol: SYMBOL, from, to, bids: [[price, quantity]] as [string, string][] };
}

describe('the version of the snapshot', () => {
  it('that of the book: compared at once', () => {
    const bench = live().audit().auditSnapshot(start);
    expect(bench.audits).toMatchObject([{ outcome: AuditOutcome.MATCH, version: 100, matched: 2, differences: [] }]);
    expect(bench.state()).toBe('live synced');
    expect(bench.take(BOOK)).toEqual([]);
  });

  it('before that of the book: brought forward by the pushes kept', () => {
    const bench = live().audit();
    bench
      .frame(push(101, 101, '99.4', '3'))
      .frame(push(102, 104, '99.5', '0'))
      .frame(push(105, 105, '99.3', '1'));
    bench.auditSnapshot({ ...start, lastUpdateId: 101, bids: [...start.bids, ['99.4', '3']] });
    expect(bench.audits).toMatchObject([{ outcome: AuditOutcome.MATCH, version: 105, matched: 3 }]);
  });

  it('within a push the book applied whole', () => {
    const bench = live().audit();
    bench.frame(push(101, 105, '99.4', '3'));
    bench.auditSnapshot({ ...start, lastUpdateId: 103, bids: [...start.bids, ['99.4', '2']] });
    expect(bench.audits).toMatchObject([{ outcome: AuditOutcome.MATCH, version: 105 }]);
  });

  it('before the pushes kept: nothing can be said', () => {
    const bench = live();
    bench
      .frame(push(101, 101, '99.4', '3'))
      .audit()
      .frame(push(102, 102, '99.3', '3'));
    bench.auditSnapshot(start);
    expect(outcomes(bench)).toEqual(['no_join']);
    bench.audit().auditSnapshot(start);
    expect(outcomes(bench)).toEqual(['no_join', 'no_join']);
    expect(bench.state()).toBe('live synced');
    expect(bench.resyncs).toEqual([]);
  });

  it('of another count, as the pushes are: the sixth audit in a row says so, and the book begins anew', () => {
    const bench = live().frame(push(5, 6, '98', '7'));
    for (let old = 1; old <= 5; old++) bench.audit().auditSnapshot({ ...start, lastUpdateId: 4 + old });
    expect([outcomes(bench), bench.state(), bench.resyncs]).toEqual([Array.from({ length: 5 }, () => 'no_join'), 'live synced', []]);
    expect(bench.levels('bid')).toEqual([['99.5', '1']]);
    bench.audit().auditSnapshot({ ...start, lastUpdateId: 10 });
    expect([bench.state(), bench.resyncs]).toEqual(['syncing gap', ['gap']]);
    // Versions of the count before keep no snapshot away.
    bench.snapshot({ lastUpdateId: 11, bids: [['98', '3']] });
    expect([bench.state(), bench.book().version, bench.levels('bid')]).toEqual(['live synced', 11, [['98', '3']]]);
  });

  it('older again and again, while no push says the same: the book stays', () => {
    const bench = live().frame(push(101, 101, '99.4', '3'));
    for (let old = 1; old <= 8; old++) bench.audit().auditSnapshot(start);
    expect([outcomes(bench).length, bench.state(), bench.resyncs]).toEqual([8, 'live synced', []]);
  });

  it('after that of the book: waits until the book is there', () => {
    const bench = live().audit();
    bench.auditSnapshot({ ...start, lastUpdateId: 102, bids: [['99.4', '3']] });
    expect(bench.audits).toEqual([]);
    bench.frame(push(101, 101, '99.4', '3'));
    expect(bench.audits).toEqual([]);
    bench.frame(push(102, 102, '99.5', '0')).tick();
    expect(bench.audits).toMatchObject([{ outcome: AuditOutcome.MATCH, version: 102, matched: 2 }]);
  });

  it('after that of the book, and a push jumps past it: brought forward', () => {
    const bench = live().audit();
    bench.auditSnapshot({ ...start, lastUpdateId: 102, bids: [['99.4', '3'], ...start.bids] });
    bench.frame({ ...push(101, 104, '99.4', '7'), asks: [['100.6', '1']] }).tick();
    expect(bench.audits).toMatchObject([{ outcome: AuditOutcome.MATCH, version: 104, matched: 4 }]);
  });

  it('never reached: the audit ends without a word about the book', () => {
    const bench = live().audit();
    bench.auditSnapshot({ ...start, lastUpdateId: 999 });
    bench.frame(push(101, 101, '99.4', '3'));
    for (let i = 0; i < 41; i++) bench.frame(push(102 + i, 102 + i, '99.4', '3')).tick(250);
    expect(outcomes(bench)).toEqual(['not_reached']);
  });
});

describe('a mismatch', () => {
  it('makes the book suspect and repairs it in a new epoch', () => {
    const bench = live();
    bench.frame(push(101, 101, '99.4', '33'));
    bench.take(BOOK);
    const { epoch } = bench.book();
    bench.audit().frame(push(102, 102, '99.3', '4'));
    bench.states.length = 0;
    bench.auditSnapshot({
      ...start,
      lastUpdateId: 101,
      bids: [
        ['99.5', '1'],
        ['99.4', '3'],
      ],
    });
    expect(bench.audits).toMatchObject([
      {
        outcome: AuditOutcome.MISMATCH,
        version: 102,
        matched: 3,
        wrong: 1,
        ghosts: 0,
        missing: 0,
        differences: [{ side: 'bid', tick: 9940, ours: 33_000, theirs: 3000 }],
      },
    ]);
    expect(bench.states).toEqual(['suspect audit_mismatch', 'live synced']);
    expect(bench.resyncs).toEqual([]);
    expect(bench.book()).toMatchObject({ epoch: epoch + 1, version: 102 });
    expect(bench.levels('bid')).toEqual([
      ['99.5', '1'],
      ['99.4', '3'],
      ['99.3', '4'],
    ]);
    const messages = bench.take(BOOK);
    expect(messages.slice(0, 1)).toMatchObject([{ kind: MessageKind.DELTA, body: { xv: [102, 102] } }]);
    expect(messages.at(-1)).toMatchObject({ kind: MessageKind.SNAPSHOT, body: { type: 'snapshot', reason: 'resync', epoch: epoch + 1 } });
    bench.frame(push(103, 103, '99.2', '1'));
    expect(bench.levels('bid')).toHaveLength(4);
  });

  it('may be a level the book has alone, or the exchange', () => {
    const bench = live().audit();
    bench.auditSnapshot({ lastUpdateId: 100, bids: [['99.4', '1']], asks: start.asks });
    expect(bench.audits).toMatchObject([{ outcome: AuditOutcome.MISMATCH, ghosts: 1, missing: 1, wrong: 0, matched: 1 }]);
    expect(bench.levels('bid')).toEqual([['99.4', '1']]);
  });
});

describe('no audit', () => {
  it('of a book that is not live, or does not stay so', () => {
    const bench = live();
    bench.lineDown(StateReason.LINE_DOWN).audit();
    expect(outcomes(bench)).toEqual(['interrupted']);
    bench.lineUp().snapshot(start).audit();
    bench.frame(push(105, 105, '99.4', '1'));
    expect(outcomes(bench)).toEqual(['interrupted', 'interrupted']);
    bench.auditSnapshot({ ...start, bids: [] });
    expect(bench.audits).toHaveLength(2);
    expect(bench.state()).toBe('syncing gap');
  });

  it('when its snapshot cannot be read', () => {
    const bench = live().audit().auditSnapshot(new TextEncoder().encode('<html>'));
    expect(outcomes(bench)).toEqual(['unreadable']);
    expect([bench.state(), bench.resyncs]).toEqual(['live synced', []]);
  });

  it('when a number of its snapshot needs more decimals than another one leaves room for: the book stays as it is', () => {
    const bench = live().audit();
    const { priceScale, quantityScale } = bench.book();
    bench.auditSnapshot({ ...start, bids: [['99.12345678', '1']], asks: [['1'.padEnd(21, '0'), '2']] });
    expect(outcomes(bench)).toEqual(['unreadable']);
    expect(bench.book()).toMatchObject({ priceScale, quantityScale });
    expect(bench.take(BOOK)).toEqual([]);
  });

  it('when more pushes come than are kept', () => {
    const bench = live().audit();
    for (let i = 1; i <= PENDING_FRAMES_MAX + 1; i++) bench.frame(push(100 + i, 100 + i, '99.4', '3'));
    expect(outcomes(bench)).toEqual(['overflow']);
    bench.frame(push(102 + PENDING_FRAMES_MAX, 102 + PENDING_FRAMES_MAX, '99.4', '3'));
    expect(bench.audits).toHaveLength(1);
  });

  it('when it is called off, or the symbol goes', () => {
    const bench = live().audit();
    bench.ingress.auditCancelled(301, bench.now);
    bench.work().auditSnapshot({ ...start, bids: [] });
    bench.audit().untrack();
    bench
      .track()
      .lineUp()
      .snapshot(start)
      .auditSnapshot({ ...start, bids: [] });
    expect(bench.audits).toEqual([]);
    expect(bench.state()).toBe('live synced');
  });
});

describe('reach', () => {
  const deep = (lastUpdateId: number, from: number, extra: [string, string][] = []) => ({
    lastUpdateId,
    bids: [...extra, ...Array.from({ length: 1000 - extra.length }, (_, i): [string, string] => [((from - i) / 100).toFixed(2), '1'])],
    asks: [['200', '1']] as [string, string][],
  });

  it('of the first snapshot, and then of each audit', () => {
    const bench = new ShardBench().live(deep(100, 10_000));
    expect(bench.book()).toMatchObject({ provenBids: 9001, provenAsks: Infinity });
    bench.audit().frame(push(101, 101, '100.01', '1'));
    bench.auditSnapshot(deep(101, 10_001));
    expect(bench.audits).toMatchObject([{ outcome: AuditOutcome.MATCH, matched: 1001 }]);
    expect(bench.book()).toMatchObject({ provenBids: 9002, bidLevels: 1001 });
  });

  it('what lies beyond what was proven is set right by a delta, in the same epoch', () => {
    const bench = new ShardBench().live(deep(100, 10_000));
    bench.open(BOOK, { channel: Channel.BOOK, depth: 0, intervalMs: 0, format: Format.JSON });
    // The price falls: the exchange shows levels that were out of sight.
    for (let i = 0; i < 3; i++) bench.frame(push(101 + i, 101 + i, ((10_000 - i) / 100).toFixed(2), '0'));
    bench.take(BOOK);
    const { epoch, seq } = bench.book();
    bench.audit().auditSnapshot(deep(103, 9997));
    expect(bench.audits).toMatchObject([{ outcome: AuditOutcome.MATCH, matched: 998, corrected: 3 }]);
    expect(bench.book()).toMatchObject({ epoch, seq: seq + 1, version: 103, bidLevels: 1000, provenBids: 8998 });
    const changes = ['90.00', '89.99', '89.98'].map((price) => [price, '1.000']);
    expect(bench.take(BOOK)).toMatchObject([
      { kind: MessageKind.DELTA, body: { seq: seq + 1, prev: seq, xv: [103, 103], b: changes, a: [] } },
    ]);
    bench.frame(push(104, 104, '99.97', '0'));
    expect(bench.state()).toBe('live synced');
  });

  it('a repaired book is proven as far as the snapshot reaches, not as far as pushes went', () => {
    const bench = new ShardBench().live(deep(100, 10_000));
    bench.audit().frame(push(101, 101, '80', '1'));
    bench.auditSnapshot(deep(100, 10_000, [['100.50', '4']]));
    expect(bench.audits).toMatchObject([{ outcome: AuditOutcome.MISMATCH, missing: 1 }]);
    expect(bench.book()).toMatchObject({ bidLevels: 1001, provenBids: 9002 });
  });

  it('moves with the scale', () => {
    const bench = new ShardBench().live(deep(100, 10_000));
    bench.frame(push(101, 101, '99.123', '1'));
    expect(bench.book()).toMatchObject({ priceScale: 3, provenBids: 90_010 });
    bench.audit().auditSnapshot({ ...deep(101, 10_000, [['99.123', '1']]), asks: [['200.0001', '1']] });
    expect(bench.book()).toMatchObject({ priceScale: 4, provenBids: 900_200 });
    expect(outcomes(bench)).toEqual(['mismatch']);
  });

  it('ends with the book', () => {
    const bench = new ShardBench().live(deep(100, 10_000));
    bench.untrack().track();
    expect(bench.book()).toMatchObject({ provenBids: Infinity, provenAsks: -1 });
  });
});

it('a report survives its way to the main thread', () => {
  const report = {
    outcome: AuditOutcome.MISMATCH,
    timeMs: 1_700_000_000_000.5,
    version: 2 ** 52,
    matched: 1,
    wrong: 2,
    ghosts: 3,
    missing: 4,
    corrected: 5,
    dropped: 6,
    priceScale: 2,
    quantityScale: 8,
    differences: [
      { side: 'bid', tick: 100, ours: 1, theirs: 0 },
      { side: 'ask', tick: 101, ours: 0, theirs: 2 },
    ],
  } as const;
  expect(decodeReport(encodeReport(report))).toEqual(report);
});

it('a report that finds the ring full is sent later', () => {
  const bench = new ShardBench({ outboundBytes: 4096 }).live(start);
  bench.draining = false;
  for (let i = 0; i < 60; i++) bench.audit().auditSnapshot(start);
  expect(bench.audits).toEqual([]);
  bench.draining = true;
  bench.work().tick();
  expect(bench.audits).toHaveLength(60);
});
