import { beforeEach, describe, expect, test } from 'vitest';

import {
  ASKS,
  BEST_ASK_LOTS,
  BEST_ASK_TICK,
  BEST_BID_LOTS,
  BEST_BID_TICK,
  BIDS,
  COUNT_APPLIED,
  COUNT_GAPS,
  COUNT_INEXACT,
  COUNT_RESYNCS,
  headerInts,
  PROVEN_ASKS,
  PROVEN_BIDS,
  SINCE,
  VERSION,
} from '../../../src/book/book-layout.js';
import { LEVELS_MAX } from '../../../src/book/ladder-layout.js';
import { NO_TICK } from '../../../src/book/ladder-lookup.js';
import { OrderBooks } from '../../../src/book/order-books.js';
import { Arena, ArenaFullError, bookHeaderWord, createArenaBuffer } from '../../../src/memory/arena.js';
import { BookState, StateReason } from '../../../src/model/book-state.js';
import { type Change, fillDelta } from '../../support/delta.js';

const SLOT = 1;
const BOOKS = 3;
let arena: Arena;
let books: OrderBooks;

/** Room for `heapWords` of ladders. */
function makeBooks(heapWords: number): void {
  arena = new Arena(createArenaBuffer((bookHeaderWord(BOOKS) + heapWords) * 8, BOOKS));
  books = new OrderBooks(arena);
}

beforeEach(() => makeBooks(100_000));

function apply(changes: readonly Change[], toVersion = 1, timeMs = 50): boolean {
  fillDelta(books.delta, changes, toVersion);
  return books.applyDelta(SLOT, timeMs);
}

function replace(changes: readonly Change[], toVersion = 1, timeMs = 40): boolean {
  fillDelta(books.delta, changes, toVersion);
  return books.applySnapshot(SLOT, timeMs);
}

function levels(side: typeof BIDS | typeof ASKS): number[][] {
  const [ticks, lots] = [new Float64Array(100), new Float64Array(100)];
  return Array.from({ length: books.collect(SLOT, side, 100, ticks, lots) }, (_, i) => [ticks[i]!, lots[i]!]);
}

const SOUND: readonly Change[] = [
  ['bid', 99, 5],
  ['bid', 100, 7],
  ['ask', 101, 3],
  ['ask', 105, 2],
];

