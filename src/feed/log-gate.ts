import type { Clock } from '../support/clock.js';

/** Lets one log line through per `intervalMs` and counts what it held back. */
export class LogGate {
  readonly #intervalMs: number;
  readonly #clock: Clock;
  #openAt = 0;
  #suppressed = 0;

  constructor(intervalMs: number, clock: Clock) {
    this.#intervalMs = intervalMs;
    this.#clock = clock;
  }

  /** How many lines were held back since the last one that passed, or -1: hold this one back too. */
  pass(): number {
    const now = this.#clock();
    if (now < this.#openAt) {
      this.#suppressed++;
      return -1;
    }
    const suppressed = this.#suppressed;
    this.#openAt = now + this.#intervalMs;
    this.#suppressed = 0;
    return suppressed;
  }
}
