import * as arenaLayout from '../memory/arena.js';
import type { Arena } from '../memory/arena.js';
import type { DeltaBuffer, LevelColumns } from './delta-buffer.js';
import * as layout from './ladder-layout.js';
import { findLeaf, first, hasLevel, lotsAt, neighbour, nextInLeaf, NO_TICK, placeInLeaf, wordOf } from './ladder-lookup.js';
import { createLadderTree } from './ladder-tree.js';
import { createLeaves } from './leaves.js';

// An imported constant is loaded from memory at every use; a constant of this module becomes part of the machine code.
const {
  BITS_MASK,
  BITS_SHIFT,
  CHANGES,
  CHILD_MASK,
  EVICTED,
  FIRST_CHILD,
  HOT_NODE,
  HOT_NUMBER,
  HOT_SHIFT,
  INT_TICK_LIMIT,
  LEAF_BITS,
  LEAF_LEVELS,
  LEAF_MASK,
  LEAF_SHIFT,
  LEVELS,
  LEVELS_MAX,
  MIDDLE_SHIFT,
  WIDE_LOTS,
} = layout;
const SCRATCH = arenaLayout.SCRATCH;
/**
 * Levels of one run of the hot loop. In a host's process V8 may replace a loop that goes on for long by machine code made for the middle of
 * that call (`v8-flags.ts` says what is wrong with that); a loop that soon ends hardly ever is.
 */
const RUN_LEVELS = 64;

/** The ladders of one shard, see `createLadders`. A ladder is named by its side block: an index into `arena.i32`. */
export interface Ladders {
  /** Makes an empty ladder in a side block that holds none. Throws ArenaFullError. */
  create(side: number): void;
  /** Frees all blocks of a ladder; the side block then holds none. */
  destroy(side: number): void;
  /**
   * Sets the levels of one side of `delta` to absolute quantities, in order; 0 lots removes a level, removing an unknown one is harmless. `direction` is 1 for bids
   * (best = highest), -1 for asks; `best` is the word of the arena that holds the best tick, NO_TICK when there is none, with its lots (0)
   * in the next: both follow. Returns the tick nearest the touch whose level was dropped because the side was full, NO_TICK when none was. Throws
   * ArenaFullError half-way: the ladder must then be cleared.
   */
  apply(side: number, direction: number, best: number, columns: LevelColumns): number;
  /** The same for the levels of a snapshot into an empty ladder: most of them will not change for long, so leaves are packed as far as they can be. */
  fill(side: number, direction: number, best: number, columns: LevelColumns): void;
  /** What is applied from here on is applied at this time, Unix ms: how often leaves change is told by it. */
  setTime(timeMs: number): void;
  /** Reads what `apply` will need for most levels, so that a book that is in no cache is fetched from memory all at once and not level by level. Changes nothing. */
  prefetch(side: number, columns: LevelColumns): void;
}

/**
 * The ladders in an arena, changed by what `delta` holds. Everything here runs inside the caller's write section, on the thread that owns the arena; looking up is in
 * `ladder-lookup.ts`.
 *
 * Functions over the arrays of arena and delta, not methods of an object that holds them: what a function captured is a constant of its machine
 * code as long as it was made once, and a worker makes one. With fields, every access loads and checks the array anew, a tenth of the time.
 */
