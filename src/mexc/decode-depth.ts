import type { DeltaBuffer, LevelColumns } from '../book/delta-buffer.js';
import * as ladder from '../book/ladder-layout.js';
import * as decimal from '../model/decimal.js';
import * as digits from './digits.js';

/*
 * The hot decoder: one incremental depth push (`PushDataV3ApiWrapper` with body 313, `PublicAggreDepthsV3Api`; field numbers from
 * MEXC's published .proto files) straight from its bytes into columns of whole numbers. Nothing is allocated, no text is made; fields may come
 * in any order, unknown ones are skipped, and nothing is handed on unless the whole frame was read.
 *
 * Two flat functions with their cursor in a local: `decodeDepth` for the fields of a push, `readLevels` for its levels, one behind the other.
 * Split into small methods on a reader object it ran at four fifths of the speed.
 */

// An imported constant is loaded from memory at every use; a constant of this module becomes part of the machine code. That is
// two fifths of this decoder's time.
const { POWERS_OF_TEN, SCALE_MAX } = decimal;
const { LEVELS_MAX, TICK_LIMIT } = ladder;
const {
  ABOVE_A,
  ABOVE_B,
  ABOVE_C,
  ENTRY_MASK,
  FACTOR,
  FACTOR_C,
  GUESS,
  guessPoint,
  KEEP_A,
  KEEP_B,
  KEEP_C,
  LENGTH_BITS,
  PRICE_ENTRIES,
  QUADS_A,
  QUADS_B,
  QUADS_C,
  QUANTITY_ENTRIES,
  SHAPE_MASK,
  SHORT_CHARS_MAX,
  TEXT_A,
  TEXT_B,
  TEXT_C,
  WEIGHT_B,
} = digits;

export const DepthDecode = {
  OK: 0,
  /** Ends in the middle of a field, or a length points past the end. */
  TRUNCATED: 1,
  /** A wire type that cannot be, or versions missing, too large or in the wrong order. */
  MALFORMED: 2,
  /** A price or quantity that is no plain decimal number, or beyond any sensible size. */
  BAD_NUMBER: 3,
  /** A number has more decimals than the scales given: rescale to `out.…ScaleNeeded` and decode again. */
  RESCALE: 4,
  /** A sound frame with another body. */
  NOT_DEPTH: 5,
  /** More levels of one side than any book holds (`LEVELS_MAX`). */
  TOO_LONG: 6,
} as const;
export type DepthDecode = (typeof DepthDecode)[keyof typeof DepthDecode];

const TAG_SEND_TIME = (6 << 3) | 0;
const TAG_AGGRE_DEPTHS = (313 << 3) | 2;
const BODY_FIRST = 301;
const TAG_ASKS = (1 << 3) | 2;
const TAG_BIDS = (2 << 3) | 2;
const TAG_FROM_VERSION = (4 << 3) | 2;
const TAG_TO_VERSION = (5 << 3) | 2;
const TAG_PRICE = (1 << 3) | 2;
const TAG_QUANTITY = (2 << 3) | 2;
const DOT = 0x2e;
const ZERO = 0x30;
/** Fifteen digits and a point: always fit 2^53. */
const EXACT_CHARS = 16;
/** Longest number taken. */
const NUMBER_CHARS_MAX = 40;
/** Smallest bytes of a level on the wire: tag, length, price, quantity of one digit each. */
const LEVEL_BYTES_MIN = 8;
/** Four bits hold the length of any number `readLevels` takes. */
const LENGTH_MAX = 15;

