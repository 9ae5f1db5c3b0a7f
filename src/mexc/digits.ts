import { POWERS_OF_TEN, SCALE_MAX } from '../model/decimal.js';

/*
 * Tables and constants to read decimal text without a loop: four characters at a time in one int32 ("SIMD within a register"). A loop over
 * the digits pays one or two mispredicted branches a number, which is more than all of its arithmetic; this has none that varies.
 * The code itself stands in `decode-depth.ts`, once for prices and once for quantities: it is too large to be inlined, and a call that
 * returns a double allocates.
 *
 * The text is read from its end, so that the last digit always has the same place: word A holds the last four characters, B the four
 * before, C the four before those. Where the point stands is not searched for but guessed: where it stood in the last text of that length,
 * at that scale. Length and place of the point are the text's `shape`, and a shape has everything in tables:
 *
 *   TEXT    what the characters are combined with by exclusive or: digits become 0 … 9, and the point 0
 *   KEEP    what belongs to the text; the rest becomes 0
 *   ABOVE   what, added, sets the top bit of every byte that is no digit, and of the point's byte if anything but the point is there.
 *           With it a wrong guess is found, like any other character that must not be there, and never becomes a number
 *   QUADS   the second multiplication, by which two pairs of digits become one number. The point takes up a place in its word but
 *           none in the number: a pair before it counts ten times, not a hundred times, as much as the pair behind
 *   WEIGHT  what word B, word C count, less the place the point takes up behind them
 *
 * A guess that was wrong is replaced (`guessPoint`) and the text read again.
 */

/** Longest text read this way. */
export const SHORT_CHARS_MAX = 12;
/** Most digits of the value: all such are exact. Longer ones are read the long way. */
const DIGITS_MAX = 15;
const DOT = 0x2e;
const ZEROS = 0x30303030;
const ABOVE_NINE = 0x76767676;
/** Added to a byte, sets its top bit unless it is 0. */
const ABOVE_ZERO = 0x7f;
const TOP_BITS = 0x80808080;

/** A shape: 16 times the length of the text, and 1 + the number of characters behind the point, 0 without one. */
export const LENGTH_BITS = 4;
const LENGTHS = 1 << LENGTH_BITS;
const SHAPES = LENGTHS * LENGTHS;
export const SHAPE_MASK = SHAPES - 1;
/** The shape of no text: everything is wrong with it. */
const NO_SHAPE = 0;

export const TEXT_A = new Int32Array(SHAPES);
export const TEXT_B = new Int32Array(SHAPES);
export const TEXT_C = new Int32Array(SHAPES);
export const KEEP_A = new Int32Array(SHAPES);
export const KEEP_B = new Int32Array(SHAPES);
export const KEEP_C = new Int32Array(SHAPES);
export const ABOVE_A = new Int32Array(SHAPES);
export const ABOVE_B = new Int32Array(SHAPES);
export const ABOVE_C = new Int32Array(SHAPES);
export const QUADS_A = new Int32Array(SHAPES);
export const QUADS_B = new Int32Array(SHAPES);
export const QUADS_C = new Int32Array(SHAPES);
export const WEIGHT_B = new Int32Array(SHAPES);
const WEIGHT_C = new Float64Array(SHAPES);

for (let shape = 0; shape < SHAPES; shape++) {
  const length = shape >> LENGTH_BITS;
  const place = shape & (LENGTHS - 1);
  fillWord(shape, length, place, TEXT_A, KEEP_A, ABOVE_A, QUADS_A);
  fillWord(shape, length - 4, place - 4, TEXT_B, KEEP_B, ABOVE_B, QUADS_B);
  fillWord(shape, length - 8, place - 8, TEXT_C, KEEP_C, ABOVE_C, QUADS_C);
  WEIGHT_B[shape] = place > 0 && place <= 5 ? 1e3 : 1e4;
  WEIGHT_C[shape] = place > 0 && place <= 9 ? 1e7 : 1e8;
  // A text that ends in its point, or is nothing but a point, is read the long way.
  const isReadable = length >= 1 && length <= SHORT_CHARS_MAX && place <= length && place !== 1;
  if (!isReadable) {
    KEEP_A[shape] = 0;
    ABOVE_A[shape] = TOP_BITS;
  }
}

/** What one word of a shape has in the tables: `length` and `place` are counted from the word's end. */
function fillWord(
  shape: number,
  length: number,
  place: number,
  text: Int32Array,
  keep: Int32Array,
  above: Int32Array,
  quads: Int32Array,
): void {
  // Words are read little-endian: the last character is the upper byte.
  keep[shape] = length <= 0 ? 0 : length >= 4 ? -1 : -1 << (8 * (4 - length));
  const hasPoint = place >= 1 && place <= 4;
  const shift = 8 * (4 - place);
  text[shape] = hasPoint ? (ZEROS & ~(0xff << shift)) | (DOT << shift) : ZEROS;
  above[shape] = hasPoint ? (ABOVE_NINE & ~(0xff << shift)) | (ABOVE_ZERO << shift) : ABOVE_NINE;
  quads[shape] = ((place === 2 || place === 3 ? 10 : 100) << 16) | 1;
}

/** An entry of the guesses: price or quantity, scale, length. */
const SCALE_BITS = 5;
const ENTRIES = 1 << (1 + SCALE_BITS + LENGTH_BITS);
export const ENTRY_MASK = ENTRIES - 1;
export const PRICE_ENTRIES = 0;
export const QUANTITY_ENTRIES = ENTRIES / 2;
/** The shape a text of this length had the last time. */
export const GUESS = new Int32Array(ENTRIES);
/** What words A and B of that shape, and word C, are multiplied by to be whole units of the scale. */
export const FACTOR = new Float64Array(ENTRIES);
export const FACTOR_C = new Float64Array(ENTRIES);

// At first: with all decimals of the scale.
for (let entry = 0; entry < ENTRIES; entry++) {
  const scale = scaleOf(entry);
  setGuess(entry, scale > 0 && lengthOf(entry) > scale ? scale + 1 : 0);
}

/** Looks where the point of a text is that ends at `end`. True when it is elsewhere than guessed: read the text again. */
export function guessPoint(view: DataView, end: number, entry: number): boolean {
  let place = lengthOf(entry);
  while (place > 0 && view.getUint8(end - place) !== DOT) place--;
  return setGuess(entry, place);
}

function setGuess(entry: number, place: number): boolean {
  const length = lengthOf(entry);
  const scale = scaleOf(entry);
  const decimals = Math.max(0, place - 1);
  const digits = place === 0 ? length : length - 1;
  const isExact = scale <= SCALE_MAX && decimals <= scale && digits + scale - decimals <= DIGITS_MAX;
  const shape = isExact ? (length << LENGTH_BITS) | place : NO_SHAPE;
  if (shape === GUESS[entry]) return false;
  GUESS[entry] = shape;
  const factor = isExact ? POWERS_OF_TEN[scale - decimals]! : 0;
  FACTOR[entry] = factor;
  FACTOR_C[entry] = factor * WEIGHT_C[shape]!;
  return true;
}

function lengthOf(entry: number): number {
  return entry & (LENGTHS - 1);
}

function scaleOf(entry: number): number {
  return (entry >> LENGTH_BITS) & ((1 << SCALE_BITS) - 1);
}
