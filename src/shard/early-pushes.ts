/** How long a push with a hole before it waits for what fills the hole: two connections are some tens of ms apart. */
const EARLY_MS_MAX = 500;
/** The clock must have been told so often meanwhile: what came while the main thread was busy is read after the next tick. */
const EARLY_TICKS_MIN = 20;
/** Half a second of the 10 ms channel on two lines. */
export const EARLY_FRAMES_MAX = 128;

/**
 * With two lines: pushes that came before one they follow on. What is missing may have been lost on one line and come on the other, so they
 * wait, bounded in time and number, before the hole counts as a gap. Meanwhile the book stays what it is: exact, at its version.
 */
export class EarlyPushes {
  readonly #frames: Uint8Array[] = [];
  readonly #times: number[] = [];
  readonly #lines: number[] = [];
  #ticks = 0;
  #version = -1;

  /** The highest that those there were since none waited led to; -1 = there were none. */
  get version(): number {
    return this.#version;
  }

  get count(): number {
    return this.#frames.length;
  }

  /** Keeps a copy of `source[start, end)`, which leads to `version` and came on `line`; false when there are too many. */
  hold(source: Uint8Array, start: number, end: number, version: number, receiveTimeMs: number, line: number): boolean {
    if (this.#frames.length >= EARLY_FRAMES_MAX) return false;
    if (this.#frames.length === 0) {
      this.#ticks = 0;
      this.#version = -1;
    }
    this.#frames.push(new Uint8Array(source.subarray(start, end)));
    this.#times.push(receiveTimeMs);
    this.#lines.push(line);
    if (version > this.#version) this.#version = version;
    return true;
  }

  /** The clock, told every 10 ms while some wait; true when the oldest waits for too long. */
  tick(nowMs: number): boolean {
    return ++this.#ticks >= EARLY_TICKS_MIN && nowMs - this.#times[0]! >= EARLY_MS_MAX;
  }

  frame(index: number): Uint8Array {
    return this.#frames[index]!;
  }

  /** When it came, Unix ms. */
  timeMs(index: number): number {
    return this.#times[index]!;
  }

  line(index: number): number {
    return this.#lines[index]!;
  }

  remove(index: number): void {
    this.#frames.splice(index, 1);
    this.#times.splice(index, 1);
    this.#lines.splice(index, 1);
  }

  /** Takes all out, in order of arrival. */
  take(): readonly { readonly frame: Uint8Array; readonly timeMs: number }[] {
    const taken = this.#frames.map((frame, i) => ({ frame, timeMs: this.#times[i]! }));
    this.clear();
    return taken;
  }

  clear(): void {
    this.#frames.length = 0;
    this.#times.length = 0;
    this.#lines.length = 0;
    this.#version = -1;
  }
}
