import { expect, test } from 'vitest';

import { DeltaBuffer } from '../../../src/book/delta-buffer.js';
import { fillDelta } from '../../support/delta.js';

test('makes room in powers of two, and keeps room it has', () => {
  const delta = new DeltaBuffer(4);
  const columns = (): number[] => [delta.asks.ticks, delta.asks.lots, delta.bids.ticks, delta.bids.lots].map((column) => column.length);
  delta.reserve(4);
  expect(columns()).toEqual([4, 4, 4, 4]);
  delta.reserve(4.5);
  expect(columns()).toEqual([8, 8, 8, 8]);
  delta.reserve(5000);
  expect(columns()).toEqual([8192, 8192, 8192, 8192]);
  delta.reserve(1);
  expect(columns()).toEqual([8192, 8192, 8192, 8192]);
});

test('knows its highest tick', () => {
  const delta = new DeltaBuffer(4);
  expect(delta.highestTick()).toBe(0);
  fillDelta(delta, [
    ['bid', 5, 1],
    ['ask', 9, 0],
    ['bid', 7, 1],
  ]);
  expect(delta.highestTick()).toBe(9);
});
