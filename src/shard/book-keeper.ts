import { COUNT_DROPPED } from '../book/book-layout.js';
import type { DeltaBuffer } from '../book/delta-buffer.js';
import type { OrderBooks } from '../book/order-books.js';
import type { BatchTimes } from '../memory/log-histogram.js';
import * as meters from '../memory/shard-meter.js';
import { DepthDecode } from '../mexc/decode-depth.js';
import { depthVersion } from '../mexc/depth-version.js';
import { decodeSnapshot } from '../mexc/decode-snapshot.js';
import { fillDelta } from '../mexc/legacy-json/columns.js';
import type { LegacyBook } from '../mexc/legacy-json/events.js';
import { judgeSequence, Sequence } from '../mexc/sequence.js';
import { BookState, StateReason } from '../model/book-state.js';
import { POWERS_OF_TEN } from '../model/decimal.js';
import { AuditOutcome } from '../model/audit.js';
import { encodeReport } from './audit-report.js';
import { ShardAudits } from './audits.js';
import type { BookDecoder, ReadSnapshot } from './book-decoder.js';
import type { BookTrust, ShardParts } from './book-trust.js';
import type { EarlyPushes } from './early-pushes.js';
import type { LineRace } from './line-race.js';
import type { Publications } from './publications.js';
import { Outbound } from './records.js';
import type { ShardBook } from './shard-book.js';

// Loaded once, as in `order-books.ts`.
const { METER_APPLIED, METER_DROPPED, METER_LEVELS } = meters;

/** So many pushes in a row without anything new, for so long, and the exchange's versions have begun anew. */
const DROPS_MAX = 20;
const DROPS_MS = 5_000;
/** So many audits in a row whose snapshot is older than the book, while pushes bring nothing new, mean the same. */
const OLD_AUDITS_MAX = 6;

/** Keeps books: pushes, as far as their versions join, and snapshots with what waited for them. */
export class BookKeeper {
  readonly audits: ShardAudits<ShardBook>;
  readonly #books: OrderBooks;
  readonly #publications: Publications;
  readonly #meter: meters.ShardMeter;
  readonly #trust: BookTrust;
  readonly #decoder: BookDecoder;
  readonly #delta: DeltaBuffer;
  /** Receipt of the pushes this batch applied. */
  readonly #applied: BatchTimes;
  readonly #twoLines: boolean;

  constructor(parts: ShardParts, trust: BookTrust, decoder: BookDecoder, applied: BatchTimes, twoLines: boolean) {
    this.#books = parts.books;
    this.#publications = parts.publications;
    this.#meter = parts.meter;
    this.#trust = trust;
    this.#decoder = decoder;
    this.#delta = parts.books.delta;
    this.#applied = applied;
    this.#twoLines = twoLines;
    this.audits = this.#createAudits(parts);
  }

  /** The clock moved on. */
  tick(timeMs: number): void {
    this.audits.tick(timeMs);
    this.#tickEarly(timeMs);
  }

  // ---- the hot path: one push into its book

  /** A push that came by `line`. */
  push(book: ShardBook, bytes: Uint8Array, view: DataView, start: number, end: number, timeMs: number, line: number): void {
    if (this.#trust.isFollowing(book)) {
      this.#applyFrame(book, bytes, view, start, end, timeMs, line);
    } else if (book.lineUp) {
      book.silence.received(timeMs);
      // Should this worker die, the next one knows of it.
      this.#books.raiseKnown(book.slot, depthVersion(bytes, start, end));
      book.pending.push(bytes, start, end, timeMs);
    }
  }

