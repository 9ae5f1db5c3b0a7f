import { expect, test } from 'vitest';

import { readBegin, readUnchanged, writeBegin, writeEnd } from '../../../src/memory/seqlock.js';

const INDEX = 1;

function words(version: number): Int32Array {
  const shared = new Int32Array(new SharedArrayBuffer(16));
  shared[INDEX] = version;
  return shared;
}

test('the version is odd within a write section and even outside', () => {
  const shared = words(0);
  writeBegin(shared, INDEX);
  expect([...shared]).toEqual([0, 1, 0, 0]);
  writeEnd(shared, INDEX);
  expect([...shared]).toEqual([0, 2, 0, 0]);
});

test('a copy stands when no section overlapped it', () => {
  const shared = words(4);
  const version = readBegin(shared, INDEX);
  expect(version).toBe(4);
  expect(readUnchanged(shared, INDEX, version)).toBe(true);
  expect([...shared]).toEqual([0, 4, 0, 0]);
});

test('a copy falls when a section began, ended or passed during it', () => {
  const shared = words(4);
  const even = readBegin(shared, INDEX);
  writeBegin(shared, INDEX);
  expect(readUnchanged(shared, INDEX, even)).toBe(false);
  const odd = readBegin(shared, INDEX);
  expect(odd & 1).toBe(1);
  writeEnd(shared, INDEX);
  expect(readUnchanged(shared, INDEX, even)).toBe(false);
  expect(readUnchanged(shared, INDEX, odd)).toBe(false);
});

test('versions wrap from 2^31 - 1 without losing their parity', () => {
  const shared = words(2 ** 31 - 2);
  const version = readBegin(shared, INDEX);
  writeBegin(shared, INDEX);
  expect(readBegin(shared, INDEX) & 1).toBe(1);
  writeEnd(shared, INDEX);
  expect(readBegin(shared, INDEX)).toBe(-(2 ** 31));
  expect(readUnchanged(shared, INDEX, version)).toBe(false);
  expect(readUnchanged(shared, INDEX, -(2 ** 31))).toBe(true);
});
