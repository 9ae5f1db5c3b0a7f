import { expect, it } from 'vitest';
import { Truth } from '../../../../bench/compare/truth.js';
import type { Simulator } from '../../../../src/simulator/simulator.js';

const levels = (text: string): [string, string][] => text.split(' ').map((level) => level.split(':') as [string, string]);

it('knows the levels of a book that the exchange did not have', () => {
  const book = { symbol: 'X', version: 1, bids: levels('10:1 9:2'), asks: levels('11:1 12:2') };
  const truth = new Truth(() => ({ trueBook: () => book }) as unknown as Simulator);
  const wrong = (bids: string, asks: string): readonly number[] => {
    const numbers = (text: string) => levels(text).map(([price, quantity]) => [Number(price), Number(quantity)] as const);
    return truth.wrongLevels('X', { bids: numbers(bids), asks: numbers(asks) });
  };
  expect(wrong('10:1 9:2', '11:1 12:2')).toEqual([]);
  truth.look(['X']);
  expect(wrong('10:1 9:2', '11:1 12:2')).toEqual([]);
  // Worse than the last that is compared.
  expect(wrong('10:1 9:2 8:5', '11:1 12:2 13:1')).toEqual([]);
  expect(wrong('10:1 9:3', '12:2')).toEqual([9, -11]);
  expect(wrong('10.5:1 10:1 9:2', '11:1 12:2')).toEqual([10.5]);
  Object.assign(book, { version: 2, bids: levels('10:4 9:2') });
  truth.look(['X']);
  // A moment ago it was so.
  expect(wrong('10:1 9:2', '11:1 12:2')).toEqual([]);
  expect(wrong('10:4 9:2', '11:1 12:2')).toEqual([]);
});
