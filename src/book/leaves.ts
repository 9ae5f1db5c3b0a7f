import type { Arena } from '../memory/arena.js';
import { countBits, firstBit, levelsBelow } from './ladder-lookup.js';
import * as layout from './ladder-layout.js';

// An imported constant is loaded from memory at every use; a constant of this module becomes part of the machine code.
const {
  BITS_SHIFT,
  LEAF_BITS,
  LEAF_LEVELS,
  LEAF_TICKS,
  LEVELS,
  LEVELS_PER_WIDE,
  PACKED_BELOW,
  PACKED_CHANGES_MAX,
  PACKED_LOTS,
  PACKED_SIZE,
  PACKED_SIZES,
  PACKED_WORDS_MAX,
  PRINT,
  SPARE_WIDE,
  WIDE,
  WIDE_LOTS,
  WIDE_WORDS,
  WINDOW_MS,
} = layout;
const WORDS_OF_BITS = LEAF_TICKS >> BITS_SHIFT;
const SMALLEST = sizeFor(1);
/** Of the word of a packed leaf's size. */
const SIZE_MASK = 0xffff;
const CHANGES_SHIFT = 16;
const WINDOW_SHIFT = 21;

/**
 * Both kinds of leaves, see `ladder-layout.ts`: a packed one becomes wide, a wide one packed. A book of BTCUSDT takes 28 KiB after a snapshot, and a leaf that
 * is changed now and then is in a few lines of memory. `leaf` and `packed` are int32 indices, both positive here; `entry` is the index of the int32 in the
 * node above that names the leaf. The bits and the count of levels are the caller's to change, after the lots.
 */
export interface Leaves {
  /** A new packed leaf without levels. Throws ArenaFullError. */
  create(): number;
  /** Notes one change of the packed leaf of an entry; one that has changed often becomes wide if there is room for it. */
  noteChange(side: number, entry: number): void;
  /** Makes a place for the lots of a level that the packed leaf of an entry does not have; a full one becomes larger, or wide. Throws ArenaFullError. */
  insert(side: number, entry: number, place: number): void;
  /** Takes the lots of a level away that a packed leaf has. */
  remove(packed: number, place: number): void;
  /** Packs the wide leaf of an entry if its levels are those of the last time, and there is room for it. */
  packIfStill(side: number, entry: number): void;
  /** What is changed from here on is changed at this time, Unix ms. */
  readonly setTime: (timeMs: number) => void;
  /** Gives the memory of a leaf, as an entry names it, back. */
  release(side: number, entry: number): void;
}

