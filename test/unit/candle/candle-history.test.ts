import { expect, test } from 'vitest';
import { CandleHistory } from '../../../src/candle/candle-history.js';
import { OPEN_TIME, ROW_WORDS } from '../../../src/candle/candle-row.js';

const MINUTE_MS = 60_000;

/** `count` minutes from `fromMs` on. */
function minutes(fromMs: number, count: number): Float64Array {
  const rows = new Float64Array(count * ROW_WORDS);
  for (let i = 0; i < count; i++) rows[i * ROW_WORDS + OPEN_TIME] = fromMs + i * MINUTE_MS;
  return rows;
}

test('one series does not grow past the limit: it begins anew with the answer that would not fit', () => {
  const history = new CandleHistory(1_000);
  for (let page = 0; page < 10; page++) {
    const fromMs = page * 300 * MINUTE_MS;
    history.add(0, '1m', fromMs, fromMs + 300 * MINUTE_MS, minutes(fromMs, 300));
    expect(history.count).toBeLessThanOrEqual(1_000);
    expect(history.find(0, '1m', fromMs)).toBeDefined();
    expect(history.isCovered(0, '1m', fromMs)).toBe(true);
  }
  // What was dropped is known to be unknown.
  expect(history.find(0, '1m', 0)).toBeUndefined();
  expect(history.isCovered(0, '1m', 0)).toBe(false);
});

test('ranges that do not touch are limited too', () => {
  const history = new CandleHistory(100_000);
  for (let at = 0; at < 2_000; at++) history.add(0, '1m', at * 10 * MINUTE_MS, (at * 10 + 1) * MINUTE_MS, minutes(at * 10 * MINUTE_MS, 1));
  expect(history.count).toBeLessThanOrEqual(256);
  expect(history.isCovered(0, '1m', 1_999 * 10 * MINUTE_MS)).toBe(true);
});
