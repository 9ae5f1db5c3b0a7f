import { DECIMAL_BYTES_MAX, toDouble, writeDecimal } from '../model/decimal.js';

/** How prices and quantities are written: decimal text with all decimals of the scale, or JSON numbers. */
export type NumberStyle = 'string' | 'float';

const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN = 0x5b;
const CLOSE = 0x5d;
/** Brackets, quotes and comma of a level. */
const LEVEL_PUNCTUATION_BYTES = 8;

/** JSON under construction, as bytes. */
export class JsonBytes {
  #bytes: Buffer;
  #length = 0;

  constructor(capacity = 4096) {
    this.#bytes = Buffer.allocUnsafe(capacity);
  }

  get length(): number {
    return this.#length;
  }

  /** Appends JSON text as it is. */
  raw(text: string): this {
    // Three bytes are the most a UTF-16 unit needs.
    this.#reserve(text.length * 3);
    this.#length += this.#bytes.write(text, this.#length);
    return this;
  }

  /** Appends `[price,quantity]`. */
  level(ticks: number, priceScale: number, lots: number, quantityScale: number, style: NumberStyle): this {
    this.#reserve(2 * DECIMAL_BYTES_MAX + LEVEL_PUNCTUATION_BYTES);
    this.#byte(OPEN);
    this.#number(ticks, priceScale, style);
    this.#byte(COMMA);
    this.#number(lots, quantityScale, style);
    this.#byte(CLOSE);
    return this;
  }

  /** Appends `[[price,quantity],…]` of the first `count` levels. */
  levels(ticks: Float64Array, priceScale: number, lots: Float64Array, quantityScale: number, count: number, style: NumberStyle): this {
    this.raw('[');
    for (let i = 0; i < count; i++) {
      if (i > 0) this.#byte(COMMA);
      this.level(ticks[i]!, priceScale, lots[i]!, quantityScale, style);
    }
    return this.raw(']');
  }

  /** What was written, as text: Node writes head and body in one piece then, and not in two. The writer begins anew. */
  take(): string {
    const text = this.#bytes.toString('utf8', 0, this.#length);
    this.#length = 0;
    return text;
  }

  #number(units: number, scale: number, style: NumberStyle): void {
    if (style === 'float') {
      this.#length += this.#bytes.write(String(toDouble(units, scale)), this.#length, 'latin1');
      return;
    }
    this.#byte(QUOTE);
    this.#length = writeDecimal(this.#bytes, this.#length, units, scale);
    this.#byte(QUOTE);
  }

  #byte(value: number): void {
    this.#bytes[this.#length++] = value;
  }

  #reserve(bytes: number): void {
    // One more for the comma that `levels` puts before a level.
    const needed = this.#length + bytes + 1;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
