import * as layout from './ladder-layout.js';

/*
 * Reading a ladder, for its writer and for readers on other threads. A reader may look at a ladder in the middle of a change: every
 * loop here is bounded and every failed search has an answer, so that nonsense comes to an end and the version check can reject it.
 *
 * `side` is the index of the side block in `i32`; `direction` is 1 for upwards and -1 for downwards.
 */

// An imported constant is loaded from memory at every use; a constant of this module becomes part of the machine code.
const {
  BITS,
  CHILD_MASK,
  CHILDREN,
  FIRST_CHILD,
  HEIGHT,
  HEIGHT_MAX,
  INVERSE_SPAN,
  LEVELS,
  PAGE_TICKS,
  ROOT,
  SPAN,
  CHILD_SHIFT,
  HOT_NODE,
  HOT_NUMBER,
  HOT_SHIFT,
  INT_HEIGHT_MAX,
  INT_TICK_LIMIT,
  LEAF_SHIFT,
  PAGE_SHIFT,
} = layout;

/** No level: the answer at the end of a ladder. */
export const NO_TICK = -1;

/** int32 index of the pair (word of the page, its occupied ticks) for `tick`; 0 when there is no such page. */
export function findPage(i32: Int32Array, side: number, tick: number): number {
  if (tick < INT_TICK_LIMIT && tick >> HOT_SHIFT === i32[side + HOT_NUMBER]! && i32[side + HOT_NODE]! !== 0) {
    const middle = i32[i32[side + HOT_NODE]! + FIRST_CHILD + ((tick >> (HOT_SHIFT - CHILD_SHIFT)) & CHILD_MASK)]!;
    if (middle === 0) return 0;
    const leaf = i32[middle + FIRST_CHILD + ((tick >> LEAF_SHIFT) & CHILD_MASK)]!;
    if (leaf === 0) return 0;
    const pair = leaf + FIRST_CHILD + 2 * ((tick >> PAGE_SHIFT) & CHILD_MASK);
    return i32[pair] === 0 ? 0 : pair;
  }
  const height = i32[side + HEIGHT]!;
  let node = i32[side + ROOT]!;
  if (node === 0 || height > HEIGHT_MAX || tick >= SPAN[height + 1]!) return 0;
  for (let level = height; level > 1; level--) {
    node = i32[node + FIRST_CHILD + childOf(tick, level)]!;
    if (node === 0) return 0;
  }
  const pair = node + FIRST_CHILD + 2 * childOf(tick, 1);
  return i32[pair] === 0 ? 0 : pair;
}

/** Which child of its node at `level` a tick lies in. */
export function childOf(tick: number, level: number): number {
  if (tick < INT_TICK_LIMIT) return level > INT_HEIGHT_MAX ? 0 : (tick >> (PAGE_SHIFT + CHILD_SHIFT * (level - 1))) & CHILD_MASK;
  return Math.floor(tick * INVERSE_SPAN[level]!) - Math.floor(tick * INVERSE_SPAN[level + 1]!) * CHILDREN;
}

/** Lots at `tick`; 0 when there is no such level. */
export function lotsAt(f64: Float64Array, i32: Int32Array, side: number, tick: number): number {
  const pair = findPage(i32, side, tick);
  if (pair === 0) return 0;
  const slot = tick - Math.floor(tick / PAGE_TICKS) * PAGE_TICKS;
  return ((i32[pair + 1]! >>> slot) & 1) === 0 ? 0 : f64[i32[pair]! + slot]!;
}

/** The nearest level beyond `tick`; NO_TICK when there is none. */
export function neighbour(i32: Int32Array, side: number, tick: number, direction: number): number {
  const near = neighbourInLeaf(i32, side, tick, direction);
  if (near !== NO_TICK) return near;
  const height = i32[side + HEIGHT]!;
  let node = i32[side + ROOT]!;
  if (node === 0 || height > HEIGHT_MAX) return NO_TICK;
  if (tick >= SPAN[height + 1]!) return direction > 0 ? NO_TICK : first(i32, side, direction);
  // On the way down to the tick, remember the lowest turning that leads past it.
  let turningNode = 0;
  let turningLevel = 0;
  let turningChild = 0;
  for (let level = height; level >= 1; level--) {
    const child = childOf(tick, level);
    const next = nextBit(i32[node + BITS]!, child, direction);
    if (next >= 0) {
      turningNode = node;
      turningLevel = level;
      turningChild = next;
    }
    if (level > 1) {
      node = i32[node + FIRST_CHILD + child]!;
      if (node === 0) break;
    } else if (i32[node + FIRST_CHILD + 2 * child] !== 0) {
      const page = Math.floor(tick / PAGE_TICKS);
      const slot = nextBit(i32[node + FIRST_CHILD + 2 * child + 1]!, tick - page * PAGE_TICKS, direction);
      if (slot >= 0) return page * PAGE_TICKS + slot;
    }
  }
  if (turningNode === 0) return NO_TICK;
  const number = Math.floor(tick * INVERSE_SPAN[turningLevel + 1]!) * CHILDREN + turningChild;
  return descend(i32, turningNode, turningLevel, turningChild, number * SPAN[turningLevel]!, direction);
}

