import { describe, expect, test } from 'vitest';
import { decodePush } from '../../src/mexc/decode-push.js';
import { AuditOutcome } from '../../src/model/audit.js';
import { readFrames, readRestSnapshots, reencodedSessions } from '../support/recorded.js';
import { ShardBench } from '../support/shard-bench.js';
import { sharedDir } from '../support/shared.js';

/** Pushes a late snapshot is behind the book. */
const LEAD = 20;

describe.skipIf(!sharedDir)('audits of a recorded session (needs ../shared)', () => {
  test('every whole book recorded on the way is the one we have', { timeout: 60_000 }, () => {
    const bench = new ShardBench({ inboundBytes: 2 ** 22, booksBytes: 2 ** 24 }).track('BTCUSDT', 1, 2, 8).lineUp();
    const snapshots = [...readRestSnapshots()].map(({ raw }) => ({
      body: Buffer.from(raw),
      version: (JSON.parse(raw) as { lastUpdateId: number }).lastUpdateId,
    }));
    let phase: 'idle' | 'begun' | 'delivered' = 'idle';
    let since = 0;
    let behind = 0;
    for (const line of readFrames(reencodedSessions[0])) {
      if (line.k === 'rest') {
        bench.snapshot(Buffer.from(line.raw));
        continue;
      }
      const push = Buffer.from(line.b64, 'base64');
      if (decodePush(push).body.kind !== 'aggreDepths') continue;
      bench.frame(push).tick();
      const done = bench.audits.length;
      const wanted = snapshots[done];
      if (wanted === undefined) continue;
      const { version } = bench.book(1, -1);
      if (phase === 'delivered' && since < done) phase = 'idle';
      if (phase === 'idle' && version >= wanted.version - 2000) {
        bench.audit();
        phase = 'begun';
        since = done;
        behind = 0;
      }
      // One snapshot comes before the book is at its version, the next well after.
      const isTime = done % 2 === 0 || (version >= wanted.version && ++behind === LEAD);
      if (phase === 'begun' && isTime) {
        bench.auditSnapshot(wanted.body);
        phase = 'delivered';
      }
    }
    expect(bench.audits.map(({ outcome }) => outcome)).toEqual(snapshots.map(() => AuditOutcome.MATCH));
    for (const { matched, differences } of bench.audits) {
      expect(matched).toBeGreaterThan(2000);
      expect(differences).toEqual([]);
    }
    expect(bench.state()).toBe('live synced');
  });
});
