/** Exact powers of ten a double can hold: 10^0 … 10^22. */
export const POWERS_OF_TEN = Float64Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));

/** Most decimals a price or quantity may have. */
export const SCALE_MAX = 22;

const ZERO = 0x30;
const DOT = 0x2e;
/** 10^7: two groups of seven digits and a rest cover every whole number up to 2^53. */
const GROUP = 1e7;

/**
 * Writes `units / 10^scale` as decimal text with exactly `scale` decimals (`8427000, 2` → `84270.00`), without going
 * through binary fractions. `units` is a whole number >= 0. Returns the offset behind the last byte written; at most 48 bytes
 * for numbers below 2^53, 24 + the digits of `units` for larger ones.
 */
export function writeDecimal(target: Uint8Array, offset: number, units: number, scale: number): number {
  if (units > Number.MAX_SAFE_INTEGER) return writeLargeDecimal(target, offset, units, scale);
  let high = Math.floor(units / GROUP);
  let low = units - high * GROUP;
  // Digits are written backwards from a place far enough right, then moved to `offset`.
  let cursor = offset + 48;
  const end = cursor;
  let digits = 0;
  let pending = high > 0 ? 7 : 0;
  while (low > 0 || high > 0 || digits <= scale) {
    if (digits === scale && scale > 0) target[--cursor] = DOT;
    const next = (low / 10) | 0;
    target[--cursor] = ZERO + (low - next * 10);
    low = next;
    digits++;
    if (pending > 0 && --pending === 0) {
      const rest = Math.floor(high / GROUP);
      low = high - rest * GROUP;
      high = rest;
      pending = high > 0 ? 7 : 0;
    }
  }
  const length = end - cursor;
  for (let i = 0; i < length; i++) target[offset + i] = target[cursor + i]!;
  return offset + length;
}

function writeLargeDecimal(target: Uint8Array, offset: number, units: number, scale: number): number {
  const digits = BigInt(units)
    .toString()
    .padStart(scale + 1, '0');
  const text = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
  for (let i = 0; i < text.length; i++) target[offset + i] = text.charCodeAt(i);
  return offset + text.length;
}

/** Room one number may need in `writeDecimal`: the scratch behind the text included. */
export const DECIMAL_BYTES_MAX = 352;

const scratch = new Uint8Array(DECIMAL_BYTES_MAX);
const ascii = new TextDecoder('latin1');

/** `units / 10^scale` as decimal text with `scale` decimals: `formatDecimal(8427000, 2)` → `"84270.00"`. */
export function formatDecimal(units: number, scale: number): string {
  return ascii.decode(scratch.subarray(0, writeDecimal(scratch, 0, units, scale)));
}

/** `units / 10^scale` as the nearest double. */
export function toDouble(units: number, scale: number): number {
  // One correctly rounded division of two exact doubles.
  return units / POWERS_OF_TEN[scale]!;
}
