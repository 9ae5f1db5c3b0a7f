import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  addProduct,
  addSum,
  addUnits,
  compareSums,
  forget,
  formatSum,
  isKnown,
  parseSum,
  scaleSum,
  unitsOf,
} from '../../../src/candle/exact-sum.js';

const units = fc.nat({ max: Number.MAX_SAFE_INTEGER });

it('sums of products, past 2^53 too, are those of whole numbers of any size', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(units, units), { maxLength: 20 }), (pairs) => {
      // Below the largest sum that is kept.
      const smaller = pairs.map(([a, b]) => [a, Math.floor(b / 10_000)] as const);
      const sum = new Float64Array(2);
      for (const [a, b] of smaller) addProduct(sum, 0, a, b);
      const exact = smaller.reduce((total, [a, b]) => total + BigInt(a) * BigInt(b), 0n);
      expect(formatSum(sum, 0, 0)).toBe(exact.toString());
    }),
  );
});

it('what is added one by one and all at once is the same, at any scale', () => {
  fc.assert(
    fc.property(fc.array(units, { maxLength: 50 }), fc.integer({ min: 0, max: 10 }), (list, digits) => {
      const sums = new Float64Array(4);
      for (const one of list) {
        addUnits(sums, 0, one);
        const single = new Float64Array(2);
        addUnits(single, 0, one);
        scaleSum(single, 0, digits);
        addSum(sums, 2, single, 0);
      }
      scaleSum(sums, 0, digits);
      const exact = list.reduce((total, one) => total + BigInt(one), 0n) * 10n ** BigInt(digits);
      expect(formatSum(sums, 0, 0)).toBe(exact.toString());
      expect(compareSums(sums, 0, sums, 2)).toBe(0);
    }),
  );
});

it('decimal text is read and written digit by digit', () => {
  const text = fc.tuple(fc.bigInt({ min: 0n, max: 10n ** 22n }), fc.integer({ min: 0, max: 18 })).map(([whole, scale]) => {
    const digits = whole.toString().padStart(scale + 1, '0');
    return scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
  });
  fc.assert(
    fc.property(text, (given) => {
      const sum = new Float64Array(2);
      const scale = parseSum(given, sum, 0);
      const [whole, fraction = ''] = given.split('.');
      const trimmed = fraction.replace(/0+$/, '');
      expect([scale, formatSum(sum, 0, scale)]).toEqual([trimmed.length, trimmed === '' ? whole : `${whole}.${trimmed}`]);
    }),
  );
});

it.each(['', '.5', '1e5', '-1', '1.2.3', ' 1', 'NaN', null, 5])('%j is no decimal text', (text) => {
  expect(parseSum(text, new Float64Array(2), 0)).toBe(-1);
});

it('what does not fit is not known any more, and nothing known comes of it', () => {
  const sums = new Float64Array(4);
  addProduct(sums, 0, Number.MAX_SAFE_INTEGER, 10 ** 14);
  expect(isKnown(sums, 0)).toBe(true);
  addProduct(sums, 0, Number.MAX_SAFE_INTEGER, 10 ** 14);
  expect(isKnown(sums, 0)).toBe(false);
  addUnits(sums, 0, 1);
  addSum(sums, 2, sums, 0);
  expect([isKnown(sums, 0), isKnown(sums, 2)]).toEqual([false, false]);
  addUnits(sums, 0, 1);
  forget(sums, 0);
  expect(compareSums(sums, 0, sums, 2)).toBeNaN();
});

it('tells the number of units only when a double holds it', () => {
  const sum = new Float64Array(2);
  expect(parseSum('90071992547409.91', sum, 0)).toBe(2);
  expect(unitsOf(sum, 0)).toBe(Number.MAX_SAFE_INTEGER);
  addUnits(sum, 0, 1);
  expect(unitsOf(sum, 0)).toBeNaN();
});
