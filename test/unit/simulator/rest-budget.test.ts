import { describe, expect, it } from 'vitest';
import { defaultLimits } from '../../../src/simulator/limits.js';
import { RestBudget } from '../../../src/simulator/rest-budget.js';

const limits = { ...defaultLimits, restWeightPer10s: 10, restBanAfter: 2, restBanMs: 5_000 };

function statuses(budget: RestBudget, times: readonly number[], endpoint = 'depth', weight = 1): number[] {
  return times.map((time) => budget.charge('a', endpoint, weight, time)?.status ?? 200);
}

describe('RestBudget', () => {
  it('grants each endpoint its weight in ten seconds, then tells when to come back', () => {
    const budget = new RestBudget(limits);
    expect(
      statuses(
        budget,
        Array.from({ length: 10 }, (_, i) => i * 100),
      ),
    ).toEqual(Array(10).fill(200));
    expect(budget.charge('a', 'depth', 1, 2_500)).toMatchObject({ status: 429, headers: { 'retry-after': '8' } });
    expect(statuses(budget, [2_500], 'trades', 5)).toEqual([200]);
    expect(budget.charge('b', 'depth', 1, 2_500)).toBeUndefined();
    expect(statuses(budget, [10_000])).toEqual([200]);
    expect(budget.refused).toBe(1);
  });

  it('bans who does not listen', () => {
    const budget = new RestBudget(limits);
    statuses(budget, Array(10).fill(0));
    expect(statuses(budget, [1_000, 1_000, 1_000, 5_999, 10_000])).toEqual([429, 429, 418, 418, 200]);
  });

  it('answers bursts with the firewall page, without a hint', () => {
    const budget = new RestBudget({ ...defaultLimits, restBurstPerSecond: 5, restBlockMs: 3_000 });
    expect(statuses(budget, [0, 0, 0, 0, 0, 0, 2_900, 3_100])).toEqual([200, 200, 200, 200, 200, 403, 403, 200]);
    for (let i = 0; i < 6; i++) budget.charge('c', 'depth', 1, 0);
    expect(budget.charge('c', 'depth', 1, 10)).not.toHaveProperty('headers');
  });
});
