import type { DeltaBuffer } from '../../src/book/delta-buffer.js';
import type { Side } from './model-book.js';

/** A level as whole numbers at the book's scales of the moment. */
export type Change = readonly [side: Side, tick: number, lots: number];

/** Puts levels into the reused columns, as the decoders do. */
export function fillDelta(delta: DeltaBuffer, changes: readonly Change[], toVersion = 1): void {
  delta.asks.count = 0;
  delta.bids.count = 0;
  delta.inexactCount = 0;
  delta.fromVersion = toVersion;
  delta.toVersion = toVersion;
  for (const [side, tick, quantity] of changes) {
    if (side === 'ask') {
      delta.asks.ticks[delta.asks.count] = tick;
      delta.asks.lots[delta.asks.count++] = quantity;
    } else {
      delta.bids.ticks[delta.bids.count] = tick;
      delta.bids.lots[delta.bids.count++] = quantity;
    }
  }
}
