import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';

import { assemble } from '../../src/candle/assemble.js';
import { CandleHistory } from '../../src/candle/candle-history.js';
import { createCandleBuffer } from '../../src/candle/candle-layout.js';
import { CLOSE, COMPLETE, hasFlag, OPEN, OPEN_TIME, ROW_WORDS } from '../../src/candle/candle-row.js';
import { CandleSource } from '../../src/candle/candle-source.js';
import { toCandle } from '../../src/candle/candle-text.js';
import { parseSum, unitsOf } from '../../src/candle/exact-sum.js';
import { MinuteFormer } from '../../src/candle/minute-former.js';
import { SymbolRows } from '../../src/candle/symbol-rows.js';
import { decodeKlines } from '../../src/mexc/decode-klines.js';
import type { Candle } from '../../src/model/candle.js';
import { candleIntervals, DAY_MS, MINUTE_MS, nextOpen, openTimeOf } from '../../src/model/candle-interval.js';
import { shortest } from '../support/model-book.js';
import { readSession } from '../support/recorded.js';
import { sharedDir, sharedPath } from '../support/shared.js';

const symbols = ['BONKUSDT', 'CATIUSDT', 'DOGEUSDT', 'FLOKIUSDT', 'GIGAUSDT', 'KISHUUSDT'];

/** Of the cheapest of them. */
const PRICE_SCALE = 14;

interface Line {
  readonly openMs: number;
  readonly prices: readonly string[];
  readonly volume: string;
}

/** `YYYYMMDD HHMMSS;open;high;low;close;volume`, UTC. */
function readLines(symbol: string, interval: string): Line[] {
  const text = gunzipSync(readFileSync(sharedPath('data/mexc-candles', `${symbol}_${interval}.txt.gz`))).toString();
  return text
    .trim()
    .split('\n')
    .map((line) => {
      const [time, open, high, low, close, volume] = line.trim().split(';');
      const [, y, mo, d, h, mi, s] = /^(\d{4})(\d\d)(\d\d) (\d\d)(\d\d)(\d\d)$/.exec(time!)!.map(Number);
      return { openMs: Date.UTC(y!, mo! - 1, d, h, mi, s), prices: [open!, high!, low!, close!], volume: volume! };
    });
}

/** The lines as the body of a klines answer. */
function bodyOf(lines: readonly Line[]): Uint8Array {
  const rows = lines.map(({ openMs, prices, volume }) => [openMs, ...prices, volume, openMs + MINUTE_MS, '0']);
  return new TextEncoder().encode(JSON.stringify(rows));
}

function numbersOf({ open, high, low, close, volume }: Candle): string[] {
  return [open, high, low, close, volume].map(shortest);
}

describe.skipIf(sharedDir === undefined)('candles of MEXC', () => {
  it.each(symbols)('minutes of %s add up to the days MEXC gives, and open where the one before closed', (symbol) => {
    const minutes = readLines(symbol, '1m');
    const rows = decodeKlines(bodyOf(minutes), '1m', PRICE_SCALE, 0, Infinity);
    expect(rows.length).toBe(minutes.length * ROW_WORDS);
    for (let at = ROW_WORDS; at < rows.length; at += ROW_WORDS) {
      if (rows[at + OPEN] !== rows[at - ROW_WORDS + CLOSE]) expect(new Date(rows[at + OPEN_TIME]!)).toBe('opens at the close before it');
    }
    const first = minutes[0]!.openMs;
    const end = minutes.at(-1)!.openMs + MINUTE_MS;
    const history = new CandleHistory();
    history.add(0, '1m', first, end, rows);
    const source = new CandleSource(SymbolRows.at(createCandleBuffer(1), 0), history);
    const days = readLines(symbol, '1d').filter(({ openMs }) => openMs >= first && openMs + DAY_MS <= end);
    expect(days.length).toBe(29);
    const request = { interval: '1d', startMs: days[0]!.openMs, endMs: days.at(-1)!.openMs, limit: 1000 } as const;
    const added = assemble(source, request, end);
    expect(added.wanted).toEqual([]);
    const candles = Array.from({ length: 29 }, (_, day) => toCandle(added.rows, day * ROW_WORDS, symbol, '1d'));
    expect(candles.map((candle) => [candle.open_time, ...numbersOf(candle)])).toEqual(
      days.map(({ openMs, prices, volume }) => [openMs, ...prices.map(shortest), shortest(volume)]),
    );
    expect(candles.every(({ closed, complete }) => closed && complete)).toBe(true);
  });

  it('every longer candle is the exact sum of its minutes, past 2^53 units too', () => {
    const minutes = readLines('KISHUUSDT', '1m');
    const end = minutes.at(-1)!.openMs + MINUTE_MS;
    const history = new CandleHistory();
    history.add(0, '1m', 1, end, decodeKlines(bodyOf(minutes), '1m', 0, 0, Infinity));
    const source = new CandleSource(SymbolRows.at(createCandleBuffer(1), 0), history);
    let largest = 0n;
    for (const interval of candleIntervals) {
      const whole = new Map<number, Line[]>();
      for (const minute of minutes) {
        const openMs = openTimeOf(interval, minute.openMs);
        const parts = whole.get(openMs);
        if (parts === undefined) whole.set(openMs, [minute]);
        else parts.push(minute);
      }
      // Asked for once more the exchange would have nothing: everything was asked of it.
      for (const base of ['5m', '15m', '30m', '1h', '4h', '1d'] as const) history.add(0, base, 1, end, new Float64Array(0));
      const { rows: added, missing } = assemble(source, { interval, startMs: null, endMs: end - 1, limit: 60 }, end - 1);
      expect(missing).toBe(0);
      // The oldest of each length began before the recording.
      expect(added.length).toBeGreaterThanOrEqual(Math.min(60, whole.size - 1) * ROW_WORDS);
      for (let at = 0; at < added.length; at += ROW_WORDS) {
        const candle = toCandle(added, at, 'KISHUUSDT', interval);
        if (candle.open_time < minutes[0]!.openMs) continue;
        const parts = whole.get(candle.open_time)!;
        const volume = sumOf(parts.map((part) => part.volume));
        largest = BigInt(Math.max(Number(largest), Number(volume.split('.')[0])));
        expect([interval, shortest(candle.volume), shortest(candle.close)]).toEqual([
          interval,
          shortest(volume),
          shortest(parts.at(-1)!.prices[3]!),
        ]);
        expect(candle.close_time).toBe(nextOpen(interval, candle.open_time));
      }
    }
    expect(largest).toBeGreaterThan(BigInt(Number.MAX_SAFE_INTEGER));
  });
});