/** Whole numbers up to here are exact. */
const EXACT_MAX = 2 ** 53 - 1;
/** Characters less '0' by exclusive or: digits become 0 … 9, a point becomes 0x1e. */
const ZEROS = 0x30303030;
/** Added to a byte above 9, it sets the top bit. */
const ABOVE_NINE = 0x76767676;
const TOP_BITS = 0x80808080 | 0;
/** digits 0 … 3 of a word, times 10 * 2^8 + 1: byte 1 becomes the first pair of digits, byte 3 the second. */
const PAIRS = 0xa01;
const PAIR_MASK = 0x00ff00ff;
/** The same for the pairs, times 100 * 2^16 + 1: the upper half becomes the four digits. */
const QUADS = 0x640001;
/** Levels `readLevels` takes at once, so that its loop stays short enough not to be replaced while it runs, see `Ladders`. */
const RUN_LEVELS = 64;
/** The first four bytes of a level, lengths left out: tag of the side, length below 128, tag of the price, length. */
const LEVEL_SHAPE = 0x00ff80ff;
const ASK_SHAPE = (TAG_PRICE << 16) | TAG_ASKS;
const BID_SHAPE = (TAG_PRICE << 16) | TAG_BIDS;

/** What `parseNumber` read last. */
let parsedUnits = 0;
let parsedDecimals = 0;

/** What `decodeItem` read last. */
let itemTicks = 0;
let itemLots = 0;
let itemPriceDecimals = 0;
let itemQuantityDecimals = 0;
let itemInexact = 0;

/**
 * Decodes `bytes[start, end)`, at a book's scales, into the delta it was made for; `view` is over the same memory as `bytes`. Anything but OK
 * leaves the delta without meaning, except the scales needed.
 */
export type DecodeDepth = (
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
  priceScale: number,
  quantityScale: number,
) => DepthDecode;

