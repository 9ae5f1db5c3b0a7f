import { CodedError, ErrorCode } from '../support/errors.js';

/** Protobuf wire types; 3 and 4 are the groups proto3 dropped, 6 and 7 were never defined. */
export const WireType = { VARINT: 0, FIXED64: 1, BYTES: 2, FIXED32: 5 } as const;

const FIELD_NUMBER_MAX = 2 ** 29 - 1;
const VARINT_BYTES_MAX = 10;
const TAG_BYTES_MAX = 5;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Reads protobuf from one frame, for the paths where clarity comes before speed. Every method starts at `position`, moves it
 * behind what it read and never reads at or behind `end`, the end of the enclosing message.
 *
 * Throws CodedError FRAME_TRUNCATED when the frame ends too soon, and FRAME_MALFORMED for everything no protobuf
 * encoder would write; `details.offset` is the byte where the offending part starts.
 */
export class WireReader {
  readonly bytes: Uint8Array;
  position = 0;
  /** Of the tag read last. */
  field = 0;
  wireType = 0;
  /** Low and high 32 bits of the varint read last, unsigned. */
  low = 0;
  high = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** Reads a tag into `field` and `wireType`. */
  tag(end: number): void {
    const start = this.position;
    this.varint(end);
    if (this.high !== 0 || this.position - start > TAG_BYTES_MAX) throw malformed('tag is too large', start);
    this.field = this.low >>> 3;
    this.wireType = this.low & 7;
    if (this.field === 0 || this.field > FIELD_NUMBER_MAX) throw malformed('field number is not valid', start);
  }

  /** Reads 1 to 10 bytes into `low` and `high`. */
  varint(end: number): void {
    const start = this.position;
    let low = 0;
    let high = 0;
    for (let index = 0; index < VARINT_BYTES_MAX; index++) {
      if (this.position >= end) throw this.overrun(end, start);
      const byte = this.bytes[this.position++]!;
      const bits = byte & 0x7f;
      const shift = 7 * index;
      if (shift < 32) low |= bits << shift;
      // The fifth group of seven bits straddles the two halves.
      if (shift > 25) high |= shift < 32 ? bits >>> (32 - shift) : bits << (shift - 32);
      if (byte < 0x80) {
        if (index === VARINT_BYTES_MAX - 1 && byte > 1) break;
        this.low = low >>> 0;
        this.high = high >>> 0;
        return;
      }
    }
    throw malformed('varint is longer than 64 bits', start);
  }

  /** Reads an int64 that must fit a double exactly (below 2^53 either way). */
  int64(end: number): number {
    const start = this.position;
    this.varint(end);
    const value = (this.high | 0) * 2 ** 32 + this.low;
    if (!Number.isSafeInteger(value)) throw malformed('whole number is beyond 2^53', start);
    return value;
  }

  /** Reads an int32; like every protobuf decoder it keeps the low 32 bits of a larger number. */
  int32(end: number): number {
    this.varint(end);
    return this.low | 0;
  }

  /** Reads a length and returns where the bytes behind it end. */
  lengthEnd(end: number): number {
    const start = this.position;
    this.varint(end);
    const stop = this.position + this.high * 2 ** 32 + this.low;
    if (stop > end) throw this.overrun(end, start);
    return stop;
  }

  text(end: number): string {
    const stop = this.lengthEnd(end);
    const start = this.position;
    this.position = stop;
    try {
      return utf8.decode(this.bytes.subarray(start, stop));
    } catch (cause) {
      throw malformed('text is not valid UTF-8', start, cause);
    }
  }

  /** Passes over the value of the tag read last. */
  skip(end: number): void {
    switch (this.wireType) {
      case WireType.VARINT:
        return this.varint(end);
      case WireType.FIXED64:
        return this.advance(8, end);
      case WireType.BYTES:
        this.position = this.lengthEnd(end);
        return;
      case WireType.FIXED32:
        return this.advance(4, end);
      default:
        throw malformed(`wire type ${this.wireType} is not valid in proto3`, this.position, undefined, this.field);
    }
  }

  /** A known field with another wire type is another schema, not a newer one: better refused than half read. */
  expect(wireType: number): void {
    if (this.wireType === wireType) return;
    throw malformed(`field ${this.field} has wire type ${this.wireType} instead of ${wireType}`, this.position, undefined, this.field);
  }

  private advance(count: number, end: number): void {
    if (this.position + count > end) throw this.overrun(end, this.position);
    this.position += count;
  }

  private overrun(end: number, offset: number): CodedError {
    if (end < this.bytes.length) return malformed('field runs past the end of its message', offset);
    const length = this.bytes.length;
    return new CodedError(ErrorCode.FRAME_TRUNCATED, `frame of ${length} bytes ends inside the field value at byte ${offset}`, {
      offset,
      length,
    });
  }
}

function malformed(what: string, offset: number, cause?: unknown, field?: number): CodedError {
  const details = field === undefined ? { offset } : { offset, field };
  return new CodedError(ErrorCode.FRAME_MALFORMED, `${what} (byte ${offset})`, details, cause);
}
