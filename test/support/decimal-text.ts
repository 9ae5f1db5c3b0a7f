import fc from 'fast-check';

/** A decimal text and what it means: `digits / 10^decimals`, with the decimals it was written with. */
export interface DecimalText {
  readonly text: string;
  readonly digits: bigint;
  readonly decimals: number;
}

/** Longest number the decoders take. */
const CHARS_MAX = 40;
export const TICK_LIMIT_EXACT = 2n ** 79n;

/** Reads a plain decimal text exactly; `undefined` when it is none (`5.` and `.5` are). */
export function parseDecimalText(text: string): DecimalText | undefined {
  const match = /^(\d*)(?:\.(\d*))?$/.exec(text);
  const digits = (match?.[1] ?? '') + (match?.[2] ?? '');
  if (match === null || digits === '' || text.length > CHARS_MAX) return undefined;
  return { text, digits: BigInt(digits), decimals: (match[2] ?? '').length };
}

/** Decimals a number needs: those without trailing zeros. */
export function decimalsNeeded({ digits, decimals }: DecimalText): number {
  if (digits === 0n) return 0;
  let rest = digits;
  let needed = decimals;
  while (needed > 0 && rest % 10n === 0n) {
    rest /= 10n;
    needed--;
  }
  return needed;
}

/** The number as whole units of 10^-scale; exact, for scales that hold all decimals it needs. */
export function exactUnits({ digits, decimals }: DecimalText, scale: number): bigint {
  return decimals <= scale ? digits * 10n ** BigInt(scale - decimals) : digits / 10n ** BigInt(decimals - scale);
}

/** Legal numbers of every length and shape: 1 to 40 characters, leading and trailing zeros, up to 22 decimals that count. */
export const legalNumbers: fc.Arbitrary<DecimalText> = fc
  .record({
    leadingZeros: fc.nat({ max: 4 }),
    integer: fc.oneof({ weight: 3, arbitrary: fc.bigInt(0n, 999_999n) }, { weight: 1, arbitrary: fc.bigInt(0n, 10n ** 17n) }),
    decimals: fc.oneof({ weight: 4, arbitrary: fc.integer({ min: 0, max: 8 }) }, { weight: 1, arbitrary: fc.integer({ min: 0, max: 22 }) }),
    fraction: fc.bigInt(0n, 10n ** 22n - 1n),
    trailingZeros: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat({ max: 12 }) }),
    shape: fc.constantFrom('plain', 'plain', 'plain', 'noInteger', 'pointAtEnd'),
  })
  .map(({ leadingZeros, integer, decimals, fraction, trailingZeros, shape }) => {
    const whole = '0'.repeat(leadingZeros) + integer.toString();
    const behind =
      decimals === 0 ? '' : (fraction % 10n ** BigInt(decimals)).toString().padStart(decimals, '0') + '0'.repeat(trailingZeros);
    if (behind === '') return shape === 'pointAtEnd' ? `${whole}.` : whole;
    return shape === 'noInteger' ? `.${behind}` : `${whole}.${behind}`;
  })
  .map((text) => parseDecimalText(text.slice(0, CHARS_MAX))!)
  .filter((number) => decimalsNeeded(number) <= 22);

/** Texts that are no plain decimal number, or more than one may be. */
export const illegalNumbers: readonly string[] = [
  '',
  '.',
  '-1',
  '+1',
  '-0',
  '1e5',
  '1E5',
  '1.2.3',
  '1..2',
  '..',
  ' 1',
  '1 ',
  '1,0',
  '1_0',
  '0x10',
  'NaN',
  'Infinity',
  '١',
  '1\u0000',
  '/',
  ':',
  `0.${'0'.repeat(22)}1`,
  `1.${'1'.repeat(23)}`,
  '1'.repeat(41),
  `${'0'.repeat(40)}1`,
];
