import { expect, test } from 'vitest';
import { median, quantile } from '../../../../bench/support/statistics.js';
import { formatTable } from '../../../../bench/support/table.js';

test.each([
  { values: [3], middle: 3 },
  { values: [10, 1, 2], middle: 2 },
  { values: [4, 1, 3, 2], middle: 2.5 },
  { values: [], middle: NaN },
])('median of $values is $middle', ({ values, middle }) => {
  expect(median(values)).toBe(middle);
});

test('median leaves its input as it is', () => {
  const values = [2, 1];
  median(values);
  expect(values).toEqual([2, 1]);
});

test('a table is padded Markdown, figures to the right', () => {
  expect(
    formatTable(
      ['name', 'x'],
      [
        ['a', '10'],
        ['longer', '1'],
      ],
    ),
  ).toBe(['| name   |  x |', '| ------ | -: |', '| a      | 10 |', '| longer |  1 |'].join('\n'));
});

test.each([
  { values: [5, 1, 3, 2, 4], share: 0.5, value: 3 },
  { values: [5, 1, 3, 2, 4], share: 0.99, value: 5 },
  { values: [5, 1, 3, 2, 4], share: 0, value: 1 },
  { values: [2, 1], share: 0.5, value: 1 },
  { values: [], share: 0.5, value: NaN },
])('quantile $share of $values is $value', ({ values, share, value }) => {
  expect(quantile(values, share)).toBe(value);
});