export function createLeaves(arena: Arena): Leaves {
  const { f64, i32 } = arena;
  /** Of time, of the update at hand: as many bits as the word of a size has for it, as a signed number. */
  let window = 0;

  function create(): number {
    const packed = 2 * arena.allocate(SMALLEST);
    i32.fill(0, packed, packed + 2 * PACKED_LOTS);
    i32[packed + PACKED_SIZE] = SMALLEST;
    return packed;
  }

  function noteChange(side: number, entry: number): void {
    const packed = -i32[entry]!;
    const size = i32[packed + PACKED_SIZE]!;
    const changes = size >> WINDOW_SHIFT === window ? ((size >> CHANGES_SHIFT) & (PACKED_CHANGES_MAX - 1)) + 1 : 1;
    if (changes < PACKED_CHANGES_MAX)
      i32[packed + PACKED_SIZE] = (size & SIZE_MASK) | (changes << CHANGES_SHIFT) | (window << WINDOW_SHIFT);
    else if (LEVELS_PER_WIDE * (i32[side + WIDE]! - SPARE_WIDE) < i32[side + LEVELS]! && arena.hasRoom(WIDE_WORDS)) widen(side, entry);
  }

  function insert(side: number, entry: number, place: number): void {
    const levels = i32[-i32[entry]! + LEAF_LEVELS]!;
    const words = i32[-i32[entry]! + PACKED_SIZE]! & SIZE_MASK;
    if (PACKED_LOTS + levels === words) {
      if (words === PACKED_WORDS_MAX) return widen(side, entry);
      grow(entry, words);
    }
    const packed = -i32[entry]!;
    const lots = (packed >> 1) + PACKED_LOTS;
    const from = lots + levelsBelow(i32, packed, place);
    for (let i = lots + levels; i > from; i--) f64[i] = f64[i - 1]!;
    countBelow(packed, place, 1);
  }

  function grow(entry: number, words: number): void {
    const packed = -i32[entry]!;
    const wordsAfter = sizeFor(words - PACKED_LOTS + 1);
    const larger = arena.allocate(wordsAfter);
    // Word by word only where they are lots: what else looks like no number as a double may come out as another.
    for (let i = 0; i < 2 * PACKED_LOTS; i++) i32[2 * larger + i] = i32[packed + i]!;
    for (let i = PACKED_LOTS; i < words; i++) f64[larger + i] = f64[(packed >> 1) + i]!;
    i32[2 * larger + PACKED_SIZE]! += wordsAfter - words;
    arena.release(packed >> 1, words);
    i32[entry] = -2 * larger;
  }

  function widen(side: number, entry: number): void {
    const packed = -i32[entry]!;
    const wide = 2 * arena.allocate(WIDE_WORDS);
    copyBits(packed, wide);
    i32[wide + PRINT] = 0;
    let from = (packed >> 1) + PACKED_LOTS;
    const lots = (wide >> 1) + WIDE_LOTS;
    for (let word = 0; word < WORDS_OF_BITS; word++) {
      for (let bits = i32[wide + LEAF_BITS + word]!; bits !== 0; bits &= bits - 1) f64[lots + placeOf(word, bits)] = f64[from++]!;
    }
    release(side, entry);
    i32[side + WIDE]!++;
    i32[entry] = wide;
  }

  function remove(packed: number, place: number): void {
    const lots = (packed >> 1) + PACKED_LOTS;
    const last = lots + i32[packed + LEAF_LEVELS]! - 1;
    for (let i = lots + levelsBelow(i32, packed, place); i < last; i++) f64[i] = f64[i + 1]!;
    countBelow(packed, place, -1);
  }

  /** Adds to the counts of levels below the words of bits behind that of a place, four bytes at a time: none of them leaves its byte. */
  function countBelow(packed: number, place: number, more: number): void {
    const word = place >> BITS_SHIFT;
    let at = packed + PACKED_BELOW + (word >> 2);
    i32[at]! += Math.imul(0x01010100 << ((word & 3) << 3), more);
    for (at++; at < packed + 2 * PACKED_LOTS; at++) i32[at]! += Math.imul(0x01010101, more);
  }

  function packIfStill(side: number, entry: number): void {
    const wide = i32[entry]!;
    const words = sizeFor(i32[wide + LEAF_LEVELS]!);
    if (words > PACKED_WORDS_MAX || !isStill(wide) || !arena.hasRoom(words)) return;
    const packed = 2 * arena.allocate(words);
    copyBits(wide, packed);
    i32[packed + PACKED_SIZE] = words;
    i32.fill(0, packed + PACKED_BELOW, packed + 2 * PACKED_LOTS);
    let to = (packed >> 1) + PACKED_LOTS;
    const lots = (wide >> 1) + WIDE_LOTS;
    let below = 0;
    for (let word = 0; word < WORDS_OF_BITS; word++) {
      i32[packed + PACKED_BELOW + (word >> 2)]! |= below << ((word & 3) << 3);
      below += countBits(i32[wide + LEAF_BITS + word]!);
      for (let bits = i32[wide + LEAF_BITS + word]!; bits !== 0; bits &= bits - 1) f64[to++] = f64[lots + placeOf(word, bits)]!;
    }
    release(side, entry);
    i32[entry] = -packed;
  }

  /** Whether the levels of a wide leaf are those that it had when this was asked before. They may, very rarely, be others: it is then packed in vain. */
  function isStill(wide: number): boolean {
    let print = 1;
    const lots = (wide >> 1) + WIDE_LOTS;
    for (let word = 0; word < WORDS_OF_BITS; word++) {
      let bits = i32[wide + LEAF_BITS + word]!;
      print = (Math.imul(print, 31) + bits) | 0;
      for (; bits !== 0; bits &= bits - 1) print = (Math.imul(print, 31) + f64[lots + placeOf(word, bits)]!) | 0;
    }
    const still = i32[wide + PRINT] === print;
    i32[wide + PRINT] = print;
    return still;
  }

  function setTime(timeMs: number): void {
    window = ((timeMs / WINDOW_MS) << WINDOW_SHIFT) >> WINDOW_SHIFT;
  }

  function release(side: number, entry: number): void {
    const leaf = i32[entry]!;
    if (leaf < 0) return arena.release(-leaf >> 1, i32[-leaf + PACKED_SIZE]! & SIZE_MASK);
    arena.release(leaf >> 1, WIDE_WORDS);
    i32[side + WIDE]!--;
  }

  /** Levels and bits of a leaf. */
  function copyBits(from: number, to: number): void {
    for (let i = 0; i < LEAF_BITS + WORDS_OF_BITS; i++) i32[to + i] = i32[from + i]!;
  }

  return { create, noteChange, insert, remove, packIfStill, setTime, release };
}

/** Words of a packed leaf for so many levels; more than PACKED_WORDS_MAX when they do not fit in one. */
function sizeFor(levels: number): number {
  const words = PACKED_LOTS + levels;
  for (let i = 0; i < PACKED_SIZES.length; i++) if (words <= PACKED_SIZES[i]!) return PACKED_SIZES[i]!;
  return words;
}

/** The place in a leaf that the lowest bit of one of its words stands for. */
function placeOf(word: number, bits: number): number {
  return (word << BITS_SHIFT) + firstBit(bits, 1);
}
