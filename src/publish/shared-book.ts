import { ASKS, BEST_ASK_TICK, BEST_BID_TICK, BIDS, headerDoubles, headerInts, IN_USE, SERIAL, VERSION } from '../book/book-layout.js';
import { LEVELS_MAX } from '../book/ladder-layout.js';
import { lotsAt, neighbour, NO_TICK } from '../book/ladder-lookup.js';
import { Arena } from '../memory/arena.js';
import { readBegin, readUnchanged } from '../memory/seqlock.js';
import { type BookCopy, createBookCopy } from '../model/book-copy.js';
import { ATTEMPTS_MAX, BookReader } from './book-reader.js';

/** Where a book lies. May be handed to any thread of the process by `postMessage` or as `workerData`; the memory itself is shared, not copied. */
export interface BookHandle {
  readonly symbol: string;
  /** The memory of all books of one worker. */
  readonly books: SharedArrayBuffer;
  readonly slot: number;
  readonly serial: number;
}

/**
 * How a read ended. `ok`: what was read is of one moment. `busy`: the book changed during every attempt; ask again a moment later. `ended`:
 * the symbol is no longer tracked, or the engine was closed; nothing more will come, not even when the symbol is tracked again.
 */
export type BookRead = 'ok' | 'busy' | 'ended';

/** Looks at levels where they lie. What it is shown counts only when `walk` returns `ok`: until then it may be told nonsense. */
export interface LevelVisitor {
  /** Every attempt begins here, with the book's state, epoch, seq and scales but no levels: whatever was gathered before is void. */
  begin(envelope: Readonly<BookCopy>): void;
  /** One level, best first, in whole ticks and lots; false = no more. */
  level(ticks: number, lots: number): boolean;
}

/** Opens a book in this thread. Cheap; any number of threads may read a book, and none of them slows its writer. */
export function openBook(handle: BookHandle): SharedBook {
  return new SharedBook(handle);
}

/** One book, read in place from any thread of the process. */
export class SharedBook {
  readonly symbol: string;
  readonly #arena: Arena;
  readonly #reader: BookReader;
  readonly #slot: number;
  readonly #serial: number;
  readonly #envelope = createBookCopy(0);

  constructor({ symbol, books, slot, serial }: BookHandle) {
    this.symbol = symbol;
    this.#arena = new Arena(books);
    this.#reader = new BookReader(books);
    this.#slot = slot;
    this.#serial = serial;
  }

  /** Changes with every change of the book: as long as it is the same there is nothing new to read. */
  get version(): number {
    return Atomics.load(this.#arena.i32, headerInts(this.#slot) + VERSION);
  }

  /** The symbol is no longer tracked, or the engine was closed. */
  get ended(): boolean {
    return this.#use() === 'past';
  }

  /**
   * Copies state, epoch, seq, times and the top `depth` levels of both sides (0 = all, -1 = none) into `copy`, whose arrays grow when they
   * must. Only a copy whose `state` is `BookState.LIVE` is known to be exact.
   */
  read(depth: number, copy: BookCopy): BookRead {
    const use = this.#use();
    if (use === 'past') return 'ended';
    if (use === 'future') {
      Object.assign(copy, blank);
      return 'ok';
    }
    if (!this.#reader.read(this.#slot, depth, copy)) return this.ended ? 'ended' : 'busy';
    // A use that is over never comes back: ours before and after, so ours all the while.
    return this.ended ? 'ended' : 'ok';
  }

  /** Shows one side to `visitor`, best level first, without a copy of it. */
  walk(side: 'bids' | 'asks', visitor: LevelVisitor): BookRead {
    const { i32, f64 } = this.#arena;
    const ints = headerInts(this.#slot);
    const block = ints + (side === 'bids' ? BIDS : ASKS);
    const best = headerDoubles(this.#slot) + (side === 'bids' ? BEST_BID_TICK : BEST_ASK_TICK);
    const direction = side === 'bids' ? -1 : 1;
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const before = readBegin(i32, ints + VERSION);
      const read = this.read(-1, this.#envelope);
      if (read === 'ended') return read;
      if (read === 'busy' || (before & 1) !== 0) continue;
      visitor.begin(this.#envelope);
      let tick = this.#use() === 'present' ? f64[best]! : NO_TICK;
      for (let level = 0; level <= LEVELS_MAX && tick !== NO_TICK; level++) {
        if (!visitor.level(tick, lotsAt(f64, i32, block, tick))) break;
        tick = neighbour(i32, block, tick, direction);
      }
      if (readUnchanged(i32, ints + VERSION, before)) return 'ok';
    }
    return this.ended ? 'ended' : 'busy';
  }

  /** Whether the slot is in the use the handle names, was, or is yet to be: a worker hears of a new symbol a moment after it is tracked. */
  #use(): 'past' | 'present' | 'future' {
    const { i32 } = this.#arena;
    const ints = headerInts(this.#slot);
    const serial = Atomics.load(i32, ints + SERIAL);
    if (serial < this.#serial) return 'future';
    return serial === this.#serial && Atomics.load(i32, ints + IN_USE) === 1 ? 'present' : 'past';
  }
}

/** A book that was never heard of; the arrays of a copy stay its own. */
const { bidTicks: _bt, bidLots: _bl, askTicks: _at, askLots: _al, ...blank } = createBookCopy(0);
