import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { hashBook, modelBook } from '../../../../bench/decode-and-book/model-book.js';
import { loadRecordedStream } from '../../../../bench/decode-and-book/recorded-stream.js';
import { sharedDir } from '../../../support/shared.js';

describe.skipIf(!sharedDir)('recorded BTCUSDT session (needs the shared test data)', () => {
  test('gives every frame that applies, the scales that hold every number, and the book of the reference replay', () => {
    const stream = loadRecordedStream(join(sharedDir!, 'data/mexc-reencoded/btcusdt_20240808.frames.jsonl.gz'), 'BTCUSDT');
    expect(stream.frames).toHaveLength(6493);
    expect([stream.priceScale, stream.quantityScale]).toEqual([2, 6]);
    const expected = JSON.parse(
      readFileSync(join(sharedDir!, 'data/binance-hftbacktest/spot_btcusdt_20240808-09.expected.json'), 'utf8'),
    ) as { symbols: { BTCUSDT: { final: { fullBookSha256: string } } } };
    expect(hashBook(modelBook(stream))).toBe(expected.symbols.BTCUSDT.final.fullBookSha256);
  });
});
