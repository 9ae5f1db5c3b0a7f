import { describe, expect, test } from 'vitest';
import { type BookCopy, createBookCopy } from '../../../src/model/book-copy.js';
import { BookState } from '../../../src/model/book-state.js';
import { formatDecimal } from '../../../src/model/decimal.js';
import { composeTicker, type LastTrade } from '../../../src/ticker/compose-ticker.js';
import type { HeldFigures } from '../../../src/ticker/ticker-words.js';

const CLOSE = 1_700_000_000_000;
const HELD: HeldFigures = {
  lastTimeMs: CLOSE,
  closeTimeMs: CLOSE,
  lastPrice: '84270.5',
  lastQuantity: null,
  openPrice: '84000',
  highPrice: '85000',
  lowPrice: '83999.99',
  volume: '7390.5',
  quoteVolume: '622000000.123',
  priceChange: '271',
  changeRate: '0.0032',
};
const EMPTY: HeldFigures = {
  lastTimeMs: 0,
  closeTimeMs: 0,
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

function book(state: BookState, bid?: [number, number], ask?: [number, number]): BookCopy {
  const copy = createBookCopy(1);
  Object.assign(copy, { state, priceScale: 2, quantityScale: 4, bidCount: bid ? 1 : 0, askCount: ask ? 1 : 0 });
  [copy.bidTicks[0], copy.bidLots[0]] = bid ?? [0, 0];
  [copy.askTicks[0], copy.askLots[0]] = ask ?? [0, 0];
  return copy;
}
const LIVE = book(BookState.LIVE, [8_427_000, 15_000], [8_427_100, 20_000]);

function trade(tick: number, lots: number, timestamp: number): LastTrade {
  return { price: formatDecimal(tick, 2), quantity: formatDecimal(lots, 4), timestamp };
}

test('all of it: prices and quantities with the decimals of the symbol, the window the day before the close', () => {
  expect(composeTicker('BTCUSDT', HELD, LIVE, trade(8_427_110, 5_000, CLOSE))).toEqual({
    symbol: 'BTCUSDT',
    price_change: '271.10',
    price_change_percent: '0.3227',
    weighted_avg_price: '84162.1000',
    last_price: '84271.10',
    last_quantity: '0.5000',
    bid_price: '84270.00',
    bid_quantity: '1.5000',
    ask_price: '84271.00',
    ask_quantity: '2.0000',
    open_price: '84000.00',
    high_price: '85000.00',
    low_price: '83999.99',
    volume: '7390.5000',
    quote_volume: '622000000.123',
    open_time: CLOSE - 86_400_000,
    close_time: CLOSE,
    first_id: null,
    last_id: null,
    count: null,
  });
});

test('fields come in the order of the contract', () => {
  expect(Object.keys(composeTicker('BTCUSDT', HELD, LIVE, null))).toEqual(
    (
      'symbol price_change price_change_percent weighted_avg_price last_price last_quantity bid_price bid_quantity ask_price ask_quantity ' +
      'open_price high_price low_price volume quote_volume open_time close_time first_id last_id count'
    ).split(' '),
  );
});

test('what nobody said is null', () => {
  const ticker = composeTicker('BTCUSDT', EMPTY, book(BookState.SYNCING), null);
  expect(Object.entries(ticker).filter(([, value]) => value !== null)).toEqual([['symbol', 'BTCUSDT']]);
});

describe('last trade', () => {
  const last = (held: HeldFigures, newest: LastTrade | null) => {
    const { last_price, last_quantity } = composeTicker('BTCUSDT', held, LIVE, newest);
    return [last_price, last_quantity];
  };

  test('is that of the tape unless the exchange said something newer', () => {
    expect(last(HELD, trade(1_000, 1, CLOSE))).toEqual(['10.00', '0.0001']);
    expect(last(HELD, trade(1_000, 1, CLOSE - 1))).toEqual(['84270.50', null]);
    expect(last(EMPTY, trade(1_000, 1, 1))).toEqual(['10.00', '0.0001']);
  });

  test('a newer price that is the same keeps the quantity of the trade', () => {
    expect(last(HELD, trade(8_427_050, 7, CLOSE - 1))).toEqual(['84270.50', '0.0007']);
    expect(last({ ...HELD, lastQuantity: '3' }, trade(8_427_050, 7, CLOSE - 1))).toEqual(['84270.50', '0.0007']);
    expect(last({ ...HELD, lastQuantity: '3' }, trade(8_427_051, 7, CLOSE - 1))).toEqual(['84270.50', '3.0000']);
  });
});

describe('change', () => {
  const change = (held: HeldFigures) => {
    const { price_change, price_change_percent } = composeTicker('BTCUSDT', held, LIVE, null);
    return [price_change, price_change_percent];
  };

  test('follows from last and open price', () => {
    expect(change({ ...HELD, lastPrice: '83000' })).toEqual(['-1000.00', '-1.1905']);
    expect(change({ ...HELD, lastPrice: '84000' })).toEqual(['0.00', '0.0000']);
    expect(change({ ...HELD, openPrice: '3', lastPrice: '0.000000001' })).toEqual(['-2.999999999', '-100.0000']);
  });

  test('is the exchange’s own where they are missing: its fraction times a hundred', () => {
    expect(change({ ...HELD, openPrice: null })).toEqual(['271.00', '0.32']);
    expect(change({ ...HELD, lastPrice: null, changeRate: '-0.5' })).toEqual(['271.00', '-50']);
    expect(change({ ...HELD, openPrice: '0' })).toEqual(['84270.50', '0.32']);
    expect(change({ ...EMPTY, changeRate: '0.0067' })).toEqual([null, '0.67']);
  });
});

test('bid and ask are those of a live book only, each side for itself', () => {
  const quote = (copy: BookCopy) => {
    const { bid_price, bid_quantity, ask_price, ask_quantity } = composeTicker('BTCUSDT', HELD, copy, null);
    return [bid_price, bid_quantity, ask_price, ask_quantity];
  };
  expect(quote(book(BookState.STALE, [1, 1], [2, 2]))).toEqual([null, null, null, null]);
  expect(quote(book(BookState.LIVE, undefined, [2, 2]))).toEqual([null, null, '0.02', '0.0002']);
  expect(quote(book(BookState.LIVE, [1, 1]))).toEqual(['0.01', '0.0001', null, null]);
});

test('the mean price needs a volume', () => {
  const mean = (volume: string | null, quoteVolume: string | null) =>
    composeTicker('BTCUSDT', { ...HELD, volume, quoteVolume }, LIVE, null).weighted_avg_price;
  expect(mean('0', '0')).toBeNull();
  expect(mean(null, '5')).toBeNull();
  expect(mean('5', null)).toBeNull();
  expect(mean('3', '2')).toBe('0.6667');
  expect(mean('7390.61738038', '856772057.5')).toBe('115926.9941');
});

test('numbers with more decimals than the symbol keep them', () => {
  expect(composeTicker('BTCUSDT', { ...HELD, highPrice: '1.23456', volume: '0.000001' }, LIVE, null)).toMatchObject({
    high_price: '1.23456',
    volume: '0.000001',
  });
});
