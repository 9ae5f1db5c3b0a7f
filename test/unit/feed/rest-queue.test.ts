import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { RestQueue, RestRank } from '../../../src/feed/rest-queue.js';
import { SnapshotBudget } from '../../../src/feed/snapshot-budget.js';

beforeEach(() => vi.useFakeTimers({ now: 1_000_000 }));
afterEach(() => vi.useRealTimers());

const clock = (): number => Date.now();

function createQueue(booksWait: () => boolean = () => false) {
  const sent: string[] = [];
  const queue = new RestQueue({ budget: new SnapshotBudget({ ratePerSecond: 1_000, clock }), inFlightMax: 100, booksWait, clock });
  const add = (rank: RestRank, name: string): void =>
    queue.add({
      rank,
      fetch: async () => {
        sent.push(`${name} at ${clock() - 1_000_000}`);
        return new Uint8Array(0);
      },
      delivered: () => {},
      failed: () => {},
    });
  return { queue, add, sent };
}

test('requests for trades are spread out, whatever the budget, and hold up nothing else', async () => {
  const { add, sent } = createQueue();
  for (const name of ['a', 'b', 'c']) add(RestRank.TRADES, name);
  add(RestRank.CANDLES, 'candles');
  add(RestRank.TICKERS, 'tickers');
  await vi.advanceTimersByTimeAsync(1_000);
  expect(sent).toEqual(['a at 0', 'candles at 0', 'tickers at 0', 'b at 125', 'c at 250']);
});

test('books come first', async () => {
  let booksWait = true;
  const { add, sent } = createQueue(() => booksWait);
  add(RestRank.TRADES, 'trades');
  await vi.advanceTimersByTimeAsync(500);
  expect(sent).toEqual([]);
  booksWait = false;
  await vi.advanceTimersByTimeAsync(100);
  expect(sent).toEqual(['trades at 550']);
});
