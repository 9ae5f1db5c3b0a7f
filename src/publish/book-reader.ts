import {
  ASKS,
  BEST_ASK_TICK,
  BEST_BID_TICK,
  BIDS,
  EPOCH,
  EXCHANGE_TIME,
  EXCHANGE_VERSION,
  headerDoubles,
  headerInts,
  PRICE_SCALE,
  PROVEN_ASKS,
  PROVEN_BIDS,
  QUANTITY_SCALE,
  REASON,
  RECEIVE_TIME,
  SEQ,
  STATE,
  VERSION,
} from '../book/book-layout.js';
import { LEVELS, LEVELS_MAX } from '../book/ladder-layout.js';
import { collect } from '../book/ladder-lookup.js';
import { Arena } from '../memory/arena.js';
import { readBegin, readUnchanged } from '../memory/seqlock.js';
import { createBookCopy, type BookCopy } from '../model/book-copy.js';
import type { BookState, StateReason } from '../model/book-state.js';

/** Copies tried before a reader gives up for now. */
export const ATTEMPTS_MAX = 32;

/** Reads the books of one shard from any thread, in place, under their version checks. */
export class BookReader {
  /** Copies thrown away because the writer was at work, since the start. */
  retries = 0;
  readonly #arena: Arena;
  readonly #envelope = createBookCopy(0);

  constructor(books: SharedArrayBuffer) {
    this.#arena = new Arena(books);
  }

  /** Memory the shard's ladders take. */
  usedBytes(): number {
    return this.#arena.usedBytes();
  }

  capacityBytes(): number {
    return this.#arena.capacityWords * 8;
  }

  /** A book's state, without the rest. */
  epoch(slot: number): number {
    return this.#arena.i32[headerInts(slot) + EPOCH]!;
  }

  state(slot: number): BookState {
    return this.#arena.i32[headerInts(slot) + STATE]! as BookState;
  }

  /** The envelope of a book, with no levels. Where a writer is at work during all attempts its words are of different moments, each whole in itself. */
  envelope(slot: number): Readonly<BookCopy> {
    if (!this.read(slot, -1, this.#envelope)) this.#copy(slot, -1, this.#envelope);
    return this.#envelope;
  }

  /** One int32 of the arena: single words that need no version check. */
  int(index: number): number {
    return this.#arena.i32[index]!;
  }

  /** One double of a book's header (`book-layout.ts`): counters and single words that need no version check. */
  field(slot: number, offset: number): number {
    return this.#arena.f64[headerDoubles(slot) + offset]!;
  }

  /**
   * Copies the envelope and the top `depth` levels (0 = all, -1 = none) into `copy`, whose arrays grow when they must. False when every one of
   * ATTEMPTS_MAX copies met a writer.
   */
  read(slot: number, depth: number, copy: BookCopy): boolean {
    const { i32 } = this.#arena;
    const version = headerInts(slot) + VERSION;
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const before = readBegin(i32, version);
      if ((before & 1) === 0) {
        this.#copy(slot, depth, copy);
        if (readUnchanged(i32, version, before)) return true;
      }
      this.retries++;
    }
    return false;
  }

  #copy(slot: number, depth: number, copy: BookCopy): void {
    const { f64, i32 } = this.#arena;
    const ints = headerInts(slot);
    const doubles = headerDoubles(slot);
    copy.state = i32[ints + STATE]! as BookState;
    copy.reason = i32[ints + REASON]! as StateReason;
    copy.epoch = i32[ints + EPOCH]!;
    copy.priceScale = i32[ints + PRICE_SCALE]!;
    copy.quantityScale = i32[ints + QUANTITY_SCALE]!;
    copy.seq = f64[doubles + SEQ]!;
    copy.version = f64[doubles + EXCHANGE_VERSION]!;
    copy.exchangeTimeMs = f64[doubles + EXCHANGE_TIME]!;
    copy.receiveTimeMs = f64[doubles + RECEIVE_TIME]!;
    copy.provenBids = f64[doubles + PROVEN_BIDS]!;
    copy.provenAsks = f64[doubles + PROVEN_ASKS]!;
    copy.bidLevels = i32[ints + BIDS + LEVELS]!;
    copy.askLevels = i32[ints + ASKS + LEVELS]!;
    const bids = wanted(depth, copy.bidLevels);
    const asks = wanted(depth, copy.askLevels);
    if (bids > copy.bidTicks.length) {
      copy.bidTicks = new Float64Array(bids);
      copy.bidLots = new Float64Array(bids);
    }
    if (asks > copy.askTicks.length) {
      copy.askTicks = new Float64Array(asks);
      copy.askLots = new Float64Array(asks);
    }
    copy.bidCount = collect(f64, i32, ints + BIDS, f64[doubles + BEST_BID_TICK]!, -1, bids, copy.bidTicks, copy.bidLots);
    copy.askCount = collect(f64, i32, ints + ASKS, f64[doubles + BEST_ASK_TICK]!, 1, asks, copy.askTicks, copy.askLots);
  }
}

/** Levels to copy. A torn count must not make us allocate without bound. */
function wanted(depth: number, levels: number): number {
  const held = Math.max(0, Math.min(levels, LEVELS_MAX + 1));
  return depth === 0 ? held : Math.max(0, Math.min(depth, held));
}
