import { WIDE_BYTES_MAX, type WideSum } from '../analytics/wide-sum.js';
import { DECIMAL_BYTES_MAX, writeDecimal } from '../model/decimal.js';

/** Room for the longest WebSocket frame header of a server (2 + 8 bytes). */
const HEADER_ROOM = 10;
const FIN_TEXT = 0x81;
const encoder = new TextEncoder();

/**
 * Writes one JSON message at a time into a reused buffer and frames it as a whole unmasked WebSocket text frame (RFC 6455 section 5.2), so
 * that the same bytes go to every subscriber. `begin`, then the parts, then `frame`.
 */
export class MessageWriter {
  #bytes = new Uint8Array(64 * 1024);
  #end = HEADER_ROOM;

  begin(): void {
    this.#end = HEADER_ROOM;
  }

  /** ASCII text. */
  text(text: string): void {
    this.#reserve(text.length);
    const bytes = this.#bytes;
    let end = this.#end;
    for (let i = 0; i < text.length; i++) bytes[end++] = text.charCodeAt(i);
    this.#end = end;
  }

  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  /** A whole number >= 0. */
  integer(value: number): void {
    this.decimal(value, 0);
  }

  /** Unix ms; `null` for NaN. */
  time(ms: number): void {
    if (ms !== ms) this.text('null');
    else this.integer(Math.floor(ms));
  }

  /** `units / 10^scale` as decimal text without quotes. */
  decimal(units: number, scale: number): void {
    this.#reserve(DECIMAL_BYTES_MAX);
    this.#end = writeDecimal(this.#bytes, this.#end, units, scale);
  }

  /** The same of a sum beyond 2^53. */
  wide(sum: WideSum, scale: number): void {
    this.#reserve(WIDE_BYTES_MAX);
    this.#end = sum.write(this.#bytes, this.#end, scale);
  }

  /** A JSON number; `null` for `null`, and for what JSON has no number for. */
  double(value: number | null): void {
    this.text(value === null || !Number.isFinite(value) ? 'null' : String(value));
  }

  /** `["price","quantity"]`. */
  level(tick: number, lots: number, priceScale: number, quantityScale: number): void {
    this.#reserve(2 * DECIMAL_BYTES_MAX + 8);
    const bytes = this.#bytes;
    let end = this.#end;
    bytes[end++] = 0x5b;
    bytes[end++] = 0x22;
    end = writeDecimal(bytes, end, tick, priceScale);
    bytes[end++] = 0x22;
    bytes[end++] = 0x2c;
    bytes[end++] = 0x22;
    if (lots === 0) bytes[end++] = 0x30;
    else end = writeDecimal(bytes, end, lots, quantityScale);
    bytes[end++] = 0x22;
    bytes[end++] = 0x5d;
    this.#end = end;
  }

  /** `count` levels, comma-separated, in brackets. */
  levels(ticks: Float64Array, lots: Float64Array, count: number, priceScale: number, quantityScale: number): void {
    this.text('[');
    for (let i = 0; i < count; i++) {
      if (i > 0) this.text(',');
      this.level(ticks[i]!, lots[i]!, priceScale, quantityScale);
    }
    this.text(']');
  }

  /** What was written since `begin`, without a frame; valid until the next `begin`. */
  payload(): Uint8Array {
    return this.#bytes.subarray(HEADER_ROOM, this.#end);
  }

  /** The framed message; valid until the next `begin`. */
  frame(): Uint8Array {
    const payload = this.#end - HEADER_ROOM;
    const bytes = this.#bytes;
    let start: number;
    if (payload < 126) {
      start = HEADER_ROOM - 2;
      bytes[start + 1] = payload;
    } else if (payload < 65536) {
      start = HEADER_ROOM - 4;
      bytes[start + 1] = 126;
      bytes[start + 2] = payload >>> 8;
      bytes[start + 3] = payload & 0xff;
    } else {
      start = 0;
      bytes[1] = 127;
      bytes.fill(0, 2, 6);
      bytes[6] = payload >>> 24;
      bytes[7] = payload >>> 16;
      bytes[8] = payload >>> 8;
      bytes[9] = payload;
    }
    bytes[start] = FIN_TEXT;
    return bytes.subarray(start, this.#end);
  }

  #reserve(more: number): void {
    if (this.#end + more <= this.#bytes.length) return;
    const larger = new Uint8Array(2 * (this.#end + more));
    larger.set(this.#bytes.subarray(0, this.#end));
    this.#bytes = larger;
  }
}

/** A symbol as JSON text, quotes included, in UTF-8. */
export function jsonBytes(symbol: string): Uint8Array {
  return encoder.encode(JSON.stringify(symbol));
}
