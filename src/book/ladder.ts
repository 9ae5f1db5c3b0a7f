import type { Arena } from '../memory/arena.js';
import * as layout from './ladder-layout.js';
import { childOf, findPage, first, lotsAt, neighbour, NO_TICK } from './ladder-lookup.js';

// An imported constant is loaded from memory at every use; a constant of this module becomes part of the machine code.
const {
  BITS,
  CHILD_MASK,
  CHILD_SHIFT,
  CHILDREN,
  EVICTED,
  FIRST_CHILD,
  HEIGHT,
  HOT_LEVEL,
  HOT_NODE,
  HOT_NUMBER,
  HOT_SHIFT,
  INT_HEIGHT_MAX,
  INT_TICK_LIMIT,
  LEAF_SHIFT,
  LEVELS,
  LEVELS_MAX,
  PAGE_SHIFT,
  PAGE_TICKS,
  ROOT,
  SIDE_INTS,
  SPAN,
} = layout;

/** Block sizes, as size classes of the arena. */
const PAGE_WORDS = PAGE_TICKS;
const LEAF_WORDS = 1 + CHILDREN;
const NODE_WORDS = 1 + CHILDREN / 2;

/**
 * The ladders of one shard, in its arena. A ladder is named by its side block: an index into `arena.i32`.
 * Everything here runs inside the caller's write section, on the thread that owns the arena; looking up is in `ladder-lookup.ts`.
 */
export class Ladders {
  readonly #arena: Arena;
  readonly #f64: Float64Array;
  readonly #i32: Int32Array;

  constructor(arena: Arena) {
    this.#arena = arena;
    this.#f64 = arena.f64;
    this.#i32 = arena.i32;
  }

  /** Makes an empty ladder in a side block that holds none. Throws ArenaFullError. */
  create(side: number): void {
    const root = this.#newNode(LEAF_WORDS);
    this.#i32.fill(0, side, side + EVICTED);
    this.#i32[side + ROOT] = root;
    this.#i32[side + HEIGHT] = 1;
    this.#i32[side + HOT_NODE] = 0;
  }

  /** Frees all blocks of a ladder; the side block then holds none. */
  destroy(side: number): void {
    const i32 = this.#i32;
    if (i32[side + ROOT] !== 0) this.#releaseTree(i32[side + ROOT]!, i32[side + HEIGHT]!);
    i32.fill(0, side, side + EVICTED);
    i32.fill(0, side + EVICTED + 1, side + SIDE_INTS);
  }

