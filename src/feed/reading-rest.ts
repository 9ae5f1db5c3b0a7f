import type { Clock } from '../support/clock.js';

/** What can stop and go on reading: a `WebSocket`. */
export interface Readable {
  pause(): void;
  resume(): void;
}

export interface ReadingRestTimings {
  /** One rest from reading, when a ring runs full. */
  readonly restMs: number;
  /** Rests in a row may add up to this, then reading goes on whatever the ring says … */
  readonly restStretchMs: number;
  /** … for at least as long as this, so that one stuck shard does not silence the symbols of the others. */
  readonly restFreeMs: number;
}

/** Back-pressure towards the exchange, in doses: short rests from reading, and a limit on how much they may add up to. */
export class ReadingRest {
  readonly #readable: Readable;
  readonly #timings: ReadingRestTimings;
  readonly #clock: Clock;
  #timer: NodeJS.Timeout | undefined;
  #endedAt = -Infinity;
  #stretchStart = 0;
  #freeUntil = 0;

  constructor(readable: Readable, timings: ReadingRestTimings, clock: Clock) {
    this.#readable = readable;
    this.#timings = timings;
    this.#clock = clock;
  }

  get isResting(): boolean {
    return this.#timer !== undefined;
  }

  begin(): void {
    const now = this.#clock();
    if (this.#timer !== undefined || now < this.#freeUntil) return;
    // A ring that was full again as soon as reading went on.
    const continues = now - this.#endedAt <= this.#timings.restMs;
    if (!continues) this.#stretchStart = now;
    if (now - this.#stretchStart >= this.#timings.restStretchMs) {
      this.#freeUntil = now + this.#timings.restFreeMs;
      return;
    }
    this.#readable.pause();
    this.#timer = setTimeout(() => this.end(), this.#timings.restMs);
  }

  /** Reading goes on; does nothing when it did not rest. */
  end(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#endedAt = this.#clock();
    this.#readable.resume();
  }
}
