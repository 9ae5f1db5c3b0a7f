import { DECIMAL_BYTES_MAX, toDouble, writeDecimal } from '../model/decimal.js';

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
/** A tag and a number of 64 bits, with room to spare. */
const SCALAR_BYTES_MAX = 16;

/**
 * Writes one protobuf message at a time into a reused buffer: `begin`, then the fields, then `take`. Fields whose value is the default of
 * proto3 are left out, as every encoder does, except by the methods that say otherwise. Field numbers are below 2,048.
 */
export class ProtoWriter {
  #bytes = new Uint8Array(64 * 1024);
  #view = new DataView(this.#bytes.buffer);
  #end = 0;

  begin(): void {
    this.#end = 0;
  }

  /** A whole number >= 0 as `uint64`, `uint32`, `int32` or an enum. */
  uint(field: number, value: number): void {
    if (value !== 0) this.presentUint(field, value);
  }

  /** The same for a field with presence (`optional`): written even when it is 0. */
  presentUint(field: number, value: number): void {
    this.#reserve(SCALAR_BYTES_MAX);
    this.#tag(field, VARINT);
    this.#varint(value);
  }

  bool(field: number, value: boolean): void {
    if (value) this.presentUint(field, 1);
  }

  double(field: number, value: number): void {
    if (value === 0) return;
    this.#reserve(SCALAR_BYTES_MAX);
    this.#tag(field, FIXED64);
    this.#view.setFloat64(this.#end, value, true);
    this.#end += 8;
  }

  /** `units / 10^scale` as the nearest double. */
  number(field: number, units: number, scale: number): void {
    this.double(field, toDouble(units, scale));
  }

  /** `units / 10^scale` as decimal text with `scale` decimals; `0` alone when it is 0. */
  decimal(field: number, units: number, scale: number): void {
    const mark = this.open(field);
    this.#reserve(DECIMAL_BYTES_MAX);
    if (units === 0) this.#bytes[this.#end++] = 0x30;
    else this.#end = writeDecimal(this.#bytes, this.#end, units, scale);
    this.close(mark);
  }

  /** `string` as its UTF-8 bytes, or `bytes`. */
  bytes(field: number, value: Uint8Array): void {
    if (value.length === 0) return;
    this.#reserve(SCALAR_BYTES_MAX + value.length);
    this.#tag(field, LENGTH_DELIMITED);
    this.#varint(value.length);
    this.#bytes.set(value, this.#end);
    this.#end += value.length;
  }

  /** Begins a field that is a message; `close` takes what this returns. They may be nested. */
  open(field: number): number {
    this.#reserve(SCALAR_BYTES_MAX);
    this.#tag(field, LENGTH_DELIMITED);
    // One byte for the length, which is enough for a level; `close` makes room when it is not.
    return ++this.#end;
  }

  close(mark: number): void {
    const length = this.#end - mark;
    if (length < 0x80) {
      this.#bytes[mark - 1] = length;
      return;
    }
    this.#reserve(SCALAR_BYTES_MAX);
    const more = varintBytes(length) - 1;
    this.#bytes.copyWithin(mark + more, mark, this.#end);
    this.#end = mark - 1;
    this.#varint(length);
    this.#end += length;
  }

  /** The message; valid until the next `begin`. */
  take(): Uint8Array {
    return this.#bytes.subarray(0, this.#end);
  }

  #tag(field: number, wire: number): void {
    const tag = (field << 3) | wire;
    const bytes = this.#bytes;
    if (tag < 0x80) {
      bytes[this.#end++] = tag;
      return;
    }
    bytes[this.#end++] = (tag & 0x7f) | 0x80;
    bytes[this.#end++] = tag >>> 7;
  }

  #varint(value: number): void {
    const bytes = this.#bytes;
    let end = this.#end;
    let rest = value;
    // Bit operations know 32 bits only.
    while (rest > 0x7fff_ffff) {
      const next = Math.floor(rest / 128);
      bytes[end++] = (rest - next * 128) | 0x80;
      rest = next;
    }
    while (rest > 0x7f) {
      bytes[end++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    bytes[end++] = rest;
    this.#end = end;
  }

  #reserve(more: number): void {
    if (this.#end + more <= this.#bytes.length) return;
    const larger = new Uint8Array(2 * (this.#end + more));
    larger.set(this.#bytes.subarray(0, this.#end));
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 128)) bytes++;
  return bytes;
}
