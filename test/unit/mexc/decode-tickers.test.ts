import { describe, expect, test } from 'vitest';
import { TickerEntries } from '../../../src/mexc/decode-tickers.js';
import type { TickerFigures } from '../../../src/model/ticker-figures.js';

/** As MEXC documents it, with the figures a live answer has. */
const ENTRY = {
  symbol: 'BTCUSDT',
  priceChange: '-184.34',
  priceChangePercent: '-0.0040',
  prevClosePrice: '46079.37',
  lastPrice: '45895.03',
  bidPrice: '45895',
  bidQty: '',
  askPrice: '45895.05',
  askQty: '',
  openPrice: '46079.37',
  highPrice: '47550.010',
  lowPrice: '45555.5',
  volume: '1732.461487',
  quoteVolume: null,
  openTime: 1641349500000,
  closeTime: 1641349582808,
  count: null,
};

function read(body: unknown, count = 100, wanted: (symbol: string) => boolean = () => true): [string, TickerFigures][] {
  const entries = new TickerEntries(new TextEncoder().encode(typeof body === 'string' ? body : JSON.stringify(body)));
  const taken: [string, TickerFigures][] = [];
  while (entries.read(count, wanted, (symbol, figures) => taken.push([symbol, figures])));
  return taken;
}

test('an entry: a fraction for percent, base volume, and no window of a minute', () => {
  expect(read([ENTRY])).toEqual([
    [
      'BTCUSDT',
      {
        timeMs: 1641349582808,
        lastPrice: '45895.03',
        lastQuantity: null,
        openPrice: '46079.37',
        highPrice: '47550.01',
        lowPrice: '45555.5',
        volume: '1732.461487',
        quoteVolume: null,
        priceChange: '-184.34',
        changeRate: '-0.004',
      },
    ],
  ]);
});

test('every field may be a text, a number, empty, null or absent', () => {
  const nothing = {
    ...ENTRY,
    lastPrice: '',
    openPrice: null,
    highPrice: undefined,
    lowPrice: {},
    priceChange: 'x',
    closeTime: '1641349582808',
  };
  expect(read([nothing])[0]![1]).toMatchObject({
    timeMs: null,
    lastPrice: null,
    openPrice: null,
    highPrice: null,
    lowPrice: null,
    priceChange: null,
  });
  expect(read([{ ...ENTRY, lastPrice: 45895.03, lastQty: '0.0100', quoteVolume: '79475315.5' }])[0]![1]).toMatchObject({
    lastPrice: '45895.03',
    lastQuantity: '0.01',
    quoteVolume: '79475315.5',
  });
});

describe('many entries', () => {
  const body = [
    ENTRY,
    { ...ENTRY, symbol: '币安人生USDT' },
    { ...ENTRY, symbol: '}{"\\' },
    { lastPrice: '1' },
    { ...ENTRY, symbol: 'ETHUSDT' },
  ];

  test.each([1, 2, 3, 100])('are read in portions of %d', (count) => {
    expect(read(body, count).map(([symbol]) => symbol)).toEqual(['BTCUSDT', '币安人生USDT', '}{"\\', 'ETHUSDT']);
  });

  test('only the wanted ones are handed on', () => {
    expect(read(body, 2, (symbol) => symbol === 'ETHUSDT').map(([symbol]) => symbol)).toEqual(['ETHUSDT']);
    expect(read([])).toEqual([]);
  });
});

test.each(['', '{}', '{"code":429}', '[{"symbol":"BTCUSDT"', '[{"a":{}]', '[{symbol}]'])('an answer like %j is refused', (body) => {
  expect(() => read(body)).toThrow(expect.objectContaining({ code: 'EXCHANGE_ANSWER_MALFORMED' }));
});
