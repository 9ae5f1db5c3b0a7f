import { describe, expect, test } from 'vitest';

import { DepthDecode } from '../../../src/mexc/decode-depth.js';
import { exactUnits, parseDecimalText } from '../../support/decimal-text.js';
import { decodeFrame, depthFrame } from '../../support/depth-frame.js';

/** All texts of a length: the point at every place, and none. */
function texts(length: number): string[] {
  const withPoint = Array.from({ length }, (_, place) => {
    const digits = '9876543210'.repeat(2).slice(0, length - 1);
    return `${digits.slice(0, place)}.${digits.slice(place)}`;
  });
  return ['8765432109876'.slice(0, length), ...withPoint].filter((text) => text !== '.');
}

function unitsOf(text: string, scale: number): number {
  return Number(exactUnits(parseDecimalText(text)!, scale));
}

describe('where the point was before', () => {
  test.each(Array.from({ length: 12 }, (_, i) => i + 1))('never changes a number: %i characters', (length) => {
    // All decimals fit the scale, and all prices are below 10^23.
    for (let scale = length - 1; scale + length <= 23; scale++) {
      const list = texts(length);
      // Every text behind every other, as price and as quantity.
      const pairs = list.flatMap((first) => list.flatMap((second) => [[first, second] as const, [second, first] as const]));
      const { outcome, asks, bids } = decodeFrame(depthFrame({ asks: pairs, bids: pairs.toReversed(), from: 1 }), scale, scale);
      const expected = pairs.map(([price, quantity]) => [unitsOf(price, scale), unitsOf(quantity, scale)]);
      expect(outcome).toBe(DepthDecode.OK);
      expect(asks).toEqual(expected);
      expect(bids).toEqual(expected.toReversed());
    }
  });

  test.each(['/', ',', '-', '*', '+', '(', ')', '&', "'", ' ', '0', ':', '\u0000', '\u0080', '\u00ae'])(
    'never lets %j pass for a point',
    (character) => {
      for (const text of ['61824.01', '0.39004', '4.98249565', '123456.78901']) {
        const decode = (number: string): ReturnType<typeof decodeFrame> =>
          decodeFrame(depthFrame({ asks: [['1', number]], bids: [[number, '1']], from: 1 }), 8, 8);
        expect(decode(text).outcome).toBe(DepthDecode.OK);
        const damaged = decode(text.replace('.', character));
        if (character !== '0') expect(damaged.outcome).toBe(DepthDecode.BAD_NUMBER);
        else expect(damaged.bids[0]![0]).toBe(unitsOf(text.replace('.', '0'), 8));
      }
    },
  );
});
