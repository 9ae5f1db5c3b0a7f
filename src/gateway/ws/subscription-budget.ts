import type { Clock } from '../../support/clock.js';

/** What one client may subscribe to: so many symbols at once, and after that so many a second (a token bucket). */
export class SubscriptionBudget {
  readonly #perSecond: number;
  readonly #most: number;
  readonly #clock: Clock;
  #left: number;
  #atMs: number;

  constructor(perSecond: number, most: number, clock: Clock) {
    this.#perSecond = perSecond;
    this.#most = most;
    this.#clock = clock;
    this.#left = most;
    this.#atMs = clock();
  }

  /** Takes `count` of them, at most as many as may be taken at once. Returns how many ms to wait when there are not as many, and takes none then; 0 = taken. */
  take(count: number): number {
    const nowMs = this.#clock();
    // A clock that was set back earns nothing.
    this.#left = Math.min(this.#most, this.#left + (Math.max(0, nowMs - this.#atMs) * this.#perSecond) / 1000);
    this.#atMs = nowMs;
    if (count > this.#left) return Math.ceil(((count - this.#left) * 1000) / this.#perSecond);
    this.#left -= count;
    return 0;
  }
}
