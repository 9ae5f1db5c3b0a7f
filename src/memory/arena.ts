import { assert } from '../support/assert.js';

/*
 * The memory of one shard's books: fixed headers, then a heap of blocks of a dozen sizes.
 *
 *   byte  0           2176                   2176 + booksMax * 256                       byteLength
 *         +-----------+----------------------+-------------------------------------------+
 *         | allocator | book headers         | blocks ...            (bump pointer) free |
 *         +-----------+----------------------+-------------------------------------------+
 *
 *   allocator, int32   0 bump pointer      first never used word of the heap
 *                      1 used words        in blocks that are in use
 *                      2 books max
 *                      3 highest epoch     of any book so far
 *                      4 scratch           whose value nobody reads
 *                      8 … 529 free lists  one per size (0 … 521 words): first free block, 0 = none; a free block's first int32 is the next
 *
 * All places are counted in 8-byte words. Address space is reserved whole, memory is used as it is touched. One thread (the shard) allocates.
 */

export const BOOK_HEADER_WORDS = 32;
const ALLOCATOR_WORDS = 272;
const BUMP = 0;
const USED = 1;
const BOOKS_MAX = 2;
const HIGHEST_EPOCH = 3;
/** int32 index of a word that may be written and means nothing. */
export const SCRATCH = 4;
const FREE_LISTS = 8;
/** Largest block. */
export const BLOCK_WORDS_MAX = 521;
/** No block anybody asks for is smaller. */
const REST_WORDS_MIN = 16;

/** Thrown by `allocate`; the shard turns it into a book that says it is not exact. */
export class ArenaFullError extends Error {
  constructor(words: number, capacity: number) {
    super(`no room for ${words * 8} bytes in an arena of ${capacity * 8}`);
    this.name = 'ArenaFullError';
  }
}

assert(FREE_LISTS + BLOCK_WORDS_MAX < 2 * ALLOCATOR_WORDS, 'the free lists end before the book headers');

/** The first word of a book's header. */
export function bookHeaderWord(slot: number): number {
  return ALLOCATOR_WORDS + slot * BOOK_HEADER_WORDS;
}

/** Reserves an arena for up to `booksMax` books and prepares its allocator. */
export function createArenaBuffer(byteLength: number, booksMax: number): SharedArrayBuffer {
  assert(byteLength % 8 === 0 && byteLength / 8 > bookHeaderWord(booksMax), `arena of ${byteLength} bytes for ${booksMax} books`);
  const buffer = new SharedArrayBuffer(byteLength);
  new Int32Array(buffer, 0, FREE_LISTS)[BOOKS_MAX] = booksMax;
  new Arena(buffer).reset();
  return buffer;
}

/** Typed views over an arena and its allocator. Views may be made on any thread; only the owner allocates and releases. */
export class Arena {
  /** The arena as doubles; index = word. */
  readonly f64: Float64Array;
  /** The arena as int32; index = word * 2. */
  readonly i32: Int32Array;
  readonly booksMax: number;
  readonly capacityWords: number;

  constructor(buffer: SharedArrayBuffer) {
    this.f64 = new Float64Array(buffer);
    this.i32 = new Int32Array(buffer);
    this.booksMax = this.i32[BOOKS_MAX]!;
    this.capacityWords = this.f64.length;
  }

  /** The highest epoch any book had: a symbol tracked anew goes on from there, so that no (epoch, seq) of a symbol ever comes twice. */
  highestEpoch(): number {
    return this.i32[HIGHEST_EPOCH]!;
  }

  raiseEpoch(epoch: number): void {
    if (epoch > this.i32[HIGHEST_EPOCH]!) this.i32[HIGHEST_EPOCH] = epoch;
  }

  usedBytes(): number {
    return this.i32[USED]! * 8;
  }

  /** A block of `words` words (1 … BLOCK_WORDS_MAX) with whatever was in it before. Throws ArenaFullError. */
  allocate(words: number): number {
    const i32 = this.i32;
    let word = i32[FREE_LISTS + words]!;
    if (word !== 0) {
      i32[FREE_LISTS + words] = i32[word * 2]!;
    } else {
      word = i32[BUMP]!;
      if (word + words <= this.capacityWords) i32[BUMP] = word + words;
      else word = this.#split(words);
    }
    i32[USED] = i32[USED]! + words;
    return word;
  }

  /** The beginning of a larger block; the rest of it is free. Only when there is nothing else, and of a block whose rest somebody can use if there is one. */
  #split(words: number): number {
    const i32 = this.i32;
    const size = this.#atLeast(words + REST_WORDS_MIN) || this.#atLeast(words + 1);
    if (size === 0) throw new ArenaFullError(words, this.capacityWords);
    const word = i32[FREE_LISTS + size]!;
    i32[FREE_LISTS + size] = i32[word * 2]!;
    const rest = FREE_LISTS + size - words;
    i32[(word + words) * 2] = i32[rest]!;
    i32[rest] = word + words;
    return word;
  }

  /** The size of the smallest free block of `words` words and more; 0 = there is none. */
  #atLeast(words: number): number {
    for (let size = words; size <= BLOCK_WORDS_MAX; size++) if (this.i32[FREE_LISTS + size] !== 0) return size;
    return 0;
  }

  /** Whether `allocate` would find a block of `words` words. */
  hasRoom(words: number): boolean {
    return this.i32[BUMP]! + words <= this.capacityWords || this.#atLeast(words) !== 0;
  }

  /** Takes a block back; `words` as it was allocated. With the last one all blocks that were split are whole again. */
  release(word: number, words: number): void {
    const i32 = this.i32;
    i32[word * 2] = i32[FREE_LISTS + words]!;
    i32[FREE_LISTS + words] = word;
    i32[USED] = i32[USED]! - words;
    if (i32[USED] === 0) this.reset();
  }

  /** Forgets every block. Book headers keep their words; their ladders must be made anew. */
  reset(): void {
    const i32 = this.i32;
    i32.fill(0, FREE_LISTS, FREE_LISTS + BLOCK_WORDS_MAX + 1);
    i32[BUMP] = bookHeaderWord(this.booksMax);
    i32[USED] = 0;
  }
}
