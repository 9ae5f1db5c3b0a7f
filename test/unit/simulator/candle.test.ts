import { describe, expect, it } from 'vitest';
import { type Candle, candleIntervals, MINUTE_MS, rollUp, windowEnd, windowStart } from '../../../src/simulator/candle.js';
import { PriceHistory } from '../../../src/simulator/price-history.js';
import { TradeLog } from '../../../src/simulator/trade-log.js';

const interval = (rest: string) => candleIntervals.find((candidate) => candidate.rest === rest)!;
const noon = Date.UTC(2026, 10, 18, 12, 34, 56); // a Wednesday

describe('candle windows', () => {
  it('are aligned to UTC, weeks to Monday, months to the first', () => {
    expect(new Date(windowStart(interval('60m'), noon)).toISOString()).toBe('2026-11-18T12:00:00.000Z');
    expect(new Date(windowStart(interval('1d'), noon)).toISOString()).toBe('2026-11-18T00:00:00.000Z');
    expect(new Date(windowStart(interval('1W'), noon)).toISOString()).toBe('2026-11-16T00:00:00.000Z');
    const month = windowStart(interval('1M'), noon);
    expect(new Date(month).toISOString()).toBe('2026-11-01T00:00:00.000Z');
    expect(new Date(windowEnd(interval('1M'), month)).toISOString()).toBe('2026-12-01T00:00:00.000Z');
  });
});

describe('minutes', () => {
  const startMs = windowStart(interval('1m'), noon);
  const past = new PriceHistory({ seed: 1, symbol: 'BTCUSDT', endMs: startMs, endTick: 100_000, lotsPerDay: 1_440_000, unit: 1e-6 });

  it('of the past are contiguous and end at the opening price', () => {
    let previous: Candle | undefined;
    for (let minuteMs = startMs - 3_000 * MINUTE_MS; minuteMs < startMs; minuteMs += MINUTE_MS) {
      const minute = past.minute(minuteMs);
      if (previous !== undefined) expect(minute.open).toBe(previous.close);
      previous = minute;
    }
    expect(previous?.close).toBe(100_000);
  });

  it('of the past stay in the range told for the day', () => {
    const dayMs = startMs - 1_440 * MINUTE_MS;
    const { high, low } = past.range(dayMs);
    for (let minuteMs = dayMs; minuteMs < startMs; minuteMs += MINUTE_MS) {
      const minute = past.minute(minuteMs);
      expect(minute.high).toBeLessThanOrEqual(high);
      expect(minute.low).toBeGreaterThanOrEqual(low);
    }
  });

  it('without trades repeat the close, and open at the close before', () => {
    const log = new TradeLog(10, 1);
    log.add({ timeMs: startMs + 5, tick: 12, lots: 3, buy: true });
    log.add({ timeMs: startMs + 9, tick: 9, lots: 1, buy: false });
    log.add({ timeMs: startMs + 2 * MINUTE_MS, tick: 20, lots: 2, buy: true });
    expect(log.minutes(startMs, startMs + 3 * MINUTE_MS, 10)).toEqual([
      { startMs, open: 10, high: 12, low: 9, close: 9, volume: 4, turnover: 45 },
      { startMs: startMs + MINUTE_MS, open: 9, high: 9, low: 9, close: 9, volume: 0, turnover: 0 },
      { startMs: startMs + 2 * MINUTE_MS, open: 9, high: 20, low: 9, close: 20, volume: 2, turnover: 40 },
      { startMs: startMs + 3 * MINUTE_MS, open: 20, high: 20, low: 20, close: 20, volume: 0, turnover: 0 },
    ]);
  });

  it('roll up to longer candles', () => {
    const minutes = Array.from({ length: 120 }, (_, index) => past.minute(startMs - (120 - index) * MINUTE_MS));
    const hours = rollUp(minutes, interval('60m'));
    expect(hours.map((hour) => hour.startMs % (60 * MINUTE_MS))).toEqual(hours.map(() => 0));
    expect(hours.at(-1)?.close).toBe(minutes.at(-1)?.close);
    expect(hours.reduce((sum, hour) => sum + hour.volume, 0)).toBe(minutes.reduce((sum, minute) => sum + minute.volume, 0));
  });
});

describe('TradeLog', () => {
  it('forgets old trades, and says which it still has', () => {
    const log = new TradeLog(3, 1);
    for (let i = 0; i < 5; i++) log.add({ timeMs: i, tick: 100 + i, lots: 1, buy: i % 2 === 0 });
    expect(log.newest(10).map((trade) => trade.tick)).toEqual([104, 103, 102]);
    expect(log.at(1)).toBeUndefined();
    expect(log.at(4)).toEqual({ timeMs: 4, tick: 104, lots: 1, buy: true });
  });
});
