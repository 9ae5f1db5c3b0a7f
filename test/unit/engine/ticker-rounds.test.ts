import pino from 'pino';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { TickerRounds } from '../../../src/engine/ticker-rounds.js';
import { CodedError, ErrorCode } from '../../../src/support/errors.js';

let rounds: TickerRounds;
beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  rounds.close();
  vi.useRealTimers();
});

function start(request: () => Promise<void>): void {
  rounds = new TickerRounds({ request, everyMs: 60_000, logger: pino({ level: 'silent' }) });
  rounds.start();
}

test('a round follows the answer of the one before, whether it came or not', async () => {
  let requests = 0;
  let answer: (() => void) | undefined;
  start(() => {
    requests++;
    if (requests === 2) return Promise.reject(new CodedError(ErrorCode.EXCHANGE_TIMEOUT, 'no answer'));
    return new Promise((resolve) => (answer = resolve));
  });
  await vi.advanceTimersByTimeAsync(59_999);
  expect(requests).toBe(0);
  await vi.advanceTimersByTimeAsync(1);
  expect(requests).toBe(1);
  await vi.advanceTimersByTimeAsync(200_000);
  expect(requests).toBe(1);
  answer!();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(requests).toBe(2);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(requests).toBe(3);
});

test('new symbols share a round that comes soon, and the next one is a whole period later', async () => {
  let requests = 0;
  start(() => Promise.resolve(void requests++));
  rounds.soon();
  await vi.advanceTimersByTimeAsync(1_000);
  rounds.soon();
  expect(requests).toBe(0);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(requests).toBe(1);
  await vi.advanceTimersByTimeAsync(59_000);
  expect(requests).toBe(1);
  rounds.soon();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(requests).toBe(2);
});

test('nothing is asked after the end', async () => {
  let requests = 0;
  start(() => Promise.resolve(void requests++));
  rounds.close();
  rounds.soon();
  await vi.advanceTimersByTimeAsync(200_000);
  expect(requests).toBe(0);
});
