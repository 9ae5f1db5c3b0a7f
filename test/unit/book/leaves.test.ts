import { expect, test } from 'vitest';
import { BookState, StateReason } from '../../../src/model/book-state.js';
import {
  CHANGES_PER_LEVEL,
  LEAF_TICKS,
  LEVELS_PER_WIDE,
  PACKED_CHANGES_MAX,
  SPARE_CHANGES,
  SPARE_WIDE,
  WINDOW_MS,
} from '../../../src/book/ladder-layout.js';
import { collect } from '../../../src/book/ladder-lookup.js';
import { ArenaFullError } from '../../../src/memory/arena.js';
import { checkLadder } from '../../support/ladder-integrity.js';
import { type LevelChange, OneSide } from '../../support/one-side.js';

const BASE = 100 * LEAF_TICKS;
const ARENA_BYTES = 2 ** 20;
const LEAVES = 8;

/** Asks far apart: 16 levels in each of eight leaves, best first. */
function farApart(): LevelChange[] {
  return Array.from({ length: 16 * LEAVES }, (_, i) => [BASE + 32 * i, 1000 + i]);
}

function levelsOf({ arena, block, best }: OneSide): LevelChange[] {
  const [ticks, lots] = [new Float64Array(1000), new Float64Array(1000)];
  const count = collect(arena.f64, arena.i32, block, best, 1, 1000, ticks, lots);
  return Array.from({ length: count }, (_, i) => [ticks[i]!, lots[i]!]);
}

/** The best level set to other and other lots: as many changes as there are between two sweeps. */
function sweep(side: OneSide, levels: number): void {
  let left = CHANGES_PER_LEVEL * levels + SPARE_CHANGES + 1;
  for (; left > 0; left -= 1000) side.apply(Array.from({ length: Math.min(left, 1000) }, (_, i) => [BASE, 1 + i]));
}

test('after a snapshot leaves are packed, but for those with a level at more than every other tick', () => {
  const side = new OneSide('ask', ARENA_BYTES);
  side.replace(farApart());
  expect(checkLadder(side.arena.i32, side.block)).toMatchObject({ packed: LEAVES, wide: 0 });
  expect(levelsOf(side)).toEqual(farApart());
  const sideBySide = Array.from({ length: 900 }, (_, i): LevelChange => [BASE + i, 1 + i]);
  side.replace(sideBySide);
  expect(checkLadder(side.arena.i32, side.block)).toMatchObject({ packed: 0, wide: 2 });
  expect(levelsOf(side)).toEqual(sideBySide);
});

test('a packed leaf is changed in place until it has changed too often', () => {
  const side = new OneSide('ask', ARENA_BYTES);
  const expected = new Map(farApart());
  side.replace(farApart());
  // In the second leaf: levels set, added (more than its block has room for) and removed.
  const changes = Array.from({ length: PACKED_CHANGES_MAX - 1 }, (_, i): LevelChange => {
    const tick = BASE + LEAF_TICKS + 16 * i;
    return [tick, i % 4 === 2 ? 0 : 7 + i];
  });
  for (const change of changes) {
    side.apply([change]);
    if (change[1] === 0) expected.delete(change[0]);
    else expected.set(...change);
    expect(checkLadder(side.arena.i32, side.block).packed).toBe(LEAVES);
    expect(levelsOf(side)).toEqual([...expected].sort(([a], [b]) => a - b));
  }
  side.apply([[BASE + LEAF_TICKS + 1, 3]]);
  expected.set(BASE + LEAF_TICKS + 1, 3);
  expect(checkLadder(side.arena.i32, side.block).packed).toBe(LEAVES - 1);
  expect(levelsOf(side)).toEqual([...expected].sort(([a], [b]) => a - b));
});

