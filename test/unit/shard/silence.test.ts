import { expect, test } from 'vitest';

import { SilenceWatch } from '../../../src/shard/silence.js';

const FLOOR = 1000;

/** A watch that has seen a push every `pause` ms, the last at time 0. */
function rhythm(pause: number): SilenceWatch {
  const watch = new SilenceWatch(FLOOR);
  watch.start(-200 * pause);
  for (let time = -199 * pause; time <= 0; time += pause) watch.received(time);
  return watch;
}

/** The first whole ms at which the silence is too long. */
function allowance(watch: SilenceWatch, from = 0): number {
  let [low, high] = [from, from + 2 ** 40];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (watch.isTooLong(middle)) high = middle;
    else low = middle;
  }
  return high - from;
}

test('without any push ten times the floor is allowed', () => {
  const watch = new SilenceWatch(FLOOR);
  watch.start(500);
  expect(allowance(watch, 500)).toBe(10 * FLOOR + 1);
});

test.each([
  [10, FLOOR],
  [50, FLOOR],
  [100, 2_000],
  [60_000, 1_200_000],
])('a push every %i ms: %i ms of silence are allowed', (pause, expected) => {
  expect(allowance(rhythm(pause))).toBe(expected + 1);
});

test('the rhythm follows the pushes', () => {
  const watch = rhythm(1000);
  const before = allowance(watch);
  for (let i = 1; i <= 200; i++) watch.received(i * 100);
  expect(allowance(watch, 20_000)).toBeLessThan(before / 9);
});

test('a silence that was justified doubles the patience, until the next push', () => {
  const watch = rhythm(100);
  watch.justified(5000);
  expect(allowance(watch, 5000)).toBe(4001);
  watch.justified(10_000);
  expect(allowance(watch, 10_000)).toBe(8001);
  watch.received(10_100);
  expect(allowance(watch, 10_100)).toBeLessThan(14_000);
});
