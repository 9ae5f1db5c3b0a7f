import { expect, test } from 'vitest';
import { startSimulator } from '../../src/simulator/simulator.js';
import { it } from '../support/cleanup.js';
import { flatnessOf } from './flatness.js';
import { readOptions } from './options.js';
import { KeptBook, Truth } from './truth.js';

test('flatness: the last tenth against the first, and the line through all', () => {
  const flat = flatnessOf(Array.from({ length: 100 }, (_, i) => 100 + (i % 2)));
  expect(flat.growth).toBe(0);
  expect(Math.abs(flat.trend)).toBeLessThan(0.1);
  const rising = flatnessOf(Array.from({ length: 101 }, (_, i) => 100 + i / 10));
  expect(rising.trend).toBeCloseTo(10);
  expect(rising.growth).toBeCloseTo(9, 0);
  expect(flatnessOf([1, 2]).growth).toBeNaN();
});

test('options: numbers, or what is wrong with them', () => {
  expect(readOptions(['--minutes', '0.5', '--snapshot-rate', '8', '--write'])).toMatchObject({
    options: { minutes: 0.5, snapshotRate: 8, symbols: 2000 },
    write: true,
  });
  expect(readOptions(['--help'])).toBeUndefined();
  expect(() => readOptions(['--minutes', 'x'])).toThrow('--minutes');
  expect(() => readOptions(['--hours', '1'])).toThrow('--hours');
});

it('a claim about a book is judged by the book of its version, and a wrong one is told', async ({ opened }) => {
  const sim = opened(await startSimulator({ symbols: ['BTCUSDT'], rate: 50, seed: 3 }));
  const wrong: string[] = [];
  const truth = await Truth.of(sim.restUrl, (text) => wrong.push(text));
  const listed = truth.listed.get('BTCUSDT')!;
  const { version, bids, asks } = sim.trueBook('BTCUSDT');
  const digest = (fewer: number, depth = Infinity): number => {
    const book = new KeptBook(listed);
    book.set(bids.slice(fewer, depth), asks.slice(0, depth));
    return book.digest;
  };
  truth.claim(listed, version, true, digest(0), 'whole');
  truth.claim(listed, version, false, digest(0, 20), 'top');
  await truth.learn();
  expect([wrong, truth.waiting, [...truth.compared.values()]]).toEqual([[], 0, [1, 1]]);
  truth.claim(listed, version, true, digest(1), 'whole');
  truth.claim(listed, version + 1_000_000, true, digest(0), 'whole');
  await truth.learn();
  expect(wrong).toEqual([
    `whole of BTCUSDT: not the book of version ${version}`,
    `whole of BTCUSDT: there never was a version ${version + 1_000_000}`,
  ]);
});
