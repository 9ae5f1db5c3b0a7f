import type { Arena } from '../memory/arena.js';
import * as layout from './ladder-layout.js';
import { childOf } from './ladder-lookup.js';
import type { Leaves } from './leaves.js';

// An imported constant is loaded from memory at every use; a constant of this module becomes part of the machine code.
const {
  BITS,
  CHANGES,
  CHANGES_PER_LEVEL,
  CHILDREN,
  EVICTED,
  FIRST_CHILD,
  HEIGHT,
  HOT_LEVEL,
  HOT_NODE,
  HOT_NUMBER,
  HOT_SHIFT,
  INT_TICK_LIMIT,
  LEAF_LEVELS,
  LEVELS,
  NODE_WORDS,
  ROOT,
  SIDE_INTS,
  SPAN,
  SPARE_CHANGES,
} = layout;

/**
 * The nodes above the leaves, see `ladder-layout.ts`: the way down to a tick, made where it is missing and given back when nothing lies below. `entry` is the index
 * of the int32 of a node that names a leaf.
 */
export interface LadderTree {
  /** Makes an empty ladder in a side block that holds none. Throws ArenaFullError. */
  readonly create: (side: number) => void;
  /** Frees all blocks of a ladder; the side block then holds none. */
  readonly destroy: (side: number) => void;
  /** The entry of the leaf of any tick if it holds levels, else 0. */
  findEntry(side: number, tick: number): number;
  /** The entry of the leaf of any tick, with leaf and nodes made where they are missing; the caller puts a level into it at once. Throws ArenaFullError. */
  addLeaf(side: number, tick: number): number;
  /** Clears the bits that lead to the empty leaf of a tick: one of the lowest node that keeps another child, all of those below. */
  clearBits(side: number, tick: number): void;
  /** Makes the level-3 node of a tick that has a level the hot one. */
  heat(side: number, tick: number): void;
  /** Gives back what is empty and packs wide leaves that stood still. */
  sweep(side: number): void;
  /** So many changes from here on are until the next sweep as the ladder has levels for. */
  countDown(side: number): void;
}

