/** The top of one side as it was last sent, best first. */
export class LevelWindow {
  count = 0;
  readonly ticks: Float64Array;
  readonly lots: Float64Array;

  constructor(depth: number) {
    this.ticks = new Float64Array(depth);
    this.lots = new Float64Array(depth);
  }

  equals(other: LevelWindow): boolean {
    if (this.count !== other.count) return false;
    for (let i = 0; i < this.count; i++) {
      if (this.ticks[i] !== other.ticks[i] || this.lots[i] !== other.lots[i]) return false;
    }
    return true;
  }
}

/**
 * What turns window `before` into window `after`: changed and new levels with their lots, levels no longer in the window with 0, best first.
 * Both are of one side; `direction` is 1 for asks (ticks rise away from the touch), -1 for bids. Writes into `ticks` and `lots` (room
 * for both windows) and returns how many changes there are.
 */
export function diffWindows(before: LevelWindow, after: LevelWindow, direction: number, ticks: Float64Array, lots: Float64Array): number {
  let count = 0;
  let i = 0;
  let j = 0;
  while (i < before.count || j < after.count) {
    const order = i === before.count ? 1 : j === after.count ? -1 : (before.ticks[i]! - after.ticks[j]!) * direction;
    if (order < 0) {
      ticks[count] = before.ticks[i++]!;
      lots[count++] = 0;
    } else if (order > 0) {
      ticks[count] = after.ticks[j]!;
      lots[count++] = after.lots[j++]!;
    } else {
      if (before.lots[i] !== after.lots[j]) {
        ticks[count] = after.ticks[j]!;
        lots[count++] = after.lots[j]!;
      }
      i++;
      j++;
    }
  }
  return count;
}
