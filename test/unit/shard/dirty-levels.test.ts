import fc from 'fast-check';
import { expect, test } from 'vitest';

import { DirtyLevels } from '../../../src/shard/dirty-levels.js';

function add(dirty: DirtyLevels, ticks: readonly number[], limit = 1e6): boolean {
  return dirty.add(Float64Array.from([...ticks, NaN, NaN]), ticks.length, limit);
}

test('holds each tick once when settled, lowest first', () => {
  const dirty = new DirtyLevels();
  add(dirty, [5, 3, 5]);
  add(dirty, [100, 3, 20]);
  dirty.settle();
  expect([...dirty.ticks.subarray(0, dirty.count)]).toEqual([3, 5, 20, 100]);
  dirty.clear();
  expect(dirty.count).toBe(0);
});

test('repetitions do not count against the limit', () => {
  const dirty = new DirtyLevels();
  for (let i = 0; i < 100; i++) expect(add(dirty, [1, 2, 3], 6)).toBe(true);
  expect(add(dirty, [4, 5, 6], 6)).toBe(true);
  expect(add(dirty, [7], 6)).toBe(false);
});

test('is the set of all ticks added, as long as it has room', () => {
  const batches = fc.array(fc.array(fc.oneof(fc.nat({ max: 50 }), fc.integer({ min: 0, max: 2 ** 60 })), { maxLength: 80 }), {
    maxLength: 30,
  });
  fc.assert(
    fc.property(batches, fc.integer({ min: 1, max: 900 }), (list, limit) => {
      const dirty = new DirtyLevels();
      const model = new Set<number>();
      for (const ticks of list) {
        const kept = add(dirty, ticks, limit);
        if (!kept) {
          expect(model.size + ticks.length).toBeGreaterThan(limit);
          break;
        }
        for (const tick of ticks) model.add(tick);
        expect(dirty.count).toBeLessThanOrEqual(Math.max(limit, model.size));
      }
      dirty.settle();
      expect([...dirty.ticks.subarray(0, dirty.count)]).toEqual([...model].sort((a, b) => a - b));
    }),
    { numRuns: 200 },
  );
});
