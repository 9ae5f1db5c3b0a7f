import { POWERS_OF_TEN } from '../model/decimal.js';
import type { DealsBuffer } from '../tape/deals-buffer.js';
import { MARK_ID_SHIFT, MARK_SELL, TRADE_ID_BYTES } from '../tape/tape-layout.js';
import { lastParsed, parseNumber } from './decode-depth.js';

/*
 * Decodes a push of trades (`PushDataV3ApiWrapper` with body 314, `PublicAggreDealsV3Api`, or the retired 301, `PublicDealsV3Api`; field numbers
 * from MEXC's published .proto files) into columns. As with depth nothing is allocated, fields may come in any order, unknown ones are skipped,
 * and nothing counts unless the whole frame was read. There are a hundred times fewer trades than levels, so it is written plainly.
 */

/** The same numbers mean the same as in `DepthDecode`. */
export const DealsDecode = {
  OK: 0,
  /** Ends in the middle of a field, or a length points past the end. */
  TRUNCATED: 1,
  /** A wire type that cannot be, or a trade without time, price, quantity or side. */
  MALFORMED: 2,
  /** A price or quantity that is no plain decimal number. */
  BAD_NUMBER: 3,
  /** A number has more decimals than the scales given: rescale to `out.…ScaleNeeded` and decode again. */
  RESCALE: 4,
  /** A sound frame with another body. */
  NOT_DEALS: 5,
} as const;
export type DealsDecode = (typeof DealsDecode)[keyof typeof DealsDecode];

const SEND_TIME = 6;
const PUBLIC_DEALS = 301;
const AGGRE_DEALS = 314;
const DEALS = 1;
const PRICE = 1;
const QUANTITY = 2;
const TRADE_TYPE = 3;
const TIME = 4;
const TRADE_ID = 5;

const TYPE_BUY = 1;
const TYPE_SELL = 2;

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

const ZERO = 0x30;
const DOT = 0x2e;
/** So many digits always fit 2^53. */
const EXACT_DIGITS = 15;

const FAILED = -1;

/** Where reading stands, and what `nextField` found: all small whole numbers. */
let cursor = 0;
let field = 0;
let wire = 0;
/** End of a field of bytes. */
let fieldEnd = 0;
let failure: DealsDecode = DealsDecode.OK;
/** A varint's value goes through memory, for a function that returns a double allocates. */
const varint = new Float64Array(1);

/** Decodes `bytes[start, end)` at the tape's scales into `out`. Anything but OK leaves `out` without meaning, except the scales needed. */
export function decodeDeals(
  bytes: Uint8Array,
  start: number,
  end: number,
  priceScale: number,
  quantityScale: number,
  out: DealsBuffer,
): DealsDecode {
  let bodyStart = -1;
  let bodyEnd = -1;
  let otherBody = false;
  out.count = 0;
  out.exchangeTimeMs = NaN;
  out.inexactCount = 0;
  out.priceScaleNeeded = priceScale;
  out.quantityScaleNeeded = quantityScale;
  failure = DealsDecode.OK;
  cursor = start;
  while (cursor < end) {
    if (!nextField(bytes, end)) return failure;
    if (wire === BYTES && (field === AGGRE_DEALS || field === PUBLIC_DEALS)) {
      bodyStart = cursor;
      bodyEnd = fieldEnd;
    } else if (field > PUBLIC_DEALS) otherBody = true;
    else if (field === SEND_TIME && wire === VARINT) out.exchangeTimeMs = varint[0]!;
    cursor = fieldEnd;
  }
  if (bodyStart < 0) return otherBody ? DealsDecode.NOT_DEALS : DealsDecode.MALFORMED;

  cursor = bodyStart;
  while (cursor < bodyEnd) {
    if (!nextField(bytes, bodyEnd)) return failure;
    if (field !== DEALS) {
      cursor = fieldEnd;
      continue;
    }
    if (wire !== BYTES) return DealsDecode.MALFORMED;
    out.reserve(out.count + 1);
    if (!readDeal(bytes, fieldEnd, priceScale, quantityScale, out)) return failure;
    out.count++;
  }
  return out.priceScaleNeeded > priceScale || out.quantityScaleNeeded > quantityScale ? DealsDecode.RESCALE : DealsDecode.OK;
}

