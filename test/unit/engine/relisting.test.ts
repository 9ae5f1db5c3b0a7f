import { beforeEach, expect, test } from 'vitest';
import { Relisting } from '../../../src/engine/relisting.js';
import type { ListedSymbol } from '../../../src/model/symbol.js';
import { CodedError, ErrorCode } from '../../../src/support/errors.js';

const pair = (symbol: string, turnover: number | null = null): ListedSymbol => ({
  symbol,
  baseAsset: symbol.slice(0, 3),
  quoteAsset: 'USDT',
  priceScale: 2,
  quantityScale: 5,
  turnover,
});

let now: number;
let asked: number;
let answer: () => Promise<readonly ListedSymbol[]>;
let listed: Map<string, ListedSymbol>;
let relisting: Relisting;

beforeEach(() => {
  now = 1_000_000;
  asked = 0;
  answer = async () => [pair('BTCUSDT'), pair('NEWUSDT')];
  listed = new Map([['BTCUSDT', pair('BTCUSDT', 5)]]);
  const exchangeInfo = (): Promise<readonly ListedSymbol[]> => {
    asked++;
    return answer();
  };
  relisting = new Relisting({ exchangeInfo }, listed, () => now);
});

test('a list that is young enough is not asked for', async () => {
  now += 30_000;
  await relisting.done();
  expect([asked, [...listed.keys()]]).toEqual([0, ['BTCUSDT']]);
});

test('an older one is, once for all who wait, and turnovers known stay', async () => {
  now += 30_001;
  await Promise.all([relisting.done(), relisting.done()]);
  now += 30_000;
  await relisting.done();
  expect([asked, listed.get('BTCUSDT')?.turnover, listed.get('NEWUSDT')?.turnover]).toEqual([1, 5, null]);
});

test('an answer that failed is told again, without asking, until it is time to ask once more', async () => {
  answer = async () => {
    throw new CodedError(ErrorCode.EXCHANGE_UNREACHABLE, 'no');
  };
  now += 30_001;
  for (let i = 0; i < 3; i++) await expect(relisting.done()).rejects.toMatchObject({ code: 'EXCHANGE_UNREACHABLE' });
  expect(asked).toBe(1);
  answer = async () => [pair('NEWUSDT')];
  now += 30_001;
  await relisting.done();
  expect([asked, listed.has('NEWUSDT')]).toEqual([2, true]);
});
