import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DealsDecode, decodeDeals } from '../../../src/mexc/decode-deals.js';
import { decodePush } from '../../../src/mexc/decode-push.js';
import { formatDecimal } from '../../../src/model/decimal.js';
import { DealsBuffer } from '../../../src/tape/deals-buffer.js';
import { MARK_SELL, TRADE_ID_BYTES } from '../../../src/tape/tape-layout.js';
import { deal, dealsFrame, lines } from '../../support/deals.js';
import { readCapturedFrames, readGoldenFrames } from '../../support/golden.js';
import { bytesField, varintField } from '../../support/push-frame.js';
import { sharedDir } from '../../support/shared.js';

function decode(bytes: Uint8Array, priceScale = 2, quantityScale = 3): { readonly outcome: DealsDecode; readonly out: DealsBuffer } {
  const out = new DealsBuffer(1);
  return { outcome: decodeDeals(bytes, 0, bytes.length, priceScale, quantityScale, out), out };
}

describe('decodeDeals', () => {
  test('reads trades, oldest first, whatever the order of fields', () => {
    const { outcome, out } = decode(dealsFrame([deal(5), deal(7, { price: '99', quantity: '0.001', sell: true, id: null })]));
    expect(outcome).toBe(DealsDecode.OK);
    expect(lines(out)).toEqual(['5 10025 1500 buy id5', '7 9900 1 sell']);
    expect(out.exchangeTimeMs).toBe(1_790_281_246_250);
    const backwards = bytesField(
      314,
      bytesField(1, Buffer.concat([bytesField(9, 'new'), varintField(4, 5), varintField(3, 1), bytesField(2, '2'), bytesField(1, '.5')])),
    );
    expect(lines(decode(backwards).out)).toEqual(['5 50 2000 buy']);
  });

  test('reads the retired body', () => {
    expect(lines(decode(dealsFrame([deal(5, { id: null })], 'BTCUSDT', 301)).out)).toEqual(['5 10025 1500 buy']);
  });

  test('asks for larger scales, all at once', () => {
    const frame = dealsFrame([deal(5, { price: '0.0000012' }), deal(6, { quantity: '1.00005' })]);
    const { outcome, out } = decode(frame);
    expect([outcome, out.priceScaleNeeded, out.quantityScaleNeeded]).toEqual([DealsDecode.RESCALE, 7, 5]);
    expect(lines(decode(frame, 7, 5).out)).toEqual(['5 12 150000 buy id5', '6 1002500000 100005 buy id6']);
  });

  test('keeps a number beyond 2^53 as the nearest double, and counts it', () => {
    const { out } = decode(dealsFrame([deal(5, { quantity: '123456789012345678901.5' })]));
    expect([out.lots[0], out.inexactCount]).toEqual([Number('123456789012345678901500'), 1]);
  });

  test('leaves out an id that is too long, whole', () => {
    const longest = 'x'.repeat(TRADE_ID_BYTES);
    expect(lines(decode(dealsFrame([deal(5, { id: longest }), deal(6, { id: `${longest}x` })])).out)).toEqual([
      `5 10025 1500 buy ${longest}`,
      '6 10025 1500 buy',
    ]);
  });

  const item = (...fields: Buffer[]): Buffer => bytesField(314, bytesField(1, Buffer.concat(fields)));
  const price = bytesField(1, '1');
  const quantity = bytesField(2, '1');
  const buy = varintField(3, 1);
  const time = varintField(4, 1);
  test.each([
    ['no price', item(quantity, buy, time), DealsDecode.MALFORMED],
    ['no quantity', item(price, buy, time), DealsDecode.MALFORMED],
    ['no side', item(price, quantity, time), DealsDecode.MALFORMED],
    ['no time', item(price, quantity, buy), DealsDecode.MALFORMED],
    ['a third side', item(price, quantity, varintField(3, 3), time), DealsDecode.MALFORMED],
    ['a time of bytes', item(price, quantity, buy, bytesField(4, 'x')), DealsDecode.MALFORMED],
    ['a price of letters', item(bytesField(1, '1e5'), quantity, buy, time), DealsDecode.BAD_NUMBER],
    ['a price below zero', item(bytesField(1, '-1'), quantity, buy, time), DealsDecode.BAD_NUMBER],
    ['an empty quantity', item(price, bytesField(2, ''), buy, time), DealsDecode.BAD_NUMBER],
    ['depth', bytesField(313, 'x'), DealsDecode.NOT_DEALS],
    ['no body', bytesField(1, 'x'), DealsDecode.MALFORMED],
    ['a group', Buffer.from([0x0b]), DealsDecode.MALFORMED],
    ['a length past the end', Buffer.from([0x0a, 0x05, 0x41]), DealsDecode.TRUNCATED],
  ])('refuses %s', (_what, bytes, outcome) => {
    expect(decode(bytes).outcome).toBe(outcome);
  });

  test('cut anywhere, is never taken for whole', () => {
    const frame = dealsFrame([deal(5), deal(6)]);
    for (let length = 0; length < frame.length; length++) {
      expect([DealsDecode.TRUNCATED, DealsDecode.MALFORMED]).toContain(decode(frame.subarray(0, length)).outcome);
    }
  });

  test('takes any bytes without throwing', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void decode(bytes)));
  });
});

describe.skipIf(!sharedDir)('golden frames (need ../shared)', () => {
  const frames = sharedDir ? [...readGoldenFrames().good, ...readCapturedFrames()] : [];
  const withDeals = frames.filter(({ bytes }) => ['aggreDeals', 'deals'].includes(decodePush(bytes).body.kind));

  test('cover both bodies, and an empty one', () =>
    expect(withDeals.map(({ name }) => name).sort()).toMatchInlineSnapshot(`
    [
      "constructed-aggre-deals-empty",
      "constructed-legacy-pb-deals-BTCUSDT",
      "deals-btcusdt-20260924-100ms",
      "spot-aggre-deals-100ms-BTCUSDT",
    ]
  `));

  test.each(withDeals)('$name decodes to the values beside it', ({ bytes }) => {
    const { body, sendTime } = decodePush(bytes);
    const deals = body.kind === 'aggreDeals' || body.kind === 'deals' ? body.deals : [];
    const { outcome, out } = decode(bytes, 8, 8);
    expect([outcome, out.exchangeTimeMs]).toEqual([DealsDecode.OK, sendTime ?? NaN]);
    const trim = (text: string): string => text.replace(/\.?0+$/, '');
    expect(
      Array.from({ length: out.count }, (_, i) => ({
        price: trim(formatDecimal(out.ticks[i]!, 8)),
        quantity: trim(formatDecimal(out.lots[i]!, 8)),
        tradeType: (out.marks[i]! & MARK_SELL) === 0 ? 1 : 2,
        time: out.times[i],
        id: Buffer.from(out.ids.slice(i * TRADE_ID_BYTES, i * TRADE_ID_BYTES + out.idLength(i))).toString(),
      })),
    ).toEqual(
      deals.map((each) => ({
        price: trim(`${each.price}.0`.replace(/(\..*)\.0$/, '$1')),
        quantity: trim(`${each.quantity}.0`.replace(/(\..*)\.0$/, '$1')),
        tradeType: each.tradeType,
        time: each.time,
        id: 'tradeId' in each ? (each.tradeId ?? '') : '',
      })),
    );
  });
});
