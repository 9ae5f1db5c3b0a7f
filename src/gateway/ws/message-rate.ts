export type RateVerdict = 'pass' | 'refuse' | 'drop' | 'close';

/**
 * Counts one client's messages by the second. Those over the limit are not followed: the first of a second is refused
 * with an error, the rest dropped; after too many such seconds in a row the client is to be closed.
 */
export class MessageRate {
  readonly #perSecond: number;
  readonly #secondsMax: number;
  #second = -1;
  #count = 0;
  #secondsOver = 0;

  constructor(perSecond: number, secondsMax: number) {
    this.#perSecond = perSecond;
    this.#secondsMax = secondsMax;
  }

  take(nowMs: number): RateVerdict {
    const second = Math.floor(nowMs / 1000);
    if (second !== this.#second) {
      const wasOver = this.#count > this.#perSecond && second === this.#second + 1;
      if (!wasOver) this.#secondsOver = 0;
      this.#second = second;
      this.#count = 0;
    }
    this.#count++;
    if (this.#count <= this.#perSecond) return 'pass';
    if (this.#count > this.#perSecond + 1) return 'drop';
    return ++this.#secondsOver >= this.#secondsMax ? 'close' : 'refuse';
  }
}
