import { expect, test } from 'vitest';

import { PENDING_BYTES_MAX, PENDING_FRAMES_MAX, PendingUpdates } from '../../../src/shard/pending-updates.js';

test('keeps copies, in order, with their times', () => {
  const pending = new PendingUpdates();
  const source = Uint8Array.of(1, 2, 3, 4, 5);
  pending.push(source, 1, 3, 10);
  pending.push(source, 3, 5, 20);
  source.fill(0);
  expect(pending.frames.map((frame) => [...frame])).toEqual([
    [2, 3],
    [4, 5],
  ]);
  expect(pending.times).toEqual([10, 20]);
  // A view over a copy must see the copy from its first byte.
  expect(pending.frames.every((frame) => frame.byteOffset === 0 && frame.buffer instanceof ArrayBuffer)).toBe(true);
});

test('copies out of shared memory', () => {
  const pending = new PendingUpdates();
  pending.push(new Uint8Array(new SharedArrayBuffer(8)), 2, 6, 1);
  expect(pending.frames[0]!.buffer).toBeInstanceOf(ArrayBuffer);
});

test('forgets the first ones', () => {
  const pending = new PendingUpdates();
  for (let i = 0; i < 5; i++) pending.push(Uint8Array.of(i), 0, 1, i);
  pending.dropFirst(2);
  expect([pending.frames.map((frame) => frame[0]), pending.times]).toEqual([
    [2, 3, 4],
    [2, 3, 4],
  ]);
});

test('holds so many pushes, and is empty after one more', () => {
  const pending = new PendingUpdates();
  for (let i = 0; i < PENDING_FRAMES_MAX; i++) expect(pending.push(Uint8Array.of(1), 0, 1, i)).toBe(true);
  expect(pending.push(Uint8Array.of(1), 0, 1, 0)).toBe(false);
  expect([pending.frames.length, pending.times.length]).toEqual([0, 0]);
  expect(pending.push(Uint8Array.of(1), 0, 1, 0)).toBe(true);
});

test('holds so many bytes, and gets room back', () => {
  const pending = new PendingUpdates();
  const quarter = new Uint8Array(PENDING_BYTES_MAX / 4);
  for (let i = 0; i < 4; i++) expect(pending.push(quarter, 0, quarter.length, i)).toBe(true);
  pending.dropFirst(1);
  expect(pending.push(quarter, 0, quarter.length, 5)).toBe(true);
  expect(pending.push(quarter, 0, 1, 6)).toBe(false);
  expect(pending.push(quarter, 0, quarter.length, 7)).toBe(true);
  pending.clear();
  for (let i = 0; i < 4; i++) expect(pending.push(quarter, 0, quarter.length, i)).toBe(true);
});
