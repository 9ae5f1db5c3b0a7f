/** Bits of a quotient before it is rounded to the 53 of a double: enough that the bit for "and something more" decides every tie. */
const QUOTIENT_BITS = 64;

/** `numerator / denominator` as the nearest double. `denominator` > 0. */
export function ratioToDouble(numerator: bigint, denominator: bigint): number {
  if (numerator === 0n) return 0;
  const negative = numerator < 0n;
  const magnitude = negative ? -numerator : numerator;
  const shift = Math.max(0, QUOTIENT_BITS + bitLength(denominator) - bitLength(magnitude));
  const dividend = magnitude << BigInt(shift);
  let quotient = dividend / denominator;
  if (dividend % denominator !== 0n) quotient |= 1n;
  const value = Number(quotient) * 2 ** -shift;
  return negative ? -value : value;
}

function bitLength(value: bigint): number {
  return value.toString(16).length * 4;
}
