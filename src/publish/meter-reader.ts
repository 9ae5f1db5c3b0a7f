import { HISTOGRAM_BUCKETS, HISTOGRAM_NEGATIVE, HISTOGRAM_SUM, histogramBoundsUs } from '../memory/log-histogram.js';
import type { TimesSeen } from '../model/meters.js';

const BUCKETS = histogramBoundsUs.length + 1;

/** One histogram, or several of different writers as if they were one. Each lies at `at` of its words. */
export function readTimes(words: readonly Float64Array[], at: number): TimesSeen {
  const counts = new Float64Array(BUCKETS);
  let sumMs = 0;
  let negative = 0;
  for (const each of words) {
    sumMs += each[at + HISTOGRAM_SUM]!;
    negative += each[at + HISTOGRAM_NEGATIVE]!;
    for (let bucket = 0; bucket < BUCKETS; bucket++) counts[bucket] = counts[bucket]! + each[at + HISTOGRAM_BUCKETS + bucket]!;
  }
  return { counts, sumMs, negative };
}
