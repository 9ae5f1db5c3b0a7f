import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decimalsOf, paddedDecimal, parseUnits, trimmedDecimal } from '../../../src/simulator/decimal-text.js';
import { ErrorCode } from '../../../src/support/errors.js';

const units = fc.maxSafeNat();
const scale = fc.integer({ min: 0, max: 15 });

describe('decimal text', () => {
  it('pads, trims and reads back any number', () => {
    fc.assert(
      fc.property(units, scale, (value, decimals) => {
        const padded = paddedDecimal(value, decimals);
        const exact = BigInt(value)
          .toString()
          .padStart(decimals + 1, '0');
        expect(padded).toBe(decimals === 0 ? exact : `${exact.slice(0, -decimals)}.${exact.slice(-decimals)}`);
        const trimmed = trimmedDecimal(value, decimals);
        expect(parseUnits(padded, decimals)).toBe(value);
        expect(parseUnits(trimmed, decimals)).toBe(value);
        expect(decimalsOf(trimmed)).toBe(decimalsOf(padded));
        expect(trimmed).not.toMatch(/\.$|\.\d*0$/);
      }),
    );
  });

  it('shows the examples', () => {
    expect(paddedDecimal(8427000, 2)).toBe('84270.00');
    expect(trimmedDecimal(8427000, 2)).toBe('84270');
    expect(trimmedDecimal(0, 8)).toBe('0');
    expect(trimmedDecimal(100, 0)).toBe('100');
  });

  it.each([
    ['1.23', 1],
    ['1e3', 2],
    ['-1', 2],
    ['', 2],
    ['9007199254740993', 0],
  ])('refuses %s at scale %i', (text, decimals) => {
    expect(() => parseUnits(text, decimals)).toThrow(expect.objectContaining({ code: ErrorCode.NUMBER_MALFORMED }));
  });
});
