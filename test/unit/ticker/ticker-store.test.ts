import { beforeEach, describe, expect, test } from 'vitest';
import type { TickerFigures } from '../../../src/model/ticker-figures.js';
import { TickerReader } from '../../../src/publish/ticker-reader.js';
import { createTickerBuffer } from '../../../src/ticker/ticker-layout.js';
import { repairTickers, TickerStore } from '../../../src/ticker/ticker-store.js';

const SLOT = 2;
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
/** All a `ticker/24hr` entry supplies. */
const REST: TickerFigures = {
  timeMs: 1_000,
  lastPrice: '100',
  lastQuantity: null,
  openPrice: '90',
  highPrice: '110',
  lowPrice: '80',
  volume: '5',
  quoteVolume: '500',
  priceChange: '10',
  changeRate: '0.1111',
};
/** All a mini ticker supplies. */
const MINI: TickerFigures = {
  ...NOTHING,
  timeMs: 2_000,
  lastPrice: '120',
  highPrice: '120',
  lowPrice: '81',
  volume: '6',
  quoteVolume: '620',
  changeRate: '0.3333',
};

let buffer: SharedArrayBuffer;
let store: TickerStore;
let reader: TickerReader;

beforeEach(() => {
  buffer = createTickerBuffer(4);
  store = new TickerStore(buffer);
  reader = new TickerReader(buffer);
});

test('a slot holds nothing at first, and again after it was cleared', () => {
  const { timeMs: _, ...nothing } = NOTHING;
  const empty = { ...nothing, lastTimeMs: 0, closeTimeMs: 0 };
  expect(reader.read(SLOT)).toEqual(empty);
  store.apply(SLOT, REST, 1_100);
  expect(reader.read(SLOT)).not.toEqual(empty);
  expect([reader.read(SLOT - 1), reader.read(SLOT + 1)]).toEqual([empty, empty]);
  store.clear(SLOT);
  expect(reader.read(SLOT)).toEqual(empty);
});

describe('the newest by the exchange wins in each group', () => {
  test('a push adds to what REST said', () => {
    store.apply(SLOT, REST, 1_100);
    store.apply(SLOT, MINI, 2_100);
    expect(reader.read(SLOT)).toEqual({
      lastTimeMs: 2_000,
      closeTimeMs: 2_000,
      lastPrice: '120',
      lastQuantity: null,
      openPrice: '90',
      highPrice: '120',
      lowPrice: '81',
      volume: '6',
      quoteVolume: '620',
      priceChange: '10',
      changeRate: '0.3333',
    });
  });

  test('in whatever order they arrive', () => {
    store.apply(SLOT, REST, 1_100);
    store.apply(SLOT, MINI, 2_100);
    const held = reader.read(SLOT);
    store.clear(SLOT);
    store.apply(SLOT, MINI, 900);
    store.apply(SLOT, REST, 3_000);
    expect(reader.read(SLOT)).toEqual(held);
  });

  test('a figure the newer source does not supply stays', () => {
    store.apply(SLOT, REST, 1_100);
    store.apply(SLOT, { ...MINI, quoteVolume: null, lastPrice: null }, 2_100);
    expect(reader.read(SLOT)).toMatchObject({ volume: '6', quoteVolume: '500', lastPrice: '100', lastTimeMs: 1_000 });
  });

  test('the time of receipt orders what has no other, and is never given out', () => {
    store.apply(SLOT, { ...REST, timeMs: null }, 1_500);
    expect(reader.read(SLOT)).toMatchObject({ lastPrice: '100', closeTimeMs: 0 });
    store.apply(SLOT, { ...MINI, timeMs: 1_400 }, 2_100);
    expect(reader.read(SLOT)).toMatchObject({ lastPrice: '100', volume: '5', closeTimeMs: 0 });
    store.apply(SLOT, MINI, 2_100);
    expect(reader.read(SLOT)).toMatchObject({ lastPrice: '120', volume: '6', closeTimeMs: 2_000 });
  });
});

test('a quantity stays with its price only', () => {
  store.apply(SLOT, { ...REST, lastQuantity: '0.5' }, 1_100);
  store.apply(SLOT, { ...MINI, lastPrice: '100' }, 2_100);
  expect(reader.read(SLOT)).toMatchObject({ lastPrice: '100', lastQuantity: '0.5' });
  store.apply(SLOT, { ...MINI, timeMs: 3_000 }, 3_100);
  expect(reader.read(SLOT)).toMatchObject({ lastPrice: '120', lastQuantity: null });
});

test('the longest texts fit, side by side', () => {
  const longest = '1'.repeat(47);
  store.apply(SLOT, { ...REST, lastPrice: longest, lastQuantity: longest, changeRate: longest, volume: longest }, 1);
  store.apply(SLOT + 1, REST, 1);
  expect(reader.read(SLOT)).toMatchObject({
    lastPrice: longest,
    lastQuantity: longest,
    changeRate: longest,
    volume: longest,
    quoteVolume: '500',
  });
  expect(reader.read(SLOT + 1)).toMatchObject({ lastPrice: '100', lastTimeMs: 1_000 });
});

test('a reader gives up on a slot that is being written, until a dead writer is cleared away', () => {
  store.apply(SLOT, REST, 1_100);
  store.apply(SLOT + 1, REST, 1_100);
  const version = (SLOT * 512) / 4;
  Atomics.add(new Int32Array(buffer), version, 1);
  expect(reader.read(SLOT)).toBeUndefined();
  expect(reader.retries).toBe(32);
  repairTickers(buffer);
  expect(reader.read(SLOT)).toMatchObject({ lastPrice: null });
  expect(reader.read(SLOT + 1)).toMatchObject({ lastPrice: '100' });
});
