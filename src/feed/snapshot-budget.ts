import { assert } from '../support/assert.js';
import type { RequestBudget } from '../mexc/rest-client.js';
import { CodedError, ErrorCode } from '../support/errors.js';
import { Backoff } from './backoff.js';
import { systemClock } from '../support/clock.js';
import type { Clock, Random } from '../support/clock.js';

export interface SnapshotBudgetOptions {
  /** Requests per second for the whole host. MEXC was clean at 10 and shut the door at 20 to 30. Default 8. */
  readonly ratePerSecond?: number;
  /** Requests that may go out at once after a quiet time. Default half a second's worth, at least 2. */
  readonly burst?: number;
  /** Part of the burst only resyncs may use. Default half of it. */
  readonly reserve?: number;
  /** First pause after a refusal without `Retry-After`. Default 5,000 ms, doubling with each refusal in a row. */
  readonly pauseBaseMs?: number;
  /** Default 300,000 ms. */
  readonly pauseMaxMs?: number;
  readonly clock?: Clock;
  readonly random?: Random;
}

/**
 * `start`: may wait. `resync`: a book that was live and is not; may use the reserve. `audit`: only what nobody else used for so long that the
 * bucket is full.
 */
export type Purpose = 'start' | 'resync' | 'audit';

/**
 * The one budget of REST requests of this host: a token bucket, and a pause for everybody when the exchange says so.
 * Start-up draws only what is above the reserve, so it still gets the full rate, yet a resync never waits behind it.
 */
export class SnapshotBudget implements RequestBudget {
  readonly ratePerSecond: number;
  readonly #burst: number;
  readonly #reserve: number;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #pauses: Backoff;
  #tokens: number;
  /** When `#tokens` was right; in the future during a pause. */
  #countedAt: number;
  #pausedUntil = 0;
  #requests = 0;
  #pauseCount = 0;
  /** Who waits in `acquire`, and is left what they need. */
  #waiting = 0;

  constructor(options: SnapshotBudgetOptions = {}) {
    this.ratePerSecond = options.ratePerSecond ?? 8;
    assert(this.ratePerSecond > 0, `snapshot rate ${this.ratePerSecond} must be above 0`);
    this.#burst = options.burst ?? Math.max(2, this.ratePerSecond / 2);
    this.#reserve = options.reserve ?? this.#burst / 2;
    assert(this.#burst >= this.#reserve + 1, `burst ${this.#burst} leaves start-up nothing above the reserve ${this.#reserve}`);
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#pauses = new Backoff({
      baseMs: options.pauseBaseMs ?? 5000,
      maxMs: options.pauseMaxMs ?? 300_000,
      random: this.#random,
      jitter: 0.2,
    });
    this.#tokens = this.#burst;
    this.#countedAt = this.#clock();
  }

  /** Unix ms until which no request may be sent, or `null`. */
  get pausedUntil(): number | null {
    return this.#pausedUntil > this.#clock() ? this.#pausedUntil : null;
  }

  /** Requests spent so far. */
  get requests(): number {
    return this.#requests;
  }

  /** Pauses so far. */
  get pauses(): number {
    return this.#pauseCount;
  }

  /** Spends one request if there is one for this purpose. */
  tryTake(purpose: Purpose): boolean {
    return this.#take(this.#needed(purpose) + this.#waiting);
  }

  #take(needed: number): boolean {
    if (this.#msUntil(needed) > 0) return false;
    this.#tokens--;
    this.#requests++;
    return true;
  }

  /** How long until `tryTake` may succeed, in ms, rounded up; 0 = now. */
  msUntil(purpose: Purpose): number {
    return this.#msUntil(this.#needed(purpose) + this.#waiting);
  }

  #msUntil(needed: number): number {
    const now = this.#clock();
    if (now > this.#countedAt) {
      this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#countedAt) * this.ratePerSecond) / 1000);
      this.#countedAt = now;
    }
    const pauseMs = Math.max(0, this.#pausedUntil - now);
    const missing = needed - this.#tokens;
    // A sum of small refills may end a rounding error short of a whole token.
    if (missing <= 1e-9) return Math.ceil(pauseMs);
    return Math.ceil(pauseMs + (missing * 1000) / this.ratePerSecond);
  }

  /** Requests there must be before one is spent for this purpose. */
  #needed(purpose: Purpose): number {
    switch (purpose) {
      case 'resync':
        return 1;
      case 'start':
        return this.#reserve + 1;
      case 'audit':
        return this.#burst;
      default:
        return purpose satisfies never;
    }
  }

  /** Whoever takes without waiting would be quicker each time: they leave one request for each that waits here. */
  async acquire(waitMsMax = Infinity): Promise<void> {
    const untilMs = this.#clock() + waitMsMax;
    this.#waiting++;
    try {
      while (!this.#take(1)) {
        // Anew each time: a pause may have begun.
        const delayMs = this.#msUntil(1);
        if (this.#clock() + delayMs > untilMs) {
          throw new CodedError(ErrorCode.EXCHANGE_THROTTLED, 'the exchange takes no requests for now', { retryAfterMs: delayMs });
        }
        await new Promise((resolve) => setTimeout(resolve, delayMs));
      }
    } finally {
      this.#waiting--;
    }
  }

  /**
   * Pauses everything: for as long as the exchange asks, and for an exponential time when it does not ask or when it
   * refuses again right after a pause. Answers to requests sent before the pause do not lengthen it, unless they ask for more.
   */
  throttled(retryAfterMs: number | null): void {
    const now = this.#clock();
    const pausedAlready = this.#pausedUntil > now;
    if (pausedAlready && retryAfterMs === null) return;
    let pauseMs = (retryAfterMs ?? 0) + this.#random() * Math.min(1000, (retryAfterMs ?? 0) * 0.1);
    if (!pausedAlready) {
      this.#pauseCount++;
      const backoffMs = this.#pauses.next();
      if (retryAfterMs === null || this.#pauses.count > 1) pauseMs = Math.max(pauseMs, backoffMs);
    }
    this.#pausedUntil = Math.max(this.#pausedUntil, now + pauseMs);
    // The bucket starts empty after the pause: a full one would be the burst that caused it.
    this.#tokens = 0;
    this.#countedAt = this.#pausedUntil;
  }

  succeeded(): void {
    if (this.#pausedUntil > this.#clock()) return;
    this.#pauses.reset();
  }
}
