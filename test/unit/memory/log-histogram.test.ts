import { describe, expect, test } from 'vitest';
import {
  BatchTimes,
  HISTOGRAM_BUCKETS,
  HISTOGRAM_DOUBLES,
  HISTOGRAM_NEGATIVE,
  HISTOGRAM_SUM,
  histogramBoundsUs,
  LogHistogram,
} from '../../../src/memory/log-histogram.js';
import { readTimes } from '../../../src/publish/meter-reader.js';

/** The bucket a time of so many ms is counted in. */
function bucketOf(ms: number): number {
  const words = new Float64Array(HISTOGRAM_DOUBLES);
  new LogHistogram(words).record(ms);
  const buckets = words.subarray(HISTOGRAM_BUCKETS);
  expect(buckets.reduce((sum, count) => sum + count, 0)).toBe(1);
  return buckets.indexOf(1);
}

describe('LogHistogram', () => {
  test('bounds ascend by a quarter at most, from 1 µs to 67 s', () => {
    expect([histogramBoundsUs[0], histogramBoundsUs.at(-1)]).toEqual([1, 2 ** 26]);
    for (let i = 4; i < histogramBoundsUs.length; i++) {
      const ratio = histogramBoundsUs[i]! / histogramBoundsUs[i - 1]!;
      expect([ratio > 1, ratio <= 1.25]).toEqual([true, true]);
    }
  });

  test('a bound belongs to its bucket, and what is a little longer to the next', () => {
    for (const [bucket, bound] of histogramBoundsUs.entries()) {
      expect([bucket, bucketOf(bound / 1000)]).toEqual([bucket, bucket]);
      expect([bucket, bucketOf((bound + 0.5) / 1000)]).toEqual([bucket, bucket + 1]);
    }
  });

  test('what is longer than every bound is counted, and adds to the sum', () => {
    const words = new Float64Array(HISTOGRAM_DOUBLES);
    const histogram = new LogHistogram(words);
    for (const ms of [67_109, 1e9, Number.MAX_SAFE_INTEGER]) histogram.record(ms);
    expect(words[HISTOGRAM_BUCKETS + histogramBoundsUs.length]).toBe(3);
    expect(words[HISTOGRAM_SUM]).toBe(67_109 + 1e9 + Number.MAX_SAFE_INTEGER);
  });

  test('a negative time is counted as one, in the first bucket, and not summed', () => {
    const words = new Float64Array(HISTOGRAM_DOUBLES);
    const histogram = new LogHistogram(words);
    for (const ms of [-0.001, -1270, 0, 5]) histogram.record(ms);
    expect([words[HISTOGRAM_NEGATIVE], words[HISTOGRAM_BUCKETS], words[HISTOGRAM_SUM]]).toEqual([2, 3, 5]);
  });

  test('histograms of several writers are read as one', () => {
    const writers = [0, 1, 2].map(() => new Float64Array(16 + HISTOGRAM_DOUBLES));
    writers.forEach((words, index) => new LogHistogram(words, 16).record(index - 1));
    const { counts, sumMs, negative } = readTimes(writers, 16);
    expect([counts.length, counts[0], counts[bucketOf(1)], sumMs, negative]).toEqual([histogramBoundsUs.length + 1, 2, 1, 1, 1]);
  });
});

test('BatchTimes ends all that began, once', () => {
  const words = new Float64Array(HISTOGRAM_DOUBLES);
  const batch = new BatchTimes(new LogHistogram(words), 4);
  batch.began(100);
  batch.began(107);
  batch.end(110);
  expect([words[HISTOGRAM_SUM], batch.isEmpty]).toEqual([13, true]);
  batch.end(200);
  expect(words[HISTOGRAM_SUM]).toBe(13);
});
