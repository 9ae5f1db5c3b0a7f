import { median } from '../../bench/support/statistics.js';

export interface Flatness {
  /** Medians of the tenths of the time looked at, bytes. */
  readonly tenths: readonly number[];
  /** Last tenth against the first, percent. */
  readonly growth: number;
  /** The rise of the line of least squares from the beginning to the end, in percent of where it begins. */
  readonly trend: number;
}

/** How flat a row of samples at even intervals is. With fewer than ten all are NaN. */
export function flatnessOf(samples: readonly number[]): Flatness {
  const tenths = Array.from({ length: 10 }, (_, i) =>
    median(samples.slice(Math.floor((i * samples.length) / 10), Math.floor(((i + 1) * samples.length) / 10))),
  );
  const mean = samples.reduce((sum, value) => sum + value, 0) / samples.length;
  const middle = (samples.length - 1) / 2;
  let [product, square] = [0, 0];
  for (const [i, value] of samples.entries()) {
    product += (i - middle) * (value - mean);
    square += (i - middle) ** 2;
  }
  const slope = product / square;
  return {
    tenths,
    growth: (tenths[9]! / tenths[0]! - 1) * 100,
    trend: ((slope * (samples.length - 1)) / (mean - slope * middle)) * 100,
  };
}
