import type { Clock } from '../support/clock.js';

/**
 * Spaces events out to `ratePerSecond`, `burst` of them at once (generic cell rate algorithm). Every reservation counts,
 * also one that is not used.
 */
export class Pacer {
  readonly #intervalMs: number;
  readonly #toleranceMs: number;
  readonly #clock: Clock;
  /** When the next event would be due if all were evenly spaced. */
  #dueAt = 0;

  constructor(ratePerSecond: number, burst: number, clock: Clock) {
    this.#intervalMs = 1000 / ratePerSecond;
    this.#toleranceMs = (burst - 1) * this.#intervalMs;
    this.#clock = clock;
  }

  /** Takes the next place; returns how many ms to wait for it, 0 = now. */
  reserve(): number {
    const now = this.#clock();
    const dueAt = Math.max(this.#dueAt, now);
    this.#dueAt = dueAt + this.#intervalMs;
    return Math.max(0, dueAt - this.#toleranceMs - now);
  }
}
