import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest';

// A clock of its own, since it never goes back: other files get another one.
let { catchUp, systemClock } = await import('../../../src/support/clock.js');
beforeEach(async () => {
  vi.resetModules();
  ({ catchUp, systemClock } = await import('../../../src/support/clock.js'));
});
afterEach(() => vi.restoreAllMocks());
afterAll(() => vi.resetModules());

function setSystemClock(aheadMs: number): void {
  const real = Date.now();
  vi.spyOn(Date, 'now').mockImplementation(() => real + aheadMs);
}

test('goes with the system, and forward when that jumped', () => {
  expect(Math.abs(systemClock() - Date.now())).toBeLessThan(1000);
  const before = systemClock();
  setSystemClock(900);
  expect(catchUp()).toBe(0);
  setSystemClock(3_600_000);
  const ahead = catchUp();
  expect(ahead).toBeGreaterThan(3_590_000);
  expect(systemClock() - before).toBeGreaterThan(3_590_000);
  expect(catchUp()).toBe(0);
});

test('never goes back', () => {
  const before = systemClock();
  setSystemClock(-3_600_000);
  expect(catchUp()).toBe(0);
  expect(systemClock()).toBeGreaterThanOrEqual(before);
});
