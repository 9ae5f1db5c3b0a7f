import { beforeEach, expect, test, vi } from 'vitest';

import { Spin } from '../../../src/shard/spin.js';

let nowMs: number;
/** What each look at the clock takes. */
let stepMs: number;
/** Looks at the ring so far, and the one that finds a record. */
let looks: number;
let foundAt: number;
let spin: Spin;
const ring = { usedBytes: () => (++looks >= foundAt ? 32 : 0) };

beforeEach(() => {
  nowMs = 1000;
  stepMs = 0.01;
  looks = 0;
  foundAt = Infinity;
  spin = new Spin(1000, () => (nowMs += stepMs));
});

test('sleeps at once before the first news, and when its time is over', () => {
  foundAt = 1;
  expect([spin.finds(ring), looks]).toEqual([false, 0]);
  spin.news();
  nowMs += 1;
  expect([spin.finds(ring), looks]).toEqual([false, 0]);
});

test('looks until there is a record, without a word to anybody', () => {
  const [stores, wakes] = [vi.spyOn(Atomics, 'store'), vi.spyOn(Atomics, 'notify')];
  try {
    spin.news();
    foundAt = 1000;
    expect([spin.finds(ring), looks]).toEqual([true, 1000]);
    expect([stores.mock.calls, wakes.mock.calls]).toEqual([[], []]);
  } finally {
    stores.mockRestore();
    wakes.mockRestore();
  }
});

test('looks for as long as it is told after the last news', () => {
  spin.news();
  const untilMs = nowMs + 1;
  expect(spin.finds(ring)).toBe(false);
  expect([nowMs, looks > 1000]).toEqual([expect.closeTo(untilMs, 1), true]);
  // Asleep, until something comes again.
  foundAt = 0;
  expect(spin.finds(ring)).toBe(false);
  spin.news();
  expect(spin.finds(ring)).toBe(true);
});

test('who lost the core while it looked sleeps at once, and does so for a while', () => {
  spin.news();
  stepMs = 0.6;
  const before = looks;
  expect(spin.finds(ring)).toBe(false);
  expect(looks - before).toBe(32);
  stepMs = 0.01;
  foundAt = 0;
  nowMs += 90;
  spin.news();
  expect(spin.finds(ring)).toBe(false);
  nowMs += 10;
  spin.news();
  expect(spin.finds(ring)).toBe(true);
});
