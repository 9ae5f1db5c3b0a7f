import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BookHistory } from '../../../src/simulator/book-history.js';
import { ASK, BID, type Side, TickBook, type TickSide } from '../../../src/simulator/tick-book.js';

const changes = fc.array(
  fc.record({ side: fc.constantFrom<Side>(BID, ASK), tick: fc.integer({ min: 1, max: 30 }), lots: fc.integer({ min: 0, max: 3 }) }),
);

function levels(side: TickSide): [number, number][] {
  return Array.from({ length: side.size }, (_, rank) => [side.tickAt(rank), side.lotsAt(rank)]);
}

describe('TickBook', () => {
  it('agrees with a map, sorted best first, whatever is set', () => {
    fc.assert(
      fc.property(changes, (list) => {
        const book = new TickBook();
        const maps = { [BID]: new Map<number, number>(), [ASK]: new Map<number, number>() };
        for (const { side, tick, lots } of list) {
          expect(book.side(side).set(tick, lots)).toBe(maps[side].get(tick) ?? 0);
          if (lots === 0) maps[side].delete(tick);
          else maps[side].set(tick, lots);
          expect(book.side(side).lotsOf(tick)).toBe(lots);
        }
        expect(levels(book.bids)).toEqual([...maps[BID]].sort((a, b) => b[0] - a[0]));
        expect(levels(book.asks)).toEqual([...maps[ASK]].sort((a, b) => a[0] - b[0]));
        expect(levels(book.copy().bids)).toEqual(levels(book.bids));
      }),
    );
  });
});

describe('BookHistory', () => {
  it('gives the book of any push ago', () => {
    fc.assert(
      fc.property(fc.array(changes, { maxLength: 12 }), fc.nat(14), (pushes, back) => {
        const book = new TickBook();
        const history = new BookHistory();
        const states = [{ version: 0, bids: levels(book.bids), asks: levels(book.asks) }];
        for (const push of pushes) {
          for (const { side, tick, lots } of push) {
            history.change(side, tick, book.side(side).set(tick, lots));
            book.version++;
          }
          history.pushed();
          states.push({ version: book.version, bids: levels(book.bids), asks: levels(book.asks) });
        }
        const old = history.before(book, back);
        expect({ version: old.version, bids: levels(old.bids), asks: levels(old.asks) }).toEqual(
          states[Math.max(0, states.length - 1 - back)],
        );
      }),
    );
  });

  it('is bounded', () => {
    const book = new TickBook();
    const history = new BookHistory();
    for (let push = 0; push < 20_000; push++) {
      history.change(BID, 1 + (push % 5), book.bids.set(1 + (push % 5), 1 + (push % 7)));
      book.version++;
      history.pushed();
    }
    const oldest = history.before(book, Infinity).version;
    expect(oldest).toBeGreaterThan(20_000 - 8_193);
    expect(oldest).toBeLessThan(20_000 - 4_000);
  });
});