  #applyFrame(book: ShardBook, bytes: Uint8Array, view: DataView, start: number, end: number, timeMs: number, line: number): void {
    const books = this.#books;
    const slot = book.slot;
    const delta = this.#delta;
    const outcome = this.#decoder.decode(book, bytes, view, start, end, timeMs);
    if (outcome !== DepthDecode.OK) {
      if (outcome !== DepthDecode.NOT_DEPTH && this.#trust.isFollowing(book)) this.#trust.losePush(book, StateReason.BAD_FRAME, timeMs);
      return;
    }
    const verdict = judgeSequence(books.version(slot), delta.fromVersion, delta.toVersion);
    if (verdict === Sequence.DROP) {
      books.count(slot, COUNT_DROPPED);
      this.#meter.add(METER_DROPPED, 1);
      this.#onDrop(book, timeMs, line);
    } else if (verdict === Sequence.GAP) {
      books.raiseKnown(slot, delta.toVersion);
      if (book.early?.hold(bytes, start, end, delta.toVersion, timeMs, line) === true) {
        this.#trust.waiting.add(book);
        return;
      }
      this.#trust.gap(book, timeMs);
      // The update behind the gap is the first the snapshot must reach.
      book.pending.push(bytes, start, end, timeMs);
    } else if (this.#applyDelta(book, timeMs)) {
      if (book.race !== undefined) this.#meterFirst(book.race, timeMs, line);
      book.drops = 0;
      book.oldAudits = 0;
      book.silence.received(timeMs);
      this.#applied.began(timeMs);
      const sentMs = delta.exchangeTimeMs;
      if (!Number.isNaN(sentMs)) this.#meter.exchangeToReceived.record(timeMs - sentMs);
      if (books.state(slot) === BookState.LIVE) {
        this.#publications.updated(book, delta, timeMs);
        if (book.audit !== undefined) this.audits.applied(book, bytes, start, end, timeMs);
      } else {
        this.#proven(book, timeMs);
      }
      if (book.early !== undefined && book.early.count > 0) this.#takeEarly(book, book.early, timeMs);
    }
  }

