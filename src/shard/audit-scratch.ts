import { ASK_DIRECTION, BID_DIRECTION } from '../book/order-books.js';
import type { DeltaBuffer, LevelColumns } from '../book/delta-buffer.js';
import { reachOf } from '../book/proof.js';
import { judgeSequence, Sequence } from '../mexc/sequence.js';

/** One side, best first, in whole ticks and lots. */
export interface SortedSide {
  readonly count: number;
  readonly ticks: Float64Array;
  readonly lots: Float64Array;
}

/** The exchange's book as a snapshot and the pushes behind it have it. Slow and simple, unlike the ladders it is to judge. */
export class ScratchBook {
  readonly #bids = new Map<number, number>();
  readonly #asks = new Map<number, number>();
  /** Of the exchange. */
  version: number;
  exchangeTimeMs: number;
  /** How far the snapshot reaches, see `PROVEN_BIDS` in `book-layout.ts`: at better prices every level is known. */
  readonly bidReach: number;
  readonly askReach: number;

  /** From a snapshot in the delta buffer. */
  constructor(snapshot: DeltaBuffer) {
    this.version = snapshot.toVersion;
    this.exchangeTimeMs = snapshot.exchangeTimeMs;
    this.bidReach = reachOf(snapshot.bids, BID_DIRECTION);
    this.askReach = reachOf(snapshot.asks, ASK_DIRECTION);
    this.#put(snapshot);
  }

  /** Brings the book forward by the push in the delta buffer, when it continues it. */
  apply(push: DeltaBuffer): Sequence {
    const verdict = judgeSequence(this.version, push.fromVersion, push.toVersion);
    if (verdict !== Sequence.APPLY) return verdict;
    this.version = push.toVersion;
    this.exchangeTimeMs = push.exchangeTimeMs;
    this.#put(push);
    return verdict;
  }

  bids(): SortedSide {
    return sorted(this.#bids, BID_DIRECTION);
  }

  asks(): SortedSide {
    return sorted(this.#asks, ASK_DIRECTION);
  }

  /** Into the delta buffer, as a snapshot at the version reached; only what the snapshot vouches for. */
  fill(out: DeltaBuffer): void {
    fillSide(out.bids, this.bids());
    fillSide(out.asks, this.asks());
    out.fromVersion = this.version;
    out.toVersion = this.version;
    out.exchangeTimeMs = this.exchangeTimeMs;
    out.inexactCount = 0;
  }

  #put({ bids, asks }: DeltaBuffer): void {
    putSide(this.#bids, bids);
    putSide(this.#asks, asks);
  }
}

function putSide(side: Map<number, number>, { count, ticks, lots }: LevelColumns): void {
  for (let i = 0; i < count; i++) {
    if (lots[i] === 0) side.delete(ticks[i]!);
    else side.set(ticks[i]!, lots[i]!);
  }
}

function sorted(side: ReadonlyMap<number, number>, direction: number): SortedSide {
  const ticks = Float64Array.from(side.keys()).sort();
  if (direction > 0) ticks.reverse();
  return { count: ticks.length, ticks, lots: ticks.map((tick) => side.get(tick)!) };
}

function fillSide(columns: LevelColumns, side: SortedSide): void {
  columns.count = Math.min(side.count, columns.ticks.length);
  columns.ticks.set(side.ticks.subarray(0, columns.count));
  columns.lots.set(side.lots.subarray(0, columns.count));
}
