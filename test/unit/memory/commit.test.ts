import { expect, it } from 'vitest';
import { createShardBuffers, commitSlot } from '../../../src/shard/task.js';
import { commitMemory } from '../../../src/memory/commit.js';

it('memory that is taken at once holds what it held', () => {
  const words = new Int32Array(new SharedArrayBuffer(64 * 1024)).map((_, i) => i);
  const shared = new Int32Array(new SharedArrayBuffer(64 * 1024));
  shared.set(words);
  commitMemory(shared, 100, 64 * 1024);
  commitMemory(shared, 5000, 5000);
  expect(shared).toEqual(words);
});

it('the last slot of a shard has its place to its end', () => {
  const buffers = createShardBuffers({ symbols: 3, tape: 10 });
  for (const slot of [0, 2]) commitSlot(buffers, slot);
  expect(new Int32Array(buffers.candles).every((word) => word === 0)).toBe(true);
});
