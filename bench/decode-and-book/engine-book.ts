import { ASKS, BIDS } from '../../src/book/book-layout.js';
import type { OrderBooks } from '../../src/book/order-books.js';
import { formatDecimal } from '../../src/model/decimal.js';
import type { TextBook, TextLevel } from './stream.js';

/** Copies the whole book in a slot out of shared memory as text. */
export function readEngineBook(books: OrderBooks, slot: number): TextBook {
  const side = (which: typeof BIDS | typeof ASKS): TextLevel[] => {
    const count = books.levels(slot, which);
    const ticks = new Float64Array(count);
    const lots = new Float64Array(count);
    const copied = books.collect(slot, which, count, ticks, lots);
    if (copied !== count) throw new Error(`copied ${copied} levels of ${count}`);
    return Array.from(ticks, (tick, i) => [
      formatDecimal(tick, books.priceScale(slot)),
      formatDecimal(lots[i]!, books.quantityScale(slot)),
    ]);
  };
  return { version: books.version(slot), bids: side(BIDS), asks: side(ASKS) };
}
