import { expect, test } from 'vitest';
import { fitScaling, workersUntilMainLimits } from '../../../../bench/workers/fit.js';

const points = (...micros: readonly number[]) => micros.map((time, i) => ({ workers: 2 ** i, micros: time }));

test.each([
  { what: 'all parallel', micros: [20, 10, 5], serial: 0, parallel: 20 },
  { what: 'a part of each', micros: [12, 7, 4.5], serial: 2, parallel: 10 },
  { what: 'all serial', micros: [5, 5, 5], serial: 5, parallel: 0 },
  { what: 'slower with more workers', micros: [5, 7], serial: 6, parallel: 0 },
  { what: 'faster than parallel', micros: [20, 4], serial: 0, parallel: 16 },
  { what: 'one point', micros: [5], serial: 5, parallel: 0 },
])('$what', ({ micros, serial, parallel }) => {
  const fit = fitScaling(points(...micros));
  expect([fit.serial, fit.parallel]).toEqual([expect.closeTo(serial), expect.closeTo(parallel)]);
});

test('the main thread limits once the workers together need no more time than it does', () => {
  expect(workersUntilMainLimits({ serial: 0, parallel: 20 }, 0.5)).toBe(40);
});
