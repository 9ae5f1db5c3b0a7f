import { expect, test } from 'vitest';
import { inTurn } from '../../../../bench/support/turns.js';

test('two sides in turn, every second pair the other way round, warm-ups not counted', async () => {
  const order: string[] = [];
  const side = (name: string) => async () => {
    order.push(name);
    return `${name}${order.length}`;
  };
  expect(await inTurn(3, 1, side('a'), side('b'))).toEqual([
    { a: 'a3', b: 'b4' },
    { a: 'a6', b: 'b5' },
    { a: 'a7', b: 'b8' },
  ]);
  expect(order.join('')).toBe('baabbaab');
});
