import { describe, expect, test } from 'vitest';
import { modelBook } from '../../../../bench/decode-and-book/model-book.js';
import { generateNearStream } from '../../../../bench/decode-and-book/near-stream.js';
import { decodePush } from '../../../../bench/decode-and-book/push-schema.js';

const SEED = 7;
const stream = generateNearStream(SEED, 500);
const bodies = stream.frames.map((frame) => decodePush(frame).publicAggreDepths!);

describe(`synthetic near-the-touch stream, seed ${SEED}`, () => {
  test('is the same bytes for the same seed, and others for another', () => {
    expect(generateNearStream(SEED, 500).frames).toEqual(stream.frames);
    expect(generateNearStream(SEED + 1, 500).frames).not.toEqual(stream.frames);
  });

  test('continues its snapshot without a gap', () => {
    let { version } = stream.snapshot;
    for (const body of bodies) {
      expect(Number(body.fromVersion)).toBe(version + 1);
      version = Number(body.toVersion);
    }
  });

  test('changes each price once a push, best first, at most 46 levels', () => {
    for (const { asks, bids } of bodies) {
      const askPrices = asks.map((item) => Number(item.price));
      const bidPrices = bids.map((item) => Number(item.price));
      expect(askPrices).toEqual([...new Set(askPrices)].sort((a, b) => a - b));
      expect(bidPrices).toEqual([...new Set(bidPrices)].sort((a, b) => b - a));
      expect(asks.length + bids.length).toBeGreaterThanOrEqual(10);
      expect(asks.length + bids.length).toBeLessThanOrEqual(46);
    }
  });

  test('removes about as often as recorded streams, and only what is there', () => {
    const held = {
      bids: new Set(stream.snapshot.bids.map(([price]) => price)),
      asks: new Set(stream.snapshot.asks.map(([price]) => price)),
    };
    let removals = 0;
    for (const body of bodies) {
      for (const side of ['bids', 'asks'] as const) {
        for (const { price, quantity } of body[side]) {
          if (quantity !== '0') {
            held[side].add(price);
          } else {
            removals++;
            expect(held[side].delete(price)).toBe(true);
          }
        }
      }
    }
    expect(removals / stream.levels).toBeCloseTo(0.48, 1);
  });

  test('never crosses the book', () => {
    for (let length = 0; length <= stream.frames.length; length += 100) {
      const book = modelBook({ ...stream, frames: stream.frames.slice(0, length) });
      expect(Number(book.bids[0]![0])).toBeLessThan(Number(book.asks[0]![0]));
    }
  });
});
