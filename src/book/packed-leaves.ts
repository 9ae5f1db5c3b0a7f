import type { Arena } from '../memory/arena.js';
import { levelsBelow } from './ladder-lookup.js';
import * as layout from './ladder-layout.js';

// An imported constant is loaded from memory at every use; a constant of this module becomes part of the machine code.
const {
  BITS_SHIFT,
  CHILDREN,
  FIRST_PAGE,
  LEAF_BITS,
  LEAF_LEVELS,
  LEAF_TICKS,
  LEAF_WORDS,
  PACKED_CHANGES_MAX,
  PACKED_LOTS,
  PACKED_SIZE,
  PACKED_STEP,
  PAGE_SHIFT,
  PAGE_TICKS,
  PAGES,
  PRINT,
} = layout;
const SMALLEST = PACKED_LOTS - (PACKED_LOTS % PACKED_STEP) + PACKED_STEP;
const PAGE_BITS = 2 ** PAGE_TICKS - 1;
const WORDS_OF_BITS = LEAF_TICKS >> BITS_SHIFT;
/** What one change adds to the word of a packed leaf's size. */
const ONE_CHANGE = 0x10000;
const SIZE_MASK = ONE_CHANGE - 1;

/**
 * Leaves without pages, see `ladder-layout.ts`. A book of a thousand levels far apart takes 24 KiB with them and 175 without, and a leaf
 * that is changed now and then is in a few lines of memory. `leaf` and `packed` are int32 indices, both positive here; `entry` is the index of the int32 in the
 * node above that names the leaf. The words of bits and the count of levels are the caller's to change, after the lots.
 */
export interface PackedLeaves {
  /** A new packed leaf without levels. Throws ArenaFullError. */
  create(): number;
  /** Packs the leaf of an entry, if that makes it half as large or less and there is room for it. With `still`, only if its levels are those of the last time. */
  pack(side: number, entry: number, still: boolean): void;
  /** Notes one change of the packed leaf of an entry; one that has changed too often gets its pages back. Returns what the entry says then. Throws ArenaFullError. */
  change(side: number, entry: number): number;
  /** Makes a place for the lots of a level that a packed leaf does not have. Throws ArenaFullError. */
  insert(entry: number, place: number): void;
  /** Takes the lots of a level away that a packed leaf has. */
  remove(packed: number, place: number): void;
  /** Begins to count the changes of a packed leaf anew. */
  settle(packed: number): void;
  release(packed: number): void;
}

