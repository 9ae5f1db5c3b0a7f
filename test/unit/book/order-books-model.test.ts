import fc from 'fast-check';
import { expect, test } from 'vitest';

import { ASKS, BEST_ASK_LOTS, BEST_ASK_TICK, BEST_BID_LOTS, BEST_BID_TICK, BIDS } from '../../../src/book/book-layout.js';
import { OrderBooks } from '../../../src/book/order-books.js';
import { Arena, createArenaBuffer } from '../../../src/memory/arena.js';
import { formatDecimal, POWERS_OF_TEN } from '../../../src/model/decimal.js';
import { type Change, fillDelta } from '../../support/delta.js';
import { ModelBook, shortest, type Side, type TextLevel } from '../../support/model-book.js';

type Step =
  | { readonly kind: 'delta' | 'snapshot'; readonly changes: readonly Change[] }
  | { readonly kind: 'rescale'; readonly price: number; readonly quantity: number }
  | { readonly kind: 'reopen' };

/** Beyond 2^53, with few enough binary digits that a rescale is still exact. */
const huge = fc.nat({ max: 2 ** 10 }).map((step) => 2 ** 60 + step * 2 ** 30);
/** Ticks in every part of the tree: dense near a few places, at the borders of pages, leaves, nodes and int32, and far out. */
const ticks = fc.oneof(
  { weight: 6, arbitrary: fc.nat({ max: 40 }).map((offset) => 8_427_000 + offset) },
  { weight: 4, arbitrary: fc.nat({ max: 2_000 }) },
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.integer({ min: 4, max: 44 }), fc.integer({ min: -2, max: 2 }))
      .map(([power, step]) => Math.max(0, 2 ** power + step)),
  },
  { weight: 2, arbitrary: fc.nat({ max: 2 ** 31 - 1 }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 2 ** 44 }) },
  { weight: 2, arbitrary: huge },
);
const lots = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 2 ** 44 }), huge);
const changes = fc.array(fc.tuple(fc.constantFrom<Side>('bid', 'ask'), ticks, lots), { maxLength: 40 });
const steps = fc.array(
  fc.oneof(
    { weight: 12, arbitrary: changes.map((list): Step => ({ kind: 'delta', changes: list })) },
    { weight: 1, arbitrary: changes.map((list): Step => ({ kind: 'snapshot', changes: list })) },
    {
      weight: 1,
      arbitrary: fc.tuple(fc.nat({ max: 1 }), fc.nat({ max: 1 })).map(([price, quantity]): Step => ({ kind: 'rescale', price, quantity })),
    },
    { weight: 1, arbitrary: fc.constant<Step>({ kind: 'reopen' }) },
  ),
  { maxLength: 30 },
);

/** A scale may grow this often in one run: beyond, ticks times ten would leave 2^53. */
const RESCALES_MAX = 2;

test('any sequence of snapshots, deltas and rescales gives the book of the model', () => {
  fc.assert(
    fc.property(steps, (sequence) => {
      const arena = new Arena(createArenaBuffer(2 ** 20, 2));
      const books = new OrderBooks(arena);
      const { delta } = books;
      const model = new ModelBook();
      const slot = 1;
      let [priceScale, quantityScale] = [2, 3];
      books.open(slot, priceScale, quantityScale, 0);
      for (const step of sequence) {
        if (step.kind === 'rescale') {
          priceScale = Math.min(2 + RESCALES_MAX, priceScale + step.price);
          quantityScale = Math.min(3 + RESCALES_MAX, quantityScale + step.quantity);
          books.rescale(slot, priceScale, quantityScale);
        } else if (step.kind === 'reopen') {
          books.close(slot);
          expect(arena.usedBytes()).toBe(0);
          books.open(slot, priceScale, quantityScale, 0);
          model.clear();
        } else {
          fillDelta(delta, step.changes);
          if (step.kind === 'snapshot') {
            model.clear();
            books.applySnapshot(slot, 0);
          } else {
            books.applyDelta(slot, 0);
          }
          for (const [side, tick, quantity] of step.changes) {
            model.applyDelta(side, formatDecimal(tick, priceScale), formatDecimal(quantity, quantityScale));
          }
        }
        for (const side of ['bid', 'ask'] as const) {
          const expected = model.levels(side);
          expect(levels(books, slot, side)).toEqual(expected);
          expect(best(books, slot, side)).toEqual(expected[0] ?? ['none', '0']);
        }
      }
    }),
    { numRuns: 400 },
  );
  expect(POWERS_OF_TEN[2]! * 2 ** 44).toBeLessThan(2 ** 53);
});

function levels(books: OrderBooks, slot: number, side: Side): TextLevel[] {
  const block = side === 'bid' ? BIDS : ASKS;
  const count = books.levels(slot, block);
  const [ticksOut, lotsOut] = [new Float64Array(count), new Float64Array(count)];
  expect(books.collect(slot, block, count, ticksOut, lotsOut)).toBe(count);
  return [...ticksOut].map((tick, i) => print(books, slot, tick, lotsOut[i]!));
}

function best(books: OrderBooks, slot: number, side: Side): TextLevel {
  const tick = books.field(slot, side === 'bid' ? BEST_BID_TICK : BEST_ASK_TICK);
  const quantity = books.field(slot, side === 'bid' ? BEST_BID_LOTS : BEST_ASK_LOTS);
  return tick < 0 ? ['none', shortest(String(quantity))] : print(books, slot, tick, quantity);
}

function print(books: OrderBooks, slot: number, tick: number, quantity: number): TextLevel {
  return [shortest(formatDecimal(tick, books.priceScale(slot))), shortest(formatDecimal(quantity, books.quantityScale(slot)))];
}