/** A decoder into `out`, whose columns are constants of its machine code as long as there is one, see `createLadders`. */
export function createDepthDecoder(out: DeltaBuffer): DecodeDepth {
  const { ticks, lots, asks, bids } = out;

  function decodeDepth(
    bytes: Uint8Array,
    view: DataView,
    start: number,
    end: number,
    priceScale: number,
    quantityScale: number,
  ): DepthDecode {
    let cursor = start;
    let bodyStart = -1;
    let bodyEnd = -1;
    let otherBody = false;
    out.exchangeTimeMs = NaN;

    // The wrapper: remember where the body lies, take the send time, skip the rest.
    while (cursor < end) {
      let tag = bytes[cursor++]!;
      if (tag > 0x7f) {
        tag &= 0x7f;
        let shift = 7;
        for (;;) {
          if (cursor >= end) return DepthDecode.TRUNCATED;
          const byte = bytes[cursor++]!;
          tag |= (byte & 0x7f) << shift;
          // The fifth byte has room for four bits: more would be lost, and the tag taken for another one.
          if (shift === 28 && byte > 0x0f) return DepthDecode.MALFORMED;
          if (byte < 0x80) break;
          shift += 7;
        }
      }
      if (tag >>> 3 === 0) return DepthDecode.MALFORMED;
      const wire = tag & 7;
      if (wire === 2) {
        let length = 0;
        let shift = 0;
        for (;;) {
          if (cursor >= end) return DepthDecode.TRUNCATED;
          const byte = bytes[cursor++]!;
          length |= (byte & 0x7f) << shift;
          if (byte < 0x80) break;
          shift += 7;
          if (shift > 21) return DepthDecode.MALFORMED;
        }
        if (cursor + length > end) return DepthDecode.TRUNCATED;
        if (tag === TAG_AGGRE_DEPTHS) {
          bodyStart = cursor;
          bodyEnd = cursor + length;
        } else if (tag >>> 3 >= BODY_FIRST) {
          otherBody = true;
        }
        cursor += length;
      } else if (wire === 0) {
        let value = 0;
        let factor = 1;
        for (;;) {
          if (cursor >= end) return DepthDecode.TRUNCATED;
          const byte = bytes[cursor++]!;
          value += (byte & 0x7f) * factor;
          if (byte < 0x80) break;
          factor *= 128;
          if (factor > 2 ** 63) return DepthDecode.MALFORMED;
        }
        if (tag === TAG_SEND_TIME) out.exchangeTimeMs = value;
      } else if (wire === 5 || wire === 1) {
        cursor += wire === 5 ? 4 : 8;
        if (cursor > end) return DepthDecode.TRUNCATED;
      } else {
        return DepthDecode.MALFORMED;
      }
    }
    if (bodyStart < 0) return otherBody ? DepthDecode.NOT_DEPTH : DepthDecode.MALFORMED;

    asks.count = 0;
    bids.count = 0;
    let inexactCount = 0;
    let fromVersion = -1;
    let toVersion = -1;
    let priceScaleNeeded = priceScale;
    let quantityScaleNeeded = quantityScale;
    cursor = bodyStart;

    const priceEntries = PRICE_ENTRIES | (priceScale << LENGTH_BITS);
    const quantityEntries = QUANTITY_ENTRIES | (quantityScale << LENGTH_BITS);
    while (cursor < bodyEnd) {
      const side = bytes[cursor]!;
      if (side === TAG_ASKS || side === TAG_BIDS) {
        const before = cursor;
        cursor =
          side === TAG_ASKS
            ? readLevels(view, cursor, bodyEnd, ASK_SHAPE, priceEntries, quantityEntries, asks)
            : readLevels(view, cursor, bodyEnd, BID_SHAPE, priceEntries, quantityEntries, bids);
        if (cursor > before || guessLevel(view, cursor, bodyEnd, priceEntries, quantityEntries)) continue;
      }
      const tag = bytes[cursor++]!;
      if (tag === TAG_ASKS || tag === TAG_BIDS) {
        // Any other level, the long way.
        if (cursor >= bodyEnd) return DepthDecode.TRUNCATED;
        let itemLength = bytes[cursor++]!;
        if (itemLength > 0x7f) {
          if (cursor >= bodyEnd) return DepthDecode.TRUNCATED;
          const high = bytes[cursor++]!;
          if (high > 0x7f) return DepthDecode.MALFORMED;
          itemLength = (itemLength & 0x7f) | (high << 7);
        }
        const itemEnd = cursor + itemLength;
        if (itemEnd > bodyEnd) return DepthDecode.TRUNCATED;
        const outcome = decodeItem(bytes, cursor, itemEnd, priceScale, quantityScale);
        if (outcome !== DepthDecode.OK) return outcome;
        inexactCount += itemInexact;
        if (itemPriceDecimals > priceScaleNeeded) priceScaleNeeded = itemPriceDecimals;
        if (itemQuantityDecimals > quantityScaleNeeded) quantityScaleNeeded = itemQuantityDecimals;
        cursor = itemEnd;
        const columns = tag === TAG_ASKS ? asks : bids;
        if (columns.count === LEVELS_MAX) return DepthDecode.TOO_LONG;
        columns.ticks[columns.count] = itemTicks;
        columns.lots[columns.count++] = itemLots;
      } else if (tag === TAG_FROM_VERSION || tag === TAG_TO_VERSION) {
        if (cursor >= bodyEnd) return DepthDecode.TRUNCATED;
        const length = bytes[cursor++]!;
        cursor += length;
        if (cursor > bodyEnd) return DepthDecode.TRUNCATED;
        // Versions are whole numbers written as text. Read like a price, but there is no point.
        let version: number;
        if (isShort(length) && cursor >= SHORT_CHARS_MAX) {
          const a = (view.getInt32(cursor - 4, true) ^ ZEROS) & KEEP_A[length << LENGTH_BITS]!;
          const b = (view.getInt32(cursor - 8, true) ^ ZEROS) & KEEP_B[length << LENGTH_BITS]!;
          const c = (view.getInt32(cursor - 12, true) ^ ZEROS) & KEEP_C[length << LENGTH_BITS]!;
          if (((a | b | c | (a + ABOVE_NINE) | (b + ABOVE_NINE) | (c + ABOVE_NINE)) & TOP_BITS) !== 0) return DepthDecode.MALFORMED;
          version =
            (Math.imul((Math.imul(c, PAIRS) >>> 8) & PAIR_MASK, QUADS) >>> 16) * 1e8 +
            ((Math.imul((Math.imul(b, PAIRS) >>> 8) & PAIR_MASK, QUADS) >>> 16) * 10_000 +
              (Math.imul((Math.imul(a, PAIRS) >>> 8) & PAIR_MASK, QUADS) >>> 16));
        } else {
          if (!parseNumber(bytes, cursor - length, cursor, 0) || parsedDecimals > 0) return DepthDecode.MALFORMED;
          version = parsedUnits;
        }
        if (tag === TAG_FROM_VERSION) fromVersion = version;
        else toVersion = version;
      } else {
        // A field we know with a wire type it cannot have must not be passed over: levels would be lost.
        if (tag < 0x80 && tag >> 3 <= TAG_TO_VERSION >> 3 && tag >> 3 !== 3) return DepthDecode.MALFORMED;
        cursor = skipField(bytes, cursor, bodyEnd, tag);
        if (cursor < 0) return cursor === SKIP_TRUNCATED ? DepthDecode.TRUNCATED : DepthDecode.MALFORMED;
      }
    }
    if (fromVersion < 0 || toVersion < fromVersion || toVersion > EXACT_MAX) return DepthDecode.MALFORMED;
    out.fromVersion = fromVersion;
    out.toVersion = toVersion;
    out.inexactCount = inexactCount;
    out.priceScaleNeeded = priceScaleNeeded;
    out.quantityScaleNeeded = quantityScaleNeeded;
    return priceScaleNeeded > priceScale || quantityScaleNeeded > quantityScale ? DepthDecode.RESCALE : DepthDecode.OK;
  }

  /**
   * Levels of one side as MEXC writes them, from `start` on: price, then quantity, nothing else, both short, the points where they were guessed
   * (digits.ts tells how the numbers are read). Puts them behind the columns' others. Returns where the first level begins that is otherwise.
   */
  function readLevels(
    view: DataView,
    start: number,
    end: number,
    shape: number,
    priceEntries: number,
    quantityEntries: number,
    columns: LevelColumns,
  ): number {
    let cursor = start;
    let count = columns.start + columns.count;
    const last = cursor < SHORT_CHARS_MAX ? -1 : end - LEVEL_BYTES_MIN;
    const stop = Math.min(count + RUN_LEVELS, columns.start + LEVELS_MAX);
    while (cursor <= last && count < stop) {
      const start4 = view.getInt32(cursor, true);
      const priceLength = start4 >>> 24;
      const priceEnd = cursor + 4 + priceLength;
      const levelEnd = cursor + 2 + ((start4 >>> 8) & 0x7f);
      const quantityLength = levelEnd - priceEnd - 2;
      if ((start4 & LEVEL_SHAPE) !== shape || levelEnd > end || (priceLength | quantityLength) >>> 0 > LENGTH_MAX) break;
      const priceEntry = (priceEntries | priceLength) & ENTRY_MASK;
      const quantityEntry = (quantityEntries | quantityLength) & ENTRY_MASK;
      const price = GUESS[priceEntry]! & SHAPE_MASK;
      const quantity = GUESS[quantityEntry]! & SHAPE_MASK;
      const between = (view.getInt32(priceEnd - 2, true) >>> 16) ^ (TAG_QUANTITY | (quantityLength << 8));
      const a = (view.getInt32(priceEnd - 4, true) ^ TEXT_A[price]!) & KEEP_A[price]!;
      const b = (view.getInt32(priceEnd - 8, true) ^ TEXT_B[price]!) & KEEP_B[price]!;
      let above = a | b | (a + ABOVE_A[price]!) | (b + ABOVE_B[price]!);
      let tick =
        (Math.imul(Math.imul((Math.imul(b, PAIRS) >>> 8) & PAIR_MASK, QUADS_B[price]!) >>> 16, WEIGHT_B[price]!) +
          (Math.imul((Math.imul(a, PAIRS) >>> 8) & PAIR_MASK, QUADS_A[price]!) >>> 16)) *
        FACTOR[priceEntry]!;
      if (priceLength > 8) {
        const c = (view.getInt32(priceEnd - 12, true) ^ TEXT_C[price]!) & KEEP_C[price]!;
        above |= c | (c + ABOVE_C[price]!);
        tick += (Math.imul((Math.imul(c, PAIRS) >>> 8) & PAIR_MASK, QUADS_C[price]!) >>> 16) * FACTOR_C[priceEntry]!;
      }
      const d = (view.getInt32(levelEnd - 4, true) ^ TEXT_A[quantity]!) & KEEP_A[quantity]!;
      const e = (view.getInt32(levelEnd - 8, true) ^ TEXT_B[quantity]!) & KEEP_B[quantity]!;
      const f = (view.getInt32(levelEnd - 12, true) ^ TEXT_C[quantity]!) & KEEP_C[quantity]!;
      above |= d | e | f | (d + ABOVE_A[quantity]!) | (e + ABOVE_B[quantity]!) | (f + ABOVE_C[quantity]!);
      if ((between | (above & TOP_BITS)) !== 0) break;
      ticks[count] = tick;
      lots[count] =
        (Math.imul(Math.imul((Math.imul(e, PAIRS) >>> 8) & PAIR_MASK, QUADS_B[quantity]!) >>> 16, WEIGHT_B[quantity]!) +
          (Math.imul((Math.imul(d, PAIRS) >>> 8) & PAIR_MASK, QUADS_A[quantity]!) >>> 16)) *
          FACTOR[quantityEntry]! +
        (Math.imul((Math.imul(f, PAIRS) >>> 8) & PAIR_MASK, QUADS_C[quantity]!) >>> 16) * FACTOR_C[quantityEntry]!;
      count++;
      cursor = levelEnd;
    }
    columns.count = count - columns.start;
    return cursor;
  }

  return decodeDepth;
}

