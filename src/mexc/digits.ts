import { POWERS_OF_TEN } from '../model/decimal.js';

/*
 * Tables and constants to read decimal text without a loop: four characters at a time in one int32 ("SIMD within a register"). A loop over
 * the digits pays one or two mispredicted branches a number, which is more than all of its arithmetic; this has none that varies.
 * The code itself stands in `decode-depth.ts`, once for prices and once for quantities: it is too large to be inlined, and a call that
 * returns a double allocates.
 *
 * The text is read from its end, so that the last digit always has the same place: word A holds the last four characters, B the four
 * before, C the four before those. Every character is turned into its digit; those in front of the text become 0. The point, wherever it is, is found by a bit
 * no digit lacks, counted as a digit 0, and taken out again arithmetically: of `12.345` read as 120345, 12 and 345 come by
 * one division and one multiplication. The digit 0 in the point's place keeps the fraction of that quotient below 0.1; adding half of that
 * before rounding down makes up for the error of the division.
 */

/** Longest text read this way. */
export const SHORT_CHARS_MAX = 12;

const LENGTHS = 256;
/** Characters of word A, B, C that belong to a text of this length. */
export const KEEP_A = new Int32Array(LENGTHS);
export const KEEP_B = new Int32Array(LENGTHS);
export const KEEP_C = new Int32Array(LENGTHS);
for (let length = 0; length < LENGTHS; length++) {
  KEEP_A[length] = keepLast(length);
  KEEP_B[length] = keepLast(length - 4);
  KEEP_C[length] = keepLast(length - 8);
}

/** A mask of the last `count` characters of a word: the upper bytes, as words are read little-endian. */
function keepLast(count: number): number {
  return count <= 0 ? 0 : count >= 4 ? -1 : -1 << (8 * (4 - count));
}

/**
 * By the number of leading zeros of the point's mark: 1 + the number of characters behind it; 0 = no point. Marks: bit 4 of each byte of
 * word A, bit 3 of B, bit 2 of C.
 */
export const POINT_PLACE = new Int32Array(33);
for (let word = 0; word < 3; word++) {
  for (let byte = 0; byte < 4; byte++) POINT_PLACE[31 - (4 + 8 * byte - word)] = word * 4 + (3 - byte) + 1;
}

/**
 * What a fraction is multiplied by: entry FRACTION_BASE + scale - place. Without a point there is no fraction, and the entry beyond the exact
 * powers meets a 0; a number with more decimals than the scale is refused, whatever it gave.
 */
export const FRACTION_BASE = SHORT_CHARS_MAX + 1;
export const FRACTION_POWERS = Float64Array.of(...Array.from({ length: SHORT_CHARS_MAX }, () => 0), ...POWERS_OF_TEN, 0);

export const INVERSE_POWERS_OF_TEN = POWERS_OF_TEN.map((power) => 1 / power);
