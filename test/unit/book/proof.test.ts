import { describe, expect, it } from 'vitest';
import { ALL_PROVEN, provenLevels, reachOf } from '../../../src/book/proof.js';

const BID = 1;
const ASK = -1;

function levels(count: number, from: number, step: number) {
  return { count, ticks: Float64Array.from({ length: count }, (_, i) => from + i * step) };
}

describe('the reach of a snapshot', () => {
  it('is the whole side unless the side is full', () => {
    expect(reachOf(levels(4999, 9000, -1), BID)).toBe(ALL_PROVEN.bids);
    expect(reachOf(levels(4999, 9000, 1), ASK)).toBe(ALL_PROVEN.asks);
    expect(reachOf(levels(0, 0, 0), BID)).toBe(ALL_PROVEN.bids);
  });

  it('is the last price of a full side, whatever the limit was', () => {
    expect(reachOf(levels(5000, 9000, -1), BID)).toBe(4001);
    expect(reachOf(levels(1000, 9000, 1), ASK)).toBe(9999);
  });

  it('is the last price of a side that is said to be cut', () => {
    expect(reachOf(levels(3, 100, -1), BID, true)).toBe(98);
    expect(reachOf(levels(3, 100, 1), ASK, true)).toBe(102);
    expect([reachOf(levels(0, 0, 0), BID, true), reachOf(levels(0, 0, 0), ASK, true)]).toEqual([Infinity, -1]);
  });
});

it('counts the levels within the reach', () => {
  const bids = [100, 99, 97, 90];
  expect([0, 90, 91, 97, 100, 101, Infinity].map((reach) => provenLevels(bids, 4, BID, reach))).toEqual([4, 4, 3, 3, 1, 0, 0]);
  const asks = [100, 101, 105];
  expect([Infinity, 105, 104, 100, 99, -1].map((reach) => provenLevels(asks, 3, ASK, reach))).toEqual([3, 3, 2, 1, 0, 0]);
  expect(provenLevels(asks, 2, ASK, Infinity)).toBe(2);
});
