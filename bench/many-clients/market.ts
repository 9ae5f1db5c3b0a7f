/** The market of this bench; no more symbols than one connection to the exchange carries. */
export interface Market {
  readonly symbols: number;
  /** Levels a side the books hold about. */
  readonly bookLevels: number;
}

/** Handshakes under way at a time. */
const BATCH = 50;

/** Calls `start` for 0 to `count` - 1, some at a time. */
export async function inBatches(count: number, start: (index: number) => Promise<void>): Promise<void> {
  for (let from = 0; from < count; from += BATCH) {
    await Promise.all(Array.from({ length: Math.min(BATCH, count - from) }, (_, i) => start(from + i)));
  }
}
