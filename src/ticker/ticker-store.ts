import { writeBegin, writeEnd } from '../memory/seqlock.js';
import type { TickerFigures } from '../model/ticker-figures.js';
import * as layout from './ticker-layout.js';
import { TickerWords, type HeldFigures } from './ticker-words.js';

/**
 * The tickers of one shard: puts together what `ticker/24hr` and the `miniTickers` pushes say. Of each group of figures the newest by the
 * exchange's clock wins; a figure a newer source does not supply keeps what an older one said. Owner thread only.
 */
export class TickerStore {
  readonly #words: TickerWords;

  constructor(buffer: SharedArrayBuffer) {
    this.#words = new TickerWords(buffer);
  }

  held(slot: number): HeldFigures {
    return this.#words.held(slot);
  }

  apply(slot: number, figures: TickerFigures, receiveTimeMs: number): void {
    const words = this.#words;
    const timeMs = figures.timeMs ?? receiveTimeMs;
    writeBegin(words.i32, words.version(slot));
    this.#applyLast(slot, figures, timeMs);
    const { highPrice, lowPrice, volume, quoteVolume, openPrice, priceChange, changeRate } = figures;
    const newDay = this.#group(slot, layout.DAY_TIME, timeMs, [
      [layout.HIGH_PRICE, highPrice],
      [layout.LOW_PRICE, lowPrice],
      [layout.VOLUME, volume],
      [layout.QUOTE_VOLUME, quoteVolume],
    ]);
    if (newDay && figures.timeMs !== null) words.setTime(slot, layout.CLOSE_TIME, figures.timeMs);
    this.#group(slot, layout.RATE_TIME, timeMs, [[layout.CHANGE_RATE, changeRate]]);
    this.#group(slot, layout.OPEN_TIME, timeMs, [
      [layout.OPEN_PRICE, openPrice],
      [layout.PRICE_CHANGE, priceChange],
    ]);
    words.setTime(slot, layout.RECEIVE_TIME, Math.max(receiveTimeMs, words.time(slot, layout.RECEIVE_TIME)));
    writeEnd(words.i32, words.version(slot));
  }

  /** The slot will belong to another symbol. */
  clear(slot: number): void {
    const words = this.#words;
    writeBegin(words.i32, words.version(slot));
    words.clear(slot);
    writeEnd(words.i32, words.version(slot));
  }

  /** A newer price without a quantity keeps the quantity only if it is the price of the same trade, as far as can be told. */
  #applyLast(slot: number, { lastPrice, lastQuantity }: TickerFigures, timeMs: number): void {
    const words = this.#words;
    if (lastPrice === null || timeMs < words.time(slot, layout.LAST_TIME)) return;
    const samePrice = words.text(slot, layout.LAST_PRICE) === lastPrice;
    if (!samePrice || lastQuantity !== null) words.setText(slot, layout.LAST_QUANTITY, lastQuantity);
    words.setText(slot, layout.LAST_PRICE, lastPrice);
    words.setTime(slot, layout.LAST_TIME, timeMs);
  }

  /** Takes the figures a source supplies, unless what is held is newer; true when any was taken. */
  #group(slot: number, timeField: number, timeMs: number, figures: readonly (readonly [figure: number, text: string | null])[]): boolean {
    const words = this.#words;
    if (timeMs < words.time(slot, timeField)) return false;
    let taken = false;
    for (const [figure, text] of figures) {
      if (text === null) continue;
      words.setText(slot, figure, text);
      taken = true;
    }
    if (taken) words.setTime(slot, timeField, timeMs);
    return taken;
  }
}

/** Makes versions a dead worker left odd even again, over figures that are forgotten. Main thread, only while no worker runs on the shard. */
export function repairTickers(buffer: SharedArrayBuffer): void {
  const words = new TickerWords(buffer);
  for (let slot = 0; slot < words.slots; slot++) {
    const version = words.version(slot);
    if ((words.i32[version]! & 1) === 0) continue;
    words.clear(slot);
    writeEnd(words.i32, version);
  }
}
