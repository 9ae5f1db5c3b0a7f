import fc from 'fast-check';
import { expect, test } from 'vitest';

import { ASKS, BIDS, headerInts } from '../../src/book/book-layout.js';
import { EVICTED, LEVELS, LEVELS_MAX, TICK_LIMIT } from '../../src/book/ladder-layout.js';
import { collect, first, lotsAt, neighbour, NO_TICK } from '../../src/book/ladder-lookup.js';
import { BID_DIRECTION } from '../../src/book/order-books.js';
import { checkLadder } from '../support/ladder-integrity.js';
import type { Side } from '../support/model-book.js';
import { OneSide } from '../support/one-side.js';

/** Whole doubles near a power of two: the borders of leaves, nodes, int32, exact doubles, and the very end. */
const borders = fc
  .tuple(fc.integer({ min: 4, max: 79 }), fc.oneof(fc.integer({ min: -3, max: 3 }), fc.integer({ min: -600, max: 600 })))
  .map(([power, step]) => 2 ** power + step * 2 ** Math.max(0, power - 52))
  .filter((tick) => tick >= 0 && tick < TICK_LIMIT && Number.isInteger(tick));
const ticks = fc.oneof(
  { weight: 6, arbitrary: fc.nat({ max: 60 }).map((offset) => 8_427_000 + offset) },
  { weight: 3, arbitrary: fc.nat({ max: 2_000 }) },
  { weight: 3, arbitrary: borders },
  { weight: 1, arbitrary: fc.nat({ max: 2 ** 31 - 1 }) },
  { weight: 2, arbitrary: fc.integer({ min: 2 ** 29 - 40, max: 2 ** 29 + 40 }) },
  { weight: 1, arbitrary: fc.integer({ min: 2 ** 31, max: 2 ** 31 + 600 }) },
  { weight: 1, arbitrary: fc.nat({ max: 600 }).map((offset) => 2 ** 60 + offset * 2 ** 8) },
);
const lots = fc.oneof(
  { weight: 4, arbitrary: fc.constant(0) },
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 1_000 }) },
  { weight: 1, arbitrary: fc.constantFrom(1, 2 ** 53 - 1, 2 ** 53, 1e22, 1e300, Number.MAX_VALUE) },
);
const changes = fc.array(fc.tuple(ticks, lots), { maxLength: 30 });
const kinds = fc.constantFrom('delta', 'delta', 'delta', 'delta', 'delta', 'delta', 'delta', 'delta', 'snapshot');
const anywhere = fc.array(fc.record({ kind: kinds, changes }), { maxLength: 25 });
/** A snapshot of levels far apart in five leaves, and changes of them and around them: the leaves are packed, grow and become wide. */
const farTicks = fc.integer({ min: 8_427_008, max: 8_427_008 + 5 * 512 - 1 });
const farApart = fc
  .tuple(
    fc.array(fc.tuple(farTicks, fc.integer({ min: 1, max: 1_000 })), { minLength: 5, maxLength: 150 }),
    fc.array(fc.array(fc.tuple(farTicks, fc.nat({ max: 3 })), { maxLength: 20 }), { maxLength: 25 }),
    fc.array(fc.nat(), { maxLength: 60 }),
  )
  .map(([levels, deltas, removals]) => [
    { kind: 'snapshot', changes: levels },
    ...deltas.map((changes) => ({ kind: 'delta', changes })),
    { kind: 'delta', changes: removals.map((i) => [levels[i % levels.length]![0], 0] as [number, number]) },
  ]);
const steps = fc.oneof(anywhere, farApart);

