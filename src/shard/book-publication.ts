import { ASKS, BIDS } from '../book/book-layout.js';
import type { DeltaBuffer } from '../book/delta-buffer.js';
import type { OrderBooks } from '../book/order-books.js';
import { BookState } from '../model/book-state.js';
import { Channel, Format, MessageKind, type PublicationSpec } from '../model/publication.js';
import type { BookEncoder } from './book-encoder.js';
import { DirtyLevels } from './dirty-levels.js';
import { JsonBookEncoder } from './json-book-encoder.js';
import { diffWindows, LevelWindow } from './level-window.js';
import { ProtoBookEncoder } from './proto-book-encoder.js';
import type { Emit, Publication, PublicationParts, SnapshotReason } from './publication.js';

/** An unchanged quote is repeated after this long, so that silence is never ambiguous. */
const BBO_REPEAT_MS = 3000;
/** More changed levels than this a side and a full-depth subscriber gets the whole book instead. */
const DIRTY_LIMIT = 8192;

/**
 * The channels about a book (`book`, `book_top`, `bbo`, `status`): what the subscribers were last sent, and what they get next.
 * `prev` of a delta is the `seq` of the message before it, whatever was conflated between.
 */
export class BookPublication implements Publication {
  readonly id: number;
  readonly spec: PublicationSpec;
  readonly #slot: number;
  readonly #books: OrderBooks;
  readonly #encoder: BookEncoder;
  readonly #emit: Emit;
  readonly #clock: () => number;
  /** Seq and exchange version of the last message; -1 = nothing sent yet. */
  #lastSeq = -1;
  #lastVersion = 0;
  #lastSentMs = -Infinity;
  /** A message found no room: subscribers must get a snapshot before any delta. */
  #broken = false;
  /** A change of state found no room: it is said as soon as there is some. */
  #stateOwed = false;
  /** Levels the full book had to drop for want of room, as of the last snapshot. No delta names them. */
  #evicted = 0;
  #bids: LevelWindow;
  #asks: LevelWindow;
  #nextBids: LevelWindow;
  #nextAsks: LevelWindow;
  readonly #dirtyBids = new DirtyLevels();
  readonly #dirtyAsks = new DirtyLevels();
  #changedTicks: Float64Array;
  #changedLots: Float64Array;

  constructor(id: number, spec: PublicationSpec, parts: PublicationParts) {
    this.id = id;
    this.spec = spec;
    this.#slot = parts.slot;
    this.#books = parts.books;
    this.#encoder = spec.format === Format.JSON ? new JsonBookEncoder(spec, parts) : new ProtoBookEncoder(spec, parts);
    this.#emit = parts.emit;
    this.#clock = parts.clock;
    const depth = spec.channel === Channel.BBO ? 1 : spec.depth;
    this.#bids = new LevelWindow(depth);
    this.#asks = new LevelWindow(depth);
    this.#nextBids = new LevelWindow(depth);
    this.#nextAsks = new LevelWindow(depth);
    this.#changedTicks = new Float64Array(2 * depth);
    this.#changedLots = new Float64Array(2 * depth);
  }

