import { ASKS, BIDS, PROVEN_ASKS, PROVEN_BIDS } from '../book/book-layout.js';
import type { LevelColumns } from '../book/delta-buffer.js';
import { ASK_DIRECTION, BID_DIRECTION, type OrderBooks } from '../book/order-books.js';
import { DepthDecode } from '../mexc/decode-depth.js';
import { decodeSnapshot } from '../mexc/decode-snapshot.js';
import { Sequence } from '../mexc/sequence.js';
import { AuditOutcome, type AuditFigures, type AuditReport } from '../model/audit.js';
import { BookState } from '../model/book-state.js';
import { CodedError } from '../support/errors.js';
import { AuditComparison, type Correction } from './audit-comparison.js';
import { ScratchBook, type SortedSide } from './audit-scratch.js';
import type { PendingBudget } from './pending-budget.js';
import { PendingUpdates } from './pending-updates.js';

/** Text frames begin like this; their versions need not be those of REST. */
const OPEN_BRACE = 0x7b;
/** How long a book may take to reach the version of a snapshot that is ahead of it. */
const REACH_MS = 10_000;
/** An audit whose snapshot never came. */
const LIFETIME_MS = 120_000;

/** An audit under way. */
export interface BookAudit {
  readonly sinceMs: number;
  /** What the book applied since. */
  readonly pushes: PendingUpdates;
  /** A snapshot ahead of the book, and when it came. */
  snapshot: { readonly body: Uint8Array; readonly version: number; readonly receivedMs: number } | undefined;
}

/** The part of a shard's book that audits are about. */
export interface AuditedBook {
  readonly slot: number;
  audit: BookAudit | undefined;
}

/** What audits ask of the shard. All of it may go through the delta buffer. */
export interface AuditHost<Book extends AuditedBook> {
  readonly books: OrderBooks;
  readonly budget: PendingBudget;
  /** Push `i` of those kept. */
  decode(book: Book, pushes: PendingUpdates, i: number, timeMs: number): DepthDecode;
  /** Gives the book more decimals; false when that cannot be. */
  rescale(book: Book, priceScale: number, quantityScale: number, timeMs: number): boolean;
  /** Applies the delta buffer, at the book's own version, and tells the subscribers. */
  correct(book: Book): void;
  /** Puts the snapshot in the delta buffer in the place of the book, in a new epoch. */
  repair(book: Book, timeMs: number): void;
  report(book: Book, report: AuditReport): void;
}

type Findings = AuditFigures & Pick<AuditReport, 'differences'>;
const NOTHING: Findings = { matched: 0, wrong: 0, ghosts: 0, missing: 0, corrected: 0, dropped: 0, differences: [] };

/**
 * Compares live books with the exchange's. From the moment a snapshot is about to be asked for, the pushes the book applies are kept too; with
 * them the snapshot is brought forward to the version of the book, and the two are compared there. A snapshot ahead of the book waits for it.
 */
export class ShardAudits<Book extends AuditedBook> {
  readonly #host: AuditHost<Book>;
  readonly #underWay = new Set<Book>();

  constructor(host: AuditHost<Book>) {
    this.#host = host;
  }