  /** The book is what the exchange has. */
  #proven(book: ShardBook, timeMs: number): void {
    // Old ones that come another time are no more of these in a row.
    book.oldSnapshots = 0;
    this.#trust.enter(book, BookState.LIVE, StateReason.SYNCED, timeMs);
    this.#publications.restart(book, 'resync');
  }

  /** Applies the delta buffer; false when the book is `suspect` now, and a snapshot asked for. */
  #applyDelta(book: ShardBook, timeMs: number): boolean {
    const delta = this.#delta;
    this.#meter.add(METER_APPLIED, 1);
    this.#meter.add(METER_LEVELS, delta.bids.count + delta.asks.count);
    try {
      if (this.#books.applyDelta(book.slot, timeMs)) return true;
    } catch (error) {
      this.#trust.memoryFull(book, error, timeMs);
      this.#trust.mustReach(book, this.#delta.toVersion);
      return false;
    }
    this.#trust.crossed(book, timeMs);
    return false;
  }

  /**
   * Repeated pushes are normal for the second or two that two connections carry the symbol. A stream of nothing else is another
   * stream: the exchange began to count anew.
   */
  #onDrop(book: ShardBook, timeMs: number, line: number): void {
    if (book.drops++ === 0) book.dropsFromMs = timeMs;
    if (book.race !== undefined) this.#meterSecond(book.race, timeMs, line);
    // A line that stood still brings in a moment what the other one brought long ago.
    const fromMs = this.#twoLines ? book.dropsFromMs : this.#books.receiveTimeMs(book.slot);
    if (book.drops < DROPS_MAX || timeMs - fromMs < DROPS_MS) return;
    this.#trust.gap(book, timeMs);
    this.#trust.mustReachNothing(book);
  }

  /** The same of a quiet symbol, whose pushes are too few to tell: audits find the exchange at older versions, again and again. */
  #onOldAudit(book: ShardBook, timeMs: number): void {
    if (book.drops === 0 || ++book.oldAudits < OLD_AUDITS_MAX) return;
    this.#trust.gap(book, timeMs);
    this.#trust.mustReachNothing(book);
  }

  /**
   * `version`: the highest any of them led to; -1 = not known of any; `known`: of all of them. No snapshot from before it may be taken for the book, for
   * no later push may come and show the hole.
   */
  pushesLost(book: ShardBook, version: number, known: boolean, timeMs: number): void {
    this.#trust.mustReach(book, version);
    // They came on the other line, or were old.
    if (known && this.#trust.isFollowing(book) && this.#books.version(book.slot) >= version) return;
    if (this.#trust.isFollowing(book)) return this.#trust.losePush(book, StateReason.RING_FULL, timeMs);
    // Whether it was one of those that wait or a later one is not known: a snapshot must reach beyond them all.
    this.#forgetPending(book, 1, timeMs);
  }

  // ---- two lines

  /** Applies the pushes that came too early and follow now. What still waits then has another hole before it. */
  #takeEarly(book: ShardBook, early: EarlyPushes, timeMs: number): void {
    const delta = this.#delta;
    const version = this.#books.version(book.slot);
    for (let i = 0; i < early.count; ) {
      const frame = early.frame(i);
      const outcome = this.#decoder.decodeEarly(book, frame, timeMs);
      // It lost the book, and with it what waits.
      if (outcome === DepthDecode.NOT_DEPTH) return;
      // It could be read when it came, but not at the book's scales of now.
      if (outcome !== DepthDecode.OK) return this.#trust.losePush(book, StateReason.BAD_FRAME, timeMs);
      const verdict = judgeSequence(this.#books.version(book.slot), delta.fromVersion, delta.toVersion);
      if (verdict === Sequence.GAP) {
        i++;
        continue;
      }
      const cameMs = early.timeMs(i);
      const line = early.line(i);
      early.remove(i);
      if (verdict === Sequence.DROP) continue;
      // It lost the book, and with it what waits.
      if (!this.#applyDelta(book, timeMs)) return;
      if (book.race !== undefined) this.#meterFirst(book.race, cameMs, line);
      book.drops = 0;
      book.oldAudits = 0;
      this.#publications.updated(book, delta, 0);
      if (book.audit !== undefined) this.audits.applied(book, frame, 0, frame.length, timeMs);
      // One before it may follow now.
      i = 0;
    }
    if (this.#books.version(book.slot) > version) this.#meter.add(meters.METER_LINE_HEALED, 1);
    if (early.count === 0) this.#trust.waiting.delete(book);
  }

  /** Gives up waiting for the other line where it took too long. */
  #tickEarly(timeMs: number): void {
    for (const book of this.#trust.waiting) {
      if (book.early!.tick(timeMs)) this.#giveUpWaiting(book, book.early!, timeMs);
    }
  }

  /** The other line did not fill the hole in time. */
  #giveUpWaiting(book: ShardBook, early: EarlyPushes, timeMs: number): void {
    if (this.#trust.isFollowing(book)) this.#takeEarly(book, early, timeMs);
    if (early.count > 0) this.#trust.gap(book, timeMs);
  }

  /** The push in the delta buffer was new on `line`, whether the other one brings a copy or not. */
  #meterFirst(race: LineRace, timeMs: number, line: number): void {
    race.first(this.#delta.toVersion, line, timeMs);
    this.#meter.add(meters.METER_LINE_WINS + line, 1);
  }

  /** By how much the first copy of a push was faster: this is the second one. */
  #meterSecond(race: LineRace, timeMs: number, line: number): void {
    const leadMs = race.second(this.#delta.toVersion, line, timeMs);
    if (leadMs >= 0) this.#meter.lineLead.record(leadMs);
  }

  // ---- the stream's line

  lineDown(book: ShardBook, reason: StateReason, timeMs: number): void {
    book.lineUp = false;
    this.#forgetPending(book, 0, timeMs);
    this.#trust.forgetEarly(book);
    const state = this.#books.state(book.slot);
    this.#trust.enter(book, state === BookState.SYNCING ? BookState.SYNCING : BookState.STALE, reason, timeMs);
  }

  lineUp(book: ShardBook, timeMs: number): void {
    book.lineUp = true;
    // What was known stays known: a snapshot from before it is an old one, whatever line its pushes come on.
    this.#trust.mustReach(book, this.#books.version(book.slot));
    book.oldSnapshots = 0;
    book.pending.clear();
    this.#trust.forgetEarly(book);
    book.silence.start(timeMs);
    const books = this.#books;
    if (books.state(book.slot) !== BookState.SYNCING) this.#trust.enter(book, BookState.SYNCING, books.reason(book.slot), timeMs);
  }

  /** Nothing waits any more. A snapshot must reach what did, and so many versions more. */
  #forgetPending(book: ShardBook, more: number, timeMs: number): void {
    const reach = this.#reachOfPending(book, timeMs);
    if (reach >= 0) this.#trust.mustReach(book, reach + more);
    book.pending.clear();
  }

  /**
   * The version that the pushes which wait lead to, -1 when none can be read: that of the last one, and of those before it that go on from there, since of two lines one
   * is behind. A push that joins no other may have versions that are not true.
   */
  #reachOfPending(book: ShardBook, timeMs: number): number {
    const { pending } = book;
    let reach = -1;
    // Where the memory runs full the book is lost, and what waits with it.
    for (let i = pending.count - 1; i >= 0 && i < pending.count && reach < 0; i--) {
      if (this.#decoder.decodeKept(book, pending, i, timeMs) === DepthDecode.OK) reach = this.#delta.toVersion;
    }
    for (let i = 0; i < pending.count; i++) {
      const isRead = this.#decoder.decodeKept(book, pending, i, timeMs) === DepthDecode.OK;
      const { fromVersion, toVersion } = this.#delta;
      if (isRead && judgeSequence(reach, fromVersion, toVersion) === Sequence.APPLY) reach = toVersion;
    }
    return reach;
  }

  /** More pushes waited than may. */
  overflowed(book: ShardBook, timeMs: number): void {
    this.#meter.add(meters.METER_OVERFLOWS, 1);
    this.#forgetPending(book, 0, timeMs);
    this.#trust.requestResync(book, StateReason.BUFFER_OVERFLOW, timeMs);
  }

  // ---- snapshots

  snapshot(book: ShardBook, body: Uint8Array, timeMs: number): void {
    const books = this.#books;
    const slot = book.slot;
    if (!book.lineUp || books.state(slot) === BookState.LIVE) return;
    const read: ReadSnapshot = (priceScale, quantityScale) => decodeSnapshot(body, priceScale, quantityScale, this.#delta);
    if (!this.#decoder.readSnapshot(book, read, timeMs)) return;
    const version = this.#delta.toVersion;
    if (this.#trust.isFollowing(book)) {
      // A silent book: the exchange's own says whether anything was missed.
      if (this.#trust.isTooOld(book, version, books.version(slot), timeMs)) return;
      if (version === books.version(slot)) {
        book.silence.justified(timeMs);
        return this.#proven(book, timeMs);
      }
    }
    if (book.pending.count === 0 && this.#trust.isTooOld(book, version, book.lostAfter + 1, timeMs)) return;
    this.#replaceBook(book, version, read, timeMs);
  }

  /** A text frame that is a whole book: it makes the book live without a snapshot from REST. */
  textSnapshot(book: ShardBook, event: LegacyBook, timeMs: number): void {
    const books = this.#books;
    if (!book.lineUp) return;
    book.silence.received(timeMs);
    // What is held reaches farther than the frame, and is as new.
    if (event.effect === 'replace_newer' && this.#trust.isFollowing(book) && event.version <= books.version(book.slot)) {
      books.count(book.slot, COUNT_DROPPED);
      this.#meter.add(METER_DROPPED, 1);
      return;
    }
    const read: ReadSnapshot = (priceScale, quantityScale) => fillDelta(event, priceScale, quantityScale, this.#delta);
    // How many levels there are to a side of such a frame is not said.
    if (this.#decoder.readSnapshot(book, read, timeMs)) this.#replaceBook(book, event.version, read, timeMs, true);
  }

  /** Puts the snapshot that was just read in the place of the book, and what waited on top of it, when that joins it without a gap. */
  #replaceBook(book: ShardBook, version: number, read: ReadSnapshot, timeMs: number, cut = false): void {
    const books = this.#books;
    const slot = book.slot;
    this.#decoder.snapshotPrice = this.#delta.highestTick() / POWERS_OF_TEN[books.priceScale(slot)]!;
    const reach = this.#pendingFollows(book, version, timeMs);
    this.#decoder.snapshotPrice = 0;
    // Text frames carry versions of their own kind.
    if (reach < 0 || (!cut && this.#trust.isTooOld(book, reach, book.lostAfter + 1, timeMs))) return;
    // The check went through the delta buffer.
    if (this.#decoder.readSnapshot(book, read, timeMs)) this.#applySnapshot(book, reach, timeMs, cut);
  }

  /** Puts the snapshot in the delta buffer in the place of the book, and what waited on top of it. */
  #applySnapshot(book: ShardBook, reach: number, timeMs: number, cut: boolean): void {
    this.audits.interrupt(book, timeMs);
    // Should it or what waited turn out to be of no use.
    this.#trust.mustReach(book, reach);
    let sound = true;
    this.#meter.add(meters.METER_RESYNCS, 1);
    this.#meter.add(METER_LEVELS, this.#delta.bids.count + this.#delta.asks.count);
    if (!this.#trust.guardMemory(book, timeMs, () => (sound = this.#books.applySnapshot(book.slot, timeMs, cut)))) return;
    if (!sound) return this.#trust.crossed(book, timeMs);
    this.#applyPending(book, reach, timeMs);
  }

  /**
   * The version the pushes that wait lead a book at `version` to; below 0 when there is a gap, and then it asked again. What a bad push held is known to be in
   * the book as soon as a later one joins it.
   */
  #pendingFollows(book: ShardBook, version: number, timeMs: number): number {
    const { pending } = book;
    const waited = pending.count;
    let last = version;
    let bad = -1;
    for (let i = 0; i < pending.count; i++) {
      const outcome = this.#decoder.decodeKept(book, pending, i, timeMs);
      if (outcome === DepthDecode.NOT_DEPTH) continue;
      if (outcome !== DepthDecode.OK) {
        bad = i;
        continue;
      }
      const verdict = judgeSequence(last, this.#delta.fromVersion, this.#delta.toVersion);
      if (verdict === Sequence.GAP) {
        // Only what comes behind the hole can still be of use; a snapshot older than the first push just has to be newer.
        const highPoint = this.#lastHighPoint(book, i, timeMs);
        // What goes back may be a line that is behind.
        if (highPoint > i) this.#trust.mustReach(book, this.#reachOfPending(book, timeMs));
        pending.dropFirst(highPoint);
        const reason = bad >= 0 ? StateReason.BAD_FRAME : last === version ? StateReason.SNAPSHOT_OLD : StateReason.GAP;
        this.#trust.requestResync(book, reason, timeMs);
        return -1;
      }
      bad = -1;
      if (verdict === Sequence.APPLY) last = this.#delta.toVersion;
    }
    if (bad >= 0) {
      pending.dropFirst(bad + 1);
      this.#trust.mustReach(book, last + 1);
      this.#trust.requestResync(book, StateReason.BAD_FRAME, timeMs);
      return -1;
    }
    // Where the memory ran full the book was lost, and what waited with it.
    return pending.count < waited ? -1 : last;
  }

  /**
   * The waiting push, `first` or a later one, behind which the versions stay above it. Where they go back the exchange began to count
   * anew, or what came before was no true version: no snapshot would ever reach it.
   */
  #lastHighPoint(book: ShardBook, first: number, timeMs: number): number {
    const { pending } = book;
    let highPoint = first;
    let from = this.#delta.fromVersion;
    for (let i = first + 1; i < pending.count; i++) {
      if (this.#decoder.decodeKept(book, pending, i, timeMs) !== DepthDecode.OK || this.#delta.toVersion >= from) continue;
      highPoint = i;
      from = this.#delta.fromVersion;
    }
    return highPoint;
  }

  /** Applies what waited, on the fresh snapshot, then lets everybody know. `pendingFollows` has proven that there is no gap. */
  #applyPending(book: ShardBook, reach: number, timeMs: number): void {
    const books = this.#books;
    const slot = book.slot;
    const { pending } = book;
    for (let i = 0; i < pending.count; i++) {
      if (this.#decoder.decodeKept(book, pending, i, timeMs) !== DepthDecode.OK) continue;
      const { fromVersion, toVersion } = this.#delta;
      const verdict = judgeSequence(books.version(slot), fromVersion, toVersion);
      if (verdict === Sequence.GAP) break;
      if (verdict === Sequence.DROP) {
        books.count(slot, COUNT_DROPPED);
        this.#meter.add(METER_DROPPED, 1);
      } else if (!this.#applyDelta(book, pending.timeMs(i))) return;
    }
    // The memory ran full: the book was lost already.
    if (books.state(slot) !== BookState.LIVE) return;
    // A push that could be read before cannot be read at the book's scales of now.
    if (books.version(slot) !== reach) return this.#trust.losePush(book, StateReason.BAD_FRAME, timeMs);
    pending.clear();
    // The snapshot says how the market stands now: silence counts from here.
    book.silence.start(timeMs);
    this.#trust.mustReachNothing(book);
    book.drops = 0;
    book.oldAudits = 0;
    this.#proven(book, timeMs);
  }

  // ---- audits

  #createAudits({ books, outbox, publications, budget }: ShardParts): ShardAudits<ShardBook> {
    const decoder = this.#decoder;
    return new ShardAudits({
      books,
      budget,
      decode: (book, pushes, i, timeMs) => decoder.decodeKept(book, pushes, i, timeMs),
      rescale: (book, priceScale, quantityScale, timeMs) =>
        decoder.fitsScale(book, priceScale) && decoder.rescale(book, priceScale, quantityScale, timeMs),
      correct: (book) => {
        if (this.#applyDelta(book, books.receiveTimeMs(book.slot))) publications.updated(book, this.#delta, 0);
      },
      repair: (book, timeMs) => {
        this.#trust.enter(book, BookState.SUSPECT, StateReason.AUDIT_MISMATCH, timeMs);
        this.#applySnapshot(book, this.#delta.toVersion, timeMs, false);
      },
      report: (book, report) => {
        outbox.send(Outbound.AUDITED, book.slot, report.outcome, report.timeMs, encodeReport(report));
        if (report.outcome === AuditOutcome.NO_JOIN) this.#onOldAudit(book, report.timeMs);
      },
    });
  }
}
