/** A pause this many times the usual one is more than chance: with pushes at random times its probability is below 10^-8. */
const PAUSE_FACTOR = 20;
/** Weight of the newest pause in the usual one. */
const SMOOTHING = 1 / 16;
/** Traffic comes in bursts: a pause twice as long as the longest of late is no news. It is forgotten within about ten minutes. */
const LONGEST_FACTOR = 2;
const LONGEST_FADE_MS = 600_000;
/** Allowance, in multiples of the floor, while the usual pause is unknown. */
const UNKNOWN_FACTOR = 10;

/** How long a symbol may be silent, judged by its own rhythm: most pairs of an exchange are quiet for minutes and nothing is wrong. */
export class SilenceWatch {
  lastReceivedMs = 0;
  #usualPauseMs = NaN;
  #longestPauseMs = 0;
  /** Doubles each time a silence turned out to be justified; back to 1 with the next push. */
  #patience = 1;
  readonly #floorMs: number;

  constructor(floorMs: number) {
    this.#floorMs = floorMs;
  }

  /** The stream starts (again) here. */
  start(timeMs: number): void {
    this.lastReceivedMs = timeMs;
  }

  received(timeMs: number): void {
    const pause = timeMs - this.lastReceivedMs;
    this.#usualPauseMs = Number.isNaN(this.#usualPauseMs) ? pause : this.#usualPauseMs + (pause - this.#usualPauseMs) * SMOOTHING;
    this.#longestPauseMs = Math.max(pause, this.#longestPauseMs * (1 - Math.min(1, pause / LONGEST_FADE_MS)));
    this.lastReceivedMs = timeMs;
    this.#patience = 1;
  }

  /** The exchange's own book showed that nothing was missed. */
  justified(timeMs: number): void {
    this.lastReceivedMs = timeMs;
    this.#patience *= 2;
  }

  isTooLong(nowMs: number): boolean {
    const usual = Number.isNaN(this.#usualPauseMs) ? this.#floorMs * UNKNOWN_FACTOR : this.#usualPauseMs * PAUSE_FACTOR;
    return nowMs - this.lastReceivedMs > Math.max(this.#floorMs, usual, LONGEST_FACTOR * this.#longestPauseMs) * this.#patience;
  }
}