function sumOf(texts: readonly string[]): string {
  const decimals = Math.max(...texts.map((text) => text.split('.')[1]?.length ?? 0));
  const sum = texts.reduce((total, text) => {
    const [whole, fraction = ''] = text.split('.');
    return total + BigInt(whole! + fraction.padEnd(decimals, '0'));
  }, 0n);
  const digits = sum.toString().padStart(decimals + 1, '0');
  return decimals === 0 ? digits : `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
}

interface BinanceTrade {
  readonly a: number;
  readonly f: number;
  readonly l: number;
  readonly p: string;
  readonly q: string;
  readonly T: number;
  readonly m: boolean;
}

interface BinanceKline {
  readonly t: number;
  readonly s: string;
  readonly i: string;
  readonly f: number;
  readonly L: number;
  readonly o: string;
  readonly h: string;
  readonly l: string;
  readonly c: string;
  readonly v: string;
  readonly q: string;
  readonly V: string;
  readonly Q: string;
  readonly n: number;
}

describe.skipIf(sharedDir === undefined)('candles of a recorded session of Binance', () => {
  it('made from the trades equal the 51 candles of the exchange whose trades were all recorded', () => {
    const trades = new Map<string, BinanceTrade[]>();
    const klines: BinanceKline[] = [];
    for (const { k, raw } of readSession('binance-cryptofeed/binance_20210404_btc_eth_dot_kline')) {
      if (k !== 'ws' || raw === undefined) continue;
      const { data } = JSON.parse(raw) as { data?: { e?: string; s?: string; k?: BinanceKline } };
      if (data?.e === 'aggTrade') trades.set(data.s!, [...(trades.get(data.s!) ?? []), data as unknown as BinanceTrade]);
      if (data?.e === 'kline') klines.push(data.k!);
    }
    let compared = 0;
    for (const kline of klines) {
      const among = (trades.get(kline.s) ?? []).filter(({ f, l }) => f >= kline.f && l <= kline.L);
      // An aggregate holds the trades f to l, so the whole candle is there when they follow each other from its first to its last.
      const isCovered =
        among[0]?.f === kline.f && among.at(-1)!.l === kline.L && among.every(({ f }, i) => i === 0 || f === among[i - 1]!.l + 1);
      if (!isCovered) continue;
      compared++;
      const rows = SymbolRows.at(createCandleBuffer(1), 0);
      // Binance opens a candle at its first trade.
      const former = new MinuteFormer(rows, 2, 2, { opensAt: 'firstTrade' });
      former.covered(kline.t);
      let count = 0;
      for (const { p, q, T, m, f, l } of among) {
        count += l - f + 1;
        former.trade({ timeMs: T, ...unitsAndScales(p, q), takerBought: !m });
      }
      const at = rows.find('1m', kline.t);
      expect(hasFlag(rows.rows, at, COMPLETE)).toBe(true);
      const candle = toCandle(rows.rows, at, kline.s, '1m');
      const { o, h, l, c, v, q, V, Q, n } = kline;
      expect(numbersOf(candle)).toEqual([o, h, l, c, v].map(shortest));
      expect(
        [candle.quote_asset_volume, candle.taker_buy_base_asset_volume, candle.taker_buy_quote_asset_volume].map((text) => shortest(text!)),
      ).toEqual([q, V, Q].map(shortest));
      // Aggregated, so fewer messages than trades.
      expect([count, candle.number_of_trades]).toEqual([n, among.length]);
    }
    expect(compared).toBe(51);
  });
});

function unitsAndScales(price: string, quantity: string): { tick: number; lots: number; priceScale: number; quantityScale: number } {
  const sums = new Float64Array(4);
  const priceScale = parseSum(price, sums, 0);
  const quantityScale = parseSum(quantity, sums, 2);
  return { tick: unitsOf(sums, 0), lots: unitsOf(sums, 2), priceScale, quantityScale };
}
