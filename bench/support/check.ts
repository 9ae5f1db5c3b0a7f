import { isWorse, type RecordedFigure } from './figure.js';

export type FigureRecords = Readonly<Record<string, RecordedFigure>>;

/**
 * What is wrong with a bench's new figures beside the recorded ones, a line each: ratios that got worse by more than the recorded noise,
 * and recorded figures that were not measured this time. Figures without a record are new and pass.
 */
export function compareWithRecord(bench: string, now: FigureRecords, recorded: FigureRecords): string[] {
  return Object.entries(recorded).flatMap(([id, before]) => {
    const figure = now[id];
    if (figure === undefined) return [`${bench}: ${before.label}: not measured, recorded ${before.ratio.toFixed(2)}`];
    if (!isWorse(figure, before)) return [];
    const noise = Math.round(before.noise * 100);
    return [`${bench}: ${before.label}: ${figure.ratio.toFixed(2)}, recorded ${before.ratio.toFixed(2)} with ${noise} % noise`];
  });
}
