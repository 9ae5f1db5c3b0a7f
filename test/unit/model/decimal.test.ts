import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { DECIMAL_BYTES_MAX, formatDecimal, POWERS_OF_TEN, SCALE_MAX, toDouble, writeDecimal } from '../../../src/model/decimal.js';

const scales = fc.integer({ min: 0, max: SCALE_MAX });
const safeUnits = fc.oneof(fc.maxSafeNat(), fc.nat(), digitsThenZeros());
/** Whole numbers beyond 2^53, up to the largest double. */
const largeUnits = fc.double({ min: 2 ** 53, noNaN: true, noDefaultInfinity: true });

/** Numbers around the places where the digits of one group are all zeros or all nines. */
function digitsThenZeros(): fc.Arbitrary<number> {
  return fc.tuple(fc.nat({ max: 900 }), fc.integer({ min: 0, max: 13 }), fc.integer({ min: -1, max: 1 })).map(([digits, zeros, step]) => {
    return Math.max(0, digits * 10 ** zeros + step);
  });
}

/** The definition: exact whole-number arithmetic on text. */
function exactText(units: number, scale: number): string {
  const digits = BigInt(units)
    .toString()
    .padStart(scale + 1, '0');
  const point = digits.length - scale;
  return scale === 0 ? digits : `${digits.slice(0, point)}.${digits.slice(point)}`;
}

describe('formatDecimal', () => {
  test.each([
    [0, 0, '0'],
    [0, 2, '0.00'],
    [5, 0, '5'],
    [8_427_000, 2, '84270.00'],
    [1, 15, '0.000000000000001'],
    [10_000_000, 7, '1.0000000'],
    [9_999_999, 7, '0.9999999'],
    [10_000_000, 0, '10000000'],
    [100_000_000_000_000, 7, '10000000.0000000'],
    [Number.MAX_SAFE_INTEGER, 0, '9007199254740991'],
    [Number.MAX_SAFE_INTEGER, 8, '90071992.54740991'],
    [Number.MAX_SAFE_INTEGER, 22, '0.0000009007199254740991'],
    [2 ** 53, 8, '90071992.54740992'],
    [1e22, 22, '1.0000000000000000000000'],
  ])('prints %d units of scale %d as %s', (units, scale, text) => {
    expect(formatDecimal(units, scale)).toBe(text);
  });

  test('is exact for every whole number up to 2^53', () => {
    fc.assert(
      fc.property(safeUnits, scales, (units, scale) => {
        expect(formatDecimal(units, scale)).toBe(exactText(units, scale));
      }),
      { numRuns: 10_000 },
    );
  });

  test('is exact for the whole number a larger double stands for', () => {
    fc.assert(
      fc.property(largeUnits, scales, (units, scale) => {
        expect(formatDecimal(units, scale)).toBe(exactText(units, scale));
      }),
      { numRuns: 5_000 },
    );
    expect(formatDecimal(Number.MAX_VALUE, SCALE_MAX)).toBe(exactText(Number.MAX_VALUE, SCALE_MAX));
  });
});

describe('writeDecimal', () => {
  const room = 40;

  function writtenBounds(units: number, scale: number, offset: number): { end: number; first: number; last: number; text: string } {
    const guard = 0xee;
    const target = new Uint8Array(offset + DECIMAL_BYTES_MAX + room).fill(guard);
    const end = writeDecimal(target, offset, units, scale);
    return {
      end,
      first: target.findIndex((byte) => byte !== guard),
      last: target.findLastIndex((byte) => byte !== guard),
      text: Buffer.from(target.subarray(offset, end)).toString('latin1'),
    };
  }

  test('writes at the offset, returns the end, and stays within 48 bytes below 2^53', () => {
    fc.assert(
      fc.property(safeUnits, scales, fc.nat({ max: room }), (units, scale, offset) => {
        const { end, first, last, text } = writtenBounds(units, scale, offset);
        expect(text).toBe(exactText(units, scale));
        expect(end).toBe(offset + text.length);
        expect(first).toBe(offset);
        expect(last).toBeLessThan(offset + 48);
      }),
      { numRuns: 5_000 },
    );
  });

  test('stays within DECIMAL_BYTES_MAX whatever the number', () => {
    fc.assert(
      fc.property(largeUnits, scales, fc.nat({ max: room }), (units, scale, offset) => {
        const { end, first, last, text } = writtenBounds(units, scale, offset);
        expect(text).toBe(exactText(units, scale));
        expect(end).toBe(offset + text.length);
        expect(first).toBe(offset);
        expect(last).toBeLessThan(offset + DECIMAL_BYTES_MAX);
      }),
      { numRuns: 5_000 },
    );
    expect(writtenBounds(Number.MAX_VALUE, SCALE_MAX, 0).last).toBeLessThan(DECIMAL_BYTES_MAX);
  });

  test('writes one number behind another', () => {
    const target = new Uint8Array(2 * DECIMAL_BYTES_MAX);
    const first = writeDecimal(target, 0, 8_427_001, 2);
    const second = writeDecimal(target, first, 5, 8);
    expect(Buffer.from(target.subarray(0, second)).toString('latin1')).toBe('84270.010.00000005');
  });
});

describe('toDouble', () => {
  test('is the double nearest to the printed number', () => {
    fc.assert(
      fc.property(safeUnits, scales, (units, scale) => {
        // Number() of a text is correctly rounded by the language's definition.
        expect(toDouble(units, scale)).toBe(Number(exactText(units, scale)));
      }),
      { numRuns: 10_000 },
    );
  });

  test('has exact powers of ten', () => {
    for (let scale = 0; scale <= SCALE_MAX; scale++) expect(BigInt(POWERS_OF_TEN[scale]!)).toBe(10n ** BigInt(scale));
  });
});
