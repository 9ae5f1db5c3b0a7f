import { assert } from '../support/assert.js';
import type { Random } from '../support/clock.js';

export interface BackoffOptions {
  /** The first delay, before jitter. */
  readonly baseMs: number;
  readonly maxMs: number;
  readonly random: Random;
  /** Share of each delay that is left to chance, 0 to 1: a delay d becomes d * (1 - jitter) … d. Default 0.5. */
  readonly jitter?: number;
}

/** Delays that double from `baseMs` to `maxMs`, with jitter so that many waiters do not come back at once. */
export class Backoff {
  readonly #baseMs: number;
  readonly #maxMs: number;
  readonly #random: Random;
  readonly #jitter: number;
  #count = 0;

  constructor(options: BackoffOptions) {
    this.#baseMs = options.baseMs;
    this.#maxMs = options.maxMs;
    this.#random = options.random;
    this.#jitter = options.jitter ?? 0.5;
    assert(this.#jitter >= 0 && this.#jitter <= 1, `jitter ${this.#jitter} outside 0..1`);
  }

  /** Delays handed out since the last reset. */
  get count(): number {
    return this.#count;
  }

  /** The next delay in ms. */
  next(): number {
    const delay = Math.min(this.#maxMs, this.#baseMs * 2 ** Math.min(this.#count, 40));
    this.#count++;
    return delay * (1 - this.#jitter * (1 - this.#random()));
  }

  reset(): void {
    this.#count = 0;
  }
}