  /**
   * Sets `count` levels to absolute quantities, in order; 0 lots removes a level, removing an unknown one is harmless. `lotsWords` is
   * `lots` as int32. Returns the best tick afterwards, given the best before; NO_TICK when the ladder is empty. `direction` is 1 for bids
   * (best = highest), -1 for asks. Throws ArenaFullError half-way: the ladder must then be cleared.
   *
   * Half of all changes remove a level and half of the rest add one, in no order a processor could predict. So a level is set,
   * added and removed by the same arithmetic; what still branches is rare (the touch) or costs more than a misprediction (memory).
   */
  apply(
    side: number,
    direction: number,
    best: number,
    ticks: Float64Array,
    lots: Float64Array,
    lotsWords: Int32Array,
    count: number,
  ): number {
    const f64 = this.#f64;
    const i32 = this.#i32;
    let bestRemoved = false;
    // Counted here and stored at the end: nobody looks inside a write section.
    let levels = i32[side + LEVELS]!;
    // Ticks are compared as int32 `rank`s, higher = nearer the touch: the tick itself for bids, its negative for asks.
    const flip = direction >> 1;
    let bestRank = rankOf(best, direction);
    // The leaf of the level before: an update lists its levels in order of price, so most of them share it with a neighbour.
    let leaf = 0;
    let leafNumber = -1;
    for (let i = 0; i < count; i++) {
      const tick = ticks[i]!;
      if (tick >= INT_TICK_LIMIT) {
        i32[side + LEVELS] = levels;
        best = this.#applyFar(side, direction, best, tick, lots[i]!);
        levels = i32[side + LEVELS]!;
        bestRank = rankOf(best, direction);
        leafNumber = -1;
        continue;
      }
      const t = tick | 0;
      if (t >> LEAF_SHIFT !== leafNumber) {
        leafNumber = t >> LEAF_SHIFT;
        leaf = this.#findLeaf(side, t);
      }
      const upper = lotsWords[2 * i + 1]!;
      const wanted = (upper | -upper) >>> 31;
      if (leaf === 0) {
        if (wanted === 0) continue;
        leaf = this.#addNearLeaf(side, t);
      }
      const child = (t >> PAGE_SHIFT) & CHILD_MASK;
      const pair = leaf + FIRST_CHILD + 2 * child;
      let page = i32[pair]!;
      if (page === 0) {
        if (wanted === 0) continue;
        page = this.#arena.allocate(PAGE_WORDS);
        i32[pair] = page;
        i32[leaf + BITS] = i32[leaf + BITS]! | (1 << child);
      }
      const slot = t & (PAGE_TICKS - 1);
      f64[page + slot] = lots[i]!;
      const bits = i32[pair + 1]!;
      const changed = ((bits >>> slot) & 1) ^ wanted;
      const bitsAfter = bits ^ (changed << slot);
      i32[pair + 1] = bitsAfter;
      levels += changed * (2 * wanted - 1);
      const rank = (t ^ flip) - flip;
      if (rank >= bestRank) {
        if (wanted === 1) {
          best = t;
          bestRank = rank;
        } else if (t === best && changed === 1) {
          bestRemoved = true;
        }
      }
      if (bitsAfter === 0) {
        this.#arena.release(page, PAGE_WORDS);
        i32[pair] = 0;
        const leafBits = i32[leaf + BITS]! & ~(1 << child);
        i32[leaf + BITS] = leafBits;
        if (leafBits === 0) {
          this.#dropLeaf(side, t, leaf);
          leafNumber = -1;
        }
      } else if (levels > LEVELS_MAX) {
        i32[side + LEVELS] = levels;
        this.#evictWorst(side, direction);
        levels = i32[side + LEVELS]!;
        leafNumber = -1;
      }
    }
    i32[side + LEVELS] = levels;
    if (bestRemoved && lotsAt(f64, i32, side, best) === 0) return neighbour(i32, side, best, -direction);
    return best;
  }

  /** One level beyond the reach of int32 ticks: the same as in `apply`, the long way. */
  #applyFar(side: number, direction: number, best: number, tick: number, quantity: number): number {
    const i32 = this.#i32;
    const slot = tick - Math.floor(tick / PAGE_TICKS) * PAGE_TICKS;
    const bit = 1 << slot;
    if (quantity === 0) {
      this.#remove(side, tick);
      return tick === best && lotsAt(this.#f64, i32, side, tick) === 0 ? neighbour(i32, side, tick, -direction) : best;
    }
    const leaf = this.#addLeaf(side, tick);
    const child = childOf(tick, 1);
    const pair = leaf + FIRST_CHILD + 2 * child;
    if (i32[pair] === 0) {
      i32[pair] = this.#arena.allocate(PAGE_WORDS);
      i32[leaf + BITS] = i32[leaf + BITS]! | (1 << child);
    }
    this.#f64[i32[pair]! + slot] = quantity;
    if ((i32[pair + 1]! & bit) === 0) {
      i32[pair + 1] = i32[pair + 1]! | bit;
      if (++i32[side + LEVELS]! > LEVELS_MAX) this.#evictWorst(side, direction);
    }
    return best === NO_TICK || (tick - best) * direction > 0 ? tick : best;
  }

