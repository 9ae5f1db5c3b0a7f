import { describe, expect, it } from 'vitest';
import { SnapshotBudget } from '../../../src/feed/snapshot-budget.js';
import type { Purpose } from '../../../src/feed/snapshot-budget.js';

function setUp(options: { burst?: number; reserve?: number; random?: () => number } = {}) {
  const clock = { now: 1_000_000 };
  const budget = new SnapshotBudget({ ratePerSecond: 8, burst: 4, reserve: 2, clock: () => clock.now, random: () => 1, ...options });
  const drain = (purpose: Purpose): number => {
    let count = 0;
    while (budget.tryTake(purpose)) count++;
    return count;
  };
  return { clock, budget, drain };
}

describe('SnapshotBudget', () => {
  it('leaves the reserve to resyncs', () => {
    const { drain } = setUp();
    expect(drain('start')).toBe(2);
    expect(drain('resync')).toBe(2);
  });

  it('gives audits only what is left when the bucket is full, so that whoever comes next finds a request', () => {
    const { clock, budget, drain } = setUp();
    expect(drain('audit')).toBe(1);
    expect([budget.msUntil('start'), budget.msUntil('audit')]).toEqual([0, 125]);
    drain('resync');
    clock.now += 3 * 125;
    expect(drain('audit')).toBe(0);
    clock.now += 125;
    expect(drain('audit')).toBe(1);
  });

  it('gives start-up the full rate all the same', () => {
    const { clock, budget } = setUp();
    let taken = 0;
    const end = clock.now + 60_000;
    while (clock.now < end) {
      while (budget.tryTake('start')) taken++;
      const wait = budget.msUntil('start');
      expect(wait).toBeGreaterThan(0);
      clock.now += wait;
    }
    expect(taken).toBeGreaterThanOrEqual(60 * 8);
    expect(taken).toBeLessThanOrEqual(60 * 8 + 3);
  });

  it('serves a resync at once while start-up is waiting', () => {
    const { budget, drain } = setUp();
    drain('start');
    expect(budget.msUntil('start')).toBe(125);
    expect(budget.msUntil('resync')).toBe(0);
  });

  it('lets start-up wait until the reserve is full again', () => {
    const { budget, drain } = setUp();
    drain('resync');
    expect(budget.msUntil('resync')).toBe(125);
    expect(budget.msUntil('start')).toBe(375);
  });

  it('never holds more than the burst', () => {
    const { clock, drain } = setUp();
    drain('resync');
    clock.now += 3_600_000;
    expect(drain('resync')).toBe(4);
  });

  it('pauses for everybody for as long as the exchange asks, and starts empty', () => {
    const { clock, budget, drain } = setUp({ random: () => 0 });
    budget.throttled(7000);
    expect(budget.pausedUntil).toBe(clock.now + 7000);
    expect(drain('resync')).toBe(0);
    expect(budget.msUntil('resync')).toBe(7125);
    clock.now += 7000;
    expect(budget.pausedUntil).toBeNull();
    expect(drain('resync')).toBe(0);
    clock.now += 125;
    expect(drain('resync')).toBe(1);
  });

  it('adds jitter to Retry-After, never less', () => {
    const { clock, budget } = setUp({ random: () => 0.5 });
    budget.throttled(20_000);
    expect(budget.pausedUntil).toBe(clock.now + 20_500);
  });

  it('doubles the pause with each refusal in a row, up to five minutes', () => {
    const { clock, budget } = setUp();
    const pauses = Array.from({ length: 9 }, () => {
      budget.throttled(null);
      const pause = budget.pausedUntil! - clock.now;
      clock.now = budget.pausedUntil!;
      return pause / 1000;
    });
    expect(pauses).toEqual([5, 10, 20, 40, 80, 160, 300, 300, 300]);
    budget.succeeded();
    budget.throttled(null);
    expect(budget.pausedUntil! - clock.now).toBe(5000);
  });

  it('jitters the pause downwards by a fifth at most', () => {
    const { clock, budget } = setUp({ random: () => 0 });
    budget.throttled(null);
    expect(budget.pausedUntil! - clock.now).toBe(4000);
  });

  it('takes refusals of requests sent before the pause for one', () => {
    const { clock, budget } = setUp({ random: () => 0 });
    budget.throttled(null);
    const until = budget.pausedUntil;
    clock.now += 10;
    budget.throttled(null);
    budget.throttled(1000);
    expect(budget.pausedUntil).toBe(until);
    budget.throttled(60_000);
    expect(budget.pausedUntil).toBe(clock.now + 60_000);
  });

  it('waits longer than Retry-After when refused again right after it', () => {
    const { clock, budget } = setUp();
    budget.throttled(1000);
    clock.now = budget.pausedUntil!;
    budget.throttled(1000);
    expect(budget.pausedUntil! - clock.now).toBe(10_000);
  });

  it('does not take an answer from before the pause for its end', () => {
    const { clock, budget } = setUp();
    budget.throttled(null);
    budget.succeeded();
    clock.now = budget.pausedUntil!;
    budget.throttled(null);
    expect(budget.pausedUntil! - clock.now).toBe(10_000);
  });

  it('leaves a request to whoever waits for one, however many are taken meanwhile', async () => {
    const { clock, budget, drain } = setUp();
    drain('resync');
    let isServed = false;
    const served = budget.acquire().then(() => (isServed = true));
    clock.now += 125;
    expect(drain('resync')).toBe(0);
    expect(budget.msUntil('resync')).toBe(125);
    clock.now += 125;
    expect(drain('resync')).toBe(1);
    await served;
    expect(isServed).toBe(true);
    clock.now += 125;
    expect(drain('resync')).toBe(1);
  });

  it('tells who would wait too long when to come back, also when a pause begins meanwhile', async () => {
    const { clock, budget, drain } = setUp();
    drain('resync');
    await expect(budget.acquire(100)).rejects.toMatchObject({ code: 'EXCHANGE_THROTTLED', details: { retryAfterMs: 125 } });
    const waiting = budget.acquire(5_000);
    budget.throttled(60_000);
    clock.now += 1_000;
    await expect(waiting).rejects.toMatchObject({ code: 'EXCHANGE_THROTTLED' });
    clock.now += 3_600_000;
    // Nobody is waited for any more.
    expect(drain('resync')).toBe(4);
  });

  it('resolves acquire at once while there is something to take', async () => {
    const { budget, drain } = setUp();
    await budget.acquire();
    expect(drain('resync')).toBe(3);
  });
});
