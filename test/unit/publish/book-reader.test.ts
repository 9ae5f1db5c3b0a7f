import { beforeEach, describe, expect, test } from 'vitest';

import { COUNT_APPLIED, headerInts, VERSION } from '../../../src/book/book-layout.js';
import { OrderBooks } from '../../../src/book/order-books.js';
import { Arena, createArenaBuffer } from '../../../src/memory/arena.js';
import { writeBegin, writeEnd } from '../../../src/memory/seqlock.js';
import { createBookCopy } from '../../../src/model/book-copy.js';
import { BookState, StateReason } from '../../../src/model/book-state.js';
import { BookReader } from '../../../src/publish/book-reader.js';
import { type Change, fillDelta } from '../../support/delta.js';

const SLOT = 1;
let arena: Arena;
let books: OrderBooks;
let reader: BookReader;

beforeEach(() => {
  const buffer = createArenaBuffer(2 ** 20, 2);
  arena = new Arena(buffer);
  books = new OrderBooks(arena);
  reader = new BookReader(buffer);
  books.open(SLOT, 2, 3, 1);
  const { delta } = books;
  const levels = Array.from({ length: 30 }, (_, i): Change[] => [
    ['bid', 1000 - i, 1 + i],
    ['ask', 1001 + i, 100 + i],
  ]).flat();
  fillDelta(delta, levels, 77);
  delta.exchangeTimeMs = 55;
  books.applySnapshot(SLOT, 60);
});

describe('BookReader', () => {
  test('copies the envelope and the top levels, best first', () => {
    const copy = createBookCopy(0);
    expect(reader.read(SLOT, 2, copy)).toBe(true);
    expect(copy).toMatchObject({
      state: BookState.LIVE,
      reason: StateReason.SYNCED,
      epoch: 1,
      seq: 1,
      version: 77,
      exchangeTimeMs: 55,
      receiveTimeMs: 60,
    });
    expect(copy).toMatchObject({ priceScale: 2, quantityScale: 3, bidLevels: 30, askLevels: 30, bidCount: 2, askCount: 2 });
    expect([...copy.bidTicks.subarray(0, 2), ...copy.bidLots.subarray(0, 2)]).toEqual([1000, 999, 1, 2]);
    expect([...copy.askTicks.subarray(0, 2), ...copy.askLots.subarray(0, 2)]).toEqual([1001, 1002, 100, 101]);
  });

  test('depth 0 is the whole book, a depth beyond it too, and -1 no level', () => {
    const copy = createBookCopy(4);
    for (const [depth, count] of [
      [0, 30],
      [5000, 30],
      [30, 30],
      [29, 29],
      [-1, 0],
    ] as const) {
      expect(reader.read(SLOT, depth, copy)).toBe(true);
      expect([copy.bidCount, copy.askCount, copy.bidLevels]).toEqual([count, count, 30]);
    }
    expect(copy.bidTicks.length).toBe(30);
    expect(reader.envelope(SLOT)).toMatchObject({ version: 77, bidLevels: 30, bidCount: 0 });
  });

  test('a slot that was never used, or is free again, holds nothing', () => {
    const copy = createBookCopy(4);
    expect(reader.read(0, 0, copy)).toBe(true);
    expect(copy).toMatchObject({ state: BookState.SYNCING, epoch: 0, seq: 0, bidCount: 0, askCount: 0 });
    books.close(SLOT);
    expect(reader.read(SLOT, 0, copy)).toBe(true);
    expect([copy.state, copy.bidCount, copy.askCount]).toEqual([BookState.SYNCING, 0, 0]);
    expect(reader.usedBytes()).toBe(0);
  });

  test('gives up, and counts, while a write section stays open', () => {
    const version = headerInts(SLOT) + VERSION;
    writeBegin(arena.i32, version);
    expect(reader.read(SLOT, 5, createBookCopy(5))).toBe(false);
    expect(reader.retries).toBe(32);
    writeEnd(arena.i32, version);
    expect(reader.read(SLOT, 5, createBookCopy(5))).toBe(true);
    expect(reader.retries).toBe(32);
  });

  test('an envelope is that of its own book, also while a write section stays open', () => {
    books.open(0, 4, 5, 1);
    reader.envelope(SLOT);
    writeBegin(arena.i32, headerInts(0) + VERSION);
    expect(reader.envelope(0)).toMatchObject({ state: BookState.SYNCING, priceScale: 4, quantityScale: 5, version: 0, bidLevels: 0 });
    writeEnd(arena.i32, headerInts(0) + VERSION);
  });

  test('single words need no version', () => {
    expect([reader.state(SLOT), reader.field(SLOT, COUNT_APPLIED), reader.int(headerInts(SLOT) + VERSION) & 1]).toEqual([
      BookState.LIVE,
      0,
      0,
    ]);
    expect([reader.usedBytes(), reader.capacityBytes()]).toEqual([arena.usedBytes(), 2 ** 20]);
  });

  test('survives any nonsense a torn ladder may show', () => {
    // A mutilated tree must end every loop, whatever it says; the version check would have rejected the copy.
    const copy = createBookCopy(64);
    let seed = 12345;
    const random = (): number => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0);
    const words = arena.usedBytes() / 4 + headerInts(2);
    const whole = arena.i32.slice(0, words);
    for (let run = 0; run < 3000; run++) {
      arena.i32.set(whole);
      for (let i = 0; i < 4; i++)
        arena.i32[headerInts(SLOT) + 2 + (random() % (words - headerInts(SLOT) - 2))] = random() % 3 === 0 ? random() : random() % words;
      reader.read(SLOT, run % 2 === 0 ? 0 : 20, copy);
      expect(copy.bidCount).toBeLessThanOrEqual(65_537);
    }
  });
});
