import { describe, expect, it, test } from 'vitest';
import { candleIntervals, candleLengthsMs, DAY_MS, nextOpen, openAfter, openTimeOf } from '../../../src/model/candle-interval.js';

const at = (text: string): number => Date.parse(`${text}Z`);

describe('openTimeOf', () => {
  test.each([
    ['1m', '2024-02-29T23:59:59.999', '2024-02-29T23:59:00'],
    ['3m', '2024-02-29T23:59:59.999', '2024-02-29T23:57:00'],
    ['30m', '2024-03-01T00:29:59', '2024-03-01T00:00:00'],
    ['1h', '2024-03-01T00:59:59', '2024-03-01T00:00:00'],
    ['6h', '2024-03-01T17:59:59', '2024-03-01T12:00:00'],
    ['8h', '2024-03-01T15:59:59', '2024-03-01T08:00:00'],
    ['12h', '2024-03-01T12:00:00', '2024-03-01T12:00:00'],
    ['1d', '2024-02-29T00:00:00', '2024-02-29T00:00:00'],
    // Day 19,782 of the epoch is the first of three.
    ['3d', '2024-02-29T12:00:00', '2024-02-29T00:00:00'],
    ['3d', '2024-03-02T23:59:59', '2024-02-29T00:00:00'],
    // A Monday, and the Sunday before it.
    ['1w', '2024-07-01T00:00:00', '2024-07-01T00:00:00'],
    ['1w', '2024-06-30T23:59:59.999', '2024-06-24T00:00:00'],
    // The week of the turn of the year begins in the old one.
    ['1w', '2025-01-01T12:00:00', '2024-12-30T00:00:00'],
    // The first days of the epoch, a Thursday, belong to a week that began before it.
    ['1w', '1970-01-01T00:00:00', '1969-12-29T00:00:00'],
    ['1M', '2024-02-29T23:59:59.999', '2024-02-01T00:00:00'],
    ['1M', '2023-03-01T00:00:00', '2023-03-01T00:00:00'],
    ['1M', '2024-12-31T23:59:59.999', '2024-12-01T00:00:00'],
  ] as const)('%s at %s opened at %s', (interval, time, open) => {
    expect(new Date(openTimeOf(interval, at(time)))).toEqual(new Date(at(open)));
  });
});

describe('nextOpen', () => {
  test.each([
    ['1M', '2023-02-01T00:00:00', 28],
    ['1M', '2024-02-01T00:00:00', 29],
    ['1M', '2000-02-01T00:00:00', 29],
    ['1M', '2100-02-01T00:00:00', 28],
    ['1M', '2024-04-01T00:00:00', 30],
    ['1M', '2024-12-01T00:00:00', 31],
    ['1w', '2024-12-30T00:00:00', 7],
    ['3d', '2024-02-29T00:00:00', 3],
    ['1d', '2024-02-28T00:00:00', 1],
  ] as const)('%s of %s has %i days', (interval, open, days) => {
    expect((nextOpen(interval, at(open)) - at(open)) / DAY_MS).toBe(days);
  });
});

it('candles of every interval follow each other without gap or overlap, across leap days and years', () => {
  for (const interval of candleIntervals) {
    let openMs = openTimeOf(interval, at('2023-12-31T22:30:00'));
    for (let i = 0; i < 500; i++) {
      const end = nextOpen(interval, openMs);
      expect(openTimeOf(interval, openMs)).toBe(openMs);
      expect(openTimeOf(interval, end - 1)).toBe(openMs);
      expect(openTimeOf(interval, end)).toBe(end);
      expect(openAfter(interval, end, -1)).toBe(openMs);
      if (candleLengthsMs[interval] !== null) expect(end - openMs).toBe(candleLengthsMs[interval]);
      openMs = end;
    }
  }
});
