import { ASKS, BEST_ASK_LOTS, BEST_ASK_TICK, BEST_BID_LOTS, BEST_BID_TICK, BIDS, headerInts } from '../../src/book/book-layout.js';
import { ASK_DIRECTION, BID_DIRECTION, OrderBooks } from '../../src/book/order-books.js';
import { Arena, createArenaBuffer } from '../../src/memory/arena.js';
import { fillDelta } from './delta.js';
import type { Side } from './model-book.js';

export type LevelChange = readonly [tick: number, lots: number];

/** One book in an arena of its own, seen from one of its sides; the levels of the other side must never matter. */
export class OneSide {
  readonly arena: Arena;
  readonly books: OrderBooks;
  readonly #side: Side;
  readonly block: number;
  /** 1 when the best level is the highest. */
  readonly direction: number;

  constructor(side: Side, arenaBytes: number) {
    this.arena = new Arena(createArenaBuffer(arenaBytes, 1));
    this.books = new OrderBooks(this.arena);
    this.books.open(0, 0, 0, 0);
    this.#side = side;
    this.block = headerInts(0) + (side === 'bid' ? BIDS : ASKS);
    this.direction = side === 'bid' ? BID_DIRECTION : ASK_DIRECTION;
  }

  replace(changes: readonly LevelChange[]): void {
    this.#fill(changes);
    this.books.applySnapshot(0, 0);
  }

  apply(changes: readonly LevelChange[], timeMs = 0): void {
    this.#fill(changes);
    this.books.applyDelta(0, timeMs);
  }

  get best(): number {
    return this.books.field(0, this.#side === 'bid' ? BEST_BID_TICK : BEST_ASK_TICK);
  }

  get bestLots(): number {
    return this.books.field(0, this.#side === 'bid' ? BEST_BID_LOTS : BEST_ASK_LOTS);
  }

  #fill(changes: readonly LevelChange[]): void {
    fillDelta(
      this.books.delta,
      changes.map(([tick, quantity]) => [this.#side, tick, quantity]),
    );
  }
}