/** The nearest level beyond a tick below the hot node, if it lies in the same leaf: where the touch moves, nearly always. */
function neighbourInLeaf(i32: Int32Array, side: number, tick: number, direction: number): number {
  const hot = i32[side + HOT_NODE]!;
  if (hot === 0 || tick >= INT_TICK_LIMIT || tick >> HOT_SHIFT !== i32[side + HOT_NUMBER]!) return NO_TICK;
  const middle = i32[hot + FIRST_CHILD + ((tick >> (HOT_SHIFT - CHILD_SHIFT)) & CHILD_MASK)]!;
  const leaf = middle === 0 ? 0 : i32[middle + FIRST_CHILD + ((tick >> LEAF_SHIFT) & CHILD_MASK)]!;
  if (leaf === 0) return NO_TICK;
  const child = (tick >> PAGE_SHIFT) & CHILD_MASK;
  // An empty page has no bits set.
  let slot = nextBit(i32[leaf + FIRST_CHILD + 2 * child + 1]!, tick & (PAGE_TICKS - 1), direction);
  if (slot >= 0) return (tick & -PAGE_TICKS) + slot;
  const next = nextBit(i32[leaf + BITS]!, child, direction);
  if (next < 0) return NO_TICK;
  slot = firstBit(i32[leaf + FIRST_CHILD + 2 * next + 1]!, direction);
  return slot < 0 ? NO_TICK : (((tick >> LEAF_SHIFT) << LEAF_SHIFT) | (next << PAGE_SHIFT)) + slot;
}

/** The lowest (`direction` 1) or highest (-1) level; NO_TICK when the ladder is empty. */
export function first(i32: Int32Array, side: number, direction: number): number {
  const root = i32[side + ROOT]!;
  const height = i32[side + HEIGHT]!;
  if (root === 0 || i32[side + LEVELS]! === 0 || height > HEIGHT_MAX) return NO_TICK;
  const child = firstBit(i32[root + BITS]!, direction);
  return descend(i32, root, height, child, child * SPAN[height]!, direction);
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
    const pair = findPage(i32, side, tick);
    if (pair === 0) break;
    const word = i32[pair]!;
    const bits = i32[pair + 1]!;
    const pageTick = Math.floor(tick / PAGE_TICKS) * PAGE_TICKS;
    let slot = tick - pageTick;
    for (; slot >= 0 && count < depth; slot = nextBit(bits, slot, direction)) {
      tick = pageTick + slot;
      ticks[count] = tick;
      lots[count] = f64[word + slot]!;
      count++;
    }
    if (count < depth) tick = neighbour(i32, side, tick, direction);
  }
  return count;
}

/** The first level in `direction` below child `child` of `node`, whose ticks begin at `tick`. */
function descend(i32: Int32Array, node: number, level: number, child: number, tick: number, direction: number): number {
  for (; level > 1; level--) {
    node = i32[node + FIRST_CHILD + child]!;
    child = firstBit(i32[node + BITS]!, direction);
    if (node === 0 || child < 0) return NO_TICK;
    tick += child * SPAN[level - 1]!;
  }
  const slot = firstBit(i32[node + FIRST_CHILD + 2 * child + 1]!, direction);
  return slot < 0 ? NO_TICK : tick + slot;
}

/** The bit next to `from`; -1 when there is none on that side. */
export function nextBit(bits: number, from: number, direction: number): number {
  if (direction > 0) {
    const above = from === CHILD_MASK ? 0 : bits & (-2 << from);
    return above === 0 ? -1 : 31 - Math.clz32(above & -above);
  }
  const below = bits & ((1 << from) - 1);
  return below === 0 ? -1 : 31 - Math.clz32(below);
}

/** The lowest (1) or highest (-1) bit set; -1 when none is. */
export function firstBit(bits: number, direction: number): number {
  return 31 - Math.clz32(direction > 0 ? bits & -bits : bits);
}
