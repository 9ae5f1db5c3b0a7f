import { isWithin } from '../book/proof.js';
import type { AuditDifference, AuditFigures } from '../model/audit.js';
import type { SortedSide } from './audit-scratch.js';

/** Levels kept a side beyond the reach of the newest snapshot; nobody can say whether the exchange still has them. */
export const BEYOND_REACH_MAX = 5000;
/** Differences reported. */
const DIFFERENCES_MAX = 5;

/** What is compared of one side. */
export interface SidePair {
  readonly side: AuditDifference['side'];
  /** 1 for bids, -1 for asks. */
  readonly direction: number;
  readonly ours: SortedSide;
  readonly theirs: SortedSide;
  /** How far the snapshot at hand reaches, see `PROVEN_BIDS` in `book-layout.ts`. */
  readonly reach: number;
  /** How far the book was proven before: up to there it claims to be exact. */
  readonly proven: number;
}

/** A level that is to be changed though nothing it claims was wrong. */
export type Correction = readonly [tick: number, lots: number];

/**
 * Two books of one version, compared level by level. Three zones, from the touch outwards:
 *   - within what was proven before and the snapshot's reach a difference is a mismatch
 *   - beyond what was proven before the book had only pushes to go by: a difference there is corrected
 *   - beyond the snapshot's reach nothing can be said: the nearest BEYOND_REACH_MAX levels stay, what lies farther out is let go
 */
export class AuditComparison implements AuditFigures {
  matched = 0;
  wrong = 0;
  ghosts = 0;
  missing = 0;
  dropped = 0;
  readonly differences: AuditDifference[] = [];
  readonly bids: Correction[] = [];
  readonly asks: Correction[] = [];

  constructor(...pairs: readonly SidePair[]) {
    for (const pair of pairs) this.#compare(pair, pair.side === 'bid' ? this.bids : this.asks);
  }

  get isMatch(): boolean {
    return this.wrong + this.ghosts + this.missing === 0;
  }

  get corrected(): number {
    return this.bids.length + this.asks.length - this.dropped;
  }

  #compare(pair: SidePair, corrections: Correction[]): void {
    const { ours, theirs, direction, reach } = pair;
    let beyond = 0;
    let i = 0;
    let j = 0;
    while (i < ours.count || j < theirs.count) {
      // Below 0: only ours at this price, above: only theirs.
      const order = i === ours.count ? 1 : j === theirs.count ? -1 : (theirs.ticks[j]! - ours.ticks[i]!) * direction;
      const tick = order <= 0 ? ours.ticks[i]! : theirs.ticks[j]!;
      const held = order <= 0 ? ours.lots[i++]! : 0;
      const wanted = order >= 0 ? theirs.lots[j++]! : 0;
      if (isWithin(tick, direction, reach)) this.#level(pair, tick, held, wanted, corrections);
      else if (held > 0 && ++beyond > BEYOND_REACH_MAX) {
        this.dropped++;
        corrections.push([tick, 0]);
      }
    }
  }

  #level({ side, direction, proven }: SidePair, tick: number, ours: number, theirs: number, corrections: Correction[]): void {
    if (ours === theirs) {
      this.matched++;
      return;
    }
    if (!isWithin(tick, direction, proven)) {
      corrections.push([tick, theirs]);
      return;
    }
    if (theirs === 0) this.ghosts++;
    else if (ours === 0) this.missing++;
    else this.wrong++;
    if (this.differences.length < DIFFERENCES_MAX) this.differences.push({ side, tick, ours, theirs });
  }
}
