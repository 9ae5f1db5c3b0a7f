import { describe, expect, test } from 'vitest';

import { LEVELS_MAX } from '../../../src/book/ladder-layout.js';
import { DepthDecode } from '../../../src/mexc/decode-depth.js';
import { decodePush } from '../../../src/mexc/decode-push.js';
import { illegalNumbers, parseDecimalText } from '../../support/decimal-text.js';
import { decodeFrame, depthFrame, levelBytes, plainLevel, unknownField, wrapBody } from '../../support/depth-frame.js';
import { readGoldenFrames } from '../../support/golden.js';
import { encodePush } from '../../support/mexc-schema.js';
import { bytesField, varint, varintField } from '../../support/push-frame.js';
import { sharedDir } from '../../support/shared.js';

const versions = Buffer.concat([bytesField(4, '7'), bytesField(5, '9')]);

/** One ask with the given bytes as its level. */
function withAsk(level: Uint8Array): Buffer {
  return wrapBody(Buffer.concat([bytesField(1, level), versions]));
}

describe('decodeDepth', () => {
  test('takes as many levels a side as a book holds, and not one more, however they are written', () => {
    const repeated = (level: Uint8Array, times: number): Buffer => {
      const field = bytesField(1, level);
      return wrapBody(Buffer.concat([Buffer.alloc(field.length * times, field), versions]));
    };
    const swapped = Buffer.concat([bytesField(2, '3'), bytesField(1, '12')]);
    for (const level of [plainLevel('12', '3'), swapped]) {
      const { outcome, asks } = decodeFrame(repeated(level, LEVELS_MAX), 0, 0);
      expect([outcome, asks.length, asks.at(-1)]).toEqual([DepthDecode.OK, LEVELS_MAX, [12, 3]]);
      expect(decodeFrame(repeated(level, LEVELS_MAX + 1), 0, 0).outcome).toBe(DepthDecode.TOO_LONG);
    }
  });

  test('turns decimal text into whole ticks and lots at the scales given', () => {
    const frame = depthFrame({
      asks: [
        ['84270.01', '0.5'],
        ['84270.1', '0'],
      ],
      bids: [['84270', '12.00000001']],
      from: 11,
      to: 12,
      sendTime: 1_754_741_322_152,
    });
    const { outcome, delta, asks, bids } = decodeFrame(frame, 2, 8);
    expect(outcome).toBe(DepthDecode.OK);
    expect(asks).toEqual([
      [8_427_001, 50_000_000],
      [8_427_010, 0],
    ]);
    expect(bids).toEqual([[8_427_000, 1_200_000_001]]);
    expect(delta).toMatchObject({ fromVersion: 11, toVersion: 12, exchangeTimeMs: 1_754_741_322_152, inexactCount: 0 });
  });

  test('a frame without send time has no exchange time, whatever the one before had', () => {
    expect(decodeFrame(depthFrame({ from: 1 }), 2, 2).delta.exchangeTimeMs).toBeNaN();
  });

  test('takes fields in any order, and skips those it does not know', () => {
    const unknown = [
      unknownField([9, 0, 2 ** 40]),
      unknownField([2047, 1, 3]),
      unknownField([3000, 2, 150]),
      unknownField([100_000, 5, 7]),
    ];
    const level = levelBytes([
      ['unknown', [3, 2, 5]],
      ['quantity', '2'],
      ['unknown', [900, 0, 300]],
      ['price', '1.5'],
      ['unknown', [4, 5, 1]],
    ]);
    const body = Buffer.concat([
      unknown[1]!,
      versions,
      unknown[2]!,
      bytesField(2, level),
      unknown[3]!,
      bytesField(1, plainLevel('2', '3')),
    ]);
    const frame = Buffer.concat([unknown[0]!, bytesField(313, body), unknown[1]!, varintField(6, 77), bytesField(3, 'X'), unknown[3]!]);
    const { outcome, delta, asks, bids } = decodeFrame(frame, 1, 0);
    expect(outcome).toBe(DepthDecode.OK);
    expect([asks, bids]).toEqual([[[20, 3]], [[15, 2]]]);
    expect(delta).toMatchObject({ fromVersion: 7, toVersion: 9, exchangeTimeMs: 77 });
  });

  test('the last of a repeated field counts', () => {
    const level = levelBytes([
      ['price', '1'],
      ['quantity', '2'],
      ['price', '3'],
      ['quantity', '4'],
    ]);
    expect(decodeFrame(withAsk(level), 0, 0).asks).toEqual([[3, 4]]);
  });

  test.each([
    ['1.2300', '1.50', 1, 2, 1],
    ['0001.5', '000', 1, 1, 0],
    ['1.', '.5', 0, 0, 1],
    ['123456789.5', '1', 1, 1, 0],
    ['0.00000000000000', '0.000', 0, 0, 0],
    ['.0', '.000', 0, 0, 0],
  ])('%s and %s at scale %i need scales %i and %i', (price, quantity, scale, priceNeeded, quantityNeeded) => {
    const { outcome, delta } = decodeFrame(withAsk(plainLevel(price, quantity)), scale, 0);
    const fits = priceNeeded <= scale && quantityNeeded === 0;
    expect(outcome).toBe(fits ? DepthDecode.OK : DepthDecode.RESCALE);
    expect(delta).toMatchObject({ priceScaleNeeded: Math.max(scale, priceNeeded), quantityScaleNeeded: quantityNeeded });
    const again = decodeFrame(withAsk(plainLevel(price, quantity)), delta.priceScaleNeeded, delta.quantityScaleNeeded);
    expect(again.outcome).toBe(DepthDecode.OK);
    expect(again.asks).toEqual([
      [Math.round(Number(price) * 10 ** delta.priceScaleNeeded), Math.round(Number(quantity) * 10 ** quantityNeeded)],
    ]);
  });

  test.each(['9007199254740991', '9007199254740992', '9007199254740993', '123456789012345678901234567890'])(
    'quantity %s is exact below 2^53, else the nearest double and counted',
    (text) => {
      const { outcome, delta, asks } = decodeFrame(withAsk(plainLevel('1', text)), 0, 0);
      expect(outcome).toBe(DepthDecode.OK);
      expect(asks).toEqual([[1, Number(text)]]);
      expect(delta.inexactCount).toBe(BigInt(text) < 2n ** 53n ? 0 : 1);
    },
  );

  test('a price of 2^79 ticks or more is refused', () => {
    const limit = 2n ** 79n;
    // The double below 2^79 is 2^26 away.
    expect(decodeFrame(withAsk(plainLevel(String(limit - 2n ** 26n), '1')), 0, 0).outcome).toBe(DepthDecode.OK);
    expect(decodeFrame(withAsk(plainLevel(String(limit), '1')), 0, 0).outcome).toBe(DepthDecode.BAD_NUMBER);
    expect(decodeFrame(withAsk(plainLevel('99', '1')), 22, 0).outcome).toBe(DepthDecode.BAD_NUMBER);
  });

  describe.each(illegalNumbers.map((text) => [JSON.stringify(text), text] as const))('%s', (_, text) => {
    test('is refused as price and as quantity, whatever stands beside it', () => {
      expect(parseDecimalText(text) === undefined || text.includes('.')).toBe(true);
      for (const other of ['1', '12', '1.5', '123456789012']) {
        for (const scale of [0, 2, 22]) {
          expect(decodeFrame(withAsk(plainLevel(text, other)), scale, scale).outcome).toBe(DepthDecode.BAD_NUMBER);
          expect(decodeFrame(withAsk(plainLevel('1.5', text)), 2, scale).outcome).toBe(DepthDecode.BAD_NUMBER);
          const turned = levelBytes([
            ['quantity', text],
            ['price', '1'],
          ]);
          expect(decodeFrame(withAsk(turned), scale, scale).outcome).toBe(DepthDecode.BAD_NUMBER);
        }
      }
    });
  });

  test.each([
    ['no price', levelBytes([['quantity', '12345']])],
    ['no quantity', levelBytes([['price', '12345']])],
    ['nothing at all', Buffer.alloc(0)],
  ])('a level with %s is refused', (_, level) => {
    expect(decodeFrame(withAsk(level), 2, 2).outcome).toBe(DepthDecode.BAD_NUMBER);
  });

  test.each<[string, Uint8Array, DepthDecode]>([
    ['nothing', Buffer.alloc(0), DepthDecode.MALFORMED],
    ['no body', bytesField(1, 'channel'), DepthDecode.MALFORMED],
    ['another body', encodePush({ publicAggreDeals: { deals: [{ price: '1', quantity: '2' }] } }), DepthDecode.NOT_DEPTH],
    ['a body of tomorrow', bytesField(399, 'x'), DepthDecode.NOT_DEPTH],
    ['an empty body', bytesField(313, ''), DepthDecode.MALFORMED],
    ['no first version', bytesField(313, bytesField(5, '9')), DepthDecode.MALFORMED],
    ['no last version', bytesField(313, bytesField(4, '9')), DepthDecode.MALFORMED],
    ['versions in the wrong order', depthFrame({ from: 9, to: 8 }), DepthDecode.MALFORMED],
    ['an empty version', depthFrame({ from: '', to: 8 }), DepthDecode.MALFORMED],
    ['a signed version', depthFrame({ from: '-1', to: 8 }), DepthDecode.MALFORMED],
    ['a version of 2^53', depthFrame({ from: 1, to: '9007199254740992' }), DepthDecode.MALFORMED],
    ['a version of 41 digits', depthFrame({ from: 1, to: '9'.padStart(41, '0') }), DepthDecode.MALFORMED],
    ['a group', Buffer.concat([depthFrame({ from: 1 }), Buffer.from([0x0b])]), DepthDecode.MALFORMED],
    ['field 0', Buffer.concat([depthFrame({ from: 1 }), Buffer.from([0x02, 0x00])]), DepthDecode.MALFORMED],
    ['asks of wire type 0', wrapBody(Buffer.concat([varintField(1, 5), versions])), DepthDecode.MALFORMED],
    ['a version of wire type 0', wrapBody(Buffer.concat([versions, varintField(5, 9)])), DepthDecode.MALFORMED],
    ['a price of wire type 0', withAsk(Buffer.concat([varintField(1, 5), bytesField(2, '12')])), DepthDecode.MALFORMED],
    ['a varint of 11 bytes', Buffer.concat([Buffer.from([0x38]), Buffer.alloc(10, 0xff), Buffer.from([1])]), DepthDecode.MALFORMED],
    [
      'asks under an overlong tag',
      wrapBody(Buffer.concat([overlong(bytesField(1, plainLevel('1', '2'))), versions])),
      DepthDecode.MALFORMED,
    ],
    ['a price under an overlong tag', withAsk(Buffer.concat([plainLevel('1', '2'), overlong(bytesField(1, '3'))])), DepthDecode.MALFORMED],
    [
      'a tag of more than 32 bits',
      Buffer.concat([Buffer.from([0xca, 0x93, 0x80, 0x80, 0x10]), varint(versions.length), versions]),
      DepthDecode.MALFORMED,
    ],
  ])('%s: outcome %#', (_, frame, outcome) => {
    expect(decodeFrame(frame, 2, 2).outcome).toBe(outcome);
  });

  test.each(['0', '7', '1008', '123456789012', '1234567890123', '0000000000000000000000001234'])('versions of any length: %s', (text) => {
    const { outcome, delta } = decodeFrame(depthFrame({ from: text }), 2, 2);
    expect([outcome, delta.fromVersion, delta.toVersion]).toEqual([DepthDecode.OK, Number(text), Number(text)]);
  });

  test.each(['.', '1.5', '12.', '1 ', '1x', 'x1', '123456789012x', '1234567890123.5', '/', ':', '-1', '1e3'])(
    '%j is no version',
    (text) => {
      expect(decodeFrame(depthFrame({ from: text, to: 5 }), 2, 2).outcome).toBe(DepthDecode.MALFORMED);
      expect(decodeFrame(depthFrame({ from: 1, to: text }), 2, 2).outcome).toBe(DepthDecode.MALFORMED);
    },
  );

  test('the largest version taken is 2^53 - 1', () => {
    const { outcome, delta } = decodeFrame(depthFrame({ from: '9007199254740991' }), 2, 2);
    expect(outcome).toBe(DepthDecode.OK);
    expect([delta.fromVersion, delta.toVersion]).toEqual([2 ** 53 - 1, 2 ** 53 - 1]);
  });
});

