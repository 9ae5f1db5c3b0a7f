import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { Arena, ArenaFullError, BLOCK_WORDS_MAX, BOOK_HEADER_WORDS, bookHeaderWord, createArenaBuffer } from '../../../src/memory/arena.js';

const BOOKS = 3;
const FIRST_WORD = bookHeaderWord(BOOKS);
/** The headers and 100 words of heap. */
const BYTES = (FIRST_WORD + 100) * 8;

describe('Arena', () => {
  test('begins its heap behind the book headers', () => {
    const arena = new Arena(createArenaBuffer(BYTES, BOOKS));
    expect([arena.booksMax, arena.capacityWords, arena.usedBytes()]).toEqual([BOOKS, FIRST_WORD + 100, 0]);
    expect(arena.allocate(1)).toBe(FIRST_WORD);
    expect(FIRST_WORD - bookHeaderWord(0)).toBe(BOOKS * BOOK_HEADER_WORDS);
  });

  test('gives a released block out again, to its own size only', () => {
    const arena = new Arena(createArenaBuffer(BYTES, BOOKS));
    const [a, b, last] = [arena.allocate(16), arena.allocate(16), arena.allocate(1)];
    arena.release(a, 16);
    arena.release(b, 16);
    expect(arena.usedBytes()).toBe(8);
    const c = arena.allocate(17);
    expect(c).toBe(last + 1);
    expect([arena.allocate(16), arena.allocate(16)]).toEqual([b, a]);
    expect(arena.usedBytes()).toBe((16 + 16 + 17 + 1) * 8);
  });

  test('gives out the last word, and throws beyond it', () => {
    const arena = new Arena(createArenaBuffer(BYTES, BOOKS));
    for (let i = 0; i < 100 / 4; i++) arena.allocate(4);
    expect(() => arena.allocate(1)).toThrow(ArenaFullError);
    expect(() => arena.allocate(1)).toThrow(`no room for 8 bytes in an arena of ${BYTES}`);
    expect(arena.usedBytes()).toBe(800);
    arena.release(FIRST_WORD + 8, 4);
    expect(arena.allocate(4)).toBe(FIRST_WORD + 8);
  });

  test('is shared by all views over it, and empty after a reset', () => {
    const buffer = createArenaBuffer(BYTES, BOOKS);
    const [arena, other] = [new Arena(buffer), new Arena(buffer)];
    arena.release(arena.allocate(5), 5);
    arena.allocate(7);
    expect(other.usedBytes()).toBe(56);
    arena.reset();
    expect(other.usedBytes()).toBe(0);
    expect(other.allocate(5)).toBe(FIRST_WORD);
  });

  test('refuses a size without room for its headers', () => {
    expect(() => createArenaBuffer(bookHeaderWord(BOOKS) * 8, BOOKS)).toThrow('assertion failed');
    expect(() => createArenaBuffer(BYTES + 1, BOOKS)).toThrow('assertion failed');
  });

  test('splits a larger free block when there is nothing else', () => {
    const arena = new Arena(createArenaBuffer((FIRST_WORD + 100) * 8, BOOKS));
    const [large, small] = [arena.allocate(80), arena.allocate(20)];
    expect([arena.hasRoom(1), arena.hasRoom(80)]).toEqual([false, false]);
    arena.release(large, 80);
    expect([arena.hasRoom(80), arena.hasRoom(30), arena.hasRoom(81)]).toEqual([true, true, false]);
    expect([arena.allocate(30), arena.allocate(30), arena.allocate(20)]).toEqual([large, large + 30, large + 60]);
    expect(() => arena.allocate(1)).toThrow(ArenaFullError);
    arena.release(small, 20);
    expect(arena.allocate(19)).toBe(small);
    expect(arena.allocate(1)).toBe(small + 19);
    expect(arena.usedBytes()).toBe(800);
  });

  test('splits a block whose rest is of use before one that leaves crumbs', () => {
    const arena = new Arena(createArenaBuffer(BYTES, BOOKS));
    const [crumbs, rest, end] = [arena.allocate(40), arena.allocate(46), arena.allocate(14)];
    arena.release(crumbs, 40);
    arena.release(rest, 46);
    expect([arena.allocate(30), arena.allocate(30), arena.allocate(16)]).toEqual([rest, crumbs, rest + 30]);
    expect(() => arena.allocate(16)).toThrow(ArenaFullError);
    arena.release(end, 14);
  });

  test('is whole again when the last block is released', () => {
    const arena = new Arena(createArenaBuffer(BYTES, BOOKS));
    const blocks = Array.from({ length: 5 }, () => arena.allocate(20));
    expect(arena.hasRoom(100)).toBe(false);
    for (const block of blocks) arena.release(block, 20);
    expect(arena.allocate(100)).toBe(FIRST_WORD);
  });

  test('never gives a word out twice', () => {
    const sizes = fc.integer({ min: 1, max: BLOCK_WORDS_MAX });
    const steps = fc.array(
      fc.oneof(
        sizes,
        sizes.map((size) => -size),
      ),
      { maxLength: 200 },
    );
    fc.assert(
      fc.property(steps, (list) => {
        const arena = new Arena(createArenaBuffer((FIRST_WORD + 1000) * 8, BOOKS));
        const owner = new Int32Array(arena.capacityWords);
        const blocks: (readonly [word: number, words: number])[] = [];
        for (const step of list) {
          if (step > 0) {
            let word: number;
            try {
              word = arena.allocate(step);
            } catch (error) {
              expect(error).toBeInstanceOf(ArenaFullError);
              continue;
            }
            expect(word).toBeGreaterThanOrEqual(FIRST_WORD);
            for (let i = word; i < word + step; i++) expect(owner[i]!++).toBe(0);
            blocks.push([word, step]);
            arena.f64.fill(NaN, word, word + step);
          } else if (blocks.length > 0) {
            const [word, words] = blocks.splice(-step % blocks.length, 1)[0]!;
            owner.fill(0, word, word + words);
            arena.release(word, words);
          }
          expect(arena.usedBytes()).toBe(8 * blocks.reduce((sum, [, words]) => sum + words, 0));
        }
      }),
      { numRuns: 100 },
    );
  });

  test('remembers the highest epoch of any book', () => {
    const arena = new Arena(createArenaBuffer(BYTES, BOOKS));
    for (const epoch of [3, 2, 5, 1]) arena.raiseEpoch(epoch);
    arena.reset();
    expect(arena.highestEpoch()).toBe(5);
  });
});
