import { expect, it } from 'vitest';
import { tryItLines } from '../../../src/cli/try-it.js';
import { fakeBook, fakeMarket } from '../../support/fake-market.js';

const engine = { url: 'http://127.0.0.1:1', wsUrl: 'ws://127.0.0.1:1/ws' };

it('names a pair that every shell can quote', () => {
  const text = tryItLines({ ...engine, market: fakeMarket([fakeBook('龙USDT'), fakeBook('ETHUSDT')]) }).join('\n');
  expect(text).toContain('curl "http://127.0.0.1:1/orderbook/ETHUSDT?depth=5"');
  expect(text).toContain("symbols:['ETHUSDT']");
  expect(text).not.toContain('龙');
});
