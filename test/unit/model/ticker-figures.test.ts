import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalDecimal, FIGURE_LENGTH_MAX } from '../../../src/model/ticker-figures.js';

test.each([
  ['84270.00', '84270'],
  ['0.0040', '0.004'],
  ['007.10', '7.1'],
  ['00', '0'],
  ['0', '0'],
  ['0.000', '0'],
  ['100', '100'],
  ['1.', '1'],
  ['-0.0', '0'],
])('%s is %s', (text, canonical) => {
  expect(canonicalDecimal(text)).toBe(canonical);
});

test.each(['', '-', '.', '.5', '1e5', '1.2.3', ' 1', '+1', '1,0', 'NaN', '--1', '١', '-1.5', '9'.repeat(FIGURE_LENGTH_MAX + 1)])(
  '%j is no number that is kept',
  (text) => {
    expect(canonicalDecimal(text)).toBeNull();
  },
);

test('a sign is taken where it may be', () => {
  expect(canonicalDecimal('-012.50', true)).toBe('-12.5');
  expect(canonicalDecimal('-0.000', true)).toBe('0');
  expect(canonicalDecimal(`-${'9'.repeat(FIGURE_LENGTH_MAX)}`, true)).toBeNull();
});

test('the number stays the same, and its text is the shortest', () => {
  const digits = fc.stringMatching(/^[0-9]{1,12}$/);
  fc.assert(
    fc.property(fc.boolean(), digits, fc.option(digits), (minus, whole, fraction) => {
      const text = `${minus ? '-' : ''}${whole}${fraction === null ? '' : `.${fraction}`}`;
      const canonical = canonicalDecimal(text, true)!;
      expect(canonical).toMatch(/^(0|-?(0|[1-9]\d*)(\.\d*[1-9])?)$/);
      expect(Number(canonical) + 0).toBe(Number(text) + 0);
    }),
  );
});
