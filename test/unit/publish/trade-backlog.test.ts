import { expect, test } from 'vitest';
import type { TradesMessage } from '../../../src/model/publication.js';
import { TradeBacklog } from '../../../src/publish/trade-backlog.js';

const frame = Buffer.alloc(3);
const message = (seq: number): TradesMessage => ({ epoch: 1, seq, count: 1, firstMs: seq, lastMs: seq, frame });

test('a long backlog is taken out in order, whatever comes and goes meanwhile', () => {
  const backlog = new TradeBacklog();
  const most = 200_000;
  for (let seq = 1; seq <= most; seq++) backlog.add(message(seq));
  for (let seq = 1; seq <= most; seq++) {
    const { seq: taken } = seq % 2 === 0 ? backlog.takeOldest() : backlog.dropOldest();
    if (taken !== seq) expect(taken).toBe(seq);
    if (seq % 4 === 0) backlog.add(message(most + seq / 4));
  }
  expect([backlog.skipped!.seq, backlog.skipped!.toMs, backlog.isEmpty()]).toEqual([most - 1, most, false]);
  expect(backlog.forget()).toBe((most / 4) * frame.length);
  expect([backlog.isEmpty(), backlog.skipped]).toEqual([true, null]);
});
