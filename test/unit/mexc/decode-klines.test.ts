import { describe, expect, it, test } from 'vitest';
import { ROW_WORDS } from '../../../src/candle/candle-row.js';
import { toCandle } from '../../../src/candle/candle-text.js';
import { decodeKlinePush, decodeKlines } from '../../../src/mexc/decode-klines.js';
import { ErrorCode } from '../../../src/support/errors.js';
import { readGoldenFrames } from '../../support/golden.js';
import { bytesField, varintField } from '../../support/push-frame.js';
import { sharedDir } from '../../support/shared.js';

const row = new Float64Array(ROW_WORDS);

function push(interval: string, windowStart: number, texts: readonly string[]): Buffer {
  const body = [
    bytesField(1, interval),
    varintField(2, windowStart),
    ...texts.map((text, i) => bytesField(3 + i, text)),
    varintField(9, windowStart + 60),
  ];
  return Buffer.concat([bytesField(1, 'spot@public.kline.v3.api.pb@X@Min1'), bytesField(3, 'X'), bytesField(308, Buffer.concat(body))]);
}

describe('decodeKlinePush', () => {
  it.skipIf(sharedDir === undefined)('reads a captured push: open, close, high, low in the order of the stream', () => {
    const frame = readGoldenFrames().good.find(({ name }) => name === 'spot-kline-min1-BTCUSDT-b')!;
    expect(decodeKlinePush(frame.bytes, 2, 8, row)).toBe(true);
    expect(toCandle(row, 0, 'BTCUSDT', '1m')).toEqual({
      symbol: 'BTCUSDT',
      interval: '1m',
      open_time: 1790356740000,
      open: '83958.21',
      high: '83961.21',
      low: '83955.09',
      close: '83961.21',
      volume: '0.35388633',
      close_time: 1790356800000,
      quote_asset_volume: '29711.41',
      number_of_trades: null,
      taker_buy_base_asset_volume: null,
      taker_buy_quote_asset_volume: null,
      closed: false,
      complete: true,
    });
  });

  it('keeps the scale it is given, or as many decimals as there are', () => {
    decodeKlinePush(push('Min1', 600, ['1.5', '1.55', '2', '1.4', '10', '15']), 4, 3, row);
    expect(toCandle(row, 0, 'X', '1m')).toMatchObject({ open: '1.5000', high: '2.0000', volume: '10.000', quote_asset_volume: '15' });
    decodeKlinePush(push('Min1', 600, ['1.5', '1.5555', '2', '1.4', '10.00001', '15.5']), 1, 1, row);
    expect(toCandle(row, 0, 'X', '1m')).toMatchObject({ open: '1.5000', close: '1.5555', volume: '10.00001', quote_asset_volume: '15.5' });
  });

  it('passes over other lengths and other bodies', () => {
    expect(decodeKlinePush(push('Min5', 600, ['1', '1', '1', '1', '1', '1']), 2, 2, row)).toBe(false);
    expect(decodeKlinePush(Buffer.alloc(0), 2, 2, row)).toBe(false);
  });

  test.each([
    ['a price that is none', 600, ['x', '1', '1', '1', '1', '1']],
    ['no volume', 600, ['1', '1', '1', '1', '', '1']],
    ['a window within a minute', 601, ['1', '1', '1', '1', '1', '1']],
    ['a price past 2^53', 600, ['1', '1', '9999999999999999.99', '1', '1', '1']],
    ['a volume at whose decimals no trade could be counted', 600, ['1', '1', '1', '1', '0.00000000000000000000001', '1']],
  ] as const)('refuses %s', (_, windowStart, texts) => {
    expect(() => decodeKlinePush(push('Min1', windowStart, texts), 2, 2, row)).toThrow(
      expect.objectContaining({ code: ErrorCode.KLINES_MALFORMED }),
    );
  });

  it('a turnover that is not said is not known', () => {
    decodeKlinePush(push('Min1', 600, ['1', '1', '1', '1', '1']), 2, 2, row);
    expect(toCandle(row, 0, 'X', '1m').quote_asset_volume).toBeNull();
  });
});

describe('decodeKlines', () => {
  const decode = (text: string, interval: '1m' | '1d' = '1m'): Float64Array =>
    decodeKlines(new TextEncoder().encode(text), interval, 2, 3, 120_000);

  it('reads rows, and says which are over', () => {
    const rows = decode('[[60000,"1.5","2","1","1.75","10",120000,"16.25"],[120000,"1.75","1.75","1.75","1.75","0",180000,null]]');
    const [first, second] = [toCandle(rows, 0, 'X', '1m'), toCandle(rows, ROW_WORDS, 'X', '1m')];
    expect(first).toMatchObject({
      open: '1.50',
      high: '2.00',
      low: '1.00',
      close: '1.75',
      volume: '10.000',
      quote_asset_volume: '16.25',
      closed: true,
    });
    expect(second).toMatchObject({ volume: '0.000', quote_asset_volume: null, closed: false, complete: true });
    expect(decode('[]').length).toBe(0);
  });

  test.each([
    ['no JSON', '['],
    ['no list', '{"code":1}'],
    ['a row that is none', '[1]'],
    ['too few elements', '[[60000,"1","1","1","1","1",120000]]'],
    ['a time that is no beginning of a candle', '[[60001,"1","1","1","1","1",120001,"1"]]'],
    ['numbers that are no text', '[[60000,1,1,1,1,1,120000,1]]'],
  ])('refuses %s', (_, text) => {
    expect(() => decode(text)).toThrow(expect.objectContaining({ code: ErrorCode.KLINES_MALFORMED }));
  });

  it('refuses days that begin elsewhere than ours', () => {
    expect(() => decode('[[57600000,"1","1","1","1","1",144000000,"1"]]', '1d')).toThrow(/no beginning of a 1d candle/);
  });
});