/** Like the ladders themselves, functions over the arrays of the arena. */
export function createLadderTree(arena: Arena, leaves: Leaves): LadderTree {
  const { i32 } = arena;

  function create(side: number): void {
    const root = newNode();
    i32.fill(0, side, side + EVICTED);
    i32[side + ROOT] = root;
    i32[side + HEIGHT] = HOT_LEVEL;
    i32[side + HOT_NODE] = root;
  }

  function destroy(side: number): void {
    if (i32[side + ROOT] !== 0) releaseTree(side, i32[side + ROOT]!, i32[side + HEIGHT]!);
    i32.fill(0, side, side + EVICTED);
    i32.fill(0, side + EVICTED + 1, side + SIDE_INTS);
  }

  function findEntry(side: number, tick: number): number {
    let node = i32[side + HOT_NODE]!;
    let level = HOT_LEVEL;
    if (node === 0 || tick >= INT_TICK_LIMIT || tick >> HOT_SHIFT !== i32[side + HOT_NUMBER]!) {
      node = i32[side + ROOT]!;
      level = i32[side + HEIGHT]!;
      if (tick >= SPAN[level + 1]!) return 0;
    }
    for (; level > 2 && node !== 0; level--) node = i32[node + FIRST_CHILD + childOf(tick, level)]!;
    if (node === 0) return 0;
    const entry = node + FIRST_CHILD + childOf(tick, 2);
    const leaf = i32[entry]!;
    return leaf !== 0 && i32[Math.abs(leaf) + LEAF_LEVELS]! !== 0 ? entry : 0;
  }

  function addLeaf(side: number, tick: number): number {
    while (tick >= SPAN[i32[side + HEIGHT]! + 1]!) addRoot(side);
    let node = i32[side + ROOT]!;
    let entry = 0;
    for (let level = i32[side + HEIGHT]!; level > 1; level--) {
      const child = childOf(tick, level);
      entry = node + FIRST_CHILD + child;
      if (i32[entry] === 0) {
        i32[entry] = level > 2 ? newNode() : -leaves.create();
        i32[side + CHANGES]! -= CHANGES_PER_LEVEL;
      }
      i32[node + BITS] = i32[node + BITS]! | (1 << child);
      node = i32[entry]!;
    }
    return entry;
  }

  /** One more level on top; the old root becomes child 0 of the new one. */
  function addRoot(side: number): void {
    const root = newNode();
    const old = i32[side + ROOT]!;
    // A child without a level keeps its place, but its bit is not set.
    i32[root + FIRST_CHILD] = old;
    i32[root + BITS] = i32[old + BITS] === 0 ? 0 : 1;
    i32[side + ROOT] = root;
    i32[side + HEIGHT] = i32[side + HEIGHT]! + 1;
  }

  function clearBits(side: number, tick: number): void {
    let keeper = i32[side + ROOT]!;
    let keeperLevel = i32[side + HEIGHT]!;
    let node = keeper;
    for (let level = keeperLevel; level > 1; level--) {
      if ((i32[node + BITS]! & ~(1 << childOf(tick, level))) !== 0) {
        keeper = node;
        keeperLevel = level;
      }
      node = i32[node + FIRST_CHILD + childOf(tick, level)]!;
    }
    node = keeper;
    for (let level = keeperLevel; level > 1; level--) {
      i32[node + BITS] = i32[node + BITS]! & ~(1 << childOf(tick, level));
      node = i32[node + FIRST_CHILD + childOf(tick, level)]!;
    }
  }

  function heat(side: number, tick: number): void {
    if (tick >= INT_TICK_LIMIT) return;
    if (tick >> HOT_SHIFT === i32[side + HOT_NUMBER]! && i32[side + HOT_NODE]! !== 0) return;
    let node = i32[side + ROOT]!;
    for (let level = i32[side + HEIGHT]!; level > HOT_LEVEL; level--) node = i32[node + FIRST_CHILD + childOf(tick, level)]!;
    i32[side + HOT_NUMBER] = tick >> HOT_SHIFT;
    i32[side + HOT_NODE] = node;
  }

  function sweep(side: number): void {
    sweepNode(side, i32[side + ROOT]!, i32[side + HEIGHT]!);
    countDown(side);
  }

  function countDown(side: number): void {
    i32[side + CHANGES] = CHANGES_PER_LEVEL * i32[side + LEVELS]! + SPARE_CHANGES;
  }

  function sweepNode(side: number, node: number, level: number): void {
    for (let child = 0; child < CHILDREN; child++) {
      const entry = node + FIRST_CHILD + child;
      const next = i32[entry]!;
      if (next === 0) continue;
      if (level === 2) {
        if (next < 0) continue;
        if (i32[next + LEAF_LEVELS] !== 0) {
          leaves.packIfStill(side, entry);
        } else {
          leaves.release(side, entry);
          i32[entry] = 0;
        }
        continue;
      }
      sweepNode(side, next, level - 1);
      if (i32[next + BITS] !== 0) continue;
      if (next === i32[side + HOT_NODE]!) i32[side + HOT_NODE] = 0;
      arena.release(next >> 1, NODE_WORDS);
      i32[entry] = 0;
    }
  }

  /** int32 index of a new, empty node. */
  function newNode(): number {
    const index = arena.allocate(NODE_WORDS) * 2;
    i32.fill(0, index, index + 2 * NODE_WORDS);
    return index;
  }

  function releaseTree(side: number, node: number, level: number): void {
    for (let child = 0; child < CHILDREN; child++) {
      const entry = node + FIRST_CHILD + child;
      if (i32[entry] === 0) continue;
      if (level > 2) releaseTree(side, i32[entry]!, level - 1);
      else leaves.release(side, entry);
    }
    arena.release(node >> 1, NODE_WORDS);
  }

  return { create, destroy, findEntry, addLeaf, clearBits, heat, sweep, countDown };
}
