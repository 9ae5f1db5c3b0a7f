import { reaches, type RecordedFigure } from './figure.js';
import { formatTable } from './table.js';

/** The table every bench ends with: its ratios, how far the pairs lay apart, and whether what was set is reached. */
export function formatFigures(figures: readonly RecordedFigure[]): string {
  return formatTable(
    ['ratio', 'median', 'lowest - highest', 'pairs', 'to reach'],
    figures.map((figure) => [
      figure.label,
      figure.ratio.toFixed(2),
      `${figure.lowest.toFixed(2)} - ${figure.highest.toFixed(2)}`,
      String(figure.pairs),
      formatTarget(figure),
    ]),
  );
}

function formatTarget({ ratio, better, target }: RecordedFigure): string {
  if (target === null) return '';
  const bound = better === 'higher' ? 'at least' : 'at most';
  return `${bound} ${target} ${reaches(ratio, better, target) ? 'reached' : 'missed'}`;
}
