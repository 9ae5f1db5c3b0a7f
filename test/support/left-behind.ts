import { deepEqual, ok } from 'node:assert/strict';
import { afterAll, beforeAll, vi } from 'vitest';

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
  deepEqual(kept(), before, 'this file leaves something behind');
  const { systemClock } = await import('../../src/support/clock.js');
  ok(Math.abs(systemClock() - Date.now()) < 1_000, 'this file moved the clock');
});
