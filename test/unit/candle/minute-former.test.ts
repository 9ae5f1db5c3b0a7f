import { beforeEach, describe, expect, it } from 'vitest';
import { createCandleBuffer, MINUTE_ROWS, type RingInterval } from '../../../src/candle/candle-layout.js';
import { toCandle } from '../../../src/candle/candle-text.js';
import { MinuteFormer } from '../../../src/candle/minute-former.js';
import { SymbolRows } from '../../../src/candle/symbol-rows.js';
import { decodeKlines } from '../../../src/mexc/decode-klines.js';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../../src/model/candle-interval.js';

/** A midnight. */
const START = Date.UTC(2024, 1, 29);

let memory: SharedArrayBuffer;
let rows: SymbolRows;
let former: MinuteFormer;
let finals: number[];

beforeEach(() => {
  memory = createCandleBuffer(2);
  rows = SymbolRows.at(memory, 1);
  finals = [];
  former = new MinuteFormer(rows, 2, 3, { final: (openMs) => finals.push((openMs - START) / MINUTE_MS) });
});

/** A trade so many seconds after midnight: price with two decimals, quantity with three; the taker bought unless it is negative. */
function trade(seconds: number, price: number, quantity = 1): void {
  former.trade({
    timeMs: START + seconds * 1000,
    tick: Math.round(price * 100),
    lots: Math.round(Math.abs(quantity) * 1000),
    takerBought: quantity > 0,
    priceScale: 2,
    quantityScale: 3,
  });
}

/** The clock, in seconds after midnight. */
function clock(seconds: number): void {
  former.advance(START + seconds * 1000);
}

/** The clock goes there at once. */
function jump(seconds: number): void {
  former.jumped(START + seconds * 1000);
  clock(seconds);
}

/** `open high low close volume`, then marks: `count` of trades, `final`, `whole`. */
function minute(index: number, interval: RingInterval = '1m', lengthMs = MINUTE_MS): string {
  const at = rows.find(interval, START + index * lengthMs);
  if (at < 0) return 'none';
  const { open, high, low, close, volume, number_of_trades, closed, complete } = toCandle(rows.rows, at, 'X', '1m');
  const marks = [number_of_trades === null ? '' : `${number_of_trades} trades`, closed ? 'final' : '', complete ? 'whole' : ''];
  return [[open, high, low, close, volume].map(Number).join(' '), ...marks.filter((mark) => mark !== '')].join(', ');
}

/** The exchange's own figures: open, high, low, close, volume, turnover. */
function exchange(index: number, figures: readonly string[], final: boolean): void {
  const [open, high, low, close, volume, amount] = figures;
  const openMs = START + index * MINUTE_MS;
  const body = JSON.stringify([[openMs, open, high, low, close, volume, openMs + MINUTE_MS, amount]]);
  former.exchangeMinute(decodeKlines(new TextEncoder().encode(body), '1m', 2, 3, final ? Infinity : 0), 0, final);
}

