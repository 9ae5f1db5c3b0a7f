import { CodedError, ErrorCode } from '../support/errors.js';

/** `units / 10^scale` with exactly `scale` decimals: `(8427000, 2)` → `84270.00`. `units` is a whole number in [0, 2^53]. */
export function paddedDecimal(units: number, scale: number): string {
  const digits = String(units);
  if (scale === 0) return digits;
  const whole = digits.length - scale;
  if (whole > 0) return `${digits.slice(0, whole)}.${digits.slice(whole)}`;
  return `0.${'0'.repeat(-whole)}${digits}`;
}

/** The same without trailing zeros: `(8427000, 2)` → `84270`, `(0, 8)` → `0`. */
export function trimmedDecimal(units: number, scale: number): string {
  if (units === 0) return '0';
  return trimZeros(paddedDecimal(units, scale));
}

/** `84270.50` → `84270.5`, `40.00` → `40`, `100` → `100`. */
export function trimZeros(text: string): string {
  if (!text.includes('.')) return text;
  let end = text.length;
  while (text.charCodeAt(end - 1) === 0x30) end--;
  if (text.charCodeAt(end - 1) === 0x2e) end--;
  return text.slice(0, end);
}

/** A double as plain decimal text without trailing zeros, rounded to `decimals` (0 to 20). */
export function decimalOfDouble(value: number, decimals: number): string {
  return trimZeros(value.toFixed(decimals));
}

/** Decimals a text has once trailing zeros are gone. */
export function decimalsOf(text: string): number {
  const trimmed = trimZeros(text);
  const dot = trimmed.indexOf('.');
  return dot < 0 ? 0 : trimmed.length - dot - 1;
}

/**
 * Decimal text as a whole number of `10^-scale`. Throws NUMBER_MALFORMED when it is no plain decimal number, has more decimals, or
 * leaves the range in which a double is exact.
 */
export function parseUnits(text: string, scale: number): number {
  const trimmed = trimZeros(text);
  const dot = trimmed.indexOf('.');
  const decimals = dot < 0 ? 0 : trimmed.length - dot - 1;
  const digits = dot < 0 ? trimmed : trimmed.slice(0, dot) + trimmed.slice(dot + 1);
  const units = /^\d+$/.test(digits) && decimals <= scale ? Number(digits + '0'.repeat(scale - decimals)) : NaN;
  if (!Number.isSafeInteger(units))
    throw new CodedError(ErrorCode.NUMBER_MALFORMED, `"${text}" is no number of at most ${scale} decimals below 2^53 units`);
  return units;
}