  /** A snapshot for an audit will be asked for. */
  begin(book: Book, timeMs: number): void {
    if (book.audit !== undefined) this.#forget(book);
    if (this.#host.books.state(book.slot) !== BookState.LIVE) return this.#report(book, AuditOutcome.INTERRUPTED, timeMs);
    const pushes = new PendingUpdates(this.#host.budget, (nowMs) => this.#end(book, AuditOutcome.OVERFLOW, nowMs));
    book.audit = { sinceMs: timeMs, pushes, snapshot: undefined };
    this.#underWay.add(book);
  }

  /** The book applied a push. Whether it reaches a snapshot that waits is seen at the next tick: comparing takes a while. */
  applied(book: Book, bytes: Uint8Array, start: number, end: number, timeMs: number): void {
    if (bytes[start] === OPEN_BRACE) return this.interrupt(book, timeMs);
    book.audit!.pushes.push(bytes, start, end, timeMs);
  }

  /** The snapshot. Nothing happens when the audit ended before. */
  snapshot(book: Book, body: Uint8Array, timeMs: number): void {
    if (book.audit !== undefined) this.#judge(book, body, timeMs);
  }

  /** The book is not, or no longer, what the pushes kept make of it. */
  interrupt(book: Book, timeMs: number): void {
    if (book.audit !== undefined) this.#end(book, AuditOutcome.INTERRUPTED, timeMs);
  }

  /** No snapshot will come; or the book is gone. */
  cancel(book: Book): void {
    this.#forget(book);
  }

  /** Compares what has come together since, and ends what takes too long. */
  tick(timeMs: number): void {
    for (const book of this.#underWay) {
      const { sinceMs, snapshot } = book.audit!;
      if (snapshot !== undefined && this.#host.books.version(book.slot) >= snapshot.version) this.#judge(book, snapshot.body, timeMs);
      else if (snapshot === undefined ? timeMs - sinceMs > LIFETIME_MS : timeMs - snapshot.receivedMs > REACH_MS) {
        this.#end(book, AuditOutcome.NOT_REACHED, timeMs);
      }
    }
  }

  #judge(book: Book, body: Uint8Array, timeMs: number): void {
    const { books } = this.#host;
    const audit = book.audit!;
    if (!this.#read(book, body, timeMs)) return this.#end(book, AuditOutcome.UNREADABLE, timeMs);
    const { delta } = books;
    const version = books.version(book.slot);
    if (delta.toVersion > version) {
      audit.snapshot = { body: body.slice(), version: delta.toVersion, receivedMs: timeMs };
      return;
    }
    const scratch = new ScratchBook(delta);
    const { pushes } = audit;
    for (let i = 0; i < pushes.count; i++) {
      const isRead = this.#host.decode(book, pushes, i, timeMs) === DepthDecode.OK;
      if (!isRead || scratch.apply(delta) === Sequence.GAP) return this.#end(book, AuditOutcome.NO_JOIN, timeMs);
    }
    if (scratch.version !== version) return this.#end(book, AuditOutcome.NO_JOIN, timeMs);
    this.#compare(book, scratch, timeMs);
  }

  #compare(book: Book, scratch: ScratchBook, timeMs: number): void {
    const { books } = this.#host;
    const { slot } = book;
    const { bidReach, askReach } = scratch;
    const found = new AuditComparison(
      {
        side: 'bid',
        direction: BID_DIRECTION,
        ours: this.#side(slot, BIDS),
        theirs: scratch.bids(),
        reach: bidReach,
        proven: books.field(slot, PROVEN_BIDS),
      },
      {
        side: 'ask',
        direction: ASK_DIRECTION,
        ours: this.#side(slot, ASKS),
        theirs: scratch.asks(),
        reach: askReach,
        proven: books.field(slot, PROVEN_ASKS),
      },
    );
    this.#forget(book);
    const { version } = scratch;
    if (found.isMatch) {
      this.#report(book, AuditOutcome.MATCH, timeMs, version, found);
      books.prove(slot, bidReach, askReach);
      this.#correct(book, found.bids, found.asks);
      return;
    }
    this.#report(book, AuditOutcome.MISMATCH, timeMs, version, found);
    scratch.fill(books.delta);
    this.#host.repair(book, timeMs);
    // The pushes brought levels the snapshot would have cut off.
    if (books.state(slot) === BookState.LIVE) books.prove(slot, bidReach, askReach);
  }

  #correct(book: Book, bids: readonly Correction[], asks: readonly Correction[]): void {
    if (bids.length + asks.length === 0) return;
    const { books } = this.#host;
    const { delta } = books;
    fill(delta.bids, bids);
    fill(delta.asks, asks);
    // It covers no version.
    delta.toVersion = books.version(book.slot);
    delta.fromVersion = delta.toVersion + 1;
    delta.exchangeTimeMs = books.exchangeTimeMs(book.slot);
    delta.inexactCount = 0;
    this.#host.correct(book);
  }

  #side(slot: number, side: typeof BIDS | typeof ASKS): SortedSide {
    const { books } = this.#host;
    const levels = books.levels(slot, side);
    const ticks = new Float64Array(levels);
    const lots = new Float64Array(levels);
    return { count: books.collect(slot, side, levels, ticks, lots), ticks, lots };
  }

  /** Into the delta buffer; false when it cannot be read. */
  #read(book: Book, body: Uint8Array, timeMs: number): boolean {
    const { books } = this.#host;
    const { delta } = books;
    const read = (): boolean => decodeSnapshot(body, books.priceScale(book.slot), books.quantityScale(book.slot), delta);
    try {
      if (read()) return true;
      const { priceScaleNeeded, quantityScaleNeeded } = delta;
      // The answer first: one that is refused after all leaves the book as it is.
      decodeSnapshot(body, priceScaleNeeded, quantityScaleNeeded, delta);
      return this.#host.rescale(book, priceScaleNeeded, quantityScaleNeeded, timeMs) && read();
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      return false;
    }
  }

  #end(book: Book, outcome: AuditOutcome, timeMs: number): void {
    // The shard may have ended it while it was asked for something.
    if (book.audit === undefined) return;
    this.#forget(book);
    this.#report(book, outcome, timeMs);
  }

  #forget(book: Book): void {
    book.audit?.pushes.clear();
    book.audit = undefined;
    this.#underWay.delete(book);
  }

  #report(book: Book, outcome: AuditOutcome, timeMs: number, version = 0, found: Findings = NOTHING): void {
    const { books } = this.#host;
    const { matched, wrong, ghosts, missing, corrected, dropped, differences } = found;
    this.#host.report(book, {
      outcome,
      timeMs,
      version,
      matched,
      wrong,
      ghosts,
      missing,
      corrected,
      dropped,
      priceScale: books.priceScale(book.slot),
      quantityScale: books.quantityScale(book.slot),
      differences,
    });
  }
}

function fill(columns: LevelColumns, corrections: readonly Correction[]): void {
  columns.count = corrections.length;
  for (const [i, [tick, lots]] of corrections.entries()) {
    columns.ticks[i] = tick;
    columns.lots[i] = lots;
  }
}