describe('minutes', () => {
  beforeEach(() => {
    former.covered(START - 60_000);
    trade(-30, 100);
  });

  it('open at the close before, not at the first trade, and high and low hold the open', () => {
    trade(10, 103);
    trade(20, 102, -2);
    expect(minute(0)).toBe('100 103 100 102 3, 2 trades, whole');
    const candle = toCandle(rows.rows, rows.find('1m', START), 'X', '1m');
    expect(candle.quote_asset_volume).toBe('307.00000');
    expect([candle.taker_buy_base_asset_volume, candle.taker_buy_quote_asset_volume]).toEqual(['1.000', '103.00000']);
    expect(candle.close_time).toBe(START + MINUTE_MS);
  });

  it('without trades are flat, with volume 0, and end by the clock', () => {
    clock(59.9);
    expect(minute(1)).toBe('none');
    clock(60);
    expect([minute(0), minute(1)]).toEqual(['100 100 100 100 0, 0 trades, whole', '100 100 100 100 0, 0 trades, whole']);
    clock(62);
    expect(minute(0)).toBe('100 100 100 100 0, 0 trades, final, whole');
    expect(finals).toEqual([-1, 0]);
    clock(245);
    expect(finals).toEqual([-1, 0, 1, 2, 3]);
    trade(246, 99);
    expect(minute(4)).toBe('100 100 99 99 1, 1 trades, whole');
  });

  it('take trades that come late until they are final, and hand the close on', () => {
    clock(60.5);
    trade(61, 105);
    expect(minute(1)).toBe('100 105 100 105 1, 1 trades, whole');
    // Sent within the minute before, received now.
    trade(59.9, 98);
    expect([minute(0), minute(1)]).toEqual(['100 100 98 98 1, 1 trades, whole', '98 105 98 105 1, 1 trades, whole']);
    clock(62);
    expect(minute(0)).toBe('100 100 98 98 1, 1 trades, final, whole');
  });

  it('take a trade of a final minute too, with all that follows from it, without a second last word', () => {
    clock(185);
    expect(finals).toEqual([-1, 0, 1, 2]);
    trade(55, 97);
    trade(50, 96);
    expect(minute(0)).toBe('100 100 96 97 2, 2 trades, final, whole');
    expect([1, 2, 3].map((index) => minute(index))).toEqual([
      '97 97 97 97 0, 0 trades, final, whole',
      '97 97 97 97 0, 0 trades, final, whole',
      '97 97 97 97 0, 0 trades, whole',
    ]);
    expect(finals).toEqual([-1, 0, 1, 2]);
  });

  it('end by the exchange when our clock is behind it', () => {
    trade(10, 101);
    trade(200, 102);
    expect([minute(0), minute(1), minute(2), minute(3)].map((text) => text.split(',')[0])).toEqual([
      '100 101 100 101 1',
      '101 101 101 101 0',
      '101 101 101 101 0',
      '101 102 101 102 1',
    ]);
    // The clock goes its own way: nothing is final before it says so.
    clock(30);
    expect(finals).toEqual([-1]);
  });
});

describe('a clock that jumps', () => {
  beforeEach(() => {
    former.covered(START - 60_000);
    trade(-30, 100);
    clock(1);
  });

  it('forwards: minutes in between are flat and not called whole, and what comes then is whole again', () => {
    jump(601);
    expect(minute(5)).toBe('100 100 100 100 0, final');
    trade(610, 104);
    clock(662);
    expect(minute(10)).toBe('100 104 100 104 1, final');
    trade(670, 105);
    clock(722);
    expect(minute(11)).toBe('104 105 104 105 1, 1 trades, final, whole');
  });

  it('back again: trades count for the minute their own time says, and no minute ends twice', () => {
    jump(601);
    const ended = [...finals];
    clock(61);
    trade(62, 103);
    trade(130, 101);
    expect(minute(1)).toBe('100 103 100 103 1, final');
    expect(minute(2)).toBe('103 103 101 101 1, final');
    expect(minute(8)).toBe('101 101 101 101 0, final');
    expect(finals).toEqual(ended);
    clock(662);
    expect(finals).toEqual([...ended, 9, 10]);
  });

  it('past all that is kept: begins anew', () => {
    jump(MINUTE_ROWS * 60 + 5);
    expect(minute(MINUTE_ROWS)).toBe('100 100 100 100 0');
    expect(minute(0)).toBe('none');
    expect(finals).toEqual([-1, 0]);
  });

  it('by less than a minute back: nothing ends before it has caught up', () => {
    clock(60);
    clock(30);
    trade(40, 102);
    clock(61);
    expect(finals).toEqual([-1]);
    clock(62);
    expect([finals, minute(0)]).toEqual([[-1, 0], '100 102 100 102 1, 1 trades, final, whole']);
  });
});

describe('whole or not', () => {
  it('the first minute of all is not, since what was before it is not known; the next one is', () => {
    former.covered(START + 5_000);
    trade(10, 100);
    trade(70, 101);
    clock(122);
    expect([minute(0), minute(1)]).toEqual(['100 100 100 100 1, final', '100 101 100 101 1, 1 trades, final, whole']);
  });

  it('a minute without trades is whole only when the price before it is known', () => {
    former.covered(START);
    trade(10, 100);
    former.uncovered();
    clock(62);
    former.covered(START + 62_000);
    clock(122);
    clock(182);
    // The price may have moved while trades were missing.
    expect(minute(2)).toBe('100 100 100 100 0, final');
    trade(190, 99);
    clock(242);
    clock(302);
    expect([minute(3), minute(4)]).toEqual(['100 100 99 99 1, final', '99 99 99 99 0, 0 trades, final, whole']);
  });

  it('what was missed makes its minutes incomplete, until it is filled in', () => {
    former.covered(START - 60_000);
    trade(-30, 100);
    clock(30);
    former.uncovered();
    clock(62);
    clock(125);
    expect([0, 1].map((index) => minute(index))).toEqual(['100 100 100 100 0, final', '100 100 100 100 0, final']);
    // The missing trades come, and nothing is missing since before.
    trade(40, 102);
    trade(70, 101, -1);
    former.covered(START - 60_000);
    expect([0, 1, 2].map((index) => minute(index))).toEqual([
      '100 102 100 102 1, 1 trades, final, whole',
      '102 102 101 101 1, 1 trades, final, whole',
      '101 101 101 101 0, 0 trades, whole',
    ]);
  });
});

