import type { SnapshotReason } from './publication.js';

/**
 * Writes the messages of one book publication in one format: `beginSnapshot` or `beginDelta`, the bids, the asks, `end`. What surrounds
 * the levels is the book's as it is now.
 */
export interface BookEncoder {
  /** A whole state, of all levels the publication is about. */
  beginSnapshot(reason: SnapshotReason): void;
  /** What changed since the message at seq `prev`, when the exchange's version was `prevVersion`. */
  beginDelta(prev: number, prevVersion: number): void;
  /** The first `count` levels of the columns: whole ticks and lots; 0 lots = the level is gone. */
  bids(ticks: Float64Array, lots: Float64Array, count: number): void;
  asks(ticks: Float64Array, lots: Float64Array, count: number): void;
  /** The finished message; valid until the next one is begun. */
  end(): Uint8Array;
  /** A whole message of its own: the book's state. Valid like `end`. */
  status(): Uint8Array;
}