describe('OrderBooks', () => {
  test('an opened book holds nothing and is syncing', () => {
    books.open(SLOT, 2, 3, 12);
    expect([books.isOpen(SLOT), books.isOpen(0)]).toEqual([true, false]);
    expect([books.state(SLOT), books.reason(SLOT), books.field(SLOT, SINCE)]).toEqual([BookState.SYNCING, StateReason.START, 12]);
    expect([books.priceScale(SLOT), books.quantityScale(SLOT), books.epoch(SLOT), books.seq(SLOT)]).toEqual([2, 3, 0, 0]);
    expect([books.field(SLOT, BEST_BID_TICK), books.field(SLOT, BEST_ASK_TICK)]).toEqual([NO_TICK, NO_TICK]);
    expect([levels(BIDS), levels(ASKS)]).toEqual([[], []]);
  });

  test('a snapshot replaces the book and begins an epoch', () => {
    books.open(SLOT, 2, 3, 12);
    books.delta.exchangeTimeMs = 33;
    expect(replace(SOUND, 1005)).toBe(true);
    expect([books.state(SLOT), books.reason(SLOT), books.field(SLOT, SINCE)]).toEqual([BookState.LIVE, StateReason.SYNCED, 40]);
    expect([books.epoch(SLOT), books.seq(SLOT), books.version(SLOT), books.exchangeTimeMs(SLOT), books.receiveTimeMs(SLOT)]).toEqual([
      1, 1, 1005, 33, 40,
    ]);
    expect(levels(BIDS)).toEqual([
      [100, 7],
      [99, 5],
    ]);
    expect(levels(ASKS)).toEqual([
      [101, 3],
      [105, 2],
    ]);
    expect(replace([['ask', 7, 1]], 1010)).toBe(true);
    expect([levels(BIDS), levels(ASKS)]).toEqual([[], [[7, 1]]]);
    expect([books.epoch(SLOT), books.seq(SLOT), books.field(SLOT, COUNT_RESYNCS), books.field(SLOT, COUNT_APPLIED)]).toEqual([2, 2, 2, 0]);
  });

  test('an update sets absolute quantities, and the best levels follow', () => {
    books.open(SLOT, 2, 3, 12);
    replace(SOUND);
    expect(
      apply(
        [
          ['bid', 100, 0],
          ['bid', 98, 1],
          ['ask', 101, 9],
          ['ask', 555, 0],
        ],
        7,
      ),
    ).toBe(true);
    expect(levels(BIDS)).toEqual([
      [99, 5],
      [98, 1],
    ]);
    expect([BEST_BID_TICK, BEST_BID_LOTS, BEST_ASK_TICK, BEST_ASK_LOTS].map((field) => books.field(SLOT, field))).toEqual([99, 5, 101, 9]);
    expect([books.seq(SLOT), books.version(SLOT), books.receiveTimeMs(SLOT), books.field(SLOT, COUNT_APPLIED)]).toEqual([2, 7, 50, 1]);
    expect([books.levels(SLOT, BIDS), books.levels(SLOT, ASKS), books.lotsAt(SLOT, BIDS, 98), books.lotsAt(SLOT, BIDS, 97)]).toEqual([
      2, 2, 1, 0,
    ]);
  });

  test('an empty side has no best level', () => {
    books.open(SLOT, 2, 3, 12);
    replace(SOUND);
    apply([
      ['bid', 100, 0],
      ['bid', 99, 0],
    ]);
    expect([books.field(SLOT, BEST_BID_TICK), books.field(SLOT, BEST_BID_LOTS)]).toEqual([NO_TICK, 0]);
  });

  test('locked is legal, crossed is not, in updates as in snapshots', () => {
    books.open(SLOT, 2, 3, 12);
    expect(replace([...SOUND, ['bid', 101, 1]])).toBe(true);
    expect(apply([['bid', 102, 1]])).toBe(false);
    expect([books.state(SLOT), books.reason(SLOT)]).toEqual([BookState.SUSPECT, StateReason.CROSSED]);
    expect(replace(SOUND)).toBe(true);
    expect(books.state(SLOT)).toBe(BookState.LIVE);
    expect(replace([...SOUND, ['ask', 50, 1]])).toBe(false);
    expect([books.state(SLOT), books.reason(SLOT)]).toEqual([BookState.SUSPECT, StateReason.CROSSED]);
  });

  test('crossed within an update but not at its end is sound', () => {
    books.open(SLOT, 2, 3, 12);
    replace(SOUND);
    expect(
      apply([
        ['bid', 104, 1],
        ['ask', 101, 0],
      ]),
    ).toBe(true);
    expect(levels(BIDS)[0]).toEqual([104, 1]);
  });

  test('numbers that are not exact are counted', () => {
    books.open(SLOT, 2, 3, 12);
    fillDelta(books.delta, SOUND);
    books.delta.inexactCount = 3;
    books.applySnapshot(SLOT, 0);
    books.applyDelta(SLOT, 0);
    expect(books.field(SLOT, COUNT_INEXACT)).toBe(6);
  });

  test('a rescale keeps levels, order and seq', () => {
    books.open(SLOT, 2, 3, 12);
    replace(SOUND);
    books.rescale(SLOT, 3, 5);
    expect([books.priceScale(SLOT), books.quantityScale(SLOT), books.seq(SLOT), books.epoch(SLOT)]).toEqual([3, 5, 1, 1]);
    expect(levels(BIDS)).toEqual([
      [1000, 700],
      [990, 500],
    ]);
    expect([BEST_BID_TICK, BEST_BID_LOTS, BEST_ASK_TICK, BEST_ASK_LOTS].map((field) => books.field(SLOT, field))).toEqual([
      1000, 700, 1010, 300,
    ]);
    expect(books.highestPrice(SLOT)).toBe(1.05);
  });

  test('every change is one write section', () => {
    const version = (): number => arena.i32[headerInts(SLOT) + VERSION]!;
    const changes: (() => unknown)[] = [
      () => books.open(SLOT, 2, 3, 0),
      () => replace(SOUND),
      () => apply(SOUND),
      () => apply([['bid', 1000, 1]]),
      () => replace(SOUND),
      () => books.rescale(SLOT, 3, 3),
      () => books.setState(SLOT, BookState.STALE, StateReason.SILENT, 9),
      () => books.close(SLOT),
    ];
    for (const [i, change] of changes.entries()) {
      change();
      expect(version()).toBe(2 * (i + 1));
    }
  });

  test('books of other slots notice nothing', () => {
    for (const slot of [0, 1, 2]) books.open(slot, 0, 0, 0);
    replace(SOUND);
    fillDelta(books.delta, [['bid', 1, 1]]);
    books.applySnapshot(0, 0);
    books.close(2);
    expect(levels(BIDS)).toHaveLength(2);
    books.close(0);
    expect(levels(ASKS)).toHaveLength(2);
    books.close(SLOT);
    expect(arena.usedBytes()).toBe(0);
  });

  test('a slot used again starts anew, but no epoch comes twice', () => {
    books.open(SLOT, 2, 3, 12);
    replace(SOUND, 1005);
    replace(SOUND, 1006);
    apply([['bid', 100, 1]], 1007);
    books.count(SLOT, COUNT_GAPS);
    books.close(SLOT);
    expect(books.isOpen(SLOT)).toBe(false);
    books.open(SLOT, 4, 5, 99);
    expect([books.epoch(SLOT), books.version(SLOT), books.receiveTimeMs(SLOT), books.exchangeTimeMs(SLOT)]).toEqual([2, 0, 0, NaN]);
    expect([COUNT_APPLIED, COUNT_RESYNCS, COUNT_GAPS, BEST_BID_LOTS].map((field) => books.field(SLOT, field))).toEqual([0, 0, 0, 0]);
    books.open(0, 0, 0, 0);
    expect(books.epoch(0)).toBe(2);
  });
});