describe('figures of the exchange', () => {
  beforeEach(() => {
    former.covered(START - 60_000);
    trade(-30, 100);
  });

  it('stand in while trades are missing', () => {
    former.uncovered();
    exchange(0, ['100', '104', '99', '103', '5', '510.5'], false);
    expect(minute(0)).toBe('100 104 99 103 5, whole');
    clock(62);
    // Whether that push was the last of the minute nobody says.
    expect(minute(0)).toBe('100 104 99 103 5, final');
    exchange(0, ['100', '104', '99', '102', '6', '612.4'], true);
    expect([minute(0), minute(1)]).toEqual(['100 104 99 102 6, final, whole', '102 102 102 102 0']);
  });

  it('with the same volume win, and our count goes with them', () => {
    trade(10, 103, 2);
    exchange(0, ['100', '103', '100', '103', '2', '206.04'], false);
    expect(minute(0)).toBe('100 103 100 103 2, 2 trades'.replace('2 trades', '1 trades, whole'));
    expect(toCandle(rows.rows, rows.find('1m', START), 'X', '1m').quote_asset_volume).toBe('206.04000');
    clock(62);
    expect(minute(0)).toBe('100 103 100 103 2, 1 trades, final, whole');
  });

  it('older than our trades are passed over; newer ones than our trades are taken without a count', () => {
    trade(10, 103, 2);
    trade(12, 104, 1);
    exchange(0, ['100', '103', '100', '103', '2', '206'], false);
    expect(minute(0)).toBe('100 104 100 104 3, 2 trades, whole');
    exchange(0, ['100', '105', '100', '105', '4', '414'], false);
    expect(minute(0)).toBe('100 105 100 105 4, whole');
    trade(15, 105, 1);
    expect(minute(0)).toBe('100 105 100 105 4, 3 trades, whole');
    // A push that was overtaken.
    exchange(0, ['100', '104', '100', '104', '3', '310'], false);
    expect(minute(0)).toBe('100 105 100 105 4, 3 trades, whole');
  });

  it('prove that trades were missed when they hold more volume than ours at the end', () => {
    trade(10, 103, 2);
    exchange(0, ['100', '105', '100', '105', '4', '414'], false);
    clock(62);
    expect(minute(0)).toBe('100 105 100 105 4, final');
    expect(minute(1)).toBe('105 105 105 105 0');
  });

  it('of a final minute replace what we have, and fill in what we never saw', () => {
    trade(10, 103, 2);
    clock(62);
    exchange(0, ['100', '106', '100', '104', '7', '720'], true);
    expect([minute(0), minute(1)]).toEqual(['100 106 100 104 7, final, whole', '104 104 104 104 0, 0 trades, whole']);
    exchange(-5, ['98', '99', '97', '98', '3', '294'], true);
    expect(minute(-5)).toBe('98 99 97 98 3, final, whole');
    // A late trade is in them already.
    trade(11, 90, 1);
    expect(minute(0)).toBe('100 106 100 104 7, final, whole');
  });

  it('of finer decimals than ours change no digit', () => {
    trade(10, 103.25, 2);
    exchange(0, ['100', '103.254', '100', '103.254', '2.0001', '206.5'], false);
    expect(toCandle(rows.rows, rows.find('1m', START), 'X', '1m')).toMatchObject({ open: '100.000', close: '103.254', volume: '2.0001' });
    former.trade({ timeMs: START + 61_000, tick: 10_325, lots: 1_500, takerBought: true, priceScale: 2, quantityScale: 3 });
    expect(toCandle(rows.rows, rows.find('1m', START + MINUTE_MS), 'X', '1m')).toMatchObject({
      open: '103.254',
      close: '103.250',
      volume: '1.5000',
      quote_asset_volume: '154.8750000',
    });
  });

  it('can be the first there is', () => {
    rows.clear();
    former = new MinuteFormer(rows, 2, 3);
    exchange(0, ['100', '101', '99', '100.5', '4', '400'], false);
    clock(62);
    expect([minute(0), minute(1)]).toEqual(['100 101 99 100.5 4, final', '100.5 100.5 100.5 100.5 0']);
  });
});

