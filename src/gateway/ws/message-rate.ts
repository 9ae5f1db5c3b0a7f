export type RateVerdict = 'pass' | 'refuse' | 'drop' | 'close';

/** Seconds that are looked at together. */
const WINDOW_SECONDS = 10;

/**
 * Counts one client's messages by the second. Those over the limit are not followed: the first of a second is refused
 * with an error, the rest dropped; after too many such seconds out of ten the client is to be closed.
 */
export class MessageRate {
  readonly #perSecond: number;
  readonly #secondsMax: number;
  #second = -1;
  #count = 0;
  /** The last seconds that were over, this one included if it is: at most `#secondsMax`. */
  readonly #over: number[] = [];

  constructor(perSecond: number, secondsMax: number) {
    this.#perSecond = perSecond;
    this.#secondsMax = secondsMax;
  }

  take(nowMs: number): RateVerdict {
    this.add(1, nowMs);
    if (this.#count <= this.#perSecond) return 'pass';
    const over = this.#over;
    if (over.at(-1) === this.#second) return 'drop';
    over.push(this.#second);
    if (over.length > this.#secondsMax) over.shift();
    return over.length === this.#secondsMax && this.#second - over[0]! < WINDOW_SECONDS ? 'close' : 'refuse';
  }

  /** Counts so many messages that need no verdict. */
  add(messages: number, nowMs: number): void {
    const second = Math.floor(nowMs / 1000);
    if (second !== this.#second) this.#count = 0;
    this.#second = second;
    this.#count += messages;
  }
}
