import { ASKS, BIDS } from '../../src/book/book-layout.js';
import { OrderBooks } from '../../src/book/order-books.js';
import { Arena, createArenaBuffer } from '../../src/memory/arena.js';
import type { CcxtOrderBook } from '../decode-and-book/ccxt-order-book.js';
import { servePeer } from '../support/peer.js';
import { Random } from '../support/random.js';

export type BookKind = 'engine' | 'ccxt';

export interface BooksJob {
  readonly kind: BookKind;
  readonly books: number;
  /** A side. */
  readonly levels: number;
  /** Most ticks between a level and the next, beyond the nearest. */
  readonly farGap: number;
}

const PRICE_SCALE = 2;
const QUANTITY_SCALE = 5;
const MID_TICKS = 5_000_000;
/** The nearest levels of a side lie within three ticks of each other. */
const NEAR_LEVELS = 200;
const NEAR_GAP = 3;
/** So that what is allocated once, or thrown away when code is compiled, is not counted. */
const BOOKS_BEFORE = 30;
const COLLECTIONS = 20;
/** Held until the process ends. */
const held: unknown[] = [];
let arena: Arena | undefined;

/** A side as ticks and lots, best first. */
function side(levels: number, farGap: number, direction: 1 | -1, random: Random): [ticks: number, lots: number][] {
  let tick = MID_TICKS;
  return Array.from({ length: levels }, (_, i) => {
    tick += direction * (1 + random.below(i < NEAR_LEVELS ? NEAR_GAP : farGap));
    return [tick, 1 + random.below(500_000_000)];
  });
}

servePeer({
  /** Fills books one after the other and returns the bytes they added, each: on the heap, outside of it, and blocks in use in shared memory. */
  fill: async ({ kind, books, levels, farGap }: BooksJob): Promise<number> => {
    const fillOne = kind === 'engine' ? engineFiller(books, levels) : await ccxtFiller();
    const random = new Random(1);
    const fill = (slot: number): void => fillOne(slot, side(levels, farGap, -1, random), side(levels, farGap, 1, random));
    for (let slot = 0; slot < BOOKS_BEFORE; slot++) fill(slot);
    const before = usedBytes();
    for (let slot = 0; slot < books; slot++) fill(BOOKS_BEFORE + slot);
    return (usedBytes() - before) / books;
  },
});

/** After collections: V8 throws code away that it has not run for some of them. */
function usedBytes(): number {
  for (let i = 0; i < COLLECTIONS; i++) globalThis.gc!();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external + (arena?.usedBytes() ?? 0);
}

type Filler = (slot: number, bids: [number, number][], asks: [number, number][]) => void;

function engineFiller(count: number, levels: number): Filler {
  arena = new Arena(createArenaBuffer(2 ** 30, BOOKS_BEFORE + count));
  const books = new OrderBooks(arena);
  const { delta } = books;
  held.push(books);
  return (slot, bids, asks) => {
    books.open(slot, PRICE_SCALE, QUANTITY_SCALE, 0);
    for (let i = 0; i < levels; i++) {
      [delta.bids.ticks[i], delta.bids.lots[i]] = bids[i]!;
      [delta.asks.ticks[i], delta.asks.lots[i]] = asks[i]!;
    }
    delta.bids.count = levels;
    delta.asks.count = levels;
    delta.fromVersion = 1;
    delta.toVersion = 1;
    if (!books.applySnapshot(slot, 0)) throw new Error('the snapshot is crossed');
    if (books.levels(slot, BIDS) !== levels || books.levels(slot, ASKS) !== levels) throw new Error('levels are missing');
  };
}

async function ccxtFiller(): Promise<Filler> {
  const { default: ccxt } = await import('ccxt');
  const exchange = new ccxt.pro.mexc();
  const scale = (list: [number, number][]): [number, number][] =>
    list.map(([ticks, lots]) => [ticks / 10 ** PRICE_SCALE, lots / 10 ** QUANTITY_SCALE]);
  return (_slot, bids, asks) => {
    const book = exchange.orderBook({}) as unknown as CcxtOrderBook;
    book.reset({ bids: scale(bids), asks: scale(asks), nonce: 1 });
    if (book.bids.length !== bids.length || book.asks.length !== asks.length) throw new Error('levels are missing');
    held.push(book);
  };
}
