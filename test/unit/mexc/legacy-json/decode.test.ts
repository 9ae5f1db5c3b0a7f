import { describe, expect, test } from 'vitest';
import { decodeLegacyFrame } from '../../../../src/mexc/legacy-json/decode.js';
import { peekTextFrame } from '../../../../src/mexc/legacy-json/peek.js';
import type { CodedError } from '../../../../src/support/errors.js';

const decode = (frame: unknown) => decodeLegacyFrame(JSON.stringify(frame));

function codeOf(source: string): string {
  try {
    return decodeLegacyFrame(source).kind;
  } catch (error) {
    return (error as CodedError).code;
  }
}

describe('the plain dialect', () => {
  const depth = { s: 'BTCUSDT', t: 1_700_000_000_123, v: 7, b: [['84270.5', '0.10']], a: [['84271', '0']] };

  test('depth: newer versions apply, a snapshot replaces', () => {
    const expected = {
      kind: 'book',
      symbol: 'BTCUSDT',
      version: 7,
      timeMs: 1_700_000_000_123,
      bids: [['84270.5', '0.10']],
      asks: [['84271', '0']],
    };
    expect(decode({ c: 'depth', s: 'BTCUSDT', d: depth, t: 5 })).toEqual({ ...expected, effect: 'newer' });
    expect(decode({ c: 'depth.snapshot', d: depth })).toEqual({ ...expected, effect: 'replace' });
    expect(decode({ c: 'depth@BTCUSDT', s: 'BTCUSDT', d: { v: '8', a: [] }, t: 5 })).toMatchObject({
      version: 8,
      timeMs: 5,
      bids: [],
      asks: [],
    });
  });

  test('deals: one, or several', () => {
    const deal = { s: 'BTCUSDT', p: '84270.5', q: '0.2', v: '16854.1', t: 1_700_000_000_001, m: true };
    const trade = { price: '84270.5', quantity: '0.2', timeMs: 1_700_000_000_001, isBuyerMaker: true };
    expect(decode({ c: 'deals', s: 'BTCUSDT', d: deal, t: 9 })).toEqual({ kind: 'trades', symbol: 'BTCUSDT', timeMs: 9, trades: [trade] });
    expect(decode({ c: 'deals', s: 'BTCUSDT', d: [deal, { ...deal, m: false }] })).toMatchObject({
      trades: [trade, { ...trade, isBuyerMaker: false }],
    });
  });

  test('ticker', () => {
    const data = { s: 'BTCUSDT', o: '80000', h: '85000.00', l: '79000', c: '84270.50', v: '123.4', qv: '10000000', t: 1_700_000_000_002 };
    expect(decode({ c: 'ticker', s: 'BTCUSDT', d: data, t: 9 })).toEqual({
      kind: 'tickers',
      tickers: [
        {
          symbol: 'BTCUSDT',
          figures: {
            timeMs: 1_700_000_000_002,
            lastPrice: '84270.5',
            lastQuantity: null,
            openPrice: '80000',
            highPrice: '85000',
            lowPrice: '79000',
            volume: '123.4',
            quoteVolume: '10000000',
            priceChange: null,
            changeRate: null,
          },
        },
      ],
    });
  });
});

