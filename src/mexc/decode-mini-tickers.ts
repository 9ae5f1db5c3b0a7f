import { canonicalDecimal, type TakeFigures, type TickerFigures } from '../model/ticker-figures.js';
import { WireReader, WireType } from './wire.js';

const CHANNEL_FIELD = 1;
const SEND_TIME_FIELD = 6;
const MINI_TICKER_FIELD = 309;
const MINI_TICKERS_FIELD = 310;
const ITEM_FIELD = 1;

/** Fields of an item. Two names mean the opposite of REST's: `volume` is the turnover in quote units, `quantity` the volume in base units. */
const SYMBOL = 1;
const PRICE = 2;
const ZONED_RATE = 4;
const HIGH = 5;
const LOW = 6;
const QUOTE_VOLUME = 7;
const BASE_VOLUME = 8;

/** End of a channel whose `zonedRate` is the change of the last 24 hours, and not of a day somewhere. */
const ROLLING_DAY = '@24H';

/**
 * The items of a push of mini tickers (body 310, or 309 with a single one), one by one, so that a reader with other work to do can take
 * them in portions: a push may name 2,000 symbols.
 */
export class MiniTickerItems {
  readonly #reader: WireReader;
  readonly #items: number[] = [];
  #next = 0;
  #timeMs: number | null = null;
  #rolling = false;

  /** `bytes` are not shared memory, which cannot be decoded as text. Throws CodedError FRAME_TRUNCATED or FRAME_MALFORMED. */
  constructor(bytes: Uint8Array) {
    const reader = (this.#reader = new WireReader(bytes));
    const end = bytes.length;
    while (reader.position < end) {
      reader.tag(end);
      const { field, wireType } = reader;
      if (field === CHANNEL_FIELD && wireType === WireType.BYTES) this.#rolling = reader.text(end).endsWith(ROLLING_DAY);
      else if (field === SEND_TIME_FIELD && wireType === WireType.VARINT) this.#timeMs = reader.int64(end);
      else if (field === MINI_TICKER_FIELD) this.#add(end);
      else if (field === MINI_TICKERS_FIELD) this.#addItems(end);
      else reader.skip(end);
    }
  }

  /**
   * Hands on up to `count` items that are wanted, passing over others; false when there are no more. Throws CodedError FRAME_TRUNCATED or
   * FRAME_MALFORMED; what was handed on before stands.
   */
  read(count: number, wanted: (symbol: string) => boolean, take: TakeFigures): boolean {
    const last = Math.min(this.#next + count, this.#items.length / 2);
    for (; this.#next < last; this.#next++) {
      const start = this.#items[2 * this.#next]!;
      const end = this.#items[2 * this.#next + 1]!;
      const symbol = this.#symbolOf(start, end);
      if (symbol !== undefined && wanted(symbol)) take(symbol, this.#figuresOf(start, end));
    }
    return 2 * this.#next < this.#items.length;
  }

  #addItems(end: number): void {
    const reader = this.#reader;
    reader.expect(WireType.BYTES);
    const stop = reader.lengthEnd(end);
    while (reader.position < stop) {
      reader.tag(stop);
      if (reader.field === ITEM_FIELD) this.#add(stop);
      else reader.skip(stop);
    }
  }

  #add(end: number): void {
    const reader = this.#reader;
    reader.expect(WireType.BYTES);
    const stop = reader.lengthEnd(end);
    this.#items.push(reader.position, stop);
    reader.position = stop;
  }

  #symbolOf(start: number, end: number): string | undefined {
    const reader = this.#reader;
    reader.position = start;
    while (reader.position < end) {
      reader.tag(end);
      if (reader.field === SYMBOL && reader.wireType === WireType.BYTES) return reader.text(end);
      reader.skip(end);
    }
    return undefined;
  }

  #figuresOf(start: number, end: number): TickerFigures {
    const reader = this.#reader;
    const texts: (string | undefined)[] = Array.from({ length: BASE_VOLUME + 1 });
    reader.position = start;
    while (reader.position < end) {
      reader.tag(end);
      const { field, wireType } = reader;
      if (wireType !== WireType.BYTES || field > BASE_VOLUME) reader.skip(end);
      else {
        const stop = reader.lengthEnd(end);
        texts[field] = latin1(reader.bytes, reader.position, stop);
        reader.position = stop;
      }
    }
    const figure = (field: number, signed = false): string | null => {
      const text = texts[field];
      return text === undefined ? null : canonicalDecimal(text, signed);
    };
    return {
      timeMs: this.#timeMs,
      lastPrice: figure(PRICE),
      lastQuantity: null,
      openPrice: null,
      highPrice: figure(HIGH),
      lowPrice: figure(LOW),
      volume: figure(BASE_VOLUME),
      quoteVolume: figure(QUOTE_VOLUME),
      priceChange: null,
      changeRate: this.#rolling ? figure(ZONED_RATE, true) : null,
    };
  }
}

/** Faster for a number than a decoder of text; what is no number is refused whatever became of it here. */
function latin1(bytes: Uint8Array, start: number, end: number): string {
  let text = '';
  for (let i = start; i < end; i++) text += String.fromCharCode(bytes[i]!);
  return text;
}
