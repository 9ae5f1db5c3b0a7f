import { assert } from '../support/assert.js';

/*
 * A ladder is one side of one book: whole ticks with the whole lots that rest there, exact over any range of prices, in memory that
 * follows the number of levels. It is a page table, as processors keep for memory: a tree with 32 children a node leads from a tick to its leaf, which has
 * 512 consecutive ticks. Every leaf has one bit a tick that holds a level, every node above one bit a child that is not empty, so that the neighbour of a
 * level is found by looking at bits, in order of price. A leaf that changes often is wide, with room for the lots of each of its ticks; one that hardly changes is
 * packed, the lots of its levels side by side.
 *
 *   tick  … 5 bits | 5 bits  | 9 bits
 *           child    child     place
 *           of node  of node   in leaf
 *           level 3  level 2   level 1
 *
 *   wide leaf (level 1), 521 words
 *     int32 0        levels
 *     int32 1 + n    bits: ticks 32n … 32n + 31 with a level
 *     int32 17       print of its levels at the last sweep, by which the next one knows whether they changed
 *     word 9 + n     lots at tick n; only those whose bit is set mean anything
 *
 *   packed leaf (level 1), 16, 24, 32, 48, 64, 96, 128, 192 or 256 words
 *     int32 0 … 16   levels and bits, as above
 *     int32 17       words of this block; from bit 16 on its changes in one window of time, from bit 21 on which window
 *     byte 72 + n    levels at ticks below 32n
 *     word 11 + n    lots of the nth level in order of price
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
 *     6 wide         wide leaves
 *     7 changes      until the next sweep; a new leaf or node counts as some
 *
 * A leaf begins packed, after a snapshot too. With so many changes in so many seconds it becomes wide, unless the side has many wide leaves for its levels. Bits say
 * where levels are, indices where memory is: a wide leaf or a node stays when its last level goes, since most come back, and no bit leads to it then. A sweep, once in so many
 * changes of a side, gives back what is empty and packs wide leaves whose levels are those of the sweep before. A ladder is never lower than three levels.
 */

export const CHILDREN = 32;
export const CHILD_SHIFT = 5;
export const CHILD_MASK = CHILDREN - 1;
/** Ticks below 16 * 32^15 = 2^79: more than any price has. */
export const HEIGHT_MAX = 15;
/** Largest tick a ladder takes, exclusive. */
export const TICK_LIMIT = 2 ** 79;
export const LEAF_SHIFT = 9;
export const LEAF_TICKS = 2 ** LEAF_SHIFT;
export const LEAF_MASK = LEAF_TICKS - 1;
/** Up to here the way down is found with int32 shifts. */
export const INT_HEIGHT_MAX = 5;
export const INT_TICK_LIMIT = 2 ** (LEAF_SHIFT + CHILD_SHIFT * (INT_HEIGHT_MAX - 1));
export const HOT_LEVEL = 3;
export const HOT_SHIFT = LEAF_SHIFT + CHILD_SHIFT * (HOT_LEVEL - 1);
/** Ticks below one child of the hot node. */
export const MIDDLE_SHIFT = HOT_SHIFT - CHILD_SHIFT;

/** SPAN[n]: ticks below one child of a node at level n, 2 and up. INVERSE_SPAN is exact too: powers of two. */
export const SPAN = Float64Array.from({ length: HEIGHT_MAX + 2 }, (_, level) => LEAF_TICKS * CHILDREN ** (level - 2));
export const INVERSE_SPAN = SPAN.map((span) => 1 / span);

/** Levels a side may hold; beyond it the level farthest from the touch is dropped and counted. */
export const LEVELS_MAX = 65_536;

/** So many changes of a side are between two sweeps: a number a level, and some. */
export const CHANGES_PER_LEVEL = 32;
export const SPARE_CHANGES = 4096;
/** With this many changes in one window of so many ms a packed leaf becomes wide, */
export const PACKED_CHANGES_MAX = 16;
export const WINDOW_MS = 8192;
/** if the side then has a wide leaf for so many levels, not counting this many. */
export const LEVELS_PER_WIDE = 8;
export const SPARE_WIDE = 16;

/** int32 offsets in nodes of level 2 and up. */
export const BITS = 0;
export const FIRST_CHILD = 2;
export const NODE_WORDS = 1 + CHILDREN / 2;

/** int32 offsets in leaves. */
export const LEAF_LEVELS = 0;
export const LEAF_BITS = 1;
/** Ticks of one word of bits. */
export const BITS_SHIFT = 5;
export const BITS_MASK = 31;
/** In wide leaves. */
export const PRINT = 17;
/** In packed ones. */
export const PACKED_SIZE = 17;
export const PACKED_BELOW = 18;
/** The word of the first lots. */
export const WIDE_LOTS = 9;
export const PACKED_LOTS = 11;
export const WIDE_WORDS = WIDE_LOTS + LEAF_TICKS;
/** Few sizes, each at most half as large again as the one before: a block that is free finds another use. The counts are bytes. */
export const PACKED_SIZES: readonly number[] = [16, 24, 32, 48, 64, 96, 128, 192, 256];
export const PACKED_WORDS_MAX = 256;

export const ROOT = 0;
export const HEIGHT = 1;
export const LEVELS = 2;
export const EVICTED = 3;
export const HOT_NUMBER = 4;
export const HOT_NODE = 5;
export const WIDE = 6;
export const CHANGES = 7;
export const SIDE_INTS = 8;

assert(SPAN[HEIGHT_MAX + 1] === TICK_LIMIT, 'the highest ladder covers all ticks');
assert(INT_TICK_LIMIT <= 2 ** 31, 'int32 ticks');
assert(
  PRINT === LEAF_BITS + (LEAF_TICKS >> BITS_SHIFT) && 2 * WIDE_LOTS === PRINT + 1,
  'the lots of a wide leaf follow its bits and one int32',
);
assert(2 * PACKED_LOTS === PACKED_BELOW + (LEAF_TICKS >> BITS_SHIFT) / 4, 'the lots of a packed leaf follow its counts');
assert(PACKED_WORDS_MAX - PACKED_LOTS < 256, 'levels of a packed leaf are counted by bytes');