describe("MEXC's retired dialect", () => {
  test('increase.depth applies to the version before, limit.depth replaces', () => {
    const data = { asks: [{ p: '20290.89', v: '0.000000' }], e: 'spot@public.increase.depth.v3.api', r: '3407459756' };
    expect(decode({ c: 'spot@public.increase.depth.v3.api@BTCUSDT', d: data, s: 'BTCUSDT', t: 1 })).toEqual({
      kind: 'book',
      symbol: 'BTCUSDT',
      effect: 'update',
      version: 3_407_459_756,
      timeMs: 1,
      bids: [],
      asks: [['20290.89', '0.000000']],
    });
    expect(decode({ c: 'spot@public.limit.depth.v3.api@BTCUSDT@5', d: data, s: 'BTCUSDT', t: 1 })).toMatchObject({
      effect: 'replace_newer',
    });
  });

  test('deals: S 2 is a taker that sold', () => {
    const deals = [
      { S: 2, p: '20233.84', t: 1_661_927_587_825, v: '0.001028' },
      { S: 1, p: '20233.85', t: 1_661_927_587_826, v: '1' },
    ];
    expect(
      decode({ c: 'spot@public.deals.v3.api@BTCUSDT', d: { deals, e: 'spot@public.deals.v3.api' }, s: 'BTCUSDT', t: 1 }),
    ).toMatchObject({
      kind: 'trades',
      trades: [
        { price: '20233.84', quantity: '0.001028', timeMs: 1_661_927_587_825, isBuyerMaker: true },
        { price: '20233.85', quantity: '1', isBuyerMaker: false },
      ],
    });
  });

  test('kline: numbers, seconds, small ones without an exponent', () => {
    const k = {
      t: 1_661_931_000,
      T: 1_661_931_900,
      o: 20284.93,
      c: 1e-7,
      h: 20284.93,
      l: 1.5e-10,
      v: 1.43211,
      a: 29043.48804658,
      i: 'Min15',
    };
    expect(decode({ c: 'spot@public.kline.v3.api@BTCUSDT@Min15', d: { k, e: 'x' }, s: 'BTCUSDT', t: 1 })).toEqual({
      kind: 'candle',
      symbol: 'BTCUSDT',
      interval: 'Min15',
      openTimeMs: 1_661_931_000_000,
      closeTimeMs: 1_661_931_900_000,
      open: '20284.93',
      high: '20284.93',
      low: '0.00000000015',
      close: '0.0000001',
      volume: '1.43211',
      quoteVolume: '29043.48804658',
    });
  });

  test('bookTicker: capitals are quantities', () => {
    const d = { A: '40.66000000', B: '31.21000000', a: '25.36520000', b: '25.35190000' };
    expect(decode({ c: 'spot@public.bookTicker.v3.api@BNBUSDT', d, s: 'BNBUSDT', t: 1 })).toMatchObject({
      kind: 'quote',
      bid: ['25.35190000', '31.21000000'],
      ask: ['25.36520000', '40.66000000'],
    });
  });

  test('miniTicker and miniTickers: v is the turnover, q the volume, r the change of the day of the channel', () => {
    const item = {
      s: 'BTCUSDT',
      p: '36474.74',
      r: '-0.0354',
      tr: '0',
      h: '36549.72',
      l: '35101.68',
      v: '375173478.65',
      q: '10557.72895',
      t: '5',
    };
    const figures = {
      timeMs: 5,
      lastPrice: '36474.74',
      volume: '10557.72895',
      quoteVolume: '375173478.65',
      openPrice: null,
      changeRate: null,
    };
    expect(decode({ c: 'spot@public.miniTicker.v3.api@BTCUSDT@UTC+8', d: item, s: 'BTCUSDT', t: 1 })).toMatchObject({
      tickers: [{ symbol: 'BTCUSDT', figures }],
    });
    expect(decode({ c: 'spot@public.miniTickers.v3.api@24H', d: [item, { ...item, s: 'ETHUSDT' }], t: 1 })).toMatchObject({
      tickers: [{ figures: { ...figures, changeRate: '-0.0354' } }, { symbol: 'ETHUSDT' }],
    });
  });
});

