import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { countLevels, hashBook, modelBook } from '../../../../bench/decode-and-book/model-book.js';
import { encodePush } from '../../../../bench/decode-and-book/push-schema.js';
import type { Stream } from '../../../../bench/decode-and-book/stream.js';

const frame = encodePush({
  channel: 'spot@public.aggre.depth.v3.api.pb@100ms@BTCUSDT',
  symbol: 'BTCUSDT',
  sendTime: 1_760_000_000_000,
  publicAggreDepths: {
    asks: [
      { price: '102', quantity: '0' },
      { price: '103', quantity: '1.5' },
    ],
    bids: [{ price: '100.5', quantity: '2' }],
    eventType: '',
    fromVersion: '6',
    toVersion: '8',
  },
});

const stream: Stream = {
  name: 'tiny',
  description: '',
  symbol: 'BTCUSDT',
  priceScale: 2,
  quantityScale: 2,
  snapshot: {
    version: 5,
    bids: [
      ['100.50', '1.00'],
      ['99', '3'],
    ],
    asks: [
      ['102.00', '1'],
      ['104', '7'],
    ],
  },
  frames: [frame],
  levels: 3,
};

test('levels are set and removed by value, whatever zeros the text ends in', () => {
  expect(countLevels(frame)).toBe(3);
  expect(modelBook(stream)).toEqual({
    version: 8,
    bids: [
      ['100.5', '2'],
      ['99', '3'],
    ],
    asks: [
      ['103', '1.5'],
      ['104', '7'],
    ],
  });
});

test('the hash does not depend on trailing zeros', () => {
  const expected = createHash('sha256').update('b 100.5 2\nb 99 3\na 103 1.5\na 104 7\n').digest('hex');
  expect(hashBook(modelBook(stream))).toBe(expected);
  expect(
    hashBook({
      version: 8,
      bids: [
        ['100.50', '2.00'],
        ['99.00', '3.00'],
      ],
      asks: [
        ['103.00', '1.50'],
        ['104.00', '7.00'],
      ],
    }),
  ).toBe(expected);
});
