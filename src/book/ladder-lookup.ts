import * as layout from './ladder-layout.js';

/*
 * Reading a ladder, for its writer and for readers on other threads. A reader may look at a ladder in the middle of a change: every
 * loop here is bounded and every failed search has an answer, so that nonsense comes to an end and the version check can reject it.
 *
 * `side` is the index of the side block in `i32`; `direction` is 1 for upwards and -1 for downwards. A `leaf` is an int32 index as its node has it: negative
 * when it is packed.
 */

// An imported constant is loaded from memory at every use; a constant of this module becomes part of the machine code.
const {
  BITS,
  BITS_MASK,
  BITS_SHIFT,
  CHILD_MASK,
  CHILD_SHIFT,
  CHILDREN,
  FIRST_CHILD,
  HEIGHT,
  HEIGHT_MAX,
  HOT_NODE,
  HOT_NUMBER,
  HOT_SHIFT,
  INT_HEIGHT_MAX,
  INT_TICK_LIMIT,
  INVERSE_SPAN,
  LEAF_BITS,
  LEAF_MASK,
  LEAF_SHIFT,
  LEAF_TICKS,
  LEVELS,
  MIDDLE_SHIFT,
  PACKED_BELOW,
  PACKED_LOTS,
  ROOT,
  SPAN,
  WIDE_LOTS,
} = layout;

/** No level: the answer at the end of a ladder. */
export const NO_TICK = -1;

/** The leaf that `tick` lies in; 0 when there is none. */
export function findLeaf(i32: Int32Array, side: number, tick: number): number {
  if (tick < INT_TICK_LIMIT && tick >> HOT_SHIFT === i32[side + HOT_NUMBER]! && i32[side + HOT_NODE]! !== 0) {
    const middle = i32[i32[side + HOT_NODE]! + FIRST_CHILD + ((tick >> MIDDLE_SHIFT) & CHILD_MASK)]!;
    return middle === 0 ? 0 : i32[middle + FIRST_CHILD + ((tick >> LEAF_SHIFT) & CHILD_MASK)]!;
  }
  const height = i32[side + HEIGHT]!;
  let node = i32[side + ROOT]!;
  if (node === 0 || height > HEIGHT_MAX || tick >= SPAN[height + 1]!) return 0;
  for (let level = height; level > 1; level--) {
    node = i32[node + FIRST_CHILD + childOf(tick, level)]!;
    if (node === 0) return 0;
  }
  return node;
}

/** Which tick of its leaf a tick is. */
export function placeInLeaf(tick: number): number {
  return tick < INT_TICK_LIMIT ? tick & LEAF_MASK : tick - Math.floor(tick / LEAF_TICKS) * LEAF_TICKS;
}

/** Whether a leaf has a level at a place. */
export function hasLevel(i32: Int32Array, leaf: number, place: number): boolean {
  return ((i32[Math.abs(leaf) + LEAF_BITS + (place >> BITS_SHIFT)]! >>> (place & BITS_MASK)) & 1) !== 0;
}

/** Which child of its node at `level` a tick lies in. */
export function childOf(tick: number, level: number): number {
  if (tick < INT_TICK_LIMIT) return level > INT_HEIGHT_MAX ? 0 : (tick >> (LEAF_SHIFT + CHILD_SHIFT * (level - 2))) & CHILD_MASK;
  return Math.floor(tick * INVERSE_SPAN[level]!) - Math.floor(tick * INVERSE_SPAN[level + 1]!) * CHILDREN;
}

/** Lots at `tick`; 0 when there is no such level. */
export function lotsAt(f64: Float64Array, i32: Int32Array, side: number, tick: number): number {
  const leaf = findLeaf(i32, side, tick);
  if (leaf === 0) return 0;
  const place = placeInLeaf(tick);
  return hasLevel(i32, leaf, place) ? f64[wordOf(i32, leaf, place)]! : 0;
}

/** The word of the lots of a level of a leaf. */
export function wordOf(i32: Int32Array, leaf: number, place: number): number {
  return leaf < 0 ? (-leaf >> 1) + PACKED_LOTS + levelsBelow(i32, -leaf, place) : (leaf >> 1) + WIDE_LOTS + place;
}

/** How many levels of a packed leaf, its index positive, lie below a place. */
export function levelsBelow(i32: Int32Array, packed: number, place: number): number {
  const word = place >> BITS_SHIFT;
  const below = (i32[packed + PACKED_BELOW + (word >> 2)]! >>> ((word & 3) << 3)) & 0xff;
  return below + countBits(i32[packed + LEAF_BITS + word]! & ((1 << (place & BITS_MASK)) - 1));
}

