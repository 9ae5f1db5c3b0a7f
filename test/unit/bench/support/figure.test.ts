import { expect, test } from 'vitest';
import { compareWithRecord } from '../../../../bench/support/check.js';
import { type Better, type Figure, isWorse, reaches, summarize } from '../../../../bench/support/figure.js';
import { formatFigures } from '../../../../bench/support/report.js';

function figure(better: Better, pairs: readonly number[], target: number | null = null): Figure {
  return { id: 'x', label: 'x / y', better, pairs, target };
}

test('a figure is the median of its pairs; its noise is the farthest of them', () => {
  expect(summarize(figure('higher', [1, 1.1, 0.7], 2))).toEqual({
    label: 'x / y',
    better: 'higher',
    ratio: 1,
    lowest: 0.7,
    highest: 1.1,
    noise: expect.closeTo(0.3) as number,
    pairs: 3,
    target: 2,
  });
});

test('pairs that agree leave some noise all the same', () => {
  expect(summarize(figure('lower', [2, 2, 2])).noise).toBe(0.05);
});

test.each([
  { better: 'higher' as const, now: 0.89, worse: true },
  { better: 'higher' as const, now: 0.91, worse: false },
  { better: 'higher' as const, now: 5, worse: false },
  { better: 'lower' as const, now: 1.11, worse: true },
  { better: 'lower' as const, now: 1.09, worse: false },
  { better: 'lower' as const, now: 0.1, worse: false },
])('recorded 1 with 10 % noise, $better is better: $now is worse: $worse', ({ better, now, worse }) => {
  expect(isWorse(summarize(figure(better, [now])), summarize(figure(better, [0.9, 1, 1.1])))).toBe(worse);
});

test.each([
  { better: 'higher' as const, ratio: 2, reached: true },
  { better: 'higher' as const, ratio: 1.99, reached: false },
  { better: 'lower' as const, ratio: 2, reached: true },
  { better: 'lower' as const, ratio: 2.01, reached: false },
])('$ratio where 2 is to be reached and $better is better: $reached', ({ better, ratio, reached }) => {
  expect(reaches(ratio, better, 2)).toBe(reached);
});

test('the check names what got worse and what is missing, and lets new figures pass', () => {
  const recorded = { a: summarize(figure('higher', [1])), b: summarize(figure('lower', [1])), c: summarize(figure('lower', [3])) };
  const now = { a: summarize(figure('higher', [0.5])), b: summarize(figure('lower', [1.04])), d: summarize(figure('lower', [9])) };
  expect(compareWithRecord('speed', now, recorded)).toEqual([
    'speed: x / y: 0.50, recorded 1.00 with 5 % noise',
    'speed: x / y: not measured, recorded 3.00',
  ]);
  expect(compareWithRecord('speed', now, {})).toEqual([]);
});

test('the report says what was to be reached', () => {
  const lines = formatFigures([
    summarize(figure('higher', [1, 2, 3], 2)),
    summarize(figure('lower', [1, 2, 3], 1.5)),
    summarize(figure('lower', [1])),
  ]).split('\n');
  expect(lines[2]).toMatch(/x \/ y +\| +2\.00 \| +1\.00 - 3\.00 \| +3 \| +at least 2 reached \|$/);
  expect(lines[3]).toMatch(/at most 1\.5 missed \|$/);
  expect(lines[4]).toMatch(/\| +1 \| +\|$/);
});