  /** The leaf of a tick below INT_TICK_LIMIT; 0 when there is none. */
  #findLeaf(side: number, t: number): number {
    const i32 = this.#i32;
    if (t >> HOT_SHIFT === i32[side + HOT_NUMBER]! && i32[side + HOT_NODE]! !== 0) {
      const node = i32[i32[side + HOT_NODE]! + FIRST_CHILD + ((t >> (HOT_SHIFT - CHILD_SHIFT)) & CHILD_MASK)]!;
      return node === 0 ? 0 : i32[node + FIRST_CHILD + ((t >> LEAF_SHIFT) & CHILD_MASK)]!;
    }
    const height = i32[side + HEIGHT]!;
    let node = i32[side + ROOT]!;
    if (t >= SPAN[height + 1]!) return 0;
    for (let level = height; level > 1; level--) {
      if (level === HOT_LEVEL) {
        i32[side + HOT_NUMBER] = t >> HOT_SHIFT;
        i32[side + HOT_NODE] = node;
      }
      const child = level > INT_HEIGHT_MAX ? 0 : (t >> (PAGE_SHIFT + CHILD_SHIFT * (level - 1))) & CHILD_MASK;
      node = i32[node + FIRST_CHILD + child]!;
      if (node === 0) return 0;
    }
    return node;
  }

  /** `#addLeaf` for a tick that `#findLeaf` has just looked for: mostly below the hot node, whose ancestors know of it. */
  #addNearLeaf(side: number, t: number): number {
    const i32 = this.#i32;
    const hot = i32[side + HOT_NODE]!;
    if (t >> HOT_SHIFT !== i32[side + HOT_NUMBER]! || hot === 0) return this.#addLeaf(side, t);
    const middleChild = (t >> (HOT_SHIFT - CHILD_SHIFT)) & CHILD_MASK;
    let middle = i32[hot + FIRST_CHILD + middleChild]!;
    if (middle === 0) {
      middle = this.#newNode(NODE_WORDS);
      i32[hot + FIRST_CHILD + middleChild] = middle;
      i32[hot + BITS] = i32[hot + BITS]! | (1 << middleChild);
    }
    const leafChild = (t >> LEAF_SHIFT) & CHILD_MASK;
    const leaf = this.#newNode(LEAF_WORDS);
    i32[middle + FIRST_CHILD + leafChild] = leaf;
    i32[middle + BITS] = i32[middle + BITS]! | (1 << leafChild);
    return leaf;
  }

  /** `#prune` for an empty leaf: mostly the hot node keeps other children, so that nothing above it changes. */
  #dropLeaf(side: number, t: number, leaf: number): void {
    const i32 = this.#i32;
    const hot = i32[side + HOT_NODE]!;
    if (t >> HOT_SHIFT !== i32[side + HOT_NUMBER]! || hot === 0) return this.#prune(side, t);
    const middleChild = (t >> (HOT_SHIFT - CHILD_SHIFT)) & CHILD_MASK;
    const middle = i32[hot + FIRST_CHILD + middleChild]!;
    const leafChild = (t >> LEAF_SHIFT) & CHILD_MASK;
    const middleBits = i32[middle + BITS]! & ~(1 << leafChild);
    const hotBits = i32[hot + BITS]! & ~(1 << middleChild);
    if (middleBits === 0 && hotBits === 0) return this.#prune(side, t);
    i32[middle + FIRST_CHILD + leafChild] = 0;
    i32[middle + BITS] = middleBits;
    this.#arena.release(leaf >> 1, LEAF_WORDS);
    if (middleBits !== 0) return;
    i32[hot + FIRST_CHILD + middleChild] = 0;
    i32[hot + BITS] = hotBits;
    this.#arena.release(middle >> 1, NODE_WORDS);
  }

  /** The leaf of any tick, with the nodes above it, made where they are missing; the caller puts a level into it at once. */
  #addLeaf(side: number, tick: number): number {
    const i32 = this.#i32;
    while (tick >= SPAN[i32[side + HEIGHT]! + 1]!) this.#addRoot(side);
    let node = i32[side + ROOT]!;
    for (let level = i32[side + HEIGHT]!; level > 1; level--) {
      const child = childOf(tick, level);
      const index = node + FIRST_CHILD + child;
      if (i32[index] === 0) i32[index] = this.#newNode(level === 2 ? LEAF_WORDS : NODE_WORDS);
      i32[node + BITS] = i32[node + BITS]! | (1 << child);
      node = i32[index]!;
    }
    return node;
  }

  /** One more level on top; the old root becomes child 0 of the new one. */
  #addRoot(side: number): void {
    const i32 = this.#i32;
    const root = this.#newNode(NODE_WORDS);
    const old = i32[side + ROOT]!;
    if (i32[old + BITS] !== 0) {
      i32[root + FIRST_CHILD] = old;
      i32[root + BITS] = 1;
    } else {
      // A child without a level would be found on the way down, but its bit be missing on the way along.
      if (old === i32[side + HOT_NODE]!) i32[side + HOT_NODE] = 0;
      this.#arena.release(old >> 1, i32[side + HEIGHT]! > 1 ? NODE_WORDS : LEAF_WORDS);
    }
    i32[side + ROOT] = root;
    i32[side + HEIGHT] = i32[side + HEIGHT]! + 1;
  }

  /** Removes one level, if it is there. */
  #remove(side: number, tick: number): void {
    const i32 = this.#i32;
    const pair = findPage(i32, side, tick);
    if (pair === 0) return;
    const bits = i32[pair + 1]!;
    const remaining = bits & ~(1 << (tick - Math.floor(tick / PAGE_TICKS) * PAGE_TICKS));
    if (remaining === bits) return;
    i32[side + LEVELS]!--;
    i32[pair + 1] = remaining;
    if (remaining !== 0) return;
    this.#arena.release(i32[pair]!, PAGE_WORDS);
    i32[pair] = 0;
    const child = childOf(tick, 1);
    const leaf = pair - 2 * child - FIRST_CHILD;
    i32[leaf + BITS] = i32[leaf + BITS]! & ~(1 << child);
    if (i32[leaf + BITS] === 0) this.#prune(side, tick);
  }

  /** Frees the empty leaf of `tick` and the nodes above it that it leaves empty; the root stays. */
  #prune(side: number, tick: number): void {
    const i32 = this.#i32;
    const height = i32[side + HEIGHT]!;
    // The lowest ancestor that keeps another child, and what hangs below it on the way to the tick.
    let keeper = i32[side + ROOT]!;
    let keeperLevel = height;
    let node = keeper;
    for (let level = height; level > 1; level--) {
      if ((i32[node + BITS]! & ~(1 << childOf(tick, level))) !== 0) {
        keeper = node;
        keeperLevel = level;
      }
      node = i32[node + FIRST_CHILD + childOf(tick, level)]!;
    }
    if (keeperLevel === 1) return;
    const child = childOf(tick, keeperLevel);
    node = i32[keeper + FIRST_CHILD + child]!;
    i32[keeper + FIRST_CHILD + child] = 0;
    i32[keeper + BITS] = i32[keeper + BITS]! & ~(1 << child);
    for (let level = keeperLevel - 1; level > 1; level--) {
      const index = node + FIRST_CHILD + childOf(tick, level);
      const next = i32[index]!;
      i32[index] = 0;
      if (node === i32[side + HOT_NODE]!) i32[side + HOT_NODE] = 0;
      this.#arena.release(node >> 1, NODE_WORDS);
      node = next;
    }
    this.#arena.release(node >> 1, LEAF_WORDS);
  }

  #evictWorst(side: number, direction: number): void {
    this.#remove(side, first(this.#i32, side, direction));
    this.#i32[side + EVICTED]!++;
  }

  /** int32 index of a new, empty leaf or node. Freed ones are empty but for their first word, and fresh memory is. */
  #newNode(words: number): number {
    const index = this.#arena.allocate(words) * 2;
    this.#i32[index + BITS] = 0;
    return index;
  }

  #releaseTree(node: number, level: number): void {
    const i32 = this.#i32;
    for (let child = 0; child < CHILDREN; child++) {
      if (level > 1) {
        const next = i32[node + FIRST_CHILD + child]!;
        if (next !== 0) this.#releaseTree(next, level - 1);
      } else if (i32[node + FIRST_CHILD + 2 * child] !== 0) {
        this.#arena.release(i32[node + FIRST_CHILD + 2 * child]!, PAGE_WORDS);
      }
    }
    const words = level > 1 ? NODE_WORDS : LEAF_WORDS;
    i32.fill(0, node, node + 2 * words);
    this.#arena.release(node >> 1, words);
  }
}

/** The rank an int32 tick must reach to be the best: below all of them when there is none, above all when a far tick is better. */
function rankOf(best: number, direction: number): number {
  if (best === NO_TICK) return -INT_TICK_LIMIT;
  if (best < INT_TICK_LIMIT) return best * direction;
  return direction > 0 ? INT_TICK_LIMIT : -INT_TICK_LIMIT;
}