test('a ladder is a sorted map, at any distance and in both directions', () => {
  fc.assert(
    fc.property(steps, fc.constantFrom<Side>('bid', 'ask'), fc.array(ticks, { maxLength: 12 }), (list, sideName, probes) => {
      const book = new OneSide(sideName, 2 ** 20);
      const { arena, block, direction } = book;
      const { f64, i32 } = arena;
      const opposite = headerInts(0) + (sideName === 'bid' ? ASKS : BIDS);
      const model = new Map<number, number>();
      for (const { kind, changes } of list) {
        if (kind === 'snapshot') {
          book.replace(changes);
          model.clear();
        } else {
          book.apply(changes);
        }
        for (const [tick, quantity] of changes) {
          if (quantity === 0) model.delete(tick);
          else model.set(tick, quantity);
        }
        const sorted = [...model.keys()].sort((a, b) => a - b);
        const facts = checkLadder(i32, block);
        expect(facts.ticks).toEqual(sorted);
        expect(arena.usedBytes()).toBe(8 * (facts.words + checkLadder(i32, opposite).words));
        const [lowest, highest] = [sorted[0] ?? NO_TICK, sorted.at(-1) ?? NO_TICK];
        expect(book.best).toBe(direction === BID_DIRECTION ? highest : lowest);
        expect(book.bestLots).toBe(model.get(book.best) ?? 0);
        expect([first(i32, block, 1), first(i32, block, -1)]).toEqual([lowest, highest]);
        for (const probe of [...probes, ...sorted]) {
          expect(lotsAt(f64, i32, block, probe)).toBe(model.get(probe) ?? 0);
          expect(neighbour(i32, block, probe, 1)).toBe(sorted.find((tick) => tick > probe) ?? NO_TICK);
          expect(neighbour(i32, block, probe, -1)).toBe(sorted.findLast((tick) => tick < probe) ?? NO_TICK);
        }
        for (const walk of [1, -1]) {
          const order = walk === 1 ? sorted : sorted.toReversed();
          for (const depth of [0, 1, 5, order.length, order.length + 9]) {
            const [toTicks, toLots] = [new Float64Array(depth), new Float64Array(depth)];
            const count = collect(f64, i32, block, order[0] ?? NO_TICK, walk, depth, toTicks, toLots);
            expect([...toTicks.subarray(0, count)]).toEqual(order.slice(0, depth));
            expect([...toLots.subarray(0, count)]).toEqual(order.slice(0, depth).map((tick) => model.get(tick)));
          }
        }
      }
      book.books.close(0);
      expect(arena.usedBytes()).toBe(0);
    }),
    { numRuns: 200 },
  );
});

test('a full ladder drops the level farthest from the touch, whatever is added', () => {
  const additions = fc.array(fc.tuple(fc.nat({ max: 3 * LEVELS_MAX }), fc.boolean(), fc.boolean()), { minLength: 100, maxLength: 400 });
  fc.assert(
    fc.property(additions, fc.constantFrom<Side>('bid', 'ask'), (list, sideName) => {
      const book = new OneSide(sideName, 4 * 2 ** 20);
      const { arena, block, direction } = book;
      // Every other tick of the middle; then levels better, between and worse, near and far.
      const sorted = Array.from({ length: LEVELS_MAX }, (_, i) => LEVELS_MAX + 2 * i);
      book.apply(sorted.map((tick) => [tick, 1]));
      expect([arena.i32[block + LEVELS], arena.i32[block + EVICTED]]).toEqual([LEVELS_MAX, 0]);
      let evicted = 0;
      for (const [near, isFar, isRemoval] of list) {
        const tick = isFar ? near + 2 ** 32 : near;
        book.apply([[tick, isRemoval ? 0 : 2]]);
        const place = lowerBound(sorted, tick);
        const known = sorted[place] === tick;
        if (isRemoval) {
          if (known) sorted.splice(place, 1);
        } else if (!known) {
          sorted.splice(place, 0, tick);
          if (sorted.length > LEVELS_MAX) {
            if (direction === BID_DIRECTION) sorted.shift();
            else sorted.pop();
            evicted++;
          }
        }
        expect(book.best).toBe(direction === BID_DIRECTION ? sorted.at(-1) : sorted[0]);
        expect(arena.i32[block + EVICTED]).toBe(evicted);
      }
      // A plain comparison of so many numbers, from which an assertion would make a text.
      const held = checkLadder(arena.i32, block).ticks;
      expect(held.length).toBe(sorted.length);
      expect(held.findIndex((tick, i) => tick !== sorted[i])).toBe(-1);
      book.books.close(0);
      expect(arena.usedBytes()).toBe(0);
      // A slot put to use again counts from 0.
      book.books.open(0, 0, 0, 0);
      expect(arena.i32[block + EVICTED]).toBe(0);
    }),
    { numRuns: 10 },
  );
});

function lowerBound(sorted: readonly number[], value: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