  /** The book took an update (`delta`: its columns) and is live. */
  updated(delta: DeltaBuffer): void {
    const { channel, depth, intervalMs } = this.spec;
    // A whole book that found no room is left to the clock: at every update it would be encoded in vain.
    if (channel === Channel.STATUS || this.#broken) return;
    if (intervalMs === 0) {
      this.#publish(delta);
    } else if (channel === Channel.BOOK && depth === 0 && this.#lastSeq >= 0) {
      const kept =
        this.#dirtyBids.add(delta.bids.ticks, delta.bids.count, DIRTY_LIMIT) &&
        this.#dirtyAsks.add(delta.asks.ticks, delta.asks.count, DIRTY_LIMIT);
      if (!kept) this.#broken = true;
    }
  }

  tapeChanged(): void {}

  tickerChanged(): void {}

  /** The clock moved on: sends what is due. Only while the book is live. */
  tick(nowMs: number): void {
    const { channel, intervalMs } = this.spec;
    if (channel === Channel.STATUS) return this.retryState();
    const changed = this.#books.seq(this.#slot) !== this.#lastSeq;
    if (this.#broken || (changed && intervalMs > 0 && nowMs - this.#lastSentMs >= intervalMs)) this.#publish(undefined);
    else if (channel === Channel.BBO && this.#lastSeq >= 0 && nowMs - this.#lastSentMs >= BBO_REPEAT_MS)
      this.#sendState(MessageKind.SNAPSHOT, 0, 'subscribe');
  }

  /** The book is live again: everybody starts from a whole book. */
  restarted(reason: SnapshotReason): void {
    if (this.spec.channel === Channel.STATUS) {
      if (reason === 'subscribe') this.stateChanged();
      return;
    }
    this.#sendState(MessageKind.SNAPSHOT, 0, reason);
  }

  /** The book's state changed to one that is not live, or (`status`) to any. */
  stateChanged(): void {
    this.#sendStatus(MessageKind.STATE, 0);
  }

  /** Says a change of state that found no room before. */
  retryState(): void {
    if (this.#stateOwed) this.stateChanged();
  }

  /** One subscriber asks for a whole book. Returns false when there is no room now: ask again later. */
  snapshotFor(token: number, reason: SnapshotReason): boolean {
    if (this.spec.channel === Channel.STATUS) return this.#sendStatus(MessageKind.STATE_FOR, token);
    if (this.#books.state(this.#slot) !== BookState.LIVE) return this.#sendStatus(MessageKind.STATE_FOR, token);
    // The others first, so that one `seq` of the last message holds for all subscribers.
    if (this.#lastSeq >= 0 && this.#books.seq(this.#slot) !== this.#lastSeq) this.#publish(undefined);
    return this.#sendState(MessageKind.SNAPSHOT_FOR, token, reason);
  }

  /** Sends the change since the last message; with `delta`, the book's newest update is all there is since. */
  #publish(delta: DeltaBuffer | undefined): void {
    if (this.#broken) {
      this.#sendState(MessageKind.SNAPSHOT, 0, 'slow');
      return;
    }
    if (this.#lastSeq < 0) return;
    if (this.spec.channel === Channel.BOOK) {
      if (this.spec.depth > 0) this.#sendWindowDelta();
      else if (this.#books.evictedLevels(this.#slot) === this.#evicted) this.#sendFullDelta(delta);
      else this.#sendState(MessageKind.SNAPSHOT, 0, 'evicted');
    } else if (this.#windowChanged()) {
      this.#sendState(MessageKind.SNAPSHOT, 0, 'subscribe');
    } else {
      this.#lastSeq = this.#books.seq(this.#slot);
    }
  }

  /** book_top, bbo: takes the newest window and tells whether it differs from the one sent. Of a whole book every update counts. */
  #windowChanged(): boolean {
    if (this.spec.channel === Channel.BOOK_TOP && this.spec.depth === 0) return true;
    this.#collect(this.#nextBids, this.#nextAsks);
    return !this.#nextBids.equals(this.#bids) || !this.#nextAsks.equals(this.#asks);
  }

  #sendWindowDelta(): void {
    this.#collect(this.#nextBids, this.#nextAsks);
    const encoder = this.#encoder;
    encoder.beginDelta(this.#lastSeq, this.#lastVersion);
    const bids = diffWindows(this.#bids, this.#nextBids, -1, this.#changedTicks, this.#changedLots);
    encoder.bids(this.#changedTicks, this.#changedLots, bids);
    const asks = diffWindows(this.#asks, this.#nextAsks, 1, this.#changedTicks, this.#changedLots);
    encoder.asks(this.#changedTicks, this.#changedLots, asks);
    this.#swapWindows();
    this.#sent(this.#emit(this.id, MessageKind.DELTA, 0, encoder.end()));
  }

  #sendFullDelta(delta: DeltaBuffer | undefined): void {
    const encoder = this.#encoder;
    encoder.beginDelta(this.#lastSeq, this.#lastVersion);
    if (delta !== undefined && this.#dirtyBids.count === 0 && this.#dirtyAsks.count === 0) {
      encoder.bids(delta.bids.ticks, delta.bids.lots, delta.bids.count);
      encoder.asks(delta.asks.ticks, delta.asks.lots, delta.asks.count);
    } else {
      const bids = this.#collectDirty(this.#dirtyBids, BIDS);
      encoder.bids(this.#changedTicks, this.#changedLots, bids);
      const asks = this.#collectDirty(this.#dirtyAsks, ASKS);
      encoder.asks(this.#changedTicks, this.#changedLots, asks);
    }
    this.#dirtyBids.clear();
    this.#dirtyAsks.clear();
    this.#sent(this.#emit(this.id, MessageKind.DELTA, 0, encoder.end()));
  }

  /** A whole book, top or quote, for all subscribers or one. */
  #sendState(kind: MessageKind, token: number, reason: SnapshotReason): boolean {
    const encoder = this.#encoder;
    const forAll = kind === MessageKind.SNAPSHOT;
    encoder.beginSnapshot(reason);
    if (this.spec.depth > 0 || this.spec.channel === Channel.BBO) {
      this.#collect(this.#nextBids, this.#nextAsks);
      this.#swapWindows();
      encoder.bids(this.#bids.ticks, this.#bids.lots, this.#bids.count);
      encoder.asks(this.#asks.ticks, this.#asks.lots, this.#asks.count);
    } else {
      const bids = this.#collectAll(BIDS);
      encoder.bids(this.#changedTicks, this.#changedLots, bids);
      const asks = this.#collectAll(ASKS);
      encoder.asks(this.#changedTicks, this.#changedLots, asks);
    }
    const sent = this.#emit(this.id, kind, token, encoder.end());
    // What one subscriber got does not settle what the others are owed.
    if (forAll) this.#sent(sent);
    if (forAll && sent) {
      this.#evicted = this.#books.evictedLevels(this.#slot);
      this.#dirtyBids.clear();
      this.#dirtyAsks.clear();
    }
    return sent;
  }

  #sendStatus(kind: MessageKind, token: number): boolean {
    const sent = this.#emit(this.id, kind, token, this.#encoder.status());
    if (kind === MessageKind.STATE) {
      this.#stateOwed = !sent;
      // Subscribers that miss a change of state must not go on with deltas as if nothing had happened.
      if (!sent) this.#broken = true;
    }
    return sent;
  }

  #sent(ok: boolean): void {
    if (!ok) {
      this.#broken = true;
      this.#dirtyBids.clear();
      this.#dirtyAsks.clear();
      return;
    }
    this.#broken = false;
    this.#stateOwed = false;
    this.#lastSeq = this.#books.seq(this.#slot);
    this.#lastVersion = this.#books.version(this.#slot);
    this.#lastSentMs = this.#clock();
  }

  #collect(bids: LevelWindow, asks: LevelWindow): void {
    bids.count = this.#books.collect(this.#slot, BIDS, bids.ticks.length, bids.ticks, bids.lots);
    asks.count = this.#books.collect(this.#slot, ASKS, asks.ticks.length, asks.ticks, asks.lots);
  }

  #swapWindows(): void {
    [this.#bids, this.#nextBids] = [this.#nextBids, this.#bids];
    [this.#asks, this.#nextAsks] = [this.#nextAsks, this.#asks];
  }

  /** All levels of a side into the columns; returns how many. */
  #collectAll(side: typeof BIDS | typeof ASKS): number {
    const levels = this.#books.levels(this.#slot, side);
    this.#reserveChanged(levels);
    return this.#books.collect(this.#slot, side, levels, this.#changedTicks, this.#changedLots);
  }

  /** The levels that changed since the last message, as they are now, into the columns; returns how many. */
  #collectDirty(dirty: DirtyLevels, side: typeof BIDS | typeof ASKS): number {
    dirty.settle();
    this.#reserveChanged(dirty.count);
    for (let i = 0; i < dirty.count; i++) {
      const tick = dirty.ticks[i]!;
      this.#changedTicks[i] = tick;
      this.#changedLots[i] = this.#books.lotsAt(this.#slot, side, tick);
    }
    return dirty.count;
  }

  #reserveChanged(levels: number): void {
    if (levels <= this.#changedTicks.length) return;
    this.#changedTicks = new Float64Array(levels);
    this.#changedLots = new Float64Array(levels);
  }
}
