import { expect, it } from 'vitest';
import type { Case } from '../../bench/compare/cases.js';
import { compare } from '../../bench/compare/compare.js';
import { formatComparison } from '../../bench/compare/report.js';

const lost: Case = { what: 'a push is lost', faults: (symbol) => [{ action: 'skip', symbol }], when: 'running', watchMs: 1_500 };
const twice: Case = { what: 'a push comes twice', faults: (symbol) => [{ action: 'duplicate', symbol }], when: 'running', watchMs: 1_500 };

/** The smallest part of `npm run compare`: the real candidates, two faults, one symbol each. */
it('mdp notices a lost push; ccxt and the order book of tardis-dev cannot', { timeout: 120_000 }, async () => {
  // Faster than the comparison itself: ccxt begins after 25 pushes.
  const comparison = await compare([[lost, twice]], 1, { rate: 8 });
  expect(comparison.candidates).toEqual(['mdp', 'ccxt', 'tardis-dev OrderBook']);
  const [first, second] = comparison.results.map(({ outcomes }) => outcomes.flatMap((list) => list ?? []));
  expect(first).toMatchObject([
    { told: { what: 'syncing (gap)' }, rightAfterMs: expect.any(Number) as number },
    { told: undefined },
    { told: undefined },
  ]);
  expect(second).toMatchObject([{ told: undefined }, { told: undefined }, { told: undefined }]);
  expect(formatComparison(comparison)).toContain('| a push is lost | told `syncing (gap)`');
});
