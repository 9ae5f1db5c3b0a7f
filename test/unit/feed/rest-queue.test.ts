import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { RestKind, RestQueue } from '../../../src/feed/rest-queue.js';
import { SnapshotBudget } from '../../../src/feed/snapshot-budget.js';
import { CodedError, ErrorCode } from '../../../src/support/errors.js';

beforeEach(() => vi.useFakeTimers({ now: 1_000_000 }));
afterEach(() => vi.useRealTimers());

const clock = (): number => Date.now();

function createQueue(booksWait: () => boolean = () => false, ratePerSecond = 1_000) {
  const sent: string[] = [];
  const failures: unknown[] = [];
  const answers = { next: (): Promise<Uint8Array> => Promise.resolve(new Uint8Array(0)) };
  const budget = new SnapshotBudget({ ratePerSecond, clock, random: () => 0 });
  const queue = new RestQueue({ budget, inFlightMax: 100, booksWait, clock });
  const request = (kind: RestKind, name: string) => ({
    kind,
    fetch: () => {
      sent.push(`${name} at ${clock() - 1_000_000}`);
      return answers.next();
    },
    delivered: () => {},
    failed: (error: unknown) => void failures.push(error),
  });
  const add = (kind: RestKind, name: string): void => queue.add(request(kind, name));
  return { queue, budget, add, request, sent, failures, answers };
}

const namesOf = (sent: readonly string[]): string[] => sent.map((line) => line.split(' ')[0]!);

test('requests for trades are spread out, whatever the budget, and hold up nothing else', async () => {
  const { add, sent } = createQueue();
  for (const name of ['a', 'b', 'c']) add(RestKind.TRADES, name);
  add(RestKind.CANDLES, 'candles');
  add(RestKind.TICKERS, 'tickers');
  await vi.advanceTimersByTimeAsync(1_000);
  expect(sent).toEqual(['a at 0', 'candles at 0', 'tickers at 0', 'b at 125', 'c at 250']);
});

test('books come first', async () => {
  let booksWait = true;
  const { add, sent } = createQueue(() => booksWait);
  add(RestKind.TRADES, 'trades');
  await vi.advanceTimersByTimeAsync(500);
  expect(sent).toEqual([]);
  booksWait = false;
  await vi.advanceTimersByTimeAsync(100);
  expect(sent).toEqual(['trades at 550']);
});

test('the kinds that wait take turns, so that none keeps another waiting', async () => {
  let booksWait = true;
  const { add, sent } = createQueue(() => booksWait, 8);
  for (const name of ['candles1', 'candles2', 'candles3']) add(RestKind.CANDLES, name);
  for (const name of ['history1', 'history2']) add(RestKind.HISTORY, name);
  add(RestKind.AUDIT, 'audit');
  add(RestKind.TRADES, 'trades');
  add(RestKind.TIME, 'time');
  add(RestKind.TICKERS, 'tickers');
  booksWait = false;
  await vi.advanceTimersByTimeAsync(2_000);
  expect(namesOf(sent)).toEqual(['candles1', 'history1', 'tickers', 'time', 'trades', 'audit', 'candles2', 'history2', 'candles3']);
});

test('more requests for candles than go out in five seconds are refused, and counted', () => {
  const { queue, request, add, failures } = createQueue(() => true, 8);
  for (let i = 0; i < 40; i++) add(RestKind.CANDLES, 'candles');
  expect(failures).toEqual([]);
  const late = request(RestKind.CANDLES, 'late');
  queue.add(late);
  expect(failures).toMatchObject([{ code: ErrorCode.EXCHANGE_QUEUE_FULL, details: { retryAfterMs: 5_000 } }]);
  expect(queue.isWaiting(late)).toBe(false);
  for (let i = 0; i < 4_100; i++) add(RestKind.HISTORY, 'history');
  // Nobody else is kept out.
  for (let i = 0; i < 100; i++) add(RestKind.TRADES, 'trades');
  expect(queue.status).toMatchObject({
    candles: { waiting: 40, refused: 1 },
    history: { waiting: 4_096, refused: 4 },
    trades: { waiting: 100, refused: 0 },
  });
  queue.close();
  expect(queue.waiting).toBe(0);
});

test('a request that is not wanted any more leaves its place to the next', async () => {
  let booksWait = true;
  const { queue, add, request, sent } = createQueue(() => booksWait, 8);
  const first = request(RestKind.CANDLES, 'first');
  queue.add(first);
  add(RestKind.CANDLES, 'second');
  queue.cancel(first);
  expect(queue.waiting).toBe(1);
  booksWait = false;
  await vi.advanceTimersByTimeAsync(1_000);
  expect(namesOf(sent)).toEqual(['second']);
});

test('a request keeps its place when the whole host is refused', async () => {
  const { budget, add, sent, failures, answers } = createQueue(() => false, 8);
  answers.next = () => {
    budget.throttled(1_000);
    answers.next = () => Promise.resolve(new Uint8Array(0));
    return Promise.reject(new CodedError(ErrorCode.EXCHANGE_THROTTLED, 'too many'));
  };
  add(RestKind.CANDLES, 'first');
  add(RestKind.CANDLES, 'second');
  await vi.advanceTimersByTimeAsync(3_000);
  expect([namesOf(sent), failures]).toEqual([['first', 'first', 'second'], []]);
});
