import { POWERS_OF_TEN } from '../model/decimal.js';
import type { DealsBuffer } from './deals-buffer.js';
import { MARK_SELL, TRADE_ID_BYTES } from './tape-layout.js';

/** A line that is behind by more is long given up. */
export const SEEN_MS = 30_000;
const SEEN_MAX = 4_096;

interface Copies {
  /** By line. */
  readonly counts: [number, number];
  readonly seenMs: number;
}

/**
 * With two lines: which trades of a symbol came already, on either. One with an id comes once, whatever the line. Without ids equal trades are told
 * apart by their number: as many as the line that brought more of them brought. Bounded by time and number, the oldest are forgotten.
 */
export class SeenTrades {
  /** In order of the first copy. */
  readonly #seen = new Map<string, Copies>();

  get size(): number {
    return this.#seen.size;
  }

  /** Notes trade `index`, which came on `line`; true when it is a copy of one that came before. */
  isRepeat(deals: DealsBuffer, index: number, scales: readonly [price: number, quantity: number], line: number, nowMs: number): boolean {
    const hasId = deals.idLength(index) > 0;
    const key = hasId ? idOf(deals, index) : valueOf(deals, index, scales);
    let copies = this.#seen.get(key);
    if (copies === undefined) {
      this.#forget(nowMs);
      copies = { counts: [0, 0], seenMs: nowMs };
      this.#seen.set(key, copies);
    }
    const before = Math.max(...copies.counts);
    copies.counts[line as 0 | 1]++;
    return hasId ? before > 0 : copies.counts[line as 0 | 1] <= before;
  }

  #forget(nowMs: number): void {
    for (const [key, { seenMs }] of this.#seen) {
      if (nowMs - seenMs < SEEN_MS && this.#seen.size < SEEN_MAX) return;
      this.#seen.delete(key);
    }
  }
}

function idOf(deals: DealsBuffer, index: number): string {
  const start = index * TRADE_ID_BYTES;
  return String.fromCharCode(...deals.ids.subarray(start, start + deals.idLength(index)));
}

/** The same at every scale. */
function valueOf(deals: DealsBuffer, index: number, [price, quantity]: readonly [number, number]): string {
  const side = deals.marks[index]! & MARK_SELL;
  return `${deals.times[index]!} ${deals.ticks[index]! / POWERS_OF_TEN[price]!} ${deals.lots[index]! / POWERS_OF_TEN[quantity]!} ${side}`;
}
