/*
 * Sums that do not fit a double. A month's volume of a cheap coin, or one turnover of price times quantity, passes 2^53 units easily; a double
 * would round it and the digits would be wrong. A sum is kept as two whole numbers, `high` * 10^14 + `low`, in two neighbouring doubles,
 * each below 2^53 and so exact: up to 9 * 10^29 units. What passes even that is NaN from there on, and told as unknown, never as a number.
 */

/** `low` is below it. Ten times as much is still below 2^53, so that a sum can be scaled digit by digit. */
const BASE = 1e14;
const BASE_DIGITS = 14;
const BIG_BASE = 10n ** 14n;

/** Adds the sum at `from` of `source` to the one at `to` of `target`; both at the same scale. */
export function addSum(target: Float64Array, to: number, source: Float64Array, from: number): void {
  addParts(target, to, source[from]!, source[from + 1]!);
}

/** Adds `a * b`, two whole numbers >= 0. */
export function addProduct(target: Float64Array, to: number, a: number, b: number): void {
  const product = a * b;
  if (product <= Number.MAX_SAFE_INTEGER) {
    // A product below 2^53 was not rounded.
    const low = product % BASE;
    return addParts(target, to, (product - low) / BASE, low);
  }
  const exact = BigInt(a) * BigInt(b);
  addParts(target, to, Number(exact / BIG_BASE), Number(exact % BIG_BASE));
}

/** Adds one whole number >= 0; of one past 2^53 the double it was kept as. */
export function addUnits(target: Float64Array, to: number, units: number): void {
  const low = units % BASE;
  addParts(target, to, (units - low) / BASE, low);
}

function addParts(target: Float64Array, to: number, high: number, low: number): void {
  const lowSum = target[to + 1]! + low;
  const carry = lowSum >= BASE ? 1 : 0;
  const highSum = target[to]! + high + carry;
  if (!(highSum <= Number.MAX_SAFE_INTEGER)) return forget(target, to);
  target[to] = highSum;
  target[to + 1] = lowSum - carry * BASE;
}

/** Multiplies by 10^digits: the same number at a finer scale. */
export function scaleSum(target: Float64Array, at: number, digits: number): void {
  for (let i = 0; i < digits; i++) {
    const low = target[at + 1]! * 10;
    const rest = low % BASE;
    const high = target[at]! * 10 + (low - rest) / BASE;
    if (!(high <= Number.MAX_SAFE_INTEGER)) return forget(target, at);
    target[at] = high;
    target[at + 1] = rest;
  }
}

/** Below, equal or above 0: which of two sums at the same scale is larger; NaN when one is not known. */
export function compareSums(a: Float64Array, at: number, b: Float64Array, bt: number): number {
  const high = a[at]! - b[bt]!;
  return high !== 0 ? high : a[at + 1]! - b[bt + 1]!;
}

export function isKnown(sums: Float64Array, at: number): boolean {
  return !Number.isNaN(sums[at]!);
}

/** The sum is not known (any more). */
export function forget(target: Float64Array, at: number): void {
  target[at] = NaN;
  target[at + 1] = NaN;
}

/** Decimal text with exactly `scale` decimals; the sum is known. */
export function formatSum(sums: Float64Array, at: number, scale: number): string {
  const high = sums[at]!;
  const low = String(sums[at + 1]!);
  return withPoint(high === 0 ? low : String(high) + low.padStart(BASE_DIGITS, '0'), scale);
}

/** Puts the point `scale` digits from the right. */
export function withPoint(digits: string, scale: number): string {
  if (scale === 0) return digits;
  const padded = digits.padStart(scale + 1, '0');
  return `${padded.slice(0, -scale)}.${padded.slice(-scale)}`;
}

const DECIMAL_TEXT = /^(\d{1,30})(?:\.(\d{0,30}))?$/;

/**
 * Reads decimal text as it is into the sum at `at`, and returns its decimals without trailing zeros; -1 when it is no such text.
 */
export function parseSum(text: unknown, target: Float64Array, at: number): number {
  const match = typeof text === 'string' ? DECIMAL_TEXT.exec(text) : null;
  if (match === null) return -1;
  const fraction = (match[2] ?? '').replace(/0+$/, '');
  const digits = match[1]! + fraction;
  const high = Number(digits.slice(0, -BASE_DIGITS));
  if (high > Number.MAX_SAFE_INTEGER) forget(target, at);
  else {
    target[at] = high;
    target[at + 1] = Number(digits.slice(-BASE_DIGITS));
  }
  return fraction.length;
}

/** A sum as one double, when it is a whole number below 2^53; NaN otherwise. */
export function unitsOf(sums: Float64Array, at: number): number {
  const units = sums[at]! * BASE + sums[at + 1]!;
  return units <= Number.MAX_SAFE_INTEGER ? units : NaN;
}
