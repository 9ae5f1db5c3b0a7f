import { expect, test } from 'vitest';
import { BookState, StateReason } from '../../../src/model/book-state.js';
import { CHANGES_PER_LEVEL, LEAF_TICKS, PACKED_CHANGES_MAX, SPARE_CHANGES } from '../../../src/book/ladder-layout.js';
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

test('after a snapshot leaves of levels far apart are packed, others not', () => {
  const side = new OneSide('ask', ARENA_BYTES);
  side.replace(farApart());
  expect(checkLadder(side.arena.i32, side.block).packed).toBe(LEAVES);
  expect(levelsOf(side)).toEqual(farApart());
  const before = side.arena.usedBytes();
  const sideBySide = Array.from({ length: 8 * 16 * LEAVES }, (_, i): LevelChange => [BASE + i, 1 + i]);
  side.replace(sideBySide);
  // 512 levels of a leaf take 521 words without pages and 537 with them.
  expect(checkLadder(side.arena.i32, side.block).packed).toBe(0);
  expect(levelsOf(side).length).toBe(1000);
  expect(side.arena.usedBytes()).toBeGreaterThan(before);
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
  // The best level's leaf and the moving one have pages.
  expect(checkLadder(side.arena.i32, side.block).packed).toBe(LEAVES - 2);
  const expected = new Map(farApart()).set(still, 5 + PACKED_CHANGES_MAX - 1).set(moving, 52);
  expect(levelsOf(side).slice(1)).toEqual([...expected].slice(1));
});

test('the last level of a packed leaf goes, and a sweep gives its block back', () => {
  const side = new OneSide('ask', ARENA_BYTES);
  side.replace([
    [BASE, 1],
    [BASE + LEAF_TICKS, 2],
    [BASE + 2 * LEAF_TICKS, 3],
  ]);
  const before = side.arena.usedBytes();
  side.apply([[BASE + LEAF_TICKS, 0]]);
  expect(checkLadder(side.arena.i32, side.block).packed).toBe(3);
  expect(levelsOf(side)).toEqual([
    [BASE, 1],
    [BASE + 2 * LEAF_TICKS, 3],
  ]);
  sweep(side, 3);
  expect(levelsOf(side).slice(1)).toEqual([[BASE + 2 * LEAF_TICKS, 3]]);
  side.apply([[BASE + LEAF_TICKS, 4]]);
  expect(levelsOf(side).slice(1)).toEqual([
    [BASE + LEAF_TICKS, 4],
    [BASE + 2 * LEAF_TICKS, 3],
  ]);
  side.replace([
    [BASE, 1],
    [BASE + LEAF_TICKS, 2],
    [BASE + 2 * LEAF_TICKS, 3],
  ]);
  expect(side.arena.usedBytes()).toBe(before);
});

test('where memory ends nothing leaks: a snapshot stays as it is, a leaf that gets no pages makes the book suspect', () => {
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