/** How many of 32 bits are set. */
export function countBits(bits: number): number {
  const pairs = bits - ((bits >>> 1) & 0x55555555);
  const nibbles = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((nibbles + (nibbles >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** The nearest level beyond `tick`; NO_TICK when there is none. */
export function neighbour(i32: Int32Array, side: number, tick: number, direction: number): number {
  const height = i32[side + HEIGHT]!;
  let node = i32[side + ROOT]!;
  if (node === 0 || height > HEIGHT_MAX) return NO_TICK;
  if (tick >= SPAN[height + 1]!) return direction > 0 ? NO_TICK : first(i32, side, direction);
  const leaf = findLeaf(i32, side, tick);
  if (leaf !== 0) {
    // Where the touch moves, nearly always.
    const place = placeInLeaf(tick);
    const next = nextInLeaf(i32, leaf, place, direction);
    // In this order both sums are exact, however large a tick.
    if (next >= 0) return tick + (next - place);
  }
  // On the way down to the tick, remember the lowest turning that leads past it.
  let turningNode = 0;
  let turningLevel = 0;
  let turningChild = 0;
  for (let level = height; level > 1; level--) {
    const child = childOf(tick, level);
    const next = nextBit(i32[node + BITS]!, child, direction);
    if (next >= 0) {
      turningNode = node;
      turningLevel = level;
      turningChild = next;
    }
    node = i32[node + FIRST_CHILD + child]!;
    if (node === 0) break;
  }
  if (turningNode === 0) return NO_TICK;
  const number = Math.floor(tick * INVERSE_SPAN[turningLevel + 1]!) * CHILDREN + turningChild;
  return firstBelow(i32, i32[turningNode + FIRST_CHILD + turningChild]!, turningLevel - 1, number * SPAN[turningLevel]!, direction);
}

/** The lowest (`direction` 1) or highest (-1) level; NO_TICK when the ladder is empty. */
export function first(i32: Int32Array, side: number, direction: number): number {
  const height = i32[side + HEIGHT]!;
  if (i32[side + LEVELS]! === 0 || height > HEIGHT_MAX) return NO_TICK;
  return firstBelow(i32, i32[side + ROOT]!, height, 0, direction);
}

/** Copies up to `depth` levels into `ticks` and `lots`, from `start` on in `direction`; returns how many. */
export function collect(
  f64: Float64Array,
  i32: Int32Array,
  side: number,
  start: number,
  direction: number,
  depth: number,
  ticks: Float64Array,
  lots: Float64Array,
): number {
  let count = 0;
  let tick = start;
  while (tick !== NO_TICK && count < depth) {
    const leaf = findLeaf(i32, side, tick);
    if (leaf === 0) break;
    let place = placeInLeaf(tick);
    const leafTick = tick - place;
    // In a packed leaf the lots of the next level lie beside those of this one.
    let beside = leaf < 0 ? wordOf(i32, leaf, place) : 0;
    for (; place >= 0 && count < depth; place = nextInLeaf(i32, leaf, place, direction)) {
      tick = leafTick + place;
      ticks[count] = tick;
      lots[count] = f64[leaf < 0 ? beside : wordOf(i32, leaf, place)]!;
      beside += direction;
      count++;
    }
    if (count < depth) tick = neighbour(i32, side, tick, direction);
  }
  return count;
}

/** The first level in `direction` below a node of `level` whose ticks begin at `tick`. */
function firstBelow(i32: Int32Array, node: number, level: number, tick: number, direction: number): number {
  for (; level > 1; level--) {
    const child = firstBit(i32[node + BITS]!, direction);
    if (node === 0 || child < 0) return NO_TICK;
    node = i32[node + FIRST_CHILD + child]!;
    tick += child * SPAN[level]!;
  }
  if (node === 0) return NO_TICK;
  const place = nextInLeaf(i32, node, direction > 0 ? -1 : LEAF_TICKS, direction);
  return place < 0 ? NO_TICK : tick + place;
}

/** The place of the level next to `place` in a leaf; -1 when there is none on that side. From -1 and LEAF_TICKS on, all of the leaf. */
export function nextInLeaf(i32: Int32Array, leaf: number, place: number, direction: number): number {
  const words = Math.abs(leaf) + LEAF_BITS;
  let word = place >> BITS_SHIFT;
  const inside = place & BITS_MASK;
  // A word beyond either end is not there, and has no bits.
  let bits = place < 0 || place > LEAF_MASK ? 0 : bitsBeyond(i32[words + word]!, inside, direction);
  while (bits === 0) {
    word += direction;
    if (word < 0 || word > LEAF_MASK >> BITS_SHIFT) return -1;
    bits = i32[words + word]!;
  }
  return (word << BITS_SHIFT) + firstBit(bits, direction);
}

/** The bit next to `from`; -1 when there is none on that side. */
export function nextBit(bits: number, from: number, direction: number): number {
  return firstBit(bitsBeyond(bits, from, direction), direction);
}

/** Those of 32 bits that lie beyond one of them. */
function bitsBeyond(bits: number, from: number, direction: number): number {
  return bits & (direction > 0 ? -2 << from : (1 << from) - 1);
}

/** The lowest (1) or highest (-1) bit set; -1 when none is. */
export function firstBit(bits: number, direction: number): number {
  // Not `-bits`: that has no int32 when only the highest bit is set, and machine code made for int32 would be thrown away.
  return 31 - Math.clz32(direction > 0 ? bits & (~bits + 1) : bits);
}
