import { formatDecimal } from '../../src/model/decimal.js';
import type { Prng } from '../../src/simulator/prng.js';
import { type Deal, dealsFrame, tradesBody } from '../support/deals.js';
import { QUANTITY_SCALE } from './true-book.js';

/** Most that REST tells: as many as a tape has, and as fit the smallest ring. */
const TOLD_MAX = 20;

/** All trades of one pair. Trade `n`, from 0, is of `n + 1` lots, so that each can be told from all others, also where it has no id. */
export class TrueTrades {
  readonly symbol: string;
  readonly #random: Prng;
  readonly #trades: Deal[] = [];
  #pushed = 0;

  constructor(symbol: string, random: Prng) {
    this.symbol = symbol;
    this.#random = random;
  }

  /** How many there were up to a moment, Unix ms. */
  countBefore(timeMs: number): number {
    let count = this.#trades.length;
    while (count > 0 && this.#trades[count - 1]!.time >= timeMs) count--;
    return count;
  }

  /** Mostly none, sometimes one, seldom several. */
  happen(timeMs: number): void {
    for (let left = 4; left > 0 && this.#random.below(3) === 0; left--) {
      const n = this.#trades.length;
      const quantity = formatDecimal(n + 1, QUANTITY_SCALE);
      this.#trades.push({ price: '100.25', quantity, sell: this.#random.below(2) === 0, time: Math.floor(timeMs), id: `t${n}` });
    }
  }

  /** Those since the last push; undefined when there was none. */
  push(): Buffer | undefined {
    if (this.#pushed === this.#trades.length) return undefined;
    const fresh = this.#trades.slice(this.#pushed);
    this.#pushed = this.#trades.length;
    return dealsFrame(fresh, this.symbol);
  }

  /** What REST answers. */
  body(): Buffer {
    return tradesBody(this.#trades.slice(-TOLD_MAX));
  }
}
