import { assert } from '../support/assert.js';

/*
 * A ladder is one side of one book: whole ticks with the whole lots that rest there, exact over any range of prices, in memory that
 * follows the number of levels. It is a page table, as processors keep for memory: quantities lie in pages of 16 consecutive
 * ticks, and a tree with 32 children a node leads from a tick to its page. Every leaf has one bit a tick that holds a level, every node
 * above one bit a child that is not empty, so that the neighbour of a level is found by looking at bits, in order of price. A leaf that hardly
 * changes is packed: its lots lie side by side, without pages.
 *
 *   tick  … 5 bits | 5 bits  | 5 bits | 4 bits
 *           child    child     page     slot
 *           of node  of node   of leaf  of page
 *           level 3  level 2   level 1
 *
 *   page, 16 words       16 doubles: lots at each tick; only those whose bit is set mean anything
 *
 *   leaf (level 1), 25 words            512 ticks
 *     int32 0        levels
 *     int32 1 + n    bits: ticks 32n … 32n + 31 with a level
 *     int32 17 + n   word of page n; 0 = none
 *     int32 49       print of its levels at the last sweep, by which the next one knows whether they changed; 0 = none
 *
 *   packed leaf (level 1), 16, 24, … 272 words
 *     int32 0 … 16   levels and bits, as above
 *     int32 17       words of this block, and in the upper half changes since the last sweep
 *     word 9 + n     lots of the nth level in order of price
 *
 *   node (level 2 and up), 17 words     32 times the ticks of a child
 *     int32 0        bits: children with a level
 *     int32 2 + n    int32 index of child n, of a packed leaf its negative; 0 = none
 *
 *   side block in the book's header, 8 int32
 *     0 root         int32 index of the top node; 0 = the side holds no ladder
 *     1 height       level of the root: the ladder reaches up to 16 * 32^height ticks and grows when a tick lies beyond
 *     2 levels
 *     3 evicted      levels dropped because the ladder was full, since the slot was opened
 *     4 hot number   tick / 524288 of the level-3 node the best level lies below, and
 *     5 hot node     its int32 index; 0 = none. Where the market is, the way down begins here and not at the root.
 *     6 pages        empty ones too
 *     7 changes      until the next sweep
 *
 * Bits say where levels are, indices where memory is. A page, leaf or node stays when its last level goes, since most come back, and no bit
 * leads to it then. A sweep, once in so many changes and when a side has too many pages, gives all empty ones back and packs the leaves that did not change
 * since the one before, if that makes them half as large or less. After a snapshot all such leaves are packed, and a new one begins so. One that then
 * changes more than now and again gets pages. A ladder is never lower than three levels.
 */

export const PAGE_TICKS = 16;
export const PAGE_SHIFT = 4;
export const CHILDREN = 32;
export const CHILD_SHIFT = 5;
export const CHILD_MASK = CHILDREN - 1;
/** Ticks below 16 * 32^15 = 2^79: more than any price has. */
export const HEIGHT_MAX = 15;
/** Largest tick a ladder takes, exclusive. */
export const TICK_LIMIT = 2 ** 79;
/** Up to here the way down is found with int32 shifts. */
export const INT_HEIGHT_MAX = 5;
export const INT_TICK_LIMIT = 2 ** (PAGE_SHIFT + CHILD_SHIFT * INT_HEIGHT_MAX);

export const LEAF_SHIFT = PAGE_SHIFT + CHILD_SHIFT;
export const LEAF_TICKS = 2 ** LEAF_SHIFT;
export const LEAF_MASK = LEAF_TICKS - 1;
export const HOT_LEVEL = 3;
export const HOT_SHIFT = PAGE_SHIFT + CHILD_SHIFT * HOT_LEVEL;

/** SPAN[n]: ticks below one child of a node at level n; SPAN[0] is 1, SPAN[1] a page. INVERSE_SPAN is exact too: powers of two. */
export const SPAN = Float64Array.from({ length: HEIGHT_MAX + 2 }, (_, level) => (level === 0 ? 1 : PAGE_TICKS * CHILDREN ** (level - 1)));
export const INVERSE_SPAN = SPAN.map((span) => 1 / span);

/** Levels a side may hold; beyond it the level farthest from the touch is dropped and counted. */
export const LEVELS_MAX = 65_536;

/** A side with more pages than its levels times the one and plus the other gives the empty ones back. */
export const PAGES_PER_LEVEL = 3;
export const SPARE_PAGES = 64;
/** So many changes of a side are between two sweeps: a number a level, and some. */
export const CHANGES_PER_LEVEL = 32;
export const SPARE_CHANGES = 4096;
/** With this many changes between two sweeps a packed leaf gets its pages back. */
export const PACKED_CHANGES_MAX = 16;

/** int32 offsets in nodes of level 2 and up. */
export const BITS = 0;
export const FIRST_CHILD = 2;

/** int32 offsets in leaves. */
export const LEAF_LEVELS = 0;
export const LEAF_BITS = 1;
export const FIRST_PAGE = 17;
export const PRINT = 49;
export const LEAF_WORDS = 25;
/** Ticks of one word of bits. */
export const BITS_SHIFT = 5;
export const BITS_MASK = 31;

/** In packed leaves: an int32 offset, and the word of the first lots. */
export const PACKED_SIZE = 17;
export const PACKED_LOTS = 9;
/** Sizes of packed leaves are multiples of this many words. */
export const PACKED_STEP = 8;

export const ROOT = 0;
export const HEIGHT = 1;
export const LEVELS = 2;
export const EVICTED = 3;
export const HOT_NUMBER = 4;
export const HOT_NODE = 5;
export const PAGES = 6;
export const CHANGES = 7;
export const SIDE_INTS = 8;

assert(SPAN[HEIGHT_MAX + 1] === TICK_LIMIT, 'the highest ladder covers all ticks');
assert(INT_TICK_LIMIT <= 2 ** 31, 'int32 ticks');
assert(FIRST_PAGE === LEAF_BITS + (LEAF_TICKS >> BITS_SHIFT), 'the pages of a leaf follow its bits');
assert(PRINT === FIRST_PAGE + CHILDREN && 2 * LEAF_WORDS === PRINT + 1, 'the print of a leaf is its last int32');
assert(2 * PACKED_LOTS > PACKED_SIZE, 'the lots of a packed leaf follow its size');
