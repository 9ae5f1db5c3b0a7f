import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { DeltaBuffer } from '../../../src/book/delta-buffer.js';
import { LEVELS_MAX } from '../../../src/book/ladder-layout.js';
import { decodeSnapshot } from '../../../src/mexc/decode-snapshot.js';
import { decimalsNeeded, exactUnits, illegalNumbers, legalNumbers } from '../../support/decimal-text.js';

const encoder = new TextEncoder();

function decode(answer: unknown, priceScale: number, quantityScale: number): { readonly fits: boolean; readonly delta: DeltaBuffer } {
  const delta = new DeltaBuffer();
  const text = typeof answer === 'string' ? answer : JSON.stringify(answer);
  return { fits: decodeSnapshot(encoder.encode(text), priceScale, quantityScale, delta), delta };
}

const malformed = expect.objectContaining({ code: 'SNAPSHOT_MALFORMED' });

describe('decodeSnapshot', () => {
  test('reads an answer into columns', () => {
    const answer = {
      lastUpdateId: 1005,
      bids: [
        ['10.020', '5.00'],
        ['10.010', '7.50'],
      ],
      asks: [['10.030', '4']],
      timestamp: 1_791_570_241_216,
    };
    const { fits, delta } = decode(answer, 2, 1);
    expect(fits).toBe(true);
    expect(delta).toMatchObject({
      fromVersion: 1005,
      toVersion: 1005,
      bids: { count: 2 },
      asks: { count: 1 },
      inexactCount: 0,
      exchangeTimeMs: 1_791_570_241_216,
    });
    expect([...delta.bids.ticks.subarray(0, 2), ...delta.bids.lots.subarray(0, 2)]).toEqual([1002, 1001, 50, 75]);
    expect([delta.asks.ticks[0], delta.asks.lots[0]]).toEqual([1003, 40]);
  });

  test('reads bytes in shared memory', () => {
    const body = encoder.encode('{"lastUpdateId":7,"bids":[],"asks":[]}');
    const shared = new Uint8Array(new SharedArrayBuffer(body.length));
    shared.set(body);
    const delta = new DeltaBuffer();
    expect(decodeSnapshot(shared, 0, 0, delta)).toBe(true);
    expect([delta.toVersion, delta.bids.count, delta.asks.count]).toEqual([7, 0, 0]);
  });

  test('has no exchange time when the answer does not say a whole one', () => {
    for (const timestamp of [undefined, null, '1791570241216', 1.5, 2 ** 60]) {
      expect(decode({ lastUpdateId: 1, bids: [], asks: [], timestamp }, 0, 0).delta.exchangeTimeMs).toBeNaN();
    }
  });

  test('takes as many levels a side as a book holds, and not one more', () => {
    const level: [string, string] = ['1', '1'];
    const full: [string, string][] = Array.from({ length: LEVELS_MAX }, () => level);
    expect(decode({ lastUpdateId: 1, bids: full, asks: full }, 0, 0).delta.asks.count).toBe(LEVELS_MAX);
    expect(() => decode({ lastUpdateId: 1, bids: [], asks: [...full, level] }, 0, 0)).toThrow(malformed);
  });

  test('reads the levels of a whole book', () => {
    const bids = Array.from({ length: 5000 }, (_, i) => [String(5000 - i), '1']);
    const { delta } = decode({ lastUpdateId: 1, bids, asks: [] }, 0, 0);
    expect([delta.bids.count, delta.bids.ticks[0], delta.bids.ticks[4999]]).toEqual([5000, 5000, 1]);
  });

  test('any legal numbers come out as exact decimal arithmetic has them', () => {
    const levels = fc.array(fc.tuple(legalNumbers, legalNumbers), { maxLength: 6 });
    const scales = fc.integer({ min: 0, max: 22 });
    fc.assert(
      fc.property(levels, scales, scales, (list, priceScale, quantityScale) => {
        const bids = list.map(([price, quantity]) => [price.text, quantity.text]);
        const priceNeeded = Math.max(priceScale, ...list.map(([price]) => decimalsNeeded(price)));
        const quantityNeeded = Math.max(quantityScale, ...list.map(([, quantity]) => decimalsNeeded(quantity)));
        const answer = { lastUpdateId: 1, bids, asks: bids };
        const tooLarge = (scale: number): boolean => list.some(([price]) => Number(exactUnits(price, scale)) >= 2 ** 79);
        if (tooLarge(priceScale)) {
          expect(() => decode(answer, priceScale, quantityScale)).toThrow(malformed);
          return;
        }
        const first = decode(answer, priceScale, quantityScale);
        expect(first.fits).toBe(priceNeeded === priceScale && quantityNeeded === quantityScale);
        expect([first.delta.priceScaleNeeded, first.delta.quantityScaleNeeded]).toEqual([priceNeeded, quantityNeeded]);
        if (tooLarge(priceNeeded)) {
          expect(() => decode(answer, priceNeeded, quantityNeeded)).toThrow(malformed);
          return;
        }
        const { fits, delta } = decode(answer, priceNeeded, quantityNeeded);
        const ticks = list.map(([price]) => exactUnits(price, priceNeeded));
        const lots = list.map(([, quantity]) => exactUnits(quantity, quantityNeeded));
        expect(fits).toBe(true);
        for (const side of ['bids', 'asks'] as const) {
          expect([...delta[side].ticks.subarray(0, list.length)]).toEqual(ticks.map(Number));
          expect([...delta[side].lots.subarray(0, list.length)]).toEqual(lots.map(Number));
        }
        expect(delta.inexactCount).toBe(2 * [...ticks, ...lots].filter((units) => units >= 2n ** 53n).length);
      }),
      { numRuns: 1000 },
    );
  });

  test.each([...illegalNumbers, 'é', '😀', '1'.repeat(64)].map((text) => [text]))('%j is refused as price and as quantity', (text) => {
    for (const level of [
      [text, '1'],
      ['1', text],
    ]) {
      expect(() => decode({ lastUpdateId: 1, bids: [level], asks: [] }, 8, 8)).toThrow(malformed);
      expect(() => decode({ lastUpdateId: 1, bids: [], asks: [['1', '1'], level] }, 8, 8)).toThrow(malformed);
    }
  });

  const good = { lastUpdateId: 1, bids: [['1', '1']], asks: [] };
  test.each<[string, unknown]>([
    ['nothing', ''],
    ['HTML', '<html>403</html>'],
    ['half an answer', JSON.stringify(good).slice(0, -3)],
    ['a number', '1'],
    ['null', 'null'],
    ['a list', '[]'],
    ['an error', '{"code":-1121,"msg":"Invalid symbol."}'],
    ['no version', { ...good, lastUpdateId: undefined }],
    ['a version in text', { ...good, lastUpdateId: '1' }],
    ['a version with a fraction', { ...good, lastUpdateId: 1.5 }],
    ['a negative version', { ...good, lastUpdateId: -1 }],
    ['a version of 2^53', '{"lastUpdateId":9007199254740992,"bids":[],"asks":[]}'],
    ['no bids', { ...good, bids: undefined }],
    ['asks that are no list', { ...good, asks: {} }],
    ['a level that is no pair', { ...good, asks: ['1'] }],
    ['a level without quantity', { ...good, asks: [['1']] }],
    ['a number as price', { ...good, asks: [[1, '1']] }],
    ['null as quantity', { ...good, bids: [['1', null]] }],
  ])('%s is refused', (_, answer) => {
    expect(() => decode(answer, 2, 2)).toThrow(malformed);
  });

  test('bytes that are no UTF-8 are refused', () => {
    expect(() => decodeSnapshot(Uint8Array.of(0x22, 0xff, 0x22), 0, 0, new DeltaBuffer())).toThrow(malformed);
  });
});