export function createPackedLeaves(arena: Arena): PackedLeaves {
  const { f64, i32 } = arena;

  function create(): number {
    const packed = 2 * arena.allocate(SMALLEST);
    i32.fill(0, packed, packed + PACKED_SIZE);
    i32[packed + PACKED_SIZE] = SMALLEST;
    return packed;
  }

  function pack(side: number, entry: number, still: boolean): void {
    const leaf = i32[entry]!;
    const levels = i32[leaf + LEAF_LEVELS]!;
    const words = sizeFor(levels);
    const pages = countPages(leaf);
    if (2 * words > LEAF_WORDS + pages * PAGE_TICKS || !arena.hasRoom(words)) return;
    if (still && !isStill(leaf)) return;
    const packed = 2 * arena.allocate(words);
    copyBits(leaf, packed);
    i32[packed + PACKED_SIZE] = words;
    let to = (packed >> 1) + PACKED_LOTS;
    for (let child = 0; child < CHILDREN; child++) {
      const page = i32[leaf + FIRST_PAGE + child]!;
      if (page === 0) continue;
      for (let bits = pageBits(leaf, child); bits !== 0; bits &= bits - 1) f64[to++] = f64[page + lowest(bits)]!;
      arena.release(page, PAGE_TICKS);
    }
    i32[side + PAGES]! -= pages;
    i32.fill(0, leaf, leaf + 2 * LEAF_WORDS);
    arena.release(leaf >> 1, LEAF_WORDS);
    i32[entry] = -packed;
  }

  function change(side: number, entry: number): number {
    const packed = -i32[entry]!;
    const size = i32[packed + PACKED_SIZE]! + ONE_CHANGE;
    i32[packed + PACKED_SIZE] = size;
    if (size >= PACKED_CHANGES_MAX * ONE_CHANGE) unpack(side, entry);
    return i32[entry]!;
  }

  function unpack(side: number, entry: number): void {
    const packed = -i32[entry]!;
    const leaf = 2 * arena.allocate(LEAF_WORDS);
    copyBits(packed, leaf);
    i32[entry] = leaf;
    let from = (packed >> 1) + PACKED_LOTS;
    try {
      for (let child = 0; child < CHILDREN; child++) {
        let bits = pageBits(leaf, child);
        if (bits === 0) continue;
        const page = arena.allocate(PAGE_TICKS);
        i32[leaf + FIRST_PAGE + child] = page;
        i32[side + PAGES]!++;
        for (; bits !== 0; bits &= bits - 1) f64[page + lowest(bits)] = f64[from++]!;
      }
    } finally {
      release(packed);
    }
  }

  function insert(entry: number, place: number): void {
    let packed = -i32[entry]!;
    const levels = i32[packed + LEAF_LEVELS]!;
    if (PACKED_LOTS + levels === (i32[packed + PACKED_SIZE]! & SIZE_MASK)) {
      packed = grow(packed);
      i32[entry] = -packed;
    }
    const lots = (packed >> 1) + PACKED_LOTS;
    const from = lots + levelsBelow(i32, packed, place);
    for (let i = lots + levels; i > from; i--) f64[i] = f64[i - 1]!;
  }

  function grow(packed: number): number {
    const words = i32[packed + PACKED_SIZE]! & SIZE_MASK;
    const larger = arena.allocate(words + PACKED_STEP);
    for (let i = 0; i < words; i++) f64[larger + i] = f64[(packed >> 1) + i]!;
    i32[2 * larger + PACKED_SIZE]! += PACKED_STEP;
    arena.release(packed >> 1, words);
    return 2 * larger;
  }

  function remove(packed: number, place: number): void {
    const lots = (packed >> 1) + PACKED_LOTS;
    const last = lots + i32[packed + LEAF_LEVELS]! - 1;
    for (let i = lots + levelsBelow(i32, packed, place); i < last; i++) f64[i] = f64[i + 1]!;
  }

  function settle(packed: number): void {
    i32[packed + PACKED_SIZE]! &= SIZE_MASK;
  }

  function release(packed: number): void {
    arena.release(packed >> 1, i32[packed + PACKED_SIZE]! & SIZE_MASK);
  }

  /** Levels and bits of a leaf. */
  function copyBits(from: number, to: number): void {
    for (let i = 0; i < FIRST_PAGE; i++) i32[to + i] = i32[from + i]!;
  }

  function countPages(leaf: number): number {
    let pages = 0;
    for (let entry = leaf + FIRST_PAGE; entry < leaf + FIRST_PAGE + CHILDREN; entry++) if (i32[entry] !== 0) pages++;
    return pages;
  }

  /** Whether the levels of a leaf are those that it had when this was asked before. They may, very rarely, be others: it is then packed in vain. */
  function isStill(leaf: number): boolean {
    let print = 1;
    for (let word = 0; word < WORDS_OF_BITS; word++) print = Math.imul(print, 31) + i32[leaf + LEAF_BITS + word]!;
    for (let child = 0; child < CHILDREN; child++) {
      const page = i32[leaf + FIRST_PAGE + child]!;
      for (let bits = pageBits(leaf, child); bits !== 0; bits &= bits - 1) print = (Math.imul(print, 31) + f64[page + lowest(bits)]!) | 0;
    }
    const still = i32[leaf + PRINT] === (print | 0);
    i32[leaf + PRINT] = print;
    return still;
  }

  /** The bits of one page of a leaf. */
  function pageBits(leaf: number, child: number): number {
    return (i32[leaf + LEAF_BITS + (child >> (BITS_SHIFT - PAGE_SHIFT))]! >>> ((child << PAGE_SHIFT) & (2 ** BITS_SHIFT - 1))) & PAGE_BITS;
  }

  return { create, pack, change, insert, remove, settle, release };
}

/** Words of a packed leaf for so many levels. */
function sizeFor(levels: number): number {
  return (PACKED_LOTS + levels + PACKED_STEP - 1) & -PACKED_STEP;
}

/** The place of the lowest bit of 16. */
function lowest(bits: number): number {
  return 31 - Math.clz32(bits & -bits);
}
