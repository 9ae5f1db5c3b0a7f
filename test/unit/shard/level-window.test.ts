import fc from 'fast-check';
import { expect, test } from 'vitest';

import { diffWindows, LevelWindow } from '../../../src/shard/level-window.js';

type Levels = readonly (readonly [tick: number, lots: number])[];

function windowOf(levels: Levels, room = 20): LevelWindow {
  const window = new LevelWindow(room);
  window.count = levels.length;
  for (const [i, [tick, lots]] of levels.entries()) [window.ticks[i], window.lots[i]] = [tick, lots];
  return window;
}

function diff(before: Levels, after: Levels, direction: number): number[][] {
  const [ticks, lots] = [new Float64Array(40), new Float64Array(40)];
  const count = diffWindows(windowOf(before), windowOf(after), direction, ticks, lots);
  return Array.from({ length: count }, (_, i) => [ticks[i]!, lots[i]!]);
}

test('changed, new and vanished levels, best first', () => {
  const before: Levels = [
    [10, 1],
    [12, 2],
    [15, 3],
  ];
  const after: Levels = [
    [9, 5],
    [12, 2],
    [13, 4],
    [15, 7],
  ];
  expect(diff(before, after, 1)).toEqual([
    [9, 5],
    [10, 0],
    [13, 4],
    [15, 7],
  ]);
  expect(diff(before.toReversed(), after.toReversed(), -1)).toEqual([
    [15, 7],
    [13, 4],
    [10, 0],
    [9, 5],
  ]);
});

test.each<[string, Levels, Levels, number[][]]>([
  ['nothing from nothing', [], [], []],
  [
    'all from nothing',
    [],
    [
      [1, 1],
      [2, 2],
    ],
    [
      [1, 1],
      [2, 2],
    ],
  ],
  [
    'nothing from all',
    [
      [1, 1],
      [2, 2],
    ],
    [],
    [
      [1, 0],
      [2, 0],
    ],
  ],
  [
    'the same',
    [
      [1, 1],
      [2, 2],
    ],
    [
      [1, 1],
      [2, 2],
    ],
    [],
  ],
])('%s', (_, before, after, expected) => {
  expect(diff(before, after, 1)).toEqual(expected);
});

test('the changes turn one window into the other, and are as few as can be', () => {
  const sides = fc.uniqueArray(fc.tuple(fc.nat({ max: 30 }), fc.integer({ min: 1, max: 3 })), {
    selector: ([tick]) => tick,
    maxLength: 20,
  });
  fc.assert(
    fc.property(sides, sides, fc.constantFrom(1, -1), (a, b, direction) => {
      const sort = (levels: Levels): Levels => levels.toSorted(([x], [y]) => (x - y) * direction);
      const [before, after] = [sort(a), sort(b)];
      const changes = diff(before, after, direction);
      const map = new Map(before);
      for (const [tick, lots] of changes) {
        expect(map.get(tick!) ?? 0).not.toBe(lots);
        if (lots === 0) map.delete(tick!);
        else map.set(tick!, lots!);
      }
      expect(sort([...map])).toEqual(after);
      expect(sort(changes as [number, number][])).toEqual(changes);
      expect(windowOf(before).equals(windowOf(after))).toBe(changes.length === 0);
    }),
    { numRuns: 500 },
  );
});

test('windows are equal when what they hold is, whatever lies behind', () => {
  const [a, b] = [windowOf([[1, 1]]), windowOf([[1, 1]])];
  b.ticks[1] = 99;
  expect(a.equals(b)).toBe(true);
  b.count = 2;
  expect(a.equals(b)).toBe(false);
  expect(windowOf([[1, 1]]).equals(windowOf([[1, 2]]))).toBe(false);
  expect(windowOf([[1, 1]]).equals(windowOf([[2, 1]]))).toBe(false);
});
