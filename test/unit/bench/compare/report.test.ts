import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../../../bench/compare/observation.js';
import { describeOutcomes } from '../../../../bench/compare/report.js';

const fine: Outcome = { told: undefined, wrongMs: 0, wrongLevels: 0, rightAfterMs: 0 };
const running = { when: 'running' } as const;

describe('what became of a book', () => {
  it('says nothing more when it was never wrong', () => {
    expect(describeOutcomes(running, [fine, { ...fine, wrongMs: 200, wrongLevels: 1 }])).toBe('right throughout');
    expect(describeOutcomes({ when: 'start' }, [{ ...fine, rightAfterMs: 1_234 }])).toBe('right after 1.2 s');
  });

  it('gives the longest times, and for how many they hold', () => {
    const told = { ...fine, told: { what: 'syncing (gap)', afterMs: 300 }, rightAfterMs: 400 };
    const late = { ...told, told: { what: 'syncing (gap)', afterMs: 900 }, rightAfterMs: 2_000 };
    const wrong = { told: undefined, wrongMs: 5_000, wrongLevels: 7, rightAfterMs: undefined };
    expect(describeOutcomes(running, [told, late])).toBe('told `syncing (gap)` after 0.9 s; right after 2.0 s');
    expect(describeOutcomes(running, [told, wrong])).toBe(
      'told `syncing (gap)` after 0.3 s (1 of 2); **up to 7 levels wrong for 5.0 s** (1 of 2); not right at the end (1 of 2)',
    );
  });
});