describe('hours and days', () => {
  it('are added up when their last minute is final, complete ones only', () => {
    former.covered(START - MINUTE_MS);
    trade(-30, 100);
    for (let second = 0; second < 25 * 3600; second += 60) {
      trade(second + 10, 100 + ((second / 60) % 7), 1);
      trade(second + 20, 100 - ((second / 60) % 5), -2);
      clock(second + 62);
    }
    expect(minute(0, '1h', HOUR_MS)).toBe('100 106 96 96 180, 120 trades, final, whole');
    expect(minute(0, '1d', DAY_MS)).toBe('100 106 96 96 4320, 2880 trades, final, whole');
    expect(minute(24, '1h', HOUR_MS)).not.toBe('none');
    expect(minute(25, '1h', HOUR_MS)).toBe('none');
  });

  it('one with an incomplete minute is left out', () => {
    former.covered(START - MINUTE_MS);
    trade(-30, 100);
    clock(1800);
    former.uncovered();
    former.covered(START + 1_830_000);
    for (let second = 1860; second < 7200; second += 60) {
      trade(second + 10, 100);
      clock(second + 62);
    }
    expect([minute(0, '1h', HOUR_MS), minute(1, '1h', HOUR_MS)]).toEqual(['none', '100 100 100 100 60, 60 trades, final, whole']);
  });
});

describe('a new worker', () => {
  it('goes on with what is in memory; the minute it died in is not whole', () => {
    former.covered(START - MINUTE_MS);
    trade(-30, 100);
    clock(62);
    trade(70, 102);
    former = new MinuteFormer(SymbolRows.at(memory, 1), 2, 3, { final: (openMs) => finals.push((openMs - START) / MINUTE_MS) });
    former.covered(START + 80_000);
    trade(90, 101);
    clock(122);
    trade(130, 103);
    clock(182);
    expect([0, 1, 2].map((index) => minute(index))).toEqual([
      '100 100 100 100 0, 0 trades, final, whole',
      '100 102 100 101 2, final',
      '101 103 101 103 1, 1 trades, final, whole',
    ]);
    expect(finals).toEqual([-1, 0, 1, 2]);
  });

  it('knows the decimals of what is in memory, which may be more than those of the listing', () => {
    const seen = { timeMs: START + 1000, tick: 12_345_678, lots: 5, takerBought: true, priceScale: 4, quantityScale: 3 };
    former.trade(seen);
    former = new MinuteFormer(SymbolRows.at(memory, 1), 2, 3);
    clock(60);
    expect(minute(1)).toBe('1234.5678 1234.5678 1234.5678 1234.5678 0');
  });

  it('finds a place whose row was being forgotten when the one before it died as good as new', () => {
    trade(10, 100);
    rows.clear();
    const ints = new Int32Array(memory);
    const version = ints.findIndex((word) => word > 0);
    Atomics.add(ints, version, 1);
    rows.clear();
    trade(10, 100);
    expect([ints[version]! % 2, rows.readInto(SymbolRows.copy())]).toEqual([0, true]);
  });

  it('forgets a symbol whose row it may have been writing', () => {
    former.covered(START);
    trade(10, 100);
    const ints = new Int32Array(memory);
    const version = ints.findIndex((word) => word > 0);
    Atomics.add(ints, version, 1);
    SymbolRows.at(memory, 1).recover();
    expect([minute(0), rows.newest, ints[version]! % 2]).toEqual(['none', 0, 0]);
    expect(rows.readInto(SymbolRows.copy())).toBe(true);
  });
});

it('a push about a minute long over, which may be a broken one, is none of the young ones', () => {
  former.covered(START);
  trade(10, 100);
  for (const index of [-2, -2_097_152]) exchange(index, ['99', '99', '99', '99', '1', '99'], false);
  trade(20, 101);
  trade(70, 102);
  expect([minute(-2), minute(0), minute(1)]).toEqual(['none', '100 101 100 101 2', '101 102 101 102 1, 1 trades, whole']);
});
