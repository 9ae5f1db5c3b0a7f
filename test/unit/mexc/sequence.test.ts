import { describe, expect, test } from 'vitest';

import { ASKS, BIDS } from '../../../src/book/book-layout.js';
import { OrderBooks } from '../../../src/book/order-books.js';
import { Arena, createArenaBuffer } from '../../../src/memory/arena.js';
import { createDepthDecoder, DepthDecode } from '../../../src/mexc/decode-depth.js';
import { decodeSnapshot } from '../../../src/mexc/decode-snapshot.js';
import { judgeSequence, Sequence } from '../../../src/mexc/sequence.js';
import { toDouble } from '../../../src/model/decimal.js';
import { readHex, readScenario } from '../../support/golden.js';
import { sharedDir } from '../../support/shared.js';

describe('judgeSequence', () => {
  test.each<[string, number, number, number, Sequence]>([
    ['everything is older', 100, 90, 99, Sequence.DROP],
    ['its end is the version held', 100, 90, 100, Sequence.DROP],
    ['the version held again', 100, 100, 100, Sequence.DROP],
    ['it straddles the version held', 100, 90, 101, Sequence.APPLY],
    ['it begins with the version held', 100, 100, 101, Sequence.APPLY],
    ['it follows', 100, 101, 101, Sequence.APPLY],
    ['it follows and is long', 100, 101, 250, Sequence.APPLY],
    ['one version is missing', 100, 102, 102, Sequence.GAP],
    ['many versions are missing', 100, 900, 1000, Sequence.GAP],
    ['the first after an empty book', 0, 1, 1, Sequence.APPLY],
    ['at the edge of whole doubles', 2 ** 53 - 2, 2 ** 53 - 1, 2 ** 53 - 1, Sequence.APPLY],
  ])('%s', (_, last, from, to, verdict) => {
    expect(judgeSequence(last, from, to)).toBe(verdict);
  });
});

const ACTIONS = { [Sequence.APPLY]: 'apply', [Sequence.DROP]: 'discard', [Sequence.GAP]: 'resync' } as const;

describe.skipIf(!sharedDir)('the scenario of straddling, stale, duplicate and missing pushes (needs ../shared)', () => {
  test('gives the book beside each step', () => {
    const { snapshot, steps } = readScenario();
    const books = new OrderBooks(new Arena(createArenaBuffer(2 ** 20, 1)));
    const { delta } = books;
    const decodeDepth = createDepthDecoder(delta);
    const levels = (side: typeof BIDS | typeof ASKS): number[][] => {
      const [ticks, lots] = [new Float64Array(10), new Float64Array(10)];
      const count = books.collect(0, side, 10, ticks, lots);
      return Array.from({ length: count }, (__, i) => [
        toDouble(ticks[i]!, books.priceScale(0)),
        toDouble(lots[i]!, books.quantityScale(0)),
      ]);
    };
    books.open(0, 3, 2, 0);
    expect(decodeSnapshot(new TextEncoder().encode(JSON.stringify(snapshot)), 3, 2, delta)).toBe(true);
    books.applySnapshot(0, 0);
    for (const { file, action, localVersionAfter, bookAfter } of steps) {
      const frame = readHex('mexc/frames/sequence', file);
      expect(decodeDepth(frame, new DataView(frame.buffer), 0, frame.length, 3, 2)).toBe(DepthDecode.OK);
      const verdict = judgeSequence(books.version(0), delta.fromVersion, delta.toVersion);
      expect([file, ACTIONS[verdict]]).toEqual([file, action]);
      if (verdict === Sequence.APPLY) expect(books.applyDelta(0, 0)).toBe(true);
      if (bookAfter === null) {
        expect(verdict).toBe(Sequence.GAP);
        continue;
      }
      expect(books.version(0)).toBe(Number(localVersionAfter));
      const numbers = (side: readonly (readonly [number, string])[]): number[][] =>
        side.map(([price, quantity]) => [price, Number(quantity)]);
      expect([levels(BIDS), levels(ASKS)]).toEqual([numbers(bookAfter.bids), numbers(bookAfter.asks)]);
    }
    expect(books.seq(0)).toBe(1 + steps.filter(({ action }) => action === 'apply').length);
  });
});
