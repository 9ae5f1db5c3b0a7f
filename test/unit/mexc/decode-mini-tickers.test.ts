import { describe, expect, test } from 'vitest';
import { MiniTickerItems } from '../../../src/mexc/decode-mini-tickers.js';
import type { TickerFigures } from '../../../src/model/ticker-figures.js';
import { CodedError } from '../../../src/support/errors.js';
import { readHex } from '../../support/golden.js';
import { encodePush } from '../../support/mexc-schema.js';
import { sharedDir } from '../../support/shared.js';

function decode(bytes: Uint8Array, wanted?: readonly string[], portion = 2): Map<string, TickerFigures> {
  const taken = new Map<string, TickerFigures>();
  const items = new MiniTickerItems(bytes);
  const isWanted = (symbol: string): boolean => wanted === undefined || wanted.includes(symbol);
  while (items.read(portion, isWanted, (symbol, figures) => taken.set(symbol, figures)));
  return taken;
}

const NOTHING: TickerFigures = {
  timeMs: null,
  lastPrice: null,
  lastQuantity: null,
  openPrice: null,
  highPrice: null,
  lowPrice: null,
  volume: null,
  quoteVolume: null,
  priceChange: null,
  changeRate: null,
};

describe.skipIf(!sharedDir)('pushes that were captured or made by others', () => {
  test('a single mini ticker: volume is the turnover, quantity the volume', () => {
    expect(decode(readHex('mexc/frames', 'spot-miniticker-BTCUSDT-utc8.hex'))).toEqual(
      new Map([
        [
          'BTCUSDT',
          {
            ...NOTHING,
            timeMs: 1757770896059,
            lastPrice: '115887.51',
            highPrice: '116655.39',
            lowPrice: '114872.83',
            volume: '7390.61738038',
            quoteVolume: '856772057.5',
          },
        ],
      ]),
    );
    expect([...decode(readHex('mexc/frames', 'spot-miniticker-ETHUSDT-utc8.hex')).keys()]).toEqual(['ETHUSDT']);
  });

  test('many, of which only those that are wanted are taken; the change of a day somewhere is not that of 24 hours', () => {
    const bytes = readHex('mexc/frames', 'constructed-miniTickers-utc8.hex');
    for (const portion of [1, 2, 3, 100]) expect([...decode(bytes, undefined, portion).keys()]).toEqual(['METAUSDT', 'FCATUSDT', 'CRVETH']);
    expect(decode(bytes, ['FCATUSDT', 'BTCUSDT'])).toEqual(
      new Map([
        [
          'FCATUSDT',
          {
            ...NOTHING,
            timeMs: 1755076614201,
            lastPrice: '0.0000031',
            highPrice: '0.0000056',
            lowPrice: '0.0000031',
            volume: '654649950.75',
            quoteVolume: '2825.4350195',
          },
        ],
      ]),
    );
  });

  test('a truncated push is refused', () => {
    const bytes = readHex('mexc/frames', 'constructed-miniTickers-utc8.hex');
    expect(() => decode(bytes.subarray(0, 300))).toThrow(CodedError);
  });
});

const CHANNEL = 'spot@public.miniTickers.v3.api.pb@24H';

test('the zoned change is that of 24 hours on the rolling channel, and the other one never is', () => {
  const items = [{ symbol: 'BTCUSDT', price: '84270.50', rate: '0.9', zonedRate: '-0.0067' }];
  const figures = decode(encodePush({ channel: CHANNEL, sendTime: 5, publicMiniTickers: { items } })).get('BTCUSDT');
  expect(figures).toEqual({ ...NOTHING, timeMs: 5, lastPrice: '84270.5', changeRate: '-0.0067' });
});

test('what is absent, empty or no number is not supplied', () => {
  const items = [{ symbol: 'BTCUSDT', price: '', high: '-1', low: 'NaN', volume: '1e9', quantity: '1'.repeat(48) }];
  expect(decode(encodePush({ channel: CHANNEL, publicMiniTickers: { items } })).get('BTCUSDT')).toEqual(NOTHING);
  expect(decode(encodePush({ channel: CHANNEL, publicMiniTickers: { items: [{ price: '1' }] } })).size).toBe(0);
  expect(decode(new Uint8Array(0)).size).toBe(0);
});
