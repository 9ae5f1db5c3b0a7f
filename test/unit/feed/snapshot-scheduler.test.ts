import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SnapshotBudget } from '../../../src/feed/snapshot-budget.js';
import { SnapshotScheduler, Urgency } from '../../../src/feed/snapshot-scheduler.js';
import { createLine } from '../../../src/feed/symbol-line.js';
import type { SymbolLine } from '../../../src/feed/symbol-line.js';
import { feedTimings } from '../../../src/feed/timings.js';
import { CodedError, ErrorCode } from '../../../src/support/errors.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function line(id: number, turnover: number | null = null): SymbolLine {
  const symbol = {
    id,
    symbol: `S${id}`,
    baseAsset: 'S',
    quoteAsset: 'Q',
    priceScale: 0,
    quantityScale: 0,
    turnover,
    shard: 0,
    slot: id,
    serial: id + 1,
  };
  return createLine(symbol, `c${id}`, feedTimings(), () => 0);
}

function setUp(options: { ratePerSecond?: number; inFlightMax?: number } = {}) {
  const clock = (): number => Date.now();
  const budget = new SnapshotBudget({ ratePerSecond: options.ratePerSecond ?? 8, burst: 2, reserve: 1, clock, random: () => 0 });
  const asked: string[] = [];
  const delivered: string[] = [];
  const pending: { resolve(body: Uint8Array): void; reject(error: unknown): void }[] = [];
  const state = { answerAtOnce: true, failureDelayMs: 1000 };
  const scheduler = new SnapshotScheduler({
    rest: {
      depth: (symbol) => {
        asked.push(symbol);
        if (state.answerAtOnce) return Promise.resolve(new Uint8Array(1));
        return new Promise((resolve, reject) => void pending.push({ resolve, reject }));
      },
    },
    budget,
    limit: 5000,
    inFlightMax: options.inFlightMax ?? 16,
    clock,
    logger: pino({ level: 'silent' }),
    delivered: ({ symbol }) => void delivered.push(symbol.symbol),
    failed: () => state.failureDelayMs,
  });
  return { scheduler, budget, asked, delivered, pending, state };
}

const advance = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

describe('SnapshotScheduler', () => {
  it('goes by urgency, then by turnover, within the budget', async () => {
    const { scheduler, asked } = setUp();
    // Spends what there is at once.
    scheduler.request(line(0), Urgency.RESYNC, 0);
    scheduler.request(line(1), Urgency.RESYNC, 0);
    scheduler.request(line(2, 100), Urgency.CHECK, 0);
    scheduler.request(line(3, 10), Urgency.START, 0);
    scheduler.request(line(4, 20), Urgency.START, 0);
    scheduler.request(line(5), Urgency.RESYNC, 0);
    expect(scheduler.waiting).toBe(4);
    await advance(125);
    expect(asked).toEqual(['S0', 'S1', 'S5']);
    await advance(1000);
    expect(asked).toEqual(['S0', 'S1', 'S5', 'S4', 'S3', 'S2']);
    expect(scheduler.waiting).toBe(0);
  });

  it('holds a delayed one back, and lets a more urgent request bring it forward', async () => {
    const { scheduler, asked } = setUp();
    const one = line(1);
    scheduler.request(one, Urgency.CHECK, 30_000);
    await advance(10_000);
    expect(asked).toEqual([]);
    expect(scheduler.pending(one)).toBe(Urgency.CHECK);
    scheduler.request(one, Urgency.RESYNC, 60_000);
    expect(scheduler.pending(one)).toBe(Urgency.RESYNC);
    await advance(19_999);
    expect(asked).toEqual([]);
    await advance(1);
    expect(asked).toEqual(['S1']);
    scheduler.request(one, Urgency.CHECK, 30_000);
    scheduler.request(one, Urgency.RESYNC, 0);
    await advance(0);
    expect(asked.length).toBe(2);
  });

  it('never has two requests of a symbol under way, not even when the first is not wanted any more', async () => {
    const { scheduler, asked, delivered, pending, state } = setUp();
    state.answerAtOnce = false;
    const one = line(1);
    scheduler.request(one, Urgency.START, 0);
    scheduler.request(one, Urgency.RESYNC, 0);
    scheduler.cancel(one);
    expect(scheduler.pending(one)).toBeUndefined();
    scheduler.request(one, Urgency.RESYNC, 0);
    expect(asked.length).toBe(1);
    pending[0]!.resolve(new Uint8Array(1));
    await advance(200);
    expect(delivered).toEqual([]);
    expect(asked.length).toBe(2);
    pending[1]!.resolve(new Uint8Array(1));
    await advance(0);
    expect(delivered).toEqual(['S1']);
  });

  it('waits as long as the owner says after a failure of the symbol, others go on', async () => {
    const { scheduler, asked, pending, state } = setUp();
    state.answerAtOnce = false;
    scheduler.request(line(1), Urgency.START, 0);
    pending[0]!.reject(new CodedError(ErrorCode.EXCHANGE_TIMEOUT, 'slow'));
    await advance(0);
    scheduler.request(line(2), Urgency.RESYNC, 0);
    await advance(999);
    expect(asked).toEqual(['S1', 'S2']);
    await advance(1);
    expect(asked).toEqual(['S1', 'S2', 'S1']);
  });

  it('keeps the turn of a symbol the whole host was throttled with', async () => {
    const { scheduler, budget, asked, pending, state } = setUp();
    state.answerAtOnce = false;
    state.failureDelayMs = 1e6;
    scheduler.request(line(1, 5), Urgency.START, 0);
    scheduler.request(line(2, 1), Urgency.START, 0);
    budget.throttled(3000);
    pending[0]!.reject(new CodedError(ErrorCode.EXCHANGE_THROTTLED, 'too many'));
    await advance(2999);
    expect(asked).toEqual(['S1']);
    await advance(1000);
    expect(asked).toEqual(['S1', 'S1', 'S2']);
  });

  it('bounds the requests under way', async () => {
    const { scheduler, pending, state } = setUp({ ratePerSecond: 1000, inFlightMax: 3 });
    state.answerAtOnce = false;
    for (let id = 0; id < 10; id++) scheduler.request(line(id), Urgency.START, 0);
    await advance(1000);
    expect(pending.length).toBe(3);
    expect([scheduler.inFlight, scheduler.waiting]).toEqual([3, 7]);
    pending[0]!.resolve(new Uint8Array(1));
    await advance(1);
    expect(pending.length).toBe(4);
  });

  it('is silent after close', async () => {
    const { scheduler, delivered, pending, state } = setUp();
    state.answerAtOnce = false;
    scheduler.request(line(1), Urgency.START, 0);
    scheduler.request(line(2), Urgency.START, 5000);
    scheduler.close();
    pending[0]!.resolve(new Uint8Array(1));
    await advance(10_000);
    scheduler.request(line(3), Urgency.START, 0);
    expect(delivered).toEqual([]);
    expect(pending.length).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });
});
