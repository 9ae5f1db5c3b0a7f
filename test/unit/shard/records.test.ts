import { expect, test } from 'vitest';

import { Channel, Format, MessageKind, TOKEN_MAX } from '../../../src/model/publication.js';
import { decodeSpec, encodeSpec, KIND_BITS } from '../../../src/shard/records.js';

test('a specification passes through a record at any place', () => {
  const spec = { channel: Channel.BOOK_TOP, depth: 20, intervalMs: 100, format: Format.PROTOBUF_EXACT };
  const bytes = new Uint8Array(3 + 20);
  bytes.set(encodeSpec(spec), 3);
  expect(decodeSpec(bytes.subarray(3))).toEqual(spec);
  const candle = { channel: Channel.CANDLE, depth: 0, intervalMs: 1000, format: Format.JSON, candleInterval: 14 };
  expect(decodeSpec(encodeSpec(candle))).toEqual(candle);
});

test('kind and token share an int32 without loss', () => {
  expect(Math.max(...Object.values(MessageKind))).toBeLessThan(1 << KIND_BITS);
  for (const kind of Object.values(MessageKind)) {
    const aux = kind | (TOKEN_MAX << KIND_BITS);
    expect([aux, aux & ((1 << KIND_BITS) - 1), aux >>> KIND_BITS]).toEqual([aux | 0, kind, TOKEN_MAX]);
  }
});
