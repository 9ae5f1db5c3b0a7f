import { COUNT_CROSSED, COUNT_GAPS, KNOWN_VERSION } from '../book/book-layout.js';
import type { OrderBooks } from '../book/order-books.js';
import { ArenaFullError } from '../memory/arena.js';
import * as meters from '../memory/shard-meter.js';
import { BookState, StateReason } from '../model/book-state.js';
import type { Outbox } from './outbox.js';
import type { PendingBudget } from './pending-budget.js';
import type { Publications } from './publications.js';
import { Outbound } from './records.js';
import type { ShardBook } from './shard-book.js';

/** So many snapshots in a row older than what is known, and the exchange's versions have begun anew. */
const OLD_SNAPSHOTS_MAX = 6;

/** What everything that keeps books works with. */
export interface ShardParts {
  readonly books: OrderBooks;
  readonly outbox: Outbox;
  readonly publications: Publications;
  readonly meter: meters.ShardMeter;
  /** For the pushes that wait, of all books. */
  readonly budget: PendingBudget;
}

/** Whether books are what they say: their states, what is known to be lost of them, and asking for snapshots. */
export class BookTrust {
  /** Books with pushes that came too early. */
  readonly waiting = new Set<ShardBook>();
  readonly #books: OrderBooks;
  readonly #outbox: Outbox;
  readonly #publications: Publications;
  readonly #meter: meters.ShardMeter;
  readonly #interruptAudit: (book: ShardBook, timeMs: number) => void;

  constructor({ books, outbox, publications, meter }: ShardParts, interruptAudit: (book: ShardBook, timeMs: number) => void) {
    this.#books = books;
    this.#outbox = outbox;
    this.#publications = publications;
    this.#meter = meter;
    this.#interruptAudit = interruptAudit;
  }

  /** A live book, or one that was only silent: its next update can be judged by the versions. */
  isFollowing(book: ShardBook): boolean {
    const state = this.#books.state(book.slot);
    return state === BookState.LIVE || (state === BookState.STALE && this.#books.reason(book.slot) === StateReason.SILENT);
  }

  /** A hole in the versions. What waited for it to be filled waits for the snapshot now. */
  gap(book: ShardBook, timeMs: number): void {
    this.#books.count(book.slot, COUNT_GAPS);
    this.#meter.add(meters.METER_GAPS, 1);
    const early = book.early?.take() ?? [];
    this.lose(book, BookState.SYNCING, StateReason.GAP, timeMs);
    for (const { frame, timeMs: cameMs } of early) book.pending.push(frame, 0, frame.length, cameMs);
  }

  /** A push of a book that follows the stream is known to be lost. The snapshot must be newer than what the book holds. */
  losePush(book: ShardBook, reason: StateReason, timeMs: number): void {
    this.mustReach(book, this.#books.version(book.slot) + 1);
    this.lose(book, BookState.SYNCING, reason, timeMs);
  }

  /** No snapshot older than `version` may be taken for the book. */
  mustReach(book: ShardBook, version: number): void {
    book.lostAfter = Math.max(book.lostAfter, version - 1);
    this.#books.raiseKnown(book.slot, version);
  }

  /** The book holds all that is known of it, or the exchange counts anew: what was known says nothing of snapshots to come. */
  mustReachNothing(book: ShardBook): void {
    book.lostAfter = -1;
    this.#books.forgetKnown(book.slot);
  }

  /** A snapshot older than what is known. Asked for again; after several in a row the exchange counts anew and the snapshot is right. */
  isTooOld(book: ShardBook, version: number, atLeast: number, timeMs: number): boolean {
    if (version >= atLeast) return false;
    book.oldSnapshots++;
    if (book.oldSnapshots >= OLD_SNAPSHOTS_MAX) return false;
    this.requestResync(book, StateReason.SNAPSHOT_OLD, timeMs);
    return true;
  }

  crossed(book: ShardBook, timeMs: number): void {
    this.#books.count(book.slot, COUNT_CROSSED);
    this.#meter.add(meters.METER_CROSSED, 1);
    this.lose(book, BookState.SUSPECT, StateReason.CROSSED, timeMs);
  }

  /** Nothing came for longer than usual. The next push, or a snapshot, tells whether anything was missed. */
  silent(book: ShardBook, timeMs: number): void {
    this.enter(book, BookState.STALE, StateReason.SILENT, timeMs);
    this.requestResync(book, StateReason.SILENT, timeMs);
  }

  /** The book is no longer exact: says so, and asks for a snapshot. Pushes are kept from here on. */
  lose(book: ShardBook, state: BookState, reason: StateReason, timeMs: number): void {
    // What the book held stays known.
    this.mustReach(book, this.#books.version(book.slot));
    book.pending.clear();
    this.forgetEarly(book);
    this.enter(book, state, reason, timeMs);
    this.requestResync(book, reason, timeMs);
  }

  enter(book: ShardBook, state: BookState, reason: StateReason, timeMs: number): void {
    if (state !== BookState.LIVE) this.#interruptAudit(book, timeMs);
    this.#books.setState(book.slot, state, reason, timeMs);
    this.#outbox.send(Outbound.STATE, book.slot, state | (reason << 8), timeMs);
    this.#publications.stateChanged(book, state);
  }

  requestResync(book: ShardBook, reason: StateReason, timeMs: number): void {
    this.#outbox.send(Outbound.RESYNC, book.slot, reason, timeMs);
  }

  /** Runs a change that may find the arena full. */
  guardMemory(book: ShardBook, timeMs: number, change: () => void): boolean {
    try {
      change();
      return true;
    } catch (error) {
      this.memoryFull(book, error, timeMs);
      return false;
    }
  }

  /** The arena is full, and the book holds nothing any more: it says so. Any other error ends the worker. */
  memoryFull(book: ShardBook, error: unknown, timeMs: number): void {
    if (!(error instanceof ArenaFullError)) throw error;
    // What waited is let go, too.
    this.mustReach(book, this.#books.field(book.slot, KNOWN_VERSION));
    this.lose(book, BookState.SUSPECT, StateReason.MEMORY_FULL, timeMs);
  }

  /** Nothing waits for the other line any more. A snapshot must reach what did. */
  forgetEarly(book: ShardBook): void {
    if (book.early === undefined) return;
    if (book.early.count > 0) this.mustReach(book, book.early.version);
    book.early.clear();
    this.waiting.delete(book);
  }
}
