import { pino } from 'pino';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { baseIntervals, baseLengthMs } from '../../src/candle/base-interval.js';
import { createCandleBuffer } from '../../src/candle/candle-layout.js';
import { ROW_WORDS } from '../../src/candle/candle-row.js';
import { decodeQuestion, encodeAnswer, encodeQuestion } from '../../src/candle/query.js';
import { CandleDesk } from '../../src/engine/candle-desk.js';
import { AuditRounds } from '../../src/feed/audit-rounds.js';
import { KlinesFetcher } from '../../src/feed/klines-fetcher.js';
import { RestKind, RestQueue } from '../../src/feed/rest-queue.js';
import { SnapshotBudget } from '../../src/feed/snapshot-budget.js';
import { feedTimings } from '../../src/feed/timings.js';
import { type CandleInterval, candleIntervals, HOUR_MS, MINUTE_MS } from '../../src/model/candle-interval.js';
import type { KlinesRange } from '../../src/model/feed.js';
import { Channel, Format } from '../../src/model/publication.js';
import { CandleReader } from '../../src/publish/candle-reader.js';
import { CandlePublication } from '../../src/shard/candle-publication.js';
import { MessageWriter } from '../../src/shard/message-writer.js';
import type { PublicationParts } from '../../src/shard/publication.js';
import { encodeKlines } from '../../src/shard/records.js';
import { ShardCandles } from '../../src/shard/shard-candles.js';
import { CodedError, ErrorCode } from '../../src/support/errors.js';
import { tracked } from '../support/feed-harness.js';

/*
 * Crowds that ask for more candles than the exchange may be asked for, eight requests a second under a virtual clock, beside trades, the time
 * and audits, which want requests too.
 */

const START = Date.parse('2024-02-29T22:17:00Z');
const AUDIT_EVERY_MS = 2_000;
const clock = (): number => Date.now();
const logger = pino({ level: 'silent' });

beforeEach(() => vi.useFakeTimers({ now: START }));
afterEach(() => vi.useRealTimers());

/** What shares the budget, and how often each of them got its way. */
function createHost(delivered: (symbolId: number, range: KlinesRange, body: Uint8Array) => void) {
  const budget = new SnapshotBudget({ ratePerSecond: 8, clock });
  const queue = new RestQueue({ budget, inFlightMax: 32, booksWait: () => false, clock });
  const asked: string[] = [];
  const answered = { trades: 0, times: 0, audits: 0 };
  const answer = (body: string): Promise<Uint8Array> => Promise.resolve(new TextEncoder().encode(body));
  const klines = new KlinesFetcher({
    queue,
    rest: {
      klines: (symbol, { interval, startTime, endTime }) => {
        asked.push(`${symbol} ${interval} ${startTime}`);
        const length = baseLengthMs(baseIntervals.find((base) => base === interval.replace('60m', '1h'))!);
        const rows: unknown[] = [];
        for (let openMs = startTime!; openMs <= Math.min(endTime!, clock()); openMs += length) {
          rows.push([openMs, '1', '1', '1', '1', '1', openMs + length, '1']);
        }
        return answer(JSON.stringify(rows));
      },
    },
    delivered,
    logger,
  });
  const ask = (kind: RestKind, what: 'trades' | 'times'): void =>
    queue.add({ kind, fetch: () => answer('[]'), delivered: () => answered[what]++, failed: () => {} });
  setInterval(() => ask(RestKind.TIME, 'times'), 10_000);
  setInterval(() => ask(RestKind.TRADES, 'trades'), 1_000);
  const rounds = new AuditRounds({
    everyMs: AUDIT_EVERY_MS,
    rest: { depth: () => answer('{}') },
    budget,
    limit: 5_000,
    sink: {
      auditBegun: () => {},
      auditSnapshot: (id) => {
        answered.audits++;
        rounds.over(id);
      },
      auditCancelled: () => {},
    },
    timings: feedTimings({}),
    clock,
    logger,
    queue,
    booksWait: () => false,
    isLive: () => true,
  });
  rounds.add(0, 'S0');
  return { queue, klines, asked, answered };
}