/** Looks where the points of a level are. True when one is elsewhere than guessed: read the level again. */
function guessLevel(view: DataView, cursor: number, end: number, priceEntries: number, quantityEntries: number): boolean {
  if (cursor + LEVEL_BYTES_MIN > end) return false;
  const priceLength = view.getUint8(cursor + 3);
  const priceEnd = cursor + 4 + priceLength;
  const levelEnd = cursor + 2 + view.getUint8(cursor + 1);
  const quantityLength = levelEnd - priceEnd - 2;
  if (levelEnd > end || !isShort(priceLength) || !isShort(quantityLength)) return false;
  const price = guessPoint(view, priceEnd, priceEntries | priceLength);
  const quantity = guessPoint(view, levelEnd, quantityEntries | quantityLength);
  return price || quantity;
}

/** 1 … SHORT_CHARS_MAX. */
function isShort(length: number): boolean {
  return (length - 1) >>> 0 < SHORT_CHARS_MAX;
}

/** One level in any legal shape: fields in any order, unknown ones among them, numbers of any length. Leaves its result in `item…`. */
function decodeItem(bytes: Uint8Array, start: number, end: number, priceScale: number, quantityScale: number): DepthDecode {
  let cursor = start;
  itemTicks = -1;
  itemLots = -1;
  itemPriceDecimals = 0;
  itemQuantityDecimals = 0;
  itemInexact = 0;
  while (cursor < end) {
    const tag = bytes[cursor++]!;
    if (tag !== TAG_PRICE && tag !== TAG_QUANTITY) {
      if (tag < 0x80 && tag >> 3 <= 2) return DepthDecode.MALFORMED;
      cursor = skipField(bytes, cursor, end, tag);
      if (cursor < 0) return cursor === SKIP_TRUNCATED ? DepthDecode.TRUNCATED : DepthDecode.MALFORMED;
      continue;
    }
    if (cursor >= end) return DepthDecode.TRUNCATED;
    const numberStart = cursor + 1;
    const numberEnd = numberStart + bytes[cursor]!;
    if (numberEnd > end) return DepthDecode.TRUNCATED;
    cursor = numberEnd;
    if (!parseNumber(bytes, numberStart, numberEnd, tag === TAG_PRICE ? priceScale : quantityScale)) return DepthDecode.BAD_NUMBER;
    if (parsedUnits > EXACT_MAX) itemInexact++;
    if (tag === TAG_PRICE) {
      if (parsedUnits >= TICK_LIMIT) return DepthDecode.BAD_NUMBER;
      itemTicks = parsedUnits;
      itemPriceDecimals = parsedDecimals;
    } else {
      itemLots = parsedUnits;
      itemQuantityDecimals = parsedDecimals;
    }
  }
  return itemTicks < 0 || itemLots < 0 ? DepthDecode.BAD_NUMBER : DepthDecode.OK;
}