/** The same field with its one-byte tag written in two. */
function overlong(field: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([field[0]! | 0x80, 0]), field.subarray(1)]);
}

describe.skipIf(!sharedDir)('golden frames through decodeDepth (need ../shared)', () => {
  const { good, refused } = sharedDir ? readGoldenFrames() : { good: [], refused: [] };
  const depths = good.filter(({ decoded }) => 'publicAggreDepths' in decoded);
  const others = good.filter(({ decoded }) => !('publicAggreDepths' in decoded));

  test('are all there', () => expect([depths.length, others.length, refused.length]).toEqual([5, 17, 1]));

  test.each(depths)('$name decodes to the values beside it', ({ bytes, decoded }) => {
    const first = decodeFrame(bytes, 2, 2);
    const { priceScaleNeeded, quantityScaleNeeded } = first.delta;
    const { outcome, delta, asks, bids } = decodeFrame(bytes, priceScaleNeeded, quantityScaleNeeded);
    const expected = decoded['publicAggreDepths'] as {
      readonly asks?: readonly { readonly price: string; readonly quantity: string }[];
      readonly bids?: readonly { readonly price: string; readonly quantity: string }[];
      readonly fromVersion: string;
      readonly toVersion: string;
    };
    const toUnits = (levels: typeof expected.asks = []): (readonly [number, number])[] =>
      levels.map(({ price, quantity }) => [Number(`${price}e${priceScaleNeeded}`), Number(`${quantity}e${quantityScaleNeeded}`)] as const);
    expect(outcome).toBe(DepthDecode.OK);
    expect([asks, bids]).toEqual([toUnits(expected.asks), toUnits(expected.bids)]);
    expect([delta.fromVersion, delta.toVersion]).toEqual([Number(expected.fromVersion), Number(expected.toVersion)]);
    expect(delta.exchangeTimeMs).toBe(decoded['sendTime'] ?? NaN);
  });

  test('the tiny price keeps its 15 decimals, and its huge quantity is counted', () => {
    const { bytes } = depths.find(({ name }) => name.includes('tiny-price'))!;
    const { delta } = decodeFrame(bytes, 2, 2);
    expect(delta.priceScaleNeeded).toBe(15);
  });

  test.each(others)('$name is another body, or none', ({ bytes }) => {
    expect([DepthDecode.NOT_DEPTH, DepthDecode.MALFORMED]).toContain(decodeFrame(bytes, 2, 2).outcome);
    expect(decodePush(bytes).body.kind).not.toBe('aggreDepths');
  });

  test.each(refused)('$name is refused', ({ bytes }) => {
    expect(decodeFrame(bytes, 2, 8).outcome).toBe(DepthDecode.TRUNCATED);
  });

  test.each(depths)('every truncation of $name is refused', ({ bytes }) => {
    for (let length = 0; length < bytes.length; length++) {
      expect([DepthDecode.TRUNCATED, DepthDecode.MALFORMED]).toContain(decodeFrame(bytes.subarray(0, length), 15, 8).outcome);
    }
  });
});