describe('what cannot be read', () => {
  test.each(['', '{', 'nonsense', '{"c":"depth","d":{}', "{'c':1}"])('%j is no JSON', (source) => {
    expect(codeOf(source)).toBe('LEGACY_BAD_JSON');
  });

  test.each([
    ['no object', []],
    ['null', null],
    ['no channel', { s: 'A', d: {} }],
    ['a channel that is no text', { c: 5, s: 'A', d: {} }],
    ['no data', { c: 'depth', s: 'A' }],
    ['no symbol', { c: 'depth', d: { v: 1 } }],
    ['two symbols', { c: 'depth', s: 'A', d: { s: 'B', v: 1 } }],
    ['data that is a number', { c: 'depth', s: 'A', d: 5 }],
    ['no version', { c: 'depth', s: 'A', d: { b: [] } }],
    ['a version below 0', { c: 'depth', s: 'A', d: { v: -1 } }],
    ['a version with a fraction', { c: 'depth', s: 'A', d: { v: 1.5 } }],
    ['levels that are no list', { c: 'depth', s: 'A', d: { v: 1, b: {} } }],
    ['a level of one number', { c: 'depth', s: 'A', d: { v: 1, b: [['1']] } }],
    ['a price with an exponent', { c: 'depth', s: 'A', d: { v: 1, b: [['1e5', '1']] } }],
    ['a price below 0', { c: 'depth', s: 'A', d: { v: 1, b: [['-1', '1']] } }],
    ['a quantity that is no number', { c: 'depth', s: 'A', d: { v: 1, a: [['1', 'x']] } }],
    ['a version of MEXC that is no number', { c: 'spot@public.increase.depth.v3.api@A', s: 'A', d: { r: 'x' } }],
    ['a level of MEXC without quantity', { c: 'spot@public.increase.depth.v3.api@A', s: 'A', d: { r: '1', asks: [{ p: '1' }] } }],
    ['a time that is text', { c: 'depth', s: 'A', d: { v: 1 }, t: 'now' }],
    ['a trade without price', { c: 'deals', s: 'A', d: { q: '1', t: 1, m: true } }],
    ['a trade without side', { c: 'deals', s: 'A', d: { p: '1', q: '1', t: 1 } }],
    ['a side MEXC does not have', { c: 'spot@public.deals.v3.api@A', s: 'A', d: { deals: [{ S: 3, p: '1', v: '1', t: 1 }] } }],
    ['a ticker without last price', { c: 'ticker', s: 'A', d: { o: '1' } }],
    ['a ticker of nobody', { c: 'spot@public.miniTickers.v3.api@24H', d: [{ p: '1' }] }],
    [
      'a candle without close',
      { c: 'spot@public.kline.v3.api@A@Min1', s: 'A', d: { k: { t: 1, T: 2, i: 'Min1', o: 1, h: 1, l: 1, v: 1, a: 1 } } },
    ],
  ])('%s is of another form', (_what, frame) => {
    expect(codeOf(JSON.stringify(frame))).toBe('LEGACY_INVALID_FORMAT');
  });

  test.each(['spot@public.orders.v3.api@A', 'depths', 'indepth', ' '])('the channel %j is not known', (c) => {
    expect(codeOf(JSON.stringify({ c, s: 'A', d: {} }))).toBe('LEGACY_UNSUPPORTED_CHANNEL');
  });
});

describe('peekTextFrame', () => {
  const peek = (source: string) => {
    const bytes = Buffer.from(source);
    const { isPush, symbolStart, symbolEnd } = peekTextFrame(bytes);
    return [isPush, bytes.toString('utf8', symbolStart, symbolEnd)];
  };

  test('finds the symbol of the frame, wherever it stands', () => {
    expect(peek('{"c":"depth","s":"BTCUSDT","d":{}}')).toEqual([true, 'BTCUSDT']);
    expect(peek('{ "d" : {"s":"ETHUSDT","x":["{"]} , "s" : "币安人生USDT", "c":"\\"s\\":\\"X"}')).toEqual([true, '币安人生USDT']);
  });

  test('leaves to others what it cannot tell', () => {
    expect(peek('{"c":"ticker","d":{"s":"BTCUSDT"}}')).toEqual([true, '']);
    expect(peek('{"c":"depth","s":"\\u0042TC"}')).toEqual([true, '']);
    expect(peek('{"c":"depth","s":5}')).toEqual([true, '']);
    expect(peek('{"id":0,"code":0,"msg":"PONG"}')).toEqual([false, '']);
    expect(peek('{"id":0,"code":0,"msg":"c\\":"}')).toEqual([false, '']);
    for (const source of ['', '{', '"', '{"c"', '{"s":"BTC', '[[["s"']) expect(peek(source)[0]).toBe(false);
  });
});
