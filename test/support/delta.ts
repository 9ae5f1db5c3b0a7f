import type { DeltaBuffer } from '../../src/book/delta-buffer.js';
import type { Side } from './model-book.js';

/** A level as whole numbers at the book's scales of the moment. */
export type Change = readonly [side: Side, tick: number, lots: number];

/** Puts levels into the reused columns, as the decoders do. */
export function fillDelta(delta: DeltaBuffer, changes: readonly Change[], toVersion = 1): void {
  delta.reserve(changes.length);
  delta.askCount = 0;
  delta.bidCount = 0;
  delta.inexactCount = 0;
  delta.fromVersion = toVersion;
  delta.toVersion = toVersion;
  for (const [side, tick, quantity] of changes) {
    if (side === 'ask') {
      delta.askTicks[delta.askCount] = tick;
      delta.askLots[delta.askCount++] = quantity;
    } else {
      delta.bidTicks[delta.bidCount] = tick;
      delta.bidLots[delta.bidCount++] = quantity;
    }
  }
}
