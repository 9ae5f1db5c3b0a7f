import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { baseIntervals } from '../../../src/candle/base-interval.js';
import { KlinesFetcher } from '../../../src/feed/klines-fetcher.js';
import { RestQueue } from '../../../src/feed/rest-queue.js';
import { SnapshotBudget } from '../../../src/feed/snapshot-budget.js';
import { HOUR_MS } from '../../../src/model/candle-interval.js';
import type { KlinesRange } from '../../../src/model/feed.js';
import { ErrorCode } from '../../../src/support/errors.js';
import { tracked } from '../../support/feed-harness.js';

const HOURS = baseIntervals.indexOf('1h');
const range = (from: number, to: number): KlinesRange => ({ base: HOURS, fromMs: from * HOUR_MS, toMs: to * HOUR_MS });

let booksWait: boolean;
let asked: string[];
let delivered: [symbolId: number, range: KlinesRange][];
let answer: () => Promise<Uint8Array>;
let queue: RestQueue;
let fetcher: KlinesFetcher;

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
  booksWait = true;
  asked = [];
  delivered = [];
  answer = () => Promise.resolve(new Uint8Array(1));
  const clock = (): number => Date.now();
  queue = new RestQueue({ budget: new SnapshotBudget({ clock }), inFlightMax: 100, booksWait: () => booksWait, clock });
  fetcher = new KlinesFetcher({
    queue,
    rest: {
      klines: (symbol, { startTime, endTime }) => {
        asked.push(`${symbol} ${startTime! / HOUR_MS} ${(endTime! + 1) / HOUR_MS}`);
        return answer();
      },
    },
    delivered: (symbolId, asRead) => void delivered.push([symbolId, asRead]),
    logger: pino({ level: 'silent' }),
  });
});
afterEach(() => vi.useRealTimers());

/** A client, and what became of it. */
function client(symbolId: number, wanted: KlinesRange) {
  const waits = new AbortController();
  const state = { told: undefined as unknown, leave: () => waits.abort() };
  fetcher.fetch(tracked(symbolId), wanted, waits.signal).then(
    () => (state.told = 'delivered'),
    (error: unknown) => (state.told = error),
  );
  return state;
}

async function goOn(ms = 1_000): Promise<void> {
  booksWait = false;
  await vi.advanceTimersByTimeAsync(ms);
}

describe('KlinesFetcher', () => {
  it('asks once for what begins at the same candle, as far as anybody wants it', async () => {
    fetcher.want(tracked(0), range(5, 8));
    const clients = [client(0, range(5, 9)), client(0, range(5, 7))];
    const others = [client(0, range(6, 9)), client(1, range(5, 9))];
    expect(queue.waiting).toBe(3);
    await goOn();
    expect(asked.sort()).toEqual(['S0USDT 5 9', 'S0USDT 6 9', 'S1USDT 5 9']);
    expect(delivered).toContainEqual([0, range(5, 9)]);
    expect([...clients, ...others].map(({ told }) => told)).toEqual(Array.from({ length: 4 }, () => 'delivered'));
    // Another time it is another question.
    fetcher.want(tracked(0), range(5, 10));
    await goOn();
    expect(asked.at(-1)).toBe('S0USDT 5 10');
  });

  it('what is under way is not asked for again, and answers what it was asked', async () => {
    let arrive: (body: Uint8Array) => void = () => {};
    answer = () => new Promise((resolve) => void (arrive = resolve));
    const first = client(0, range(5, 8));
    await goOn(60);
    const second = client(0, range(5, 9));
    fetcher.want(tracked(0), range(5, 9));
    // Nobody waits, but it is paid for.
    first.leave();
    second.leave();
    await vi.advanceTimersByTimeAsync(30_000);
    expect([asked, queue.waiting]).toEqual([['S0USDT 5 8'], 0]);
    arrive(new Uint8Array(1));
    await vi.advanceTimersByTimeAsync(0);
    expect(delivered).toEqual([[0, range(5, 8)]]);
    expect([first.told, second.told]).toEqual([undefined, undefined]);
  });

  it('a question leaves the queue with the last who waits for it', async () => {
    const clients = [client(0, range(5, 8)), client(0, range(5, 8))];
    fetcher.want(tracked(0), range(5, 8));
    for (const { leave } of clients) leave();
    expect(queue.waiting).toBe(1);
    // Said again in time, then not any more.
    await vi.advanceTimersByTimeAsync(9_000);
    fetcher.want(tracked(0), range(5, 8));
    await vi.advanceTimersByTimeAsync(9_000);
    expect(queue.waiting).toBe(1);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(queue.waiting).toBe(0);
    await goOn();
    expect(asked).toEqual([]);
  });

  it('what publications of a symbol wanted leaves with them, unless a client waits for it too', () => {
    fetcher.want(tracked(0), range(5, 8));
    fetcher.want(tracked(0), range(6, 8));
    fetcher.want(tracked(1), range(5, 8));
    client(0, range(6, 8));
    fetcher.unwant(0);
    expect(queue.status).toMatchObject({ candles: { waiting: 1 }, history: { waiting: 1 } });
  });

  it('a client does not wait behind publications', async () => {
    for (let id = 0; id < 30; id++) fetcher.want(tracked(id), range(5, 8));
    client(20, range(5, 8));
    expect(queue.status).toMatchObject({ candles: { waiting: 1 }, history: { waiting: 29 } });
    await goOn(60);
    expect(asked).toContain('S20USDT 5 8');
    expect(asked.length).toBeLessThan(4);
  });

  it('tells clients when the symbol goes, when too many wait, and what the exchange said', async () => {
    const gone = client(0, range(5, 8));
    fetcher.cancel(0);
    const waiting = Array.from({ length: 40 }, (_, id) => client(id, range(5, 8)));
    const late = client(99, range(5, 8));
    // The same question needs no other place.
    const same = client(39, range(5, 8));
    await vi.advanceTimersByTimeAsync(0);
    expect([gone.told, late.told, same.told]).toMatchObject([
      { code: ErrorCode.SYMBOL_NOT_TRACKED },
      { code: ErrorCode.EXCHANGE_QUEUE_FULL },
      undefined,
    ]);
    answer = () => Promise.reject(new Error('no'));
    await goOn(10_000);
    expect([...waiting, same].every(({ told }) => told instanceof Error)).toBe(true);
    expect(delivered).toEqual([]);
  });
});