test('a level far from all others is in a packed leaf from the start', () => {
  const side = new OneSide('ask', ARENA_BYTES);
  side.replace([[BASE, 1]]);
  const before = side.arena.usedBytes();
  const alone = Array.from({ length: 100 }, (_, i): LevelChange => [BASE + (i + 1) * LEAF_TICKS, 1 + i]);
  side.apply(alone);
  expect(checkLadder(side.arena.i32, side.block).packed).toBe(101);
  expect(levelsOf(side)).toEqual([[BASE, 1], ...alone]);
  // Sixteen words each, and three more nodes of 17.
  expect(side.arena.usedBytes() - before).toBe(8 * (100 * 16 + 3 * 17));
});

test('changes that are seconds apart make no leaf wide', () => {
  const side = new OneSide('ask', ARENA_BYTES);
  side.replace(farApart());
  const start = 1_795_000_000_000;
  for (let i = 0; i < 20 * PACKED_CHANGES_MAX; i++) side.apply([[BASE + LEAF_TICKS, 1 + i]], start + i * 1_000);
  expect(checkLadder(side.arena.i32, side.block)).toMatchObject({ packed: LEAVES, wide: 0 });
  const later = Math.ceil((start + 1_000_000) / WINDOW_MS) * WINDOW_MS;
  for (let i = 0; i < PACKED_CHANGES_MAX; i++) side.apply([[BASE + LEAF_TICKS, 1 + i]], later + i * 100);
  expect(checkLadder(side.arena.i32, side.block)).toMatchObject({ packed: LEAVES - 1, wide: 1 });
});

test('a removal that finds nothing is no change', () => {
  const side = new OneSide('ask', ARENA_BYTES);
  side.replace(farApart());
  for (let i = 0; i < 2 * PACKED_CHANGES_MAX; i++) side.apply([[BASE + LEAF_TICKS + 1, 0]]);
  expect(checkLadder(side.arena.i32, side.block).packed).toBe(LEAVES);
});

test('a leaf that stands still between two sweeps is packed again, one that changes is not', () => {
  const side = new OneSide('ask', ARENA_BYTES);
  side.replace(farApart());
  const [still, moving] = [BASE + LEAF_TICKS, BASE + 2 * LEAF_TICKS];
  for (let i = 0; i < PACKED_CHANGES_MAX; i++)
    side.apply([
      [still, 5 + i],
      [moving, 5 + i],
    ]);
  expect(checkLadder(side.arena.i32, side.block).packed).toBe(LEAVES - 2);
  for (let round = 0; round < 3; round++) {
    side.apply([[moving, 50 + round]]);
    sweep(side, 16 * LEAVES);
  }
  // The best level's leaf and the moving one are wide.
  expect(checkLadder(side.arena.i32, side.block).packed).toBe(LEAVES - 2);
  const expected = new Map(farApart()).set(still, 5 + PACKED_CHANGES_MAX - 1).set(moving, 52);
  expect(levelsOf(side).slice(1)).toEqual([...expected].slice(1));
});

test('the last level of a packed leaf goes, and its memory with it', () => {
  const side = new OneSide('ask', ARENA_BYTES);
  const [near, middle, far]: LevelChange[] = [
    [BASE, 1],
    [BASE + LEAF_TICKS, 2],
    [BASE + 2 * LEAF_TICKS, 3],
  ];
  side.replace([near!, middle!, far!]);
  const before = side.arena.usedBytes();
  side.apply([[middle![0], 0]]);
  expect(checkLadder(side.arena.i32, side.block).packed).toBe(2);
  expect(levelsOf(side)).toEqual([near, far]);
  expect(side.arena.usedBytes()).toBe(before - 8 * 16);
  side.apply([[near![0], 0]]);
  expect(levelsOf(side)).toEqual([far]);
  side.apply([near!, middle!]);
  expect(levelsOf(side)).toEqual([near, middle, far]);
  expect(side.arena.usedBytes()).toBe(before);
});

