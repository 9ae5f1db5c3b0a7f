import { expect } from 'vitest';
import type { Simulator } from '../../src/simulator/simulator.js';
import { fetchBook, sideText } from './book-answer.js';
import type { TextLevel } from './model-book.js';
import { until } from './until.js';

interface Sides {
  readonly bids: readonly TextLevel[];
  readonly asks: readonly TextLevel[];
}

/** Compares two whole books by value: `84270.00` is `84270`. */
export function expectSameBook(symbol: string, book: Sides, truth: Sides): void {
  const [ours, theirs] = [book, truth].map(({ bids, asks }) => `bids\n${sideText(bids)}\nasks\n${sideText(asks)}`);
  if (ours !== theirs) expect(`${symbol}\n${ours}`).toBe(`${symbol}\n${theirs}`);
}

/**
 * Compares whole books with those of a simulated exchange in this process: each as soon as it is live and both stand at the same version.
 * `timeoutMs` is per book.
 */
export async function expectTrueBooks(url: string, sim: Simulator, symbols: readonly string[], timeoutMs = 10_000): Promise<void> {
  for (const symbol of symbols) {
    await until(
      async () => {
        const book = await fetchBook(url, symbol, 'full');
        const truth = sim.trueBook(symbol);
        if (book?.version !== truth.version) return false;
        expectSameBook(symbol, book, truth);
        return true;
      },
      { timeoutMs, what: `${symbol} live at the exchange's version` },
    );
  }
}
