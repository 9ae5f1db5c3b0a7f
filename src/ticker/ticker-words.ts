import type { TickerFigures } from '../model/ticker-figures.js';
import * as layout from './ticker-layout.js';

/** What is held of one symbol, copied out of shared memory. Times in Unix ms, 0 = nothing was said yet. */
export interface HeldFigures extends Omit<TickerFigures, 'timeMs'> {
  /** Of the last price and quantity. */
  readonly lastTimeMs: number;
  /** When the exchange made the newest figures of the day. */
  readonly closeTimeMs: number;
}

/** Views over the tickers of a shard. A reader on another thread may find nonsense, until the version check tells it. */
export class TickerWords {
  readonly i32: Int32Array;
  readonly #f64: Float64Array;
  readonly #bytes: Uint8Array;

  constructor(buffer: SharedArrayBuffer) {
    this.i32 = new Int32Array(buffer);
    this.#f64 = new Float64Array(buffer);
    this.#bytes = new Uint8Array(buffer);
  }

  get slots(): number {
    return this.#bytes.length / layout.SLOT_BYTES;
  }

  /** Index of a slot's version in `i32`. */
  version(slot: number): number {
    return (slot * layout.SLOT_BYTES) / 4 + layout.VERSION;
  }

  time(slot: number, field: number): number {
    return this.#f64[(slot * layout.SLOT_BYTES) / 8 + field]!;
  }

  setTime(slot: number, field: number, timeMs: number): void {
    this.#f64[(slot * layout.SLOT_BYTES) / 8 + field] = timeMs;
  }

  text(slot: number, figure: number): string | null {
    const start = slot * layout.SLOT_BYTES + figure;
    const length = this.#bytes[start]!;
    if (length === 0) return null;
    let text = '';
    for (let i = 1; i <= Math.min(length, layout.FIGURE_BYTES - 1); i++) text += String.fromCharCode(this.#bytes[start + i]!);
    return text;
  }

  setText(slot: number, figure: number, text: string | null): void {
    const start = slot * layout.SLOT_BYTES + figure;
    this.#bytes[start] = text === null ? 0 : text.length;
    if (text !== null) for (let i = 0; i < text.length; i++) this.#bytes[start + 1 + i] = text.charCodeAt(i);
  }

  held(slot: number): HeldFigures {
    return {
      lastTimeMs: this.time(slot, layout.LAST_TIME),
      closeTimeMs: this.time(slot, layout.CLOSE_TIME),
      lastPrice: this.text(slot, layout.LAST_PRICE),
      lastQuantity: this.text(slot, layout.LAST_QUANTITY),
      openPrice: this.text(slot, layout.OPEN_PRICE),
      highPrice: this.text(slot, layout.HIGH_PRICE),
      lowPrice: this.text(slot, layout.LOW_PRICE),
      volume: this.text(slot, layout.VOLUME),
      quoteVolume: this.text(slot, layout.QUOTE_VOLUME),
      priceChange: this.text(slot, layout.PRICE_CHANGE),
      changeRate: this.text(slot, layout.CHANGE_RATE),
    };
  }

  /** Forgets everything but the version. */
  clear(slot: number): void {
    const start = slot * layout.SLOT_BYTES;
    this.#bytes.fill(0, start + 8, start + layout.SLOT_BYTES);
  }
}