export function createLadders(arena: Arena, delta: DeltaBuffer): Ladders {
  const { f64, i32 } = arena;
  const { ticks, lots, lotsWords } = delta;
  const leaves = createLeaves(arena);
  const tree = createLadderTree(arena, leaves);
  /** Of the levels dropped by this update, the tick nearest the touch. */
  let evicted = NO_TICK;

  function apply(side: number, direction: number, best: number, columns: LevelColumns): number {
    evicted = NO_TICK;
    const end = columns.start + columns.count;
    for (let i = columns.start; i < end; ) {
      const to = Math.min(end, i + RUN_LEVELS);
      i = applyPlain(side, direction, best, i, to);
      if (i === to) continue;
      applyOne(side, direction, best, ticks[i]!, lots[i]!, true);
      i++;
    }
    i32[side + CHANGES]! -= columns.count;
    if (i32[side + CHANGES]! < 0) tree.sweep(side);
    return evicted;
  }

  function prefetch(side: number, columns: LevelColumns): void {
    const hotNode = i32[side + HOT_NODE]!;
    if (hotNode === 0) return;
    let sum = 0;
    const end = (columns.start + columns.count) | 0;
    for (let i = columns.start | 0; i < end; i = (i + 1) | 0) {
      const t = ticks[i]! | 0;
      const middle = i32[(hotNode + FIRST_CHILD + ((t >> MIDDLE_SHIFT) & CHILD_MASK)) | 0]!;
      if (middle === 0) continue;
      const leaf = i32[(middle + FIRST_CHILD + ((t >> LEAF_SHIFT) & CHILD_MASK)) | 0]!;
      // Of a packed leaf, or of one that is not there, the allocator's words, which are in every cache.
      const wide = leaf & ~(leaf >> 31);
      sum =
        (sum + i32[(wide + LEAF_BITS + ((t & LEAF_MASK) >> BITS_SHIFT)) | 0]! + i32[(wide + 2 * (WIDE_LOTS + (t & LEAF_MASK))) | 0]!) | 0;
    }
    // Whatever is read for nothing is left out of machine code.
    i32[SCRATCH] = sum;
  }

  function fill(side: number, direction: number, best: number, columns: LevelColumns): void {
    for (let i = columns.start; i < columns.start + columns.count; i++) applyOne(side, direction, best, ticks[i]!, lots[i]!, false);
    tree.countDown(side);
  }

  /**
   * Levels from `from` on, until `to` or one that is not plain: below the hot node, in a wide leaf that holds levels before and after. Returns
   * its place.
   *
   * Half of all changes remove a level and half of the rest add one, in no order a processor could predict. So a level is set,
   * added and removed by the same arithmetic; what still branches is rare.
   */
  function applyPlain(side: number, direction: number, best: number, from: number, to: number): number {
    const hotNumber = i32[side + HOT_NUMBER]!;
    const hotNode = i32[side + HOT_NODE]!;
    if (hotNode === 0) return from;
    // Counted here and stored at the end: nobody looks inside a write section.
    let levels = i32[side + LEVELS]!;
    // Ticks are compared as int32 `rank`s, higher = nearer the touch: the tick itself for bids, its negative for asks.
    const flip = direction >> 1;
    let bestRank = rankOf(f64[best]!, direction);
    let bestRemoved = 0;
    let bestAt = -1;
    // The level-2 node of the level before: an update lists its levels in order of price, so most of them share it.
    let middle = 0;
    let middleNumber = -1;
    const end = to | 0;
    let i = from | 0;
    for (; i < end; i = (i + 1) | 0) {
      const tick = ticks[i]!;
      const t = tick | 0;
      if (tick >= INT_TICK_LIMIT || t >> HOT_SHIFT !== hotNumber || levels >= LEVELS_MAX) break;
      if (t >> MIDDLE_SHIFT !== middleNumber) {
        middleNumber = t >> MIDDLE_SHIFT;
        middle = i32[(hotNode + FIRST_CHILD + (middleNumber & CHILD_MASK)) | 0]!;
        if (middle === 0) break;
      }
      // Looked up anew for each level: whether it is the one before is as good as random far from the touch.
      const leaf = i32[(middle + FIRST_CHILD + ((t >> LEAF_SHIFT) & CHILD_MASK)) | 0]!;
      if (leaf <= 0) break;
      const upper = lotsWords[(2 * i + 1) | 0]!;
      const wanted = (upper | -upper) >>> 31;
      const word = (leaf + LEAF_BITS + ((t & LEAF_MASK) >> BITS_SHIFT)) | 0;
      const bits = i32[word]!;
      const changed = ((bits >>> (t & BITS_MASK)) & 1) ^ wanted;
      const more = (((changed & wanted) << 1) - changed) | 0;
      const leafLevels = i32[leaf + LEAF_LEVELS]!;
      const leafLevelsAfter = (leafLevels + more) | 0;
      if (leafLevels === 0 || leafLevelsAfter === 0) break;
      i32[word] = bits ^ (changed << (t & BITS_MASK));
      i32[leaf + LEAF_LEVELS] = leafLevelsAfter;
      levels = (levels + more) | 0;
      f64[((leaf >> 1) + WIDE_LOTS + (t & LEAF_MASK)) | 0] = lots[i]!;
      const rank = ((t ^ flip) - flip) | 0;
      if (rank >= bestRank) {
        if (wanted === 1) {
          bestRank = rank;
          bestAt = i;
        } else if (rank === bestRank) {
          bestRemoved |= changed;
        }
      }
    }
    i32[side + LEVELS] = levels;
    if (bestAt >= 0) {
      f64[best] = ticks[bestAt]!;
      f64[best + 1] = lots[bestAt]!;
    }
    if (bestRemoved !== 0) leaveBest(side, direction, best);
    return i;
  }

  /** Any level, the long way; one that `counts` may make its leaf wide. */
  function applyOne(side: number, direction: number, best: number, tick: number, quantity: number, counts: boolean): void {
    if (quantity === 0) {
      remove(side, tick);
      if (tick === f64[best]) leaveBest(side, direction, best);
      return;
    }
    const entry = tree.findEntry(side, tick) || tree.addLeaf(side, tick);
    const place = placeInLeaf(tick);
    if (counts && i32[entry]! < 0) leaves.noteChange(side, entry);
    const isNew = !hasLevel(i32, i32[entry]!, place);
    if (isNew && i32[entry]! < 0) leaves.insert(side, entry, place);
    const leaf = i32[entry]!;
    f64[wordOf(i32, leaf, place)] = quantity;
    if (isNew) {
      const bits = Math.abs(leaf) + LEAF_BITS + (place >> BITS_SHIFT);
      i32[bits] = i32[bits]! | (1 << (place & BITS_MASK));
      i32[Math.abs(leaf) + LEAF_LEVELS]!++;
      if (++i32[side + LEVELS]! > LEVELS_MAX) evictWorst(side, direction);
    }
    const bestTick = f64[best]!;
    if (bestTick === NO_TICK || (tick - bestTick) * direction >= 0) {
      f64[best] = tick;
      f64[best + 1] = quantity;
      tree.heat(side, tick);
    }
  }

  /** The best level may have been removed: the next one, then. */
  function leaveBest(side: number, direction: number, best: number): void {
    const tick = f64[best]!;
    const leaf = findLeaf(i32, side, tick);
    if (leaf !== 0) {
      const place = placeInLeaf(tick);
      if (hasLevel(i32, leaf, place)) return;
      // Where the touch moves, nearly always: to a level of the same leaf.
      const next = nextInLeaf(i32, leaf, place, -direction);
      if (next >= 0) {
        f64[best] = tick + (next - place);
        f64[best + 1] = f64[wordOf(i32, leaf, next)]!;
        return;
      }
    }
    const found = neighbour(i32, side, tick, -direction);
    f64[best] = found;
    f64[best + 1] = found === NO_TICK ? 0 : lotsAt(f64, i32, side, found);
    if (found !== NO_TICK) tree.heat(side, found);
  }

  /** Removes one level, if it is there. */
  function remove(side: number, tick: number): void {
    const place = placeInLeaf(tick);
    const entry = tree.findEntry(side, tick);
    if (entry === 0 || !hasLevel(i32, i32[entry]!, place)) return;
    if (i32[entry]! < 0) leaves.noteChange(side, entry);
    if (i32[entry]! < 0) leaves.remove(-i32[entry]!, place);
    const leaf = i32[entry]!;
    const bits = Math.abs(leaf) + LEAF_BITS + (place >> BITS_SHIFT);
    i32[bits] = i32[bits]! & ~(1 << (place & BITS_MASK));
    i32[side + LEVELS]!--;
    if (--i32[Math.abs(leaf) + LEAF_LEVELS]! !== 0) return;
    tree.clearBits(side, tick);
    if (leaf > 0) return;
    leaves.release(side, entry);
    i32[entry] = 0;
  }

  function evictWorst(side: number, direction: number): void {
    const tick = first(i32, side, direction);
    remove(side, tick);
    i32[side + EVICTED]!++;
    if (evicted === NO_TICK || (tick - evicted) * direction > 0) evicted = tick;
  }

  return { create: tree.create, destroy: tree.destroy, apply, fill, setTime: leaves.setTime, prefetch };
}

/** The rank an int32 tick must reach to be the best: below all of them when there is none, above all when a far tick is better. */
function rankOf(best: number, direction: number): number {
  if (best === NO_TICK) return -INT_TICK_LIMIT;
  if (best < INT_TICK_LIMIT) return Math.imul(best, direction);
  return direction > 0 ? INT_TICK_LIMIT : -INT_TICK_LIMIT;
}
