import { ASK, BID, type Side, type TickBook } from './tick-book.js';

/** Levels a side of the second digest of each book. */
export const TOP_LEVELS = 20;

/**
 * What stands for a set of levels in a comparison: the sum of a number of each level, so that it follows a change without looking at the rest.
 * Sets that differ have the same with a chance of 2^-52.
 */
export class BookDigest {
  #low = 0;
  #high = 0;

  /** A whole number below 2^52. */
  get value(): number {
    return (this.#high & 0xfffff) * 2 ** 32 + (this.#low >>> 0);
  }

  clear(): void {
    this.#low = 0;
    this.#high = 0;
  }

  /** The quantity at a price became another; 0 = no level. Both in whole ticks and lots. */
  change(side: Side, tick: number, before: number, after: number): void {
    if (before > 0) this.#add(side, tick, before, -1);
    if (after > 0) this.#add(side, tick, after, 1);
  }

  #add(side: Side, tick: number, lots: number, sign: 1 | -1): void {
    const hash = scramble(scramble(scramble(0x9e3779b9 ^ side, tick), lots), Math.floor(tick / 2 ** 32) ^ Math.floor(lots / 2 ** 32));
    this.#low = (this.#low + sign * hash) | 0;
    this.#high = (this.#high + sign * scramble(hash, tick ^ lots ^ 0x5bd1e995)) | 0;
  }
}

/** The digest of the best `depth` levels a side. */
export function digestOf(book: TickBook, depth: number, into = new BookDigest()): number {
  into.clear();
  for (const side of [BID, ASK] as const) {
    const levels = book.side(side);
    for (let rank = Math.min(depth, levels.size) - 1; rank >= 0; rank--) into.change(side, levels.tickAt(rank), 0, levels.lotsAt(rank));
  }
  return into.value;
}

function scramble(hash: number, word: number): number {
  let mixed = Math.imul(hash ^ word, 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
