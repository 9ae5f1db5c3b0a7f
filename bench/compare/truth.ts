import type { Simulator } from '../../src/simulator/simulator.js';
import type { Level, ShownBook } from './candidate.js';

interface Sides {
  readonly bids: ReadonlyMap<number, number>;
  readonly asks: ReadonlyMap<number, number>;
}

interface Moment extends Sides {
  readonly version: number;
  /** From when on it was no longer the newest; Infinity = it is. */
  endedMs: number;
}

/** Levels a side that are compared: well within the hundred that ccxt asks for. */
export const COMPARED_LEVELS = 50;

/** How far a book may lag behind the exchange's and still be right: pushes come every 100 ms, and the machine may be busy. */
export const LAG_MS = 2_000;

/** The exchange's true books, now and shortly before. */
export class Truth {
  readonly #exchange: () => Simulator;
  readonly #moments = new Map<string, Moment[]>();

  constructor(exchange: () => Simulator) {
    this.#exchange = exchange;
  }

  /** To be called again and again while these symbols are compared. */
  look(symbols: Iterable<string>): void {
    const nowMs = performance.now();
    for (const symbol of symbols) {
      const moments = this.#moments.get(symbol) ?? [];
      const book = this.#exchange().trueBook(symbol);
      const newest = moments.at(-1);
      if (newest?.version === book.version) continue;
      if (newest !== undefined) newest.endedMs = nowMs;
      moments.push({ version: book.version, bids: side(book.bids), asks: side(book.asks), endedMs: Infinity });
      this.#moments.set(
        symbol,
        moments.filter(({ endedMs }) => endedMs > nowMs - LAG_MS),
      );
    }
  }

  /** Of the best levels of a book, those that are not what the exchange had at their price at any time within the lag: bids by price, asks by minus the price. */
  wrongLevels(symbol: string, { bids, asks }: ShownBook): readonly number[] {
    const earliestMs = performance.now() - LAG_MS;
    const moments = (this.#moments.get(symbol) ?? []).filter(({ endedMs }) => endedMs > earliestMs);
    if (moments.length === 0) return [];
    const wrongBids = wrong(
      side(bids),
      moments.map((moment) => moment.bids),
      1,
    );
    const wrongAsks = wrong(
      side(asks),
      moments.map((moment) => moment.asks),
      -1,
    );
    return [...wrongBids, ...wrongAsks.map((price) => -price)];
  }
}

function side(levels: Iterable<Level | readonly [string, string]>): Map<number, number> {
  const map = new Map<number, number>();
  for (const [price, quantity] of levels) map.set(Number(price), Number(quantity));
  return map;
}

/** At prices as good as the last that is compared; `direction` 1 = bids. The newest truth comes last and lists its best level first. */
function wrong(shown: ReadonlyMap<number, number>, truths: readonly ReadonlyMap<number, number>[], direction: 1 | -1): number[] {
  const best = [...truths.at(-1)!.keys()].slice(0, COMPARED_LEVELS);
  const last = best.at(-1) ?? 0;
  const prices = new Set(best);
  for (const price of shown.keys()) if ((price - last) * direction >= 0) prices.add(price);
  return [...prices].filter((price) => truths.every((truth) => truth.get(price) !== shown.get(price)));
}
