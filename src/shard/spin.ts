import type { RingConsumer } from '../memory/spsc-ring.js';

/** Looks at the ring between two looks at the clock, which costs as much as several of them. */
const LOOKS = 32;
/** Whoever sees the clock jump by this has lost its core to somebody else, and it was not one of the short turns that bring something. */
const CORE_LOST_MS = 0.5;
/** For so long it then sleeps at once, as if it had not been told to spin. */
const PAUSE_MS = 100;

/** How a worker waits awake: for some time after the last news it looks for more, as long as nobody else needs its core. */
export class Spin {
  readonly #spinMs: number;
  readonly #clock: () => number;
  #untilMs = -Infinity;
  #notBeforeMs = -Infinity;

  constructor(spinUs: number, clock: () => number) {
    this.#spinMs = spinUs / 1000;
    this.#clock = clock;
  }

  /** Something came: more may follow. */
  news(): void {
    const nowMs = this.#clock();
    if (nowMs >= this.#notBeforeMs) this.#untilMs = nowMs + this.#spinMs;
  }

  /** Looks for a record, without a word to its producer, which therefore need not wake us; false when it is time to sleep. */
  finds(ring: Pick<RingConsumer, 'usedBytes'>): boolean {
    let nowMs = this.#clock();
    while (nowMs < this.#untilMs) {
      for (let i = 0; i < LOOKS; i++) if (ring.usedBytes() !== 0) return true;
      // The cheapest system call there is: V8 can neither pause nor yield, and on its way back the kernel lets others have the core.
      process.getuid?.();
      const lastMs = nowMs;
      nowMs = this.#clock();
      if (nowMs - lastMs < CORE_LOST_MS) continue;
      this.#untilMs = -Infinity;
      this.#notBeforeMs = nowMs + PAUSE_MS;
    }
    return false;
  }
}
