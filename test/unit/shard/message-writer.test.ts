import { describe, expect, test } from 'vitest';

import { formatDecimal } from '../../../src/model/decimal.js';
import { jsonBytes, MessageWriter } from '../../../src/shard/message-writer.js';
import { unframe } from '../../support/shard-bench.js';

describe('frame headers', () => {
  test.each<[number, number[]]>([
    [0, [0x81, 0]],
    [1, [0x81, 1]],
    [125, [0x81, 125]],
    [126, [0x81, 126, 0, 126]],
    [127, [0x81, 126, 0, 127]],
    [65_535, [0x81, 126, 0xff, 0xff]],
    [65_536, [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]],
    [70_000, [0x81, 127, 0, 0, 0, 0, 0, 1, 0x11, 0x70]],
    [20_000_000, [0x81, 127, 0, 0, 0, 0, 0x01, 0x31, 0x2d, 0x00]],
  ])('of a payload of %i bytes', (length, header) => {
    const writer = new MessageWriter();
    writer.begin();
    writer.raw(new Uint8Array(length).fill(0x61));
    const frame = writer.frame();
    expect([...frame.subarray(0, header.length)]).toEqual(header);
    expect(frame.length).toBe(header.length + length);
    expect(unframe(frame)).toBe('a'.repeat(length));
  });

  test('nothing of one message is left in the next', () => {
    const writer = new MessageWriter();
    for (const length of [70_000, 5, 300, 70_001, 125, 126, 0]) {
      writer.begin();
      writer.text('x'.repeat(length));
      const frame = writer.frame();
      expect(unframe(frame)).toBe('x'.repeat(length));
    }
  });
});

function written(write: (writer: MessageWriter) => void): string {
  const writer = new MessageWriter();
  writer.begin();
  write(writer);
  const frame = writer.frame();
  return unframe(frame);
}

describe('parts', () => {
  test('whole numbers and times', () => {
    expect(written((writer) => writer.integer(0))).toBe('0');
    expect(written((writer) => writer.integer(2 ** 53 - 1))).toBe('9007199254740991');
    expect(written((writer) => writer.time(1_754_741_322_152.875))).toBe('1754741322152');
    expect(written((writer) => writer.time(NaN))).toBe('null');
  });

  test('levels with all decimals, and a removal as plain 0', () => {
    expect(written((writer) => writer.level(8_427_000, 5, 2, 3))).toBe('["84270.00","0.005"]');
    expect(written((writer) => writer.level(1, 0, 8, 3))).toBe('["0.00000001","0"]');
    expect(written((writer) => writer.level(2 ** 70, 2 ** 60, 0, 1))).toBe(`["${2n ** 70n}","${formatDecimal(2 ** 60, 1)}"]`);
    expect(written((writer) => writer.levels(Float64Array.of(1, 2, 3), Float64Array.of(4, 0, 6), 2, 0, 0))).toBe('[["1","4"],["2","0"]]');
    expect(written((writer) => writer.levels(new Float64Array(0), new Float64Array(0), 0, 0, 0))).toBe('[]');
  });

  test('many levels outgrow the buffer and stay whole', () => {
    const count = 20_000;
    const ticks = Float64Array.from({ length: count }, (_, i) => 2 ** 52 + i);
    const expected = Array.from({ length: count }, (_, i) => [formatDecimal(ticks[i]!, 8), formatDecimal(ticks[i]!, 3)]);
    expect(JSON.parse(written((writer) => writer.levels(ticks, ticks, count, 8, 3)))).toEqual(expected);
  });

  test('a symbol is JSON text in UTF-8', () => {
    for (const symbol of ['BTCUSDT', '币安人生USDT', 'A"B\\C', '😀'])
      expect(Buffer.from(jsonBytes(symbol)).toString('utf8')).toBe(JSON.stringify(symbol));
  });
});
