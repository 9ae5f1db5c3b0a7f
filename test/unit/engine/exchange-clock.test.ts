import pino from 'pino';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ExchangeClock } from '../../../src/engine/exchange-clock.js';
import type { ClockSample } from '../../../src/feed/feed.js';
import { decodeServerTime } from '../../../src/mexc/server-time.js';
import { CodedError, ErrorCode } from '../../../src/support/errors.js';

let clock: ExchangeClock;
beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  clock.close();
  vi.useRealTimers();
});

function start(answers: (ClockSample | ErrorCode)[]): void {
  clock = new ExchangeClock({
    request: async () => {
      const answer = answers.shift() ?? ErrorCode.SHUTTING_DOWN;
      if (typeof answer === 'string') throw new CodedError(answer, 'no time');
      return answer;
    },
    everyMs: 60_000,
    logger: pino({ level: 'silent' }),
  });
  clock.start();
}

test('the quickest answer of a round counts, and a later round replaces it', async () => {
  start([
    { sentMs: 1000, exchangeMs: 6400, receivedMs: 1300 },
    { sentMs: 2000, exchangeMs: 7010, receivedMs: 2020 },
    { sentMs: 3000, exchangeMs: 8100, receivedMs: 3200 },
    { sentMs: 70_000, exchangeMs: 69_010, receivedMs: 70_040 },
    { sentMs: 70_100, exchangeMs: 69_150, receivedMs: 70_200 },
    { sentMs: 70_200, exchangeMs: 69_250, receivedMs: 70_300 },
  ]);
  expect(clock.status).toBeNull();
  await vi.advanceTimersByTimeAsync(0);
  expect(clock.status).toEqual({ offsetMs: 5000.5, errorMs: 10.5, measuredAt: 2020 });
  await vi.advanceTimersByTimeAsync(60_000);
  expect(clock.status).toEqual({ offsetMs: -1009.5, errorMs: 20.5, measuredAt: 70_040 });
});

test('a request that fails ends the round: what it found counts, and without anything the estimate stays', async () => {
  start([
    { sentMs: 0, exchangeMs: 100, receivedMs: 100 },
    ErrorCode.EXCHANGE_TIMEOUT,
    ErrorCode.EXCHANGE_TIMEOUT,
    { sentMs: 0, exchangeMs: 10, receivedMs: 10 },
  ]);
  await vi.advanceTimersByTimeAsync(0);
  expect(clock.status).toEqual({ offsetMs: 50.5, errorMs: 50.5, measuredAt: 100 });
  await vi.advanceTimersByTimeAsync(60_000);
  expect(clock.status).toMatchObject({ measuredAt: 100 });
  await vi.advanceTimersByTimeAsync(60_000);
  expect(clock.status).toMatchObject({ measuredAt: 10 });
});

test.each([
  ['{"serverTime":1764207637123}', 1_764_207_637_123],
  ['{"serverTime":"1764207637123"}', NaN],
  ['{"serverTime":-1}', NaN],
  ['null', NaN],
  ['{}', NaN],
  ['<html>', NaN],
  ['', NaN],
])('%s is the time %d', (body, time) => {
  expect(decodeServerTime(Buffer.from(body))).toBe(time);
});
