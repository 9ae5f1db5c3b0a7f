/** Levels a side the exchange answers at most. */
export const SNAPSHOT_LEVELS_MAX = 5000;
/** A side of such a round number of levels was cut, by whatever limit the exchange has at the time. */
const ROUND_LEVELS = 1000;

/** Before the first snapshot, see `PROVEN_BIDS` and `PROVEN_ASKS` in `book-layout.ts`. */
export const NOTHING_PROVEN = { bids: Infinity, asks: -1 } as const;
/** Every level of the side, down to its last. */
export const ALL_PROVEN = { bids: 0, asks: Infinity } as const;

/** The levels of one side of a snapshot, in any order. */
interface SnapshotSide {
  readonly count: number;
  readonly ticks: ArrayLike<number>;
}

/**
 * The tick up to which a snapshot tells all of a side; `direction` is 1 for bids and -1 for asks. A side that is not full is the whole side, unless
 * it is said to be `cut`.
 */
export function reachOf({ count, ticks }: SnapshotSide, direction: number, cut = false): number {
  const isWhole = !cut && (count === 0 || count % ROUND_LEVELS !== 0);
  if (isWhole) return direction > 0 ? ALL_PROVEN.bids : ALL_PROVEN.asks;
  let worst = direction > 0 ? NOTHING_PROVEN.bids : NOTHING_PROVEN.asks;
  for (let i = 0; i < count; i++) worst = direction > 0 ? Math.min(worst, ticks[i]!) : Math.max(worst, ticks[i]!);
  return worst;
}

/** How many of the first `count` levels, best first, lie within the reach of a proof. */
export function provenLevels(ticks: ArrayLike<number>, count: number, direction: number, reach: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isWithin(ticks[middle]!, direction, reach)) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function isWithin(tick: number, direction: number, reach: number): boolean {
  return direction > 0 ? tick >= reach : tick <= reach;
}
