import { describe, expect, it } from 'vitest';
import { BookSampler, RateMeter, tableLines } from '../../../src/cli/book-table.js';
import { BookState } from '../../../src/model/book-state.js';
import { fakeBook, fakeMarket } from '../../support/fake-market.js';

describe('BookSampler', () => {
  it('shows the hottest books, best levels and spread at their scale', () => {
    const books = [fakeBook('COLD'), fakeBook('WARM', { turnover: 5 }), fakeBook('HOT', { turnover: 9, bid: 12345, ask: 12350 })];
    const rows = new BookSampler(fakeMarket(books)).sample(2, 0);
    expect(rows).toEqual([
      { symbol: 'HOT', state: 'live', bid: '123.45', ask: '123.50', spread: '0.05', updatesPerSecond: null },
      { symbol: 'WARM', state: 'live', bid: '1.00', ask: '1.02', spread: '0.02', updatesPerSecond: null },
    ]);
  });

  it('counts updates a second over the last samples', () => {
    const book = fakeBook('A', { seq: 100 });
    const sampler = new BookSampler(fakeMarket([book]));
    for (let time = 0; time <= 10_000; time += 500) {
      sampler.sample(1, time);
      book.seq += time < 5_000 ? 1 : 3;
    }
    expect(sampler.sample(1, 10_500)[0]!.updatesPerSecond).toBeCloseTo(6);
  });

  it('makes up nothing where a side is empty, a book is crossed or cannot be read', () => {
    const books = [
      fakeBook('A', { bid: null, state: BookState.SYNCING }),
      fakeBook('B', { bid: 105, ask: 100, state: BookState.SUSPECT }),
      fakeBook('C', { torn: true }),
    ];
    expect(new BookSampler(fakeMarket(books)).sample(9, 0)).toEqual([
      { symbol: 'A', state: 'syncing', bid: null, ask: '1.02', spread: null, updatesPerSecond: null },
      { symbol: 'B', state: 'suspect', bid: '1.05', ask: '1.00', spread: null, updatesPerSecond: null },
      { symbol: 'C', state: 'live', bid: null, ask: null, spread: null, updatesPerSecond: null },
    ]);
  });
});

it('RateMeter is 0 at first, then the rate of the last samples', () => {
  const meter = new RateMeter();
  expect(meter.perSecond(1_000, 0)).toBe(0);
  expect(meter.perSecond(1_050, 500)).toBe(100);
});

it('tableLines aligns names to the left and numbers to the right', () => {
  const lines = tableLines([
    { symbol: 'BTCUSDT', state: 'live', bid: '84270.00', ask: '84270.01', spread: '0.01', updatesPerSecond: 2 },
    { symbol: '龙USDT', state: 'syncing', bid: null, ask: null, spread: null, updatesPerSecond: null },
  ]);
  expect(lines).toEqual([
    'symbol   state    best bid  best ask  spread  updates/s',
    'BTCUSDT  live     84270.00  84270.01    0.01        2.0',
    '龙USDT   syncing         -         -       -          -',
  ]);
});