test('the last level of a wide leaf goes, and a sweep gives its memory back', () => {
  const side = new OneSide('ask', ARENA_BYTES);
  side.replace([
    [BASE, 1],
    [BASE + LEAF_TICKS, 2],
  ]);
  for (let i = 0; i < PACKED_CHANGES_MAX; i++) side.apply([[BASE + LEAF_TICKS, 3 + i]]);
  expect(checkLadder(side.arena.i32, side.block)).toMatchObject({ packed: 1, wide: 1 });
  side.apply([[BASE + LEAF_TICKS, 0]]);
  expect(checkLadder(side.arena.i32, side.block)).toMatchObject({ packed: 1, wide: 1 });
  sweep(side, 2);
  expect(checkLadder(side.arena.i32, side.block)).toMatchObject({ packed: 0, wide: 1 });
  expect(levelsOf(side).map(([tick]) => tick)).toEqual([BASE]);
});

test('a side of few levels gets few wide leaves, however many change', () => {
  const side = new OneSide('ask', ARENA_BYTES);
  const lone = Array.from({ length: 100 }, (_, i): LevelChange => [BASE + i * LEAF_TICKS, 1]);
  side.replace(lone);
  for (let i = 0; i < 2 * PACKED_CHANGES_MAX; i++) side.apply(lone.map(([tick]) => [tick, 2 + i]));
  expect(checkLadder(side.arena.i32, side.block).wide).toBe(SPARE_WIDE + Math.ceil(100 / LEVELS_PER_WIDE));
  expect(levelsOf(side)).toEqual(lone.map(([tick]) => [tick, 2 * PACKED_CHANGES_MAX + 1]));
});

test('levels that come and go, each far from the one before, leave no more nodes behind than there are levels, and some', () => {
  const side = new OneSide('ask', ARENA_BYTES);
  side.replace([[BASE, 1]]);
  let most = 0;
  for (let i = 1; i < 1000; i++) {
    side.apply([[BASE + i * 32 * LEAF_TICKS, 1]]);
    side.apply([[BASE + i * 32 * LEAF_TICKS, 0]]);
    most = Math.max(most, side.arena.usedBytes());
  }
  expect(most).toBeLessThan((1 + SPARE_CHANGES / CHANGES_PER_LEVEL) * 8 * 17);
  expect(levelsOf(side)).toEqual([[BASE, 1]]);
});

test('where there is no room for a wide leaf, a packed one is changed in place for good', () => {
  const side = new OneSide('ask', 12 * 1024);
  side.replace(farApart());
  const expected = new Map(farApart());
  for (let i = 0; i < 5 * PACKED_CHANGES_MAX; i++) {
    const tick = BASE + LEAF_TICKS * (i % LEAVES);
    side.apply([[tick, 7 + i]]);
    expected.set(tick, 7 + i);
  }
  expect(checkLadder(side.arena.i32, side.block)).toMatchObject({ wide: 0, packed: LEAVES });
  expect(levelsOf(side)).toEqual([...expected]);
  expect(side.books.state(0)).toBe(BookState.LIVE);
});

test('where memory ends nothing leaks: a snapshot stays as it is, a leaf that cannot become wide makes the book suspect', () => {
  for (const kib of [16, 20, 24, 28, 32]) {
    const side = new OneSide('ask', kib * 1024);
    try {
      side.replace(farApart());
    } catch (error) {
      expect(error).toBeInstanceOf(ArenaFullError);
      continue;
    }
    expect(levelsOf(side)).toEqual(farApart());
    let failed = false;
    for (let i = 0; i < 64 * LEAVES && !failed; i++) {
      const tick = BASE + LEAF_TICKS * (i % LEAVES) + 8 * Math.floor(i / LEAVES) + 1;
      try {
        side.apply([[tick, 1]]);
        checkLadder(side.arena.i32, side.block);
      } catch (error) {
        expect(error).toBeInstanceOf(ArenaFullError);
        failed = true;
      }
    }
    expect(failed).toBe(true);
    expect([side.books.state(0), side.books.reason(0)]).toEqual([BookState.SUSPECT, StateReason.MEMORY_FULL]);
    side.books.close(0);
    expect(side.arena.usedBytes()).toBe(0);
  }
});
