import { beforeEach, describe, expect, it } from 'vitest';
import { createCandleBuffer } from '../../../src/candle/candle-layout.js';
import { ROW_WORDS } from '../../../src/candle/candle-row.js';
import { MinuteFormer } from '../../../src/candle/minute-former.js';
import { type CandleQuestion, encodeAnswer } from '../../../src/candle/query.js';
import { SymbolRows } from '../../../src/candle/symbol-rows.js';
import { CandleDemand } from '../../../src/engine/candle-demand.js';
import { CandleDesk } from '../../../src/engine/candle-desk.js';
import { MINUTE_MS } from '../../../src/model/candle-interval.js';
import type { KlinesRange } from '../../../src/model/feed.js';
import { Channel, Format } from '../../../src/model/publication.js';
import type { TrackedSymbol } from '../../../src/model/symbol.js';
import { CandleReader } from '../../../src/publish/candle-reader.js';
import { CodedError, ErrorCode } from '../../../src/support/errors.js';
import { FakePort } from '../../support/fake-market-data.js';
import { until } from '../../support/until.js';

const START = Date.parse('2024-02-29T22:17:00Z');
const symbol = { symbol: 'BTCUSDT', id: 5, shard: 0, slot: 1 } as TrackedSymbol;
const NEWEST = { start: null, end: null, limit: 2 };

let memory: SharedArrayBuffer;
let nowMs: number;
let questions: CandleQuestion[];
let fetched: KlinesRange[];
let signals: AbortSignal[];
let streams: string[];
let fetch: () => Promise<void>;
let desk: CandleDesk;

beforeEach(() => {
  memory = createCandleBuffer(2);
  nowMs = START;
  questions = [];
  fetched = [];
  signals = [];
  streams = [];
  fetch = async () => {};
  desk = new CandleDesk({
    readers: [new CandleReader(memory)],
    ask: (_symbolId, question) => questions.push(question),
    feed: {
      openKline: (id) => streams.push(`open ${id}`),
      closeKline: (id) => streams.push(`close ${id}`),
      requestKlines: (_id, range, signal) => {
        fetched.push(range);
        signals.push(signal);
        return fetch();
      },
    },
    clock: () => nowMs,
    deadlineMs: 2_000,
  });
});

const ask: KlinesRange = { base: 4, fromMs: START - 7_200_000, toMs: START };

function answer(missing: number, asks: readonly KlinesRange[], rows = 0): void {
  const { token } = questions.at(-1)!;
  desk.answered(encodeAnswer({ token, missing, asks, rows: new Float64Array(rows * ROW_WORDS).fill(1) }));
}

async function asked(times: number): Promise<void> {
  await until(() => questions.length >= times, { what: `question ${times}` });
}

describe('CandleDesk', () => {
  it('answers from shared memory when all of it is there and whole', async () => {
    const former = new MinuteFormer(SymbolRows.at(memory, 1), 2, 3);
    former.covered(START - 2 * MINUTE_MS);
    for (const offset of [-90_000, -30_000, 0]) {
      former.trade({ timeMs: START + offset, tick: 10_000, lots: 1_000, takerBought: true, priceScale: 2, quantityScale: 3 });
    }
    const candles = await desk.candles(symbol, '1m', NEWEST);
    expect(candles.map(({ open_time, number_of_trades, complete }) => [open_time, number_of_trades, complete])).toEqual([
      [START - MINUTE_MS, 1, true],
      [START, 1, true],
    ]);
    expect(questions).toEqual([]);
  });

  it('asks the shard, then the exchange for what the shard lacks, until nothing is missing', async () => {
    const candles = desk.candles(symbol, '1h', NEWEST);
    await asked(1);
    answer(2, [ask]);
    await asked(2);
    expect(fetched).toEqual([ask]);
    answer(0, [], 2);
    expect(await candles).toHaveLength(2);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
  });

  it('says what the exchange said when a candle is missing, and gives what there is when none is', async () => {
    fetch = () => Promise.reject(new CodedError(ErrorCode.EXCHANGE_UNREACHABLE, 'no'));
    const missing = desk.candles(symbol, '1h', NEWEST);
    await asked(1);
    answer(1, [ask]);
    await asked(2);
    answer(1, [ask]);
    await expect(missing).rejects.toMatchObject({ code: ErrorCode.EXCHANGE_UNREACHABLE });
    const incomplete = desk.candles(symbol, '1h', NEWEST);
    await asked(3);
    answer(0, [ask], 2);
    await asked(4);
    answer(0, [ask], 2);
    expect(await incomplete).toHaveLength(2);
  });

  it('waits for the exchange no longer than for the deadline', async () => {
    fetch = () => new Promise(() => {});
    const late = desk.candles(symbol, '1h', NEWEST);
    await asked(1);
    answer(1, [ask]);
    await until(() => signals.length === 1);
    expect(signals[0]!.aborted).toBe(false);
    nowMs += 2_000;
    await expect(late).rejects.toMatchObject({ code: ErrorCode.CANDLES_NOT_READY });
    expect(signals[0]!.aborted).toBe(true);
  });

  it('asks a shard that does not answer again, and gives up at the deadline', async () => {
    await expect(desk.candles(symbol, '1h', NEWEST)).rejects.toMatchObject({ code: ErrorCode.CANDLES_NOT_READY });
    expect(questions.length).toBeGreaterThan(1);
    expect(new Set(questions.map(({ token }) => token)).size).toBe(1);
    // Nobody waits for it any more.
    answer(0, [], 1);
  });

  it("has the exchange push a symbol's candles for a while after somebody asked", async () => {
    void desk.candles(symbol, '1h', NEWEST).catch(() => {});
    void desk.candles(symbol, '1d', NEWEST).catch(() => {});
    expect(streams).toEqual(['open 5']);
    nowMs += 299_000;
    desk.check();
    expect(streams).toEqual(['open 5']);
    nowMs += 2_000;
    desk.check();
    expect(streams).toEqual(['open 5', 'close 5']);
    void desk.candles(symbol, '1h', NEWEST).catch(() => {});
    desk.forget(5);
    nowMs += 600_000;
    desk.check();
    expect(streams).toEqual(['open 5', 'close 5', 'open 5']);
  });
});

it('CandleDemand: the exchange pushes candles from the first open publication of them to the last', () => {
  const port = new FakePort();
  const demand = new CandleDemand(port, {
    openKline: (id) => streams.push(`open ${id}`),
    closeKline: (id) => streams.push(`close ${id}`),
  });
  const spec = { channel: Channel.CANDLE, format: Format.JSON, depth: 0, intervalMs: 1000, candleInterval: 0 };
  demand.open(5, 1, { ...spec, channel: Channel.BBO });
  demand.open(5, 2, spec);
  // Opened anew after the loss of a worker.
  demand.open(5, 2, spec);
  demand.requestSnapshot(5, 2, 9, 'subscribe');
  demand.close(5, 1);
  demand.close(5, 2);
  expect(streams).toEqual(['open 5', 'close 5']);
  expect(port.calls).toHaveLength(6);
});
