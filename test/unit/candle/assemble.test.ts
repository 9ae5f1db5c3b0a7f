import { describe, expect, it } from 'vitest';
import { assemble, boundOf } from '../../../src/candle/assemble.js';
import type { BaseInterval } from '../../../src/candle/base-interval.js';
import { baseLengthMs } from '../../../src/candle/base-interval.js';
import { CandleHistory } from '../../../src/candle/candle-history.js';
import { createCandleBuffer } from '../../../src/candle/candle-layout.js';
import { ROW_WORDS } from '../../../src/candle/candle-row.js';
import { CandleSource } from '../../../src/candle/candle-source.js';
import { toCandle } from '../../../src/candle/candle-text.js';
import { SymbolRows } from '../../../src/candle/symbol-rows.js';
import { decodeKlines } from '../../../src/mexc/decode-klines.js';
import { type CandleInterval, HOUR_MS, MINUTE_MS } from '../../../src/model/candle-interval.js';

/** A Thursday, the last day of a leap year's February. */
const NOW = Date.parse('2024-02-29T22:17:30Z');
const at = (text: string): number => Date.parse(`${text}Z`);

/** What the exchange has: every candle closes one above its open, has volume 1, and opens at its number. */
function add(history: CandleHistory, interval: BaseInterval, fromMs: number, toMs: number): void {
  const length = baseLengthMs(interval);
  const rows: unknown[] = [];
  for (let openMs = fromMs; openMs < toMs; openMs += length) {
    const open = openMs / MINUTE_MS;
    rows.push([
      openMs,
      String(open),
      String(open + length / MINUTE_MS),
      String(open),
      String(open + length / MINUTE_MS),
      String(length / MINUTE_MS),
      openMs + length,
      '1',
    ]);
  }
  history.add(0, interval, fromMs, toMs, decodeKlines(new TextEncoder().encode(JSON.stringify(rows)), interval, 0, 0, Infinity));
}

function ask(history: CandleHistory, interval: CandleInterval, more: { startMs?: number; endMs?: number; limit?: number } = {}) {
  const source = new CandleSource(SymbolRows.at(createCandleBuffer(1), 0), history);
  const answer = assemble(source, { interval, startMs: null, endMs: NOW, limit: 3, ...more }, NOW);
  const candles = Array.from({ length: answer.rows.length / ROW_WORDS }, (_, i) => toCandle(answer.rows, i * ROW_WORDS, 'X', interval));
  return { ...answer, candles };
}

/** `interval from to`. */
function wants({ wanted }: ReturnType<typeof ask>): string[] {
  const text = (ms: number): string => new Date(ms).toISOString().slice(0, 16);
  return wanted.map(({ interval, fromMs, toMs }) => `${interval} ${text(fromMs)} ${text(toMs)}`);
}

