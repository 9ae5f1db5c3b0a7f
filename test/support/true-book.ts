import { expect } from 'vitest';
import type { Simulator } from '../../src/simulator/simulator.js';
import { fetchBook, sideText } from './book-answer.js';
import type { TextLevel } from './model-book.js';
import { until } from './until.js';

interface Sides {
  readonly bids: readonly TextLevel[];
  readonly asks: readonly TextLevel[];
}

export interface VersionedBook extends Sides {
  readonly version: number;
}

/** True books remembered of one symbol; more come by than a book can lag behind. */
const TRUTHS_MAX = 100;

/** Compares two whole books by value: `84270.00` is `84270`. */
export function expectSameBook(symbol: string, book: Sides, truth: Sides): void {
  const [ours, theirs] = [book, truth].map(({ bids, asks }) => `bids\n${sideText(bids)}\nasks\n${sideText(asks)}`);
  if (ours !== theirs) expect(`${symbol}\n${ours}`).toBe(`${symbol}\n${theirs}`);
}

/**
 * Compares a whole book with the one a simulated exchange in this process had at the same version, as soon as there is such a book.
 * `read` gives the book as it is, or `undefined` when there is none to trust. The market goes on meanwhile, so the exchange's books of
 * the last moments are remembered.
 */
export async function expectTruth(
  sim: Simulator,
  symbol: string,
  what: string,
  timeoutMs: number,
  read: () => VersionedBook | undefined | Promise<VersionedBook | undefined>,
): Promise<void> {
  const truths = new Map<number, Sides>();
  const remember = (): void => {
    const truth = sim.trueBook(symbol);
    truths.set(truth.version, truth);
    if (truths.size > TRUTHS_MAX) truths.delete(truths.keys().next().value!);
  };
  await until(
    async () => {
      remember();
      const book = await read();
      const truth = book === undefined ? undefined : truths.get(book.version);
      if (book === undefined || truth === undefined) return false;
      expectSameBook(symbol, book, truth);
      return true;
    },
    { timeoutMs, what: `${what} of ${symbol} at a version of the exchange` },
  );
}

/** Compares the books REST gives with those of a simulated exchange in this process, each once it is live. `timeoutMs` is per book. */
export async function expectTrueBooks(url: string, sim: Simulator, symbols: readonly string[], timeoutMs = 10_000): Promise<void> {
  for (const symbol of symbols) await expectTruth(sim, symbol, 'the book', timeoutMs, () => fetchBook(url, symbol, 'full'));
}
