import { expect, test } from 'vitest';

import { shardOf } from '../../../src/shard/assignment.js';

test('is FNV-1a over the UTF-8 bytes, modulo the workers', () => {
  // The hash of "a" and of "foobar" as published with the algorithm.
  expect(shardOf('a', 2 ** 32)).toBe(0xe40c292c);
  expect(shardOf('foobar', 2 ** 32)).toBe(0xbf9cf968);
  expect(shardOf('', 2 ** 32)).toBe(0x811c9dc5);
  expect(shardOf('币安人生USDT', 7)).toBe(shardOf('币安人生USDT', 7));
});

test.each([1, 2, 3, 4, 8])('%i workers get their share of 2,000 symbols', (workers) => {
  const counts = Array.from({ length: workers }, () => 0);
  for (let i = 0; i < 2000; i++) counts[shardOf(`SYM${i}USDT`, workers)]!++;
  for (const count of counts) expect(Math.abs(count - 2000 / workers)).toBeLessThan(0.25 * (2000 / workers) + 1);
});
