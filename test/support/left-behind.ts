import { afterAll, beforeAll, expect, vi } from 'vitest';

/** What the files that one process runs after another could trip over. */
const kept = () => ({
  fakeTimers: vi.isFakeTimers(),
  environment: { ...process.env },
  folder: process.cwd(),
  listeners: ['uncaughtException', 'unhandledRejection', 'SIGTERM', 'SIGINT'].map((event) => [event, process.listenerCount(event)]),
});
let before: ReturnType<typeof kept>;

beforeAll(() => {
  before = kept();
});

afterAll(async () => {
  expect(kept(), 'what this file leaves behind').toEqual(before);
  const { systemClock } = await import('../../src/support/clock.js');
  expect(Math.abs(systemClock() - Date.now()), 'how far this file moved the clock, ms').toBeLessThan(1_000);
});