const SKIP_TRUNCATED = -1;
const SKIP_MALFORMED = -2;

/** Steps over a field whose first tag byte was read; the cursor behind it, or SKIP_TRUNCATED, or SKIP_MALFORMED. */
function skipField(bytes: Uint8Array, cursor: number, end: number, tag: number): number {
  const wire = tag & 7;
  if (tag < 8) return SKIP_MALFORMED;
  for (let more = tag > 0x7f, extra = 0; more; extra++) {
    if (cursor >= end) return SKIP_TRUNCATED;
    const byte = bytes[cursor++]!;
    // A tag that ends in zeros may be a known one, written longer than any encoder does: not to be passed over.
    if (extra === 4 || byte === 0) return SKIP_MALFORMED;
    more = byte > 0x7f;
  }
  if (wire === 1 || wire === 5) {
    cursor += wire === 1 ? 8 : 4;
    return cursor > end ? SKIP_TRUNCATED : cursor;
  }
  if (wire !== 0 && wire !== 2) return SKIP_MALFORMED;
  let value = 0;
  let factor = 1;
  for (;;) {
    if (cursor >= end) return SKIP_TRUNCATED;
    const byte = bytes[cursor++]!;
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) break;
    factor *= 128;
    if (factor > 2 ** 63) return SKIP_MALFORMED;
  }
  if (wire === 0) return cursor;
  return cursor + value > end ? SKIP_TRUNCATED : cursor + value;
}