/** One trade, from the cursor to `end`, to the place behind the last one. */
function readDeal(bytes: Uint8Array, end: number, priceScale: number, quantityScale: number, out: DealsBuffer): boolean {
  const at = out.count;
  let type = 0;
  let hasTime = false;
  let hasPrice = false;
  let hasQuantity = false;
  let idLength = 0;
  while (cursor < end) {
    if (!nextField(bytes, end)) return false;
    if (field > TRADE_ID) {
      cursor = fieldEnd;
      continue;
    }
    if (wire !== (field === TRADE_TYPE || field === TIME ? VARINT : BYTES)) return fail(DealsDecode.MALFORMED);
    if (field === PRICE || field === QUANTITY) {
      const isPrice = field === PRICE;
      const decimals = readNumber(bytes, isPrice ? priceScale : quantityScale, isPrice ? out.ticks : out.lots, at);
      if (decimals === FAILED) return fail(DealsDecode.BAD_NUMBER);
      if (isPrice) {
        hasPrice = true;
        if (decimals > out.priceScaleNeeded) out.priceScaleNeeded = decimals;
      } else {
        hasQuantity = true;
        if (decimals > out.quantityScaleNeeded) out.quantityScaleNeeded = decimals;
      }
    } else if (field === TRADE_TYPE) type = varint[0]!;
    else if (field === TIME) {
      out.times[at] = varint[0]!;
      hasTime = true;
    } else {
      idLength = fieldEnd - cursor;
      if (idLength > TRADE_ID_BYTES) idLength = 0;
      for (let i = 0; i < idLength; i++) out.ids[at * TRADE_ID_BYTES + i] = bytes[cursor + i]!;
    }
    cursor = fieldEnd;
  }
  if (!hasPrice || !hasQuantity || !hasTime || (type !== TYPE_BUY && type !== TYPE_SELL)) return fail(DealsDecode.MALFORMED);
  if (out.ticks[at]! > Number.MAX_SAFE_INTEGER) out.inexactCount++;
  if (out.lots[at]! > Number.MAX_SAFE_INTEGER) out.inexactCount++;
  out.marks[at] = (type === TYPE_SELL ? MARK_SELL : 0) | (idLength << MARK_ID_SHIFT);
  return true;
}

/**
 * Reads a tag, and of its field the value (a varint) or where it ends (`fieldEnd`; the cursor stands at its first byte). False when there is
 * none, with `failure` set.
 */
function nextField(bytes: Uint8Array, end: number): boolean {
  if (!readVarint(bytes, end)) return false;
  const tag = varint[0]!;
  field = Math.floor(tag / 8);
  wire = tag % 8;
  if (field === 0 || tag > 0xffffffff) return fail(DealsDecode.MALFORMED);
  if (wire === VARINT) {
    if (!readVarint(bytes, end)) return false;
    fieldEnd = cursor;
    return true;
  }
  let length = 0;
  if (wire === BYTES) {
    if (!readVarint(bytes, end)) return false;
    if (varint[0]! > end - cursor) return fail(DealsDecode.TRUNCATED);
    length = varint[0]!;
  } else if (wire === FIXED64) length = 8;
  else if (wire === FIXED32) length = 4;
  else return fail(DealsDecode.MALFORMED);
  if (length > end - cursor) return fail(DealsDecode.TRUNCATED);
  fieldEnd = cursor + length;
  return true;
}

function readVarint(bytes: Uint8Array, end: number): boolean {
  let value = 0;
  let factor = 1;
  for (;;) {
    if (cursor >= end) return fail(DealsDecode.TRUNCATED);
    const byte = bytes[cursor++]!;
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) break;
    factor *= 128;
    if (factor > 2 ** 63) return fail(DealsDecode.MALFORMED);
  }
  varint[0] = value;
  return true;
}

/** The decimal text from the cursor to `fieldEnd` as whole units into `column[at]`; returns how many decimals it needs, or FAILED. */
function readNumber(bytes: Uint8Array, scale: number, column: Float64Array, at: number): number {
  let units = 0;
  let digits = 0;
  let decimals = FAILED;
  for (let i = cursor; i < fieldEnd; i++) {
    const byte = bytes[i]!;
    if (byte === DOT && decimals === FAILED) decimals = 0;
    else if (byte < ZERO || byte > ZERO + 9) return FAILED;
    else {
      units = units * 10 + (byte - ZERO);
      digits++;
      if (decimals !== FAILED) decimals++;
    }
  }
  if (decimals === FAILED) decimals = 0;
  if (digits > 0 && digits <= EXACT_DIGITS && decimals <= scale) {
    column[at] = units * POWERS_OF_TEN[scale - decimals]!;
    return decimals;
  }
  if (!parseNumber(bytes, cursor, fieldEnd, scale)) return FAILED;
  const parsed = lastParsed();
  column[at] = parsed.units;
  return parsed.decimals;
}

function fail(why: DealsDecode): false {
  failure = why;
  return false;
}
