import type { Case } from './cases.js';
import type { Comparison } from './compare.js';
import type { Outcome } from './observation.js';

/** Wrong for less than this is what the looks themselves leave open. */
const WRONG_MS_MIN = 500;

/** A row a case, a column a candidate. Markdown. */
export function formatComparison({ candidates, results }: Comparison): string {
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    row(['what goes wrong', ...candidates]),
    row(['what goes wrong', ...candidates].map(() => '---')),
    ...results.map(({ one, outcomes }) =>
      row([one.what, ...outcomes.map((list) => (list === undefined ? '–' : describeOutcomes(one, list)))]),
    ),
  ].join('\n');
}

/** What became of one candidate's books in one case, over all repetitions: each time is the longest. */
export function describeOutcomes({ when }: Pick<Case, 'when'>, outcomes: readonly Outcome[]): string {
  const parts: string[] = [];
  const told = outcomes.flatMap(({ told }) => (told === undefined ? [] : [told]));
  if (told.length > 0) {
    const whats = [...new Set(told.map(({ what }) => `\`${what}\``))].join(', ');
    parts.push(`told ${whats} after ${longest(told.map(({ afterMs }) => afterMs))}${share(told.length, outcomes.length)}`);
  }
  const wrong = outcomes.filter(({ wrongMs }) => wrongMs >= WRONG_MS_MIN);
  if (wrong.length > 0) {
    const levels = Math.max(...wrong.map(({ wrongLevels }) => wrongLevels));
    parts.push(
      `**up to ${levels} levels wrong for ${longest(wrong.map(({ wrongMs }) => wrongMs))}**${share(wrong.length, outcomes.length)}`,
    );
  }
  const right = outcomes.flatMap(({ rightAfterMs }) => (rightAfterMs === undefined ? [] : [rightAfterMs]));
  if (right.length < outcomes.length) parts.push(`not right at the end${share(outcomes.length - right.length, outcomes.length)}`);
  else if (parts.length > 0 || when === 'start' || Math.max(...right) >= WRONG_MS_MIN) parts.push(`right after ${longest(right)}`);
  return parts.length === 0 ? 'right throughout' : parts.join('; ');
}

function share(some: number, all: number): string {
  return some === all ? '' : ` (${some} of ${all})`;
}

function longest(ms: readonly number[]): string {
  return `${(Math.max(...ms) / 1000).toFixed(1)} s`;
}