describe('assemble', () => {
  it('asks for the longest candles of the exchange that are over, then for shorter ones up to now', () => {
    expect(wants(ask(new CandleHistory(), '1M', { limit: 1 }))).toEqual([
      '1d 2024-02-01T00:00 2024-02-29T00:00',
      '1h 2024-02-29T00:00 2024-02-29T22:00',
      '1m 2024-02-29T22:00 2024-02-29T22:18',
    ]);
    expect(wants(ask(new CandleHistory(), '6h', { limit: 2 }))).toEqual([
      '1h 2024-02-29T12:00 2024-02-29T22:00',
      '1m 2024-02-29T22:00 2024-02-29T22:18',
    ]);
    expect(wants(ask(new CandleHistory(), '15m', { limit: 2 }))).toEqual([
      '1m 2024-02-29T22:15 2024-02-29T22:18',
      '15m 2024-02-29T22:00 2024-02-29T22:15',
    ]);
  });

  it('adds up what is there, exactly, and says which are closed', () => {
    const history = new CandleHistory();
    add(history, '1d', at('2024-01-01T00:00'), at('2024-02-29T00:00'));
    add(history, '1h', at('2024-02-29T00:00'), at('2024-02-29T22:00'));
    add(history, '1m', at('2024-02-29T22:00'), at('2024-02-29T22:18'));
    const { candles, missing } = ask(history, '1M', { limit: 2 });
    expect(missing).toBe(0);
    const open = (text: string): string => String(at(text) / MINUTE_MS);
    expect(candles).toMatchObject([
      {
        open_time: at('2024-01-01T00:00'),
        open: open('2024-01-01T00:00'),
        close: open('2024-02-01T00:00'),
        volume: String(31 * 1440),
        closed: true,
      },
      { open_time: at('2024-02-01T00:00'), open: open('2024-02-01T00:00'), close: open('2024-02-29T22:18'), closed: false, complete: true },
    ]);
    expect(candles[1]!.volume).toBe(String(28 * 1440 + 22 * 60 + 18));
    expect(candles[0]!.close_time).toBe(at('2024-02-01T00:00'));
  });

  it('gives the newest in the range, by their opens', () => {
    const history = new CandleHistory();
    add(history, '1h', at('2024-02-28T00:00'), at('2024-02-29T22:00'));
    const opens = (more: object): string[] =>
      ask(history, '2h', more).candles.map(({ open_time }) => new Date(open_time).toISOString().slice(8, 16));
    expect(opens({ endMs: at('2024-02-29T21:59'), limit: 3 })).toEqual(['29T16:00', '29T18:00', '29T20:00']);
    expect(opens({ endMs: at('2024-02-29T20:00'), startMs: at('2024-02-29T16:01'), limit: 3 })).toEqual(['29T18:00', '29T20:00']);
    expect(opens({ endMs: at('2024-02-29T17:59'), startMs: at('2024-02-29T16:00'), limit: 3 })).toEqual(['29T16:00']);
    expect(opens({ startMs: NOW + HOUR_MS, endMs: NOW + HOUR_MS, limit: 3 })).toEqual([]);
  });

  it('leaves a candle out while a part of it was not asked for, and knows where the exchange has nothing', () => {
    const history = new CandleHistory();
    add(history, '1h', at('2024-02-29T05:00'), at('2024-02-29T22:00'));
    expect(ask(history, '4h', { endMs: at('2024-02-29T11:59'), limit: 3 })).toMatchObject({
      missing: 2,
      candles: [{ open_time: at('2024-02-29T08:00') }],
    });
    // Asked of, it has no older ones: the symbol began at five.
    history.add(0, '4h', 0, at('2024-02-29T04:00'), new Float64Array(0));
    history.add(0, '1h', 0, at('2024-02-29T05:00'), new Float64Array(0));
    history.add(0, '4h', 0, at('2024-02-29T20:00'), new Float64Array(0));
    const { missing, candles } = ask(history, '4h', { endMs: at('2024-02-29T11:59'), limit: 3 });
    expect([missing, candles.map(({ open_time }) => open_time)]).toEqual([0, [at('2024-02-29T08:00')]]);
  });

  it('a hole in the middle makes a candle that is not complete', () => {
    const history = new CandleHistory();
    add(history, '1h', at('2024-02-29T06:00'), at('2024-02-29T07:00'));
    add(history, '1h', at('2024-02-29T08:00'), at('2024-02-29T12:00'));
    history.add(0, '1h', at('2024-02-29T07:00'), at('2024-02-29T08:00'), new Float64Array(0));
    expect(ask(history, '6h', { endMs: at('2024-02-29T11:00'), limit: 1 }).candles).toMatchObject([
      { volume: '300', closed: true, complete: false, number_of_trades: null },
    ]);
  });
});

describe('CandleHistory', () => {
  it('forgets the series that was not added to for the longest, and a symbol as a whole', () => {
    const history = new CandleHistory(100);
    add(history, '1h', at('2024-02-01T00:00'), at('2024-02-03T00:00'));
    add(history, '1m', at('2024-02-29T22:00'), at('2024-02-29T22:18'));
    add(history, '4h', at('2024-02-01T00:00'), at('2024-02-11T00:00'));
    expect(history.count).toBe(18 + 60);
    expect(history.isCovered(0, '1h', at('2024-02-01T00:00'))).toBe(false);
    expect(history.isCovered(0, '1m', at('2024-02-29T22:17'))).toBe(true);
    expect(history.isCovered(0, '1m', at('2024-02-29T22:18'))).toBe(false);
    history.forget(0);
    expect([history.count, history.find(0, '4h', at('2024-02-01T00:00'))]).toEqual([0, undefined]);
  });

  it('joins what was asked for, in whatever order', () => {
    const history = new CandleHistory();
    for (const [from, to] of [
      [10, 20],
      [30, 40],
      [20, 30],
      [5, 12],
    ] as const) {
      history.add(0, '1m', from * MINUTE_MS, to * MINUTE_MS, new Float64Array(0));
    }
    expect([4, 5, 25, 39, 40].map((minute) => history.isCovered(0, '1m', minute * MINUTE_MS))).toEqual([false, true, true, true, false]);
  });
});

it('what can exist ends with the newest minute while minutes come, and with the clock when they do not', () => {
  const minute = 1_000 * MINUTE_MS;
  expect(boundOf(minute, minute + 60_003)).toBe(minute + 59_999);
  expect(boundOf(minute, minute - 500)).toBe(minute + 59_999);
  expect(boundOf(minute, minute + HOUR_MS)).toBe(minute + HOUR_MS);
  expect(boundOf(0, minute)).toBe(minute);
});
