import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AuditRounds } from '../../../src/feed/audit-rounds.js';
import { RestKind, RestQueue } from '../../../src/feed/rest-queue.js';
import { SnapshotBudget } from '../../../src/feed/snapshot-budget.js';
import { feedTimings } from '../../../src/feed/timings.js';

const EVERY_MS = 1000;
const LEAD_MS = 200;
const WAIT_MS = 5000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const advance = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

function setUp() {
  const clock = (): number => Date.now();
  const startMs = clock();
  const budget = new SnapshotBudget({ ratePerSecond: 2, burst: 2, reserve: 1, clock, random: () => 0 });
  const queue = new RestQueue({ budget, inFlightMax: 16, booksWait: () => false, clock });
  const events: string[] = [];
  const state = { booksWait: false, notLive: new Set<number>(), answer: (): Promise<Uint8Array> => Promise.resolve(new Uint8Array(1)) };
  const note = (what: string, id: number | string): void => void events.push(`${clock() - startMs} ${what} ${id}`);
  const rounds = new AuditRounds({
    everyMs: EVERY_MS,
    rest: {
      depth: (symbol) => {
        note('asked', symbol);
        return state.answer();
      },
    },
    budget,
    limit: 5000,
    sink: {
      auditBegun: (id) => note('begun', id),
      auditSnapshot: (id) => {
        note('snapshot', id);
        rounds.over(id);
      },
      auditCancelled: (id) => note('cancelled', id),
    },
    timings: feedTimings({ auditLeadMs: LEAD_MS, auditWaitMs: WAIT_MS }),
    clock,
    logger: pino({ level: 'silent' }),
    queue,
    booksWait: () => state.booksWait,
    isLive: (id) => !state.notLive.has(id),
  });
  return { rounds, budget, queue, events, state };
}

describe('AuditRounds', () => {
  it('audits one live symbol after the other, round and round, pushes kept before the snapshot is asked for', async () => {
    const { rounds, events, state } = setUp();
    for (const id of [1, 2, 3]) rounds.add(id, `S${id}`);
    state.notLive.add(2);
    await advance(3 * EVERY_MS + LEAD_MS);
    expect(events).toEqual([
      '1000 begun 1',
      '1200 asked S1',
      '1200 snapshot 1',
      '2000 begun 3',
      '2200 asked S3',
      '2200 snapshot 3',
      '3000 begun 1',
      '3200 asked S1',
      '3200 snapshot 1',
    ]);
    state.notLive.clear();
    events.length = 0;
    await advance(EVERY_MS);
    expect(events[0]).toBe('4000 begun 2');
  });

  it('takes no request while somebody else wants one or the budget is not full', async () => {
    const { rounds, budget, events, state } = setUp();
    rounds.add(1, 'S1');
    state.booksWait = true;
    await advance(3 * EVERY_MS);
    expect(events).toEqual([]);
    state.booksWait = false;
    // As soon as it can, not a whole turn later.
    await advance(LEAD_MS);
    expect(events).toEqual(['3200 begun 1']);
    // The bucket has room for one; a second in a row must find it full again, and a resync is never kept waiting.
    budget.tryTake('resync');
    await advance(LEAD_MS);
    expect(events).toHaveLength(1);
    expect(budget.msUntil('resync')).toBe(0);
    await advance(LEAD_MS + 101);
    expect(events.slice(1)).toEqual(['3701 asked S1', '3701 snapshot 1']);
    expect(budget.msUntil('resync')).toBe(0);
  });

  it('gives up when the budget has no room for long, and goes on with the next', async () => {
    const { rounds, budget, events, state } = setUp();
    rounds.add(1, 'S1');
    rounds.add(2, 'S2');
    await advance(EVERY_MS);
    state.booksWait = true;
    await advance(WAIT_MS + LEAD_MS);
    expect(events).toEqual(['1000 begun 1', '6200 cancelled 1']);
    state.booksWait = false;
    budget.throttled(3000);
    await advance(2 * EVERY_MS);
    expect(events).toHaveLength(2);
    await advance(4 * EVERY_MS);
    expect(events[2]).toMatch(/begun 2$/);
  });

  it('takes its turn among other requests when these leave none to spare for ten turns', async () => {
    const { rounds, queue, events, state } = setUp();
    const ask = (): void =>
      queue.add({ kind: RestKind.CANDLES, fetch: () => Promise.resolve(new Uint8Array(0)), delivered: ask, failed: () => {} });
    for (let i = 0; i < 5; i++) ask();
    rounds.add(1, 'S1');
    await advance(10 * EVERY_MS - 1);
    expect(events).toEqual([]);
    await advance(LEAD_MS + EVERY_MS);
    expect(events.map((event) => event.replace(/^[0-9]+ /, ''))).toEqual(['begun 1', 'asked S1', 'snapshot 1']);
    // The next one is not due before ten more turns, and the books' requests go before it.
    await advance(9 * EVERY_MS);
    expect(events).toHaveLength(3);
    state.booksWait = true;
    await advance(5 * EVERY_MS);
    expect(events).toHaveLength(3);
    rounds.close();
    queue.close();
  });

  it('counts a failed request and tells the shard', async () => {
    const { rounds, events, state } = setUp();
    state.answer = () => Promise.reject(new Error('no'));
    rounds.add(1, 'S1');
    await advance(EVERY_MS + LEAD_MS);
    expect(events).toEqual(['1000 begun 1', '1200 asked S1', '1200 cancelled 1']);
    expect(rounds.failed).toBe(1);
    await advance(EVERY_MS);
    expect(events[3]).toBe('2000 begun 1');
  });

  it('does not wait for a shard that says nothing', async () => {
    const { rounds, events } = setUp();
    rounds.over = () => {};
    rounds.add(1, 'S1');
    await advance(EVERY_MS + LEAD_MS + WAIT_MS);
    expect(events.at(-1)).toBe('6200 cancelled 1');
    await advance(1);
    expect(events.at(-1)).toBe('6201 begun 1');
  });

  it('forgets a symbol, also while its answer is on the way', async () => {
    const { rounds, events, state } = setUp();
    let answer: (body: Uint8Array) => void = () => {};
    state.answer = () => new Promise((resolve) => void (answer = resolve));
    rounds.add(1, 'S1');
    await advance(EVERY_MS + LEAD_MS);
    rounds.forget(1);
    answer(new Uint8Array(1));
    await advance(10 * EVERY_MS);
    expect(events).toEqual(['1000 begun 1', '1200 asked S1']);
  });

  it('says nothing after the end', async () => {
    const { rounds, events } = setUp();
    rounds.add(1, 'S1');
    await advance(EVERY_MS);
    rounds.close();
    await advance(10 * EVERY_MS);
    expect(events).toEqual(['1000 begun 1']);
  });
});