test.each([
  ['bid', BIDS, PROVEN_BIDS, 1],
  ['ask', ASKS, PROVEN_ASKS, -1],
] as const)('nobody vouches any more for a %s that was dropped, nor for what lies behind it', (kind, side, proven, direction) => {
  makeBooks(1_000_000);
  books.open(SLOT, 2, 3, 12);
  const from = 200_000;
  replace(Array.from({ length: LEVELS_MAX }, (_, i): Change => [kind, from + i * direction, 1]));
  const whole = books.field(SLOT, proven);
  apply([[kind, from + LEVELS_MAX * direction, 0]]);
  expect(books.field(SLOT, proven)).toBe(whole);
  // The farthest goes; then one makes room for one that lies behind it.
  const gone = from;
  apply([
    [kind, from + LEVELS_MAX * direction, 1],
    [kind, from + 7 * direction, 0],
    [kind, from - 5 * direction, 1],
  ]);
  expect([books.evictedLevels(SLOT), books.levels(SLOT, side)]).toEqual([1, LEVELS_MAX]);
  expect(books.field(SLOT, proven)).toBe(gone + direction);
});

describe('when the memory is full', () => {
  const far = (count: number): Change[] => Array.from({ length: count }, (_, i) => ['ask', 1000 + 100_000 * i, 1]);

  test('an update ends its section, the book says so, holds nothing, and can be filled again', () => {
    makeBooks(400);
    books.open(SLOT, 2, 3, 12);
    replace(SOUND);
    expect(() => apply(far(20))).toThrow(ArenaFullError);
    expect([books.state(SLOT), books.reason(SLOT)]).toEqual([BookState.SUSPECT, StateReason.MEMORY_FULL]);
    expect(arena.i32[headerInts(SLOT) + VERSION]! & 1).toBe(0);
    // What holds nothing was never received: nobody may be given an empty book for a stale one.
    expect([arena.usedBytes(), levels(ASKS), books.receiveTimeMs(SLOT)]).toEqual([0, [], 0]);
    expect(replace(SOUND)).toBe(true);
    expect(levels(ASKS)).toHaveLength(2);
  });

  test('a snapshot, a rescale and an opening do the same', () => {
    makeBooks(400);
    books.open(SLOT, 2, 3, 12);
    expect(() => replace(far(20))).toThrow(ArenaFullError);
    expect(books.reason(SLOT)).toBe(StateReason.MEMORY_FULL);
    expect(arena.usedBytes()).toBe(0);

    makeBooks(1500);
    books.open(SLOT, 2, 3, 12);
    replace(Array.from({ length: 100 }, (_, i) => ['ask', i, 1]));
    expect(() => books.rescale(SLOT, 7, 3)).toThrow(ArenaFullError);
    expect([books.state(SLOT), books.reason(SLOT)]).toEqual([BookState.SUSPECT, StateReason.MEMORY_FULL]);
    books.close(SLOT);
    expect(arena.usedBytes()).toBe(0);

    makeBooks(60);
    books.open(0, 0, 0, 0);
    expect(() => books.open(SLOT, 0, 0, 0)).toThrow(ArenaFullError);
    for (const slot of [0, SLOT]) expect(arena.i32[headerInts(slot) + VERSION]! & 1).toBe(0);
    books.close(SLOT);
    books.close(0);
    expect(arena.usedBytes()).toBe(0);
  });
});
