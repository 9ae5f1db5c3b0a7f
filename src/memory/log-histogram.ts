import { assert } from '../support/assert.js';

/*
 * How often a time was how long: cheap enough for every push, four buckets for each doubling from 1 µs to 67 s.
 *
 *   double  0       1            2                              102     103
 *           +-------+------------+------------------------------+-------+
 *           | sum   | negative   | bucket 0 … bucket 99         | more  |
 *           +-------+------------+------------------------------+-------+
 *
 * `sum` in ms, of what was not negative. Negative times (two clocks that differ) are counted in `negative` and in bucket 0. Bucket n holds
 * what is longer than the bound of n - 1 and at most its own; `more` what is longer than the last bound.
 *
 * One thread writes, any thread reads: each word by itself is right, together they may be one observation apart.
 */

export const HISTOGRAM_SUM = 0;
export const HISTOGRAM_NEGATIVE = 1;
export const HISTOGRAM_BUCKETS = 2;
export const HISTOGRAM_DOUBLES = 104;

/** Buckets with a bound; one more holds the rest. */
const BOUNDED = 100;
/** log2 of the µs of the last bound. */
const OCTAVES = 26;

/** Upper bounds in µs, inclusive, ascending. */
export const histogramBoundsUs: readonly number[] = Array.from({ length: BOUNDED }, (_, bucket) => {
  if (bucket < 4) return bucket + 1;
  const octave = (bucket >> 2) + 1;
  return (5 + (bucket & 3)) * 2 ** (octave - 2);
});
assert(histogramBoundsUs.at(-1) === 2 ** OCTAVES, 'the last bound ends the last octave');
assert(HISTOGRAM_BUCKETS + BOUNDED + 1 <= HISTOGRAM_DOUBLES, 'the buckets fit');

/** The writing side. One thread only. */
export class LogHistogram {
  readonly #words: Float64Array;
  readonly #at: number;

  /** `at`: index of its first word. */
  constructor(words: Float64Array, at = 0) {
    this.#words = words;
    this.#at = at;
  }

  /** Hot: no allocation. Not to be called with NaN. */
  record(ms: number): void {
    const words = this.#words;
    const at = this.#at;
    let bucket = 0;
    if (ms > 0) {
      words[at + HISTOGRAM_SUM] = words[at + HISTOGRAM_SUM]! + ms;
      bucket = bucketOf(ms * 1000);
    } else if (ms < 0) words[at + HISTOGRAM_NEGATIVE] = words[at + HISTOGRAM_NEGATIVE]! + 1;
    const index = at + HISTOGRAM_BUCKETS + bucket;
    words[index] = words[index]! + 1;
  }
}

/** The bucket of a time above 0, in µs. */
function bucketOf(us: number): number {
  const whole = Math.ceil(us) - 1;
  if (whole < 4) return whole;
  if (whole >= 67_108_864) return BOUNDED;
  const octave = 31 - Math.clz32(whole);
  return ((octave - 1) << 2) | ((whole >> (octave - 2)) & 3);
}

/**
 * Times that end together: those of a batch, of which each began at its own moment. One look at the clock serves them all. One thread only.
 */
export class BatchTimes {
  readonly #histogram: LogHistogram;
  readonly #starts: Float64Array;
  #count = 0;

  constructor(histogram: LogHistogram, batchMax: number) {
    this.#histogram = histogram;
    this.#starts = new Float64Array(batchMax);
  }

  /** Unix ms. At most as many a batch as was said. */
  began(ms: number): void {
    this.#starts[this.#count++] = ms;
  }

  /** Whether so many more may begin. */
  hasRoomFor(more: number): boolean {
    return this.#count + more <= this.#starts.length;
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** All that began ends now. */
  end(nowMs: number): void {
    for (let i = 0; i < this.#count; i++) this.#histogram.record(nowMs - this.#starts[i]!);
    this.#count = 0;
  }
}
