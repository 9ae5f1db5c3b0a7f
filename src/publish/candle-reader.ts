import { SymbolRows } from '../candle/symbol-rows.js';
import { SLOT_WORDS, slotWord } from '../candle/candle-layout.js';

/** Copies tried before a reader gives up for now. */
const ATTEMPTS_MAX = 8;

/** Reads the candles of one shard from any thread, under their version checks. */
export class CandleReader {
  /** Copies thrown away because the writer was at work, since the start. */
  retries = 0;
  readonly #rows: Float64Array;
  readonly #slots: number;

  constructor(candles: SharedArrayBuffer) {
    this.#rows = new Float64Array(candles);
    this.#slots = Math.floor(this.#rows.length / SLOT_WORDS);
  }

  /** Copies all candles of a symbol (`SymbolRows.copy()`, 72 KiB); false when every copy met a write. */
  read(slot: number, copy: SymbolRows): boolean {
    if (slot >= this.#slots) return false;
    const rows = new SymbolRows(this.#rows, slotWord(slot));
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      if (rows.readInto(copy)) return true;
      this.retries++;
    }
    return false;
  }
}
