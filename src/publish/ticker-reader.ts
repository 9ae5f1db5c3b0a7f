import { readBegin, readUnchanged } from '../memory/seqlock.js';
import { TickerWords, type HeldFigures } from '../ticker/ticker-words.js';

/** Copies tried before a reader gives up for now. */
const ATTEMPTS_MAX = 32;

/** Reads the 24 h figures of one shard from any thread, under their version checks. */
export class TickerReader {
  /** Copies thrown away because the writer was at work, since the start. */
  retries = 0;
  readonly #words: TickerWords;

  constructor(tickers: SharedArrayBuffer) {
    this.#words = new TickerWords(tickers);
  }

  /** `undefined` when every one of ATTEMPTS_MAX copies met the writer. */
  read(slot: number): HeldFigures | undefined {
    const words = this.#words;
    const version = words.version(slot);
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const before = readBegin(words.i32, version);
      if ((before & 1) === 0) {
        const held = words.held(slot);
        if (readUnchanged(words.i32, version, before)) return held;
      }
      this.retries++;
    }
    return undefined;
  }
}
