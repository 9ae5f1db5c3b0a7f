import type { StateReason } from './book-state.js';

/** Where the feed puts what it receives; every call becomes a record in the ring of the shard that owns the symbol. */
export interface FeedSink {
  /**
   * Copies one binary push into the ring. Returns false when the sender should pause reading for a moment because
   * the ring runs full; the frame itself was taken (or, when nothing fits, dropped, counted, and the book marked for a resync).
   */
  frame(symbolId: number, bytes: Uint8Array, receiveTimeMs: number): boolean;
  /** The body of a `/api/v3/depth` answer, unparsed. */
  snapshot(symbolId: number, body: Uint8Array, receiveTimeMs: number): void;
  /** The symbol's line is down (or its subscription was refused): the book is no longer live. */
  lineDown(symbolId: number, reason: StateReason, timeMs: number): void;
  /** The symbol is subscribed (again) from here on: old buffers are dropped, the book waits for a snapshot. */
  lineUp(symbolId: number, timeMs: number): void;
}