/**
 * A number of any length, the long way: `parsedUnits` becomes the value times 10^scale, correctly rounded to a double, and
 * `parsedDecimals` the decimals without trailing zeros. False when the text is no plain decimal number.
 */
export function parseNumber(bytes: Uint8Array, start: number, end: number, scale: number): boolean {
  if (end - start > NUMBER_CHARS_MAX || end <= start) return false;
  if (end - start <= EXACT_CHARS && parseExact(bytes, start, end, scale)) return true;
  let digits = '';
  let decimals = -1;
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    if (byte === DOT && decimals < 0) decimals = 0;
    else if (byte < ZERO || byte > ZERO + 9) return false;
    else {
      digits += String.fromCharCode(byte);
      if (decimals >= 0) decimals++;
    }
  }
  if (digits === '') return false;
  if (decimals < 0) decimals = 0;
  while (decimals > scale && digits.endsWith('0')) {
    digits = digits.slice(0, -1);
    decimals--;
  }
  if (Number(digits) === 0) {
    // Of `.0` nothing may be left by now.
    digits = '0';
    decimals = 0;
  }
  if (decimals > SCALE_MAX) return false;
  parsedUnits = Number(`${digits}e${scale - decimals}`);
  parsedDecimals = decimals;
  return true;
}

/** The common case of `parseNumber`: at most 15 digits, no more decimals than the scale. False = nothing said, look closer. */
function parseExact(bytes: Uint8Array, start: number, end: number, scale: number): boolean {
  let units = 0;
  let pointEnd = 0;
  for (let i = start; i < end; i++) {
    const digit = bytes[i]! - ZERO;
    if (digit >= 0 && digit <= 9) units = units * 10 + digit;
    else if (digit === DOT - ZERO && pointEnd === 0) pointEnd = i + 1;
    else return false;
  }
  const decimals = pointEnd === 0 ? 0 : end - pointEnd;
  const digits = end - start - (pointEnd === 0 ? 0 : 1);
  if (digits === 0 || digits >= EXACT_CHARS || decimals > scale) return false;
  parsedUnits = units * POWERS_OF_TEN[scale - decimals]!;
  parsedDecimals = decimals;
  return true;
}

/** The value last read by a `parseNumber` that returned true: units at its scale, and the decimals it needs. */
export function lastParsed(): { readonly units: number; readonly decimals: number } {
  return { units: parsedUnits, decimals: parsedDecimals };
}