test('a thousand histories for publications: each is fetched once, one after the other, and keeps nothing else waiting', async () => {
  const SYMBOLS = 1_000;
  const host = createHost((id, range, body) => candles.klines(id, encodeKlines(range, body), clock()));
  const candles = new ShardCandles(createCandleBuffer(SYMBOLS), {
    answer: () => true,
    ask: (slot, range) => {
      host.klines.want(tracked(slot), range);
      return true;
    },
    refused: (slot) => expect.unreachable(`candles of ${slot} are refused`),
  });
  const begun = new Set<number>();
  const spec = { channel: Channel.CANDLE, format: Format.JSON, depth: 0, intervalMs: 1_000, candleInterval: candleIntervals.indexOf('1h') };
  const writer = new MessageWriter();
  const open = Array.from({ length: SYMBOLS }, (_, slot) => {
    candles.track(slot, 2, 3);
    const parts = { symbol: tracked(slot).symbol, slot, candles, writer, clock };
    const emit = (id: number): boolean => begun.add(id).size > 0;
    return new CandlePublication(slot, spec, { ...parts, emit } as unknown as PublicationParts);
  });
  const STEP_MS = 2_500;
  async function step(): Promise<void> {
    await vi.advanceTimersByTimeAsync(STEP_MS);
    candles.tick(clock());
    for (const publication of open) publication.tick(clock());
  }
  let waitingMax = 0;
  for (let ms = 0; ms < 60_000; ms += STEP_MS) {
    await step();
    waitingMax = Math.max(waitingMax, host.queue.waiting);
  }
  expect(waitingMax).toBeLessThanOrEqual(SYMBOLS + 3);
  // All that the others leave of eight a second.
  expect(begun.size).toBeGreaterThan(60 * 5);
  const { trades, times, audits } = host.answered;
  expect([trades >= 30, times >= 5, audits >= 2]).toEqual([true, true, true]);
  for (let ms = 0; ms < 130_000; ms += STEP_MS) await step();
  expect(begun.size).toBe(SYMBOLS);
  expect([new Set(host.asked).size, host.asked.length]).toEqual([SYMBOLS, SYMBOLS]);
  expect(host.queue.status.history).toEqual({ waiting: 0, refused: 0 });
});

test('a hundred questions a second, each for other candles: as many as can be are answered, the others refused, and nothing else waits', async () => {
  const symbol = tracked(0);
  const held = new Set<number>();
  const host = createHost((_id, { fromMs }) => held.add(fromMs));
  const desk: CandleDesk = new CandleDesk({
    readers: [new CandleReader(createCandleBuffer(1))],
    // A shard that lacks what was not fetched.
    ask: (_id, question) => {
      const { token, startMs } = decodeQuestion(encodeQuestion(question));
      const lacks = !held.has(startMs!);
      const asks = lacks ? [{ base: baseIntervals.indexOf('1h'), fromMs: startMs!, toMs: startMs! + HOUR_MS }] : [];
      const rows = new Float64Array(lacks ? 0 : ROW_WORDS).fill(1);
      queueMicrotask(() => desk.answered(encodeAnswer({ token, missing: asks.length, asks, rows })));
    },
    feed: {
      openKline: () => {},
      closeKline: () => {},
      requestKlines: (_id, range, signal) => host.klines.fetch(symbol, range, signal),
    },
    clock,
  });
  const told = new Map<string, number>();
  const count = (what: string): void => void told.set(what, (told.get(what) ?? 0) + 1);
  const interval: CandleInterval = '1h';
  const SECONDS = 60;
  let waitingMax = 0;
  for (let i = 0; i < SECONDS * 100; i++) {
    const start = START - (i + 1) * HOUR_MS - 17 * MINUTE_MS;
    desk.candles(symbol, interval, { start, end: start, limit: 1 }).then(
      () => count('answered'),
      (error: unknown) => count(error instanceof CodedError ? error.code : String(error)),
    );
    await vi.advanceTimersByTimeAsync(10);
    waitingMax = Math.max(waitingMax, host.queue.status.candles.waiting);
  }
  const { trades, times, audits } = host.answered;
  expect([trades >= 30, times >= 5, audits >= 2]).toEqual([true, true, true]);
  expect(waitingMax).toBe(40);
  await vi.advanceTimersByTimeAsync(10_000);
  expect([...told.keys()].sort()).toEqual([ErrorCode.EXCHANGE_QUEUE_FULL, 'answered']);
  expect(told.get('answered')).toBeGreaterThan(SECONDS * 5);
  expect(told.get('answered')! + told.get(ErrorCode.EXCHANGE_QUEUE_FULL)!).toBe(SECONDS * 100);
  expect(host.queue.status.candles.waiting).toBe(0);
});
