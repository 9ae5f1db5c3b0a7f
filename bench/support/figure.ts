import { median } from './statistics.js';

/** Whether a higher or a lower ratio is the better one. */
export type Better = 'higher' | 'lower';

/** A ratio of two things that were measured in turn, one value for each pair. */
export interface Figure {
  /** Unique within its bench; the record is kept under it. */
  readonly id: string;
  readonly label: string;
  readonly better: Better;
  readonly pairs: readonly number[];
  /** What is to be reached; `null` = nothing was set, the figure is only watched. */
  readonly target: number | null;
}

/** What is kept of a figure. */
export interface RecordedFigure {
  readonly label: string;
  readonly better: Better;
  /** Median of the pairs. */
  readonly ratio: number;
  readonly lowest: number;
  readonly highest: number;
  /** How far a pair lay from the median at most, as a share of it; at least NOISE_MIN. */
  readonly noise: number;
  readonly pairs: number;
  readonly target: number | null;
}

/** Two runs on an idle machine differ by as much, whatever the pairs of one run say. */
export const NOISE_MIN = 0.05;

export function summarize({ label, better, pairs, target }: Figure): RecordedFigure {
  const ratio = median(pairs);
  const lowest = Math.min(...pairs);
  const highest = Math.max(...pairs);
  const noise = Math.max(NOISE_MIN, (ratio - lowest) / ratio, (highest - ratio) / ratio);
  return { label, better, ratio, lowest, highest, noise, pairs: pairs.length, target };
}

export function reaches(ratio: number, better: Better, target: number): boolean {
  return better === 'higher' ? ratio >= target : ratio <= target;
}

/** Whether the new ratio is worse than the recorded one by more than the recorded noise. */
export function isWorse(now: RecordedFigure, recorded: RecordedFigure): boolean {
  return recorded.better === 'higher'
    ? now.ratio < recorded.ratio * (1 - recorded.noise)
    : now.ratio > recorded.ratio * (1 + recorded.noise);
}
