import { beforeEach, expect, test } from 'vitest';

import { createMeterBuffer, METER_PENDING_BYTES, METER_PENDING_PUSHES, ShardMeter } from '../../../src/memory/shard-meter.js';
import { PENDING_SHARD_BYTES_MAX, PendingBudget } from '../../../src/shard/pending-budget.js';
import { PENDING_BYTES_MAX, PENDING_FRAMES_MAX, PendingUpdates } from '../../../src/shard/pending-updates.js';

let words: Float64Array;
let budget: PendingBudget;
/** Pushes that waited when there were too many, in order. */
let dropped: string[];

beforeEach(() => {
  const buffer = createMeterBuffer();
  words = new Float64Array(buffer);
  budget = new PendingBudget(new ShardMeter(buffer));
  dropped = [];
});

function create(name = ''): PendingUpdates {
  const pending: PendingUpdates = new PendingUpdates(budget, (timeMs) => dropped.push(`${name}${pending.count} at ${timeMs}`));
  return pending;
}

const all = (pending: PendingUpdates): number[][] =>
  Array.from({ length: pending.count }, (_, i) => [...pending.bytes.subarray(pending.start(i), pending.end(i)), pending.timeMs(i)]);
const gauges = (): [number, number] => [words[METER_PENDING_PUSHES]!, words[METER_PENDING_BYTES]!];

test('keeps copies, in order, with their times, in memory of its own', () => {
  const pending = create();
  const source = new Uint8Array(new SharedArrayBuffer(5));
  source.set([1, 2, 3, 4, 5]);
  pending.push(source, 1, 3, 10);
  pending.push(source, 3, 3, 15);
  pending.push(source, 3, 5, 20);
  source.fill(0);
  expect(all(pending)).toEqual([[2, 3, 10], [15], [4, 5, 20]]);
  expect([pending.bytes.buffer, pending.bytes.byteOffset]).toEqual([expect.any(ArrayBuffer), 0]);
  expect([pending.view.buffer, pending.view.byteOffset]).toEqual([pending.bytes.buffer, 0]);
});

test('keeps them while it grows', () => {
  const pending = create();
  const pushes = Array.from({ length: 600 }, (_, i) => new Uint8Array(1 + ((i * 37) % 200)).fill(i));
  for (const [i, push] of pushes.entries()) pending.push(push, 0, push.length, i);
  expect(all(pending)).toEqual(pushes.map((push, i) => [...push, i]));
  const bytes = pushes.reduce((sum, push) => sum + push.length, 0);
  expect(pending.capacity).toBe(2 ** Math.ceil(Math.log2(bytes)));
  expect(pending.view.byteLength).toBe(pending.capacity);
});

test('forgets the first ones, and gives back the memory they took', () => {
  const pending = create();
  const push = new Uint8Array(3000);
  for (let i = 0; i < 5; i++) pending.push(push.fill(i), 0, push.length, i);
  pending.dropFirst(0);
  expect([pending.count, pending.capacity]).toEqual([5, 16_384]);
  pending.dropFirst(3);
  expect(all(pending).map((each) => [each[0], each.length, each.at(-1)])).toEqual([
    [3, 3001, 3],
    [4, 3001, 4],
  ]);
  expect(gauges()).toEqual([2, 8192]);
  pending.dropFirst(2);
  expect([pending.count, ...gauges()]).toEqual([0, 0, 0]);
});

test('holds so many pushes, and is empty after one more', () => {
  const pending = create();
  for (let i = 0; i < PENDING_FRAMES_MAX; i++) pending.push(Uint8Array.of(1), 0, 1, i);
  expect([pending.count, dropped]).toEqual([PENDING_FRAMES_MAX, []]);
  pending.push(Uint8Array.of(1), 0, 1, 7);
  expect([dropped, pending.count, ...gauges()]).toEqual([[`${PENDING_FRAMES_MAX + 1} at 7`], 0, 0, 0]);
  pending.push(Uint8Array.of(1), 0, 1, 0);
  expect(all(pending)).toEqual([[1, 0]]);
});

test('holds so many bytes, and gets room back', () => {
  const pending = create();
  const quarter = new Uint8Array(PENDING_BYTES_MAX / 4);
  for (let i = 0; i < 4; i++) pending.push(quarter, 0, quarter.length, i);
  pending.dropFirst(1);
  pending.push(quarter, 0, quarter.length, 5);
  expect([dropped, ...gauges()]).toEqual([[], 4, PENDING_BYTES_MAX]);
  pending.push(quarter, 0, 1, 6);
  expect([dropped, ...gauges()]).toEqual([['5 at 6'], 0, 0]);
  for (let i = 0; i < 4; i++) pending.push(quarter, 0, quarter.length, i);
  pending.clear();
  expect([dropped.length, pending.count, ...gauges()]).toEqual([1, 0, 0, 0]);
});

test('of all together, the one that holds most lets go when there is too much, and of several the one that began first', () => {
  const mib = new Uint8Array(2 ** 20);
  const many = PENDING_SHARD_BYTES_MAX / (2 * mib.length);
  const lists = Array.from({ length: many }, (_, i) => create(`${i}: `));
  for (const list of lists) for (let i = 0; i < 2; i++) list.push(mib, 0, mib.length, i);
  expect([dropped, ...gauges()]).toEqual([[], 2 * many, PENDING_SHARD_BYTES_MAX]);
  const late = create('late: ');
  late.push(mib, 0, 1, 8);
  expect([dropped, late.count, lists[0]!.count]).toEqual([['0: 2 at 8'], 1, 0]);
  // Room for it was left, and then there is none: what it holds is most.
  lists[5]!.push(mib, 0, mib.length, 9);
  expect(dropped).toEqual(['0: 2 at 8', '5: 3 at 9']);
  expect(gauges()).toEqual([2 * (many - 2) + 1, PENDING_SHARD_BYTES_MAX - 4 * mib.length + 4096]);
  for (const list of [...lists, late]) list.clear();
  expect(gauges()).toEqual([0, 0]);
});
