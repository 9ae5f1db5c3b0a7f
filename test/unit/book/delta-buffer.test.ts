import { expect, test } from 'vitest';

import { DeltaBuffer } from '../../../src/book/delta-buffer.js';
import { LEVELS_MAX } from '../../../src/book/ladder-layout.js';
import { fillDelta } from '../../support/delta.js';

test('takes as many levels a side as a book holds, each side in its own part', () => {
  const delta = new DeltaBuffer();
  expect([delta.asks, delta.bids].map(({ ticks, lots }) => [ticks.length, lots.length])).toEqual([
    [LEVELS_MAX, LEVELS_MAX],
    [LEVELS_MAX, LEVELS_MAX],
  ]);
  delta.asks.ticks.fill(1);
  delta.asks.lots.fill(2);
  delta.bids.ticks[0] = 3;
  expect([delta.ticks[LEVELS_MAX - 1], delta.ticks[LEVELS_MAX], delta.lots[LEVELS_MAX - 1], delta.lots[LEVELS_MAX]]).toEqual([1, 3, 2, 0]);
  expect([delta.lotsWords[2 * LEVELS_MAX - 1], delta.lotsWords[2 * LEVELS_MAX + 1]]).toEqual([0x40000000, 0]);
});

test('knows its highest tick', () => {
  const delta = new DeltaBuffer();
  expect(delta.highestTick()).toBe(0);
  fillDelta(delta, [
    ['bid', 5, 1],
    ['ask', 9, 0],
    ['bid', 7, 1],
  ]);
  expect(delta.highestTick()).toBe(9);
});
