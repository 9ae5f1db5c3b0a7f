import { ASKS, BEST_ASK_LOTS, BEST_ASK_TICK, BEST_BID_LOTS, BEST_BID_TICK, BIDS, SINCE } from '../book/book-layout.js';
import type { DeltaBuffer } from '../book/delta-buffer.js';
import { NO_TICK } from '../book/ladder-lookup.js';
import type { OrderBooks } from '../book/order-books.js';
import { BookState, bookStateNames, stateReasonNames } from '../model/book-state.js';
import { Channel, channelNames, MessageKind, type PublicationSpec } from '../model/publication.js';
import { DirtyLevels } from './dirty-levels.js';
import { diffWindows, LevelWindow } from './level-window.js';
import type { MessageWriter } from './message-writer.js';
import { jsonBytes } from './message-writer.js';
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
  readonly #writer: MessageWriter;
  readonly #emit: Emit;
  readonly #clock: () => number;
  readonly #symbol: Uint8Array;
  /** The message up to its `type`. */
  readonly #head: Uint8Array;
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

  constructor(id: number, spec: PublicationSpec, { symbol, slot, books, writer, emit, clock }: PublicationParts) {
    this.id = id;
    this.spec = spec;
    this.#slot = slot;
    this.#books = books;
    this.#writer = writer;
    this.#emit = emit;
    this.#clock = clock;
    this.#symbol = jsonBytes(symbol);
    this.#head = this.#encodeHead();
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
    if (channel === Channel.STATUS) return;
    if (intervalMs === 0) {
      this.#publish(delta);
    } else if (channel === Channel.BOOK && depth === 0 && this.#lastSeq >= 0 && !this.#broken) {
      const kept =
        this.#dirtyBids.add(delta.bidTicks, delta.bidCount, DIRTY_LIMIT) &&
        this.#dirtyAsks.add(delta.askTicks, delta.askCount, DIRTY_LIMIT);
      if (!kept) this.#broken = true;
    }
  }

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

  /** book_top, bbo: takes the newest window and tells whether it differs from the one sent. */
  #windowChanged(): boolean {
    this.#collect(this.#nextBids, this.#nextAsks);
    return !this.#nextBids.equals(this.#bids) || !this.#nextAsks.equals(this.#asks);
  }

  #sendWindowDelta(): void {
    this.#collect(this.#nextBids, this.#nextAsks);
    this.#beginDelta();
    const writer = this.#writer;
    const bids = diffWindows(this.#bids, this.#nextBids, -1, this.#changedTicks, this.#changedLots);
    writer.text(',"b":');
    this.#writeChanged(bids);
    const asks = diffWindows(this.#asks, this.#nextAsks, 1, this.#changedTicks, this.#changedLots);
    writer.text(',"a":');
    this.#writeChanged(asks);
    this.#swapWindows();
    this.#endDelta();
  }

  #sendFullDelta(delta: DeltaBuffer | undefined): void {
    this.#beginDelta();
    const writer = this.#writer;
    if (delta !== undefined && this.#dirtyBids.count === 0 && this.#dirtyAsks.count === 0) {
      const priceScale = this.#books.priceScale(this.#slot);
      const quantityScale = this.#books.quantityScale(this.#slot);
      writer.text(',"b":');
      writer.levels(delta.bidTicks, delta.bidLots, delta.bidCount, priceScale, quantityScale);
      writer.text(',"a":');
      writer.levels(delta.askTicks, delta.askLots, delta.askCount, priceScale, quantityScale);
    } else {
      writer.text(',"b":');
      this.#writeDirty(this.#dirtyBids, BIDS);
      writer.text(',"a":');
      this.#writeDirty(this.#dirtyAsks, ASKS);
    }
    this.#dirtyBids.clear();
    this.#dirtyAsks.clear();
    this.#endDelta();
  }

  #beginDelta(): void {
    const writer = this.#writer;
    writer.begin();
    writer.raw(this.#head);
    writer.text('"delta"');
    this.#writeEnvelope(this.#lastSeq);
  }

  #endDelta(): void {
    this.#writer.text('}');
    this.#sent(this.#emit(this.id, MessageKind.DELTA, 0, this.#writer.frame()));
  }

  /** A whole book, top or quote, for all subscribers or one. */
  #sendState(kind: MessageKind, token: number, reason: SnapshotReason): boolean {
    const writer = this.#writer;
    writer.begin();
    writer.raw(this.#head);
    writer.text('"snapshot"');
    const forAll = kind === MessageKind.SNAPSHOT;
    if (this.spec.depth > 0 || this.spec.channel === Channel.BBO) {
      this.#collect(this.#nextBids, this.#nextAsks);
      this.#swapWindows();
    }
    this.#writeEnvelope(-1);
    if (this.spec.channel === Channel.BBO) {
      this.#writeQuote();
    } else {
      if (this.spec.channel === Channel.BOOK) writer.text(`,"reason":"${reason}"`);
      writer.text(',"b":');
      this.#writeSide(this.#bids, BIDS);
      writer.text(',"a":');
      this.#writeSide(this.#asks, ASKS);
    }
    writer.text('}');
    const sent = this.#emit(this.id, kind, token, writer.frame());
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
    const books = this.#books;
    const slot = this.#slot;
    const writer = this.#writer;
    writer.begin();
    writer.raw(this.#head);
    const state = bookStateNames[books.state(slot)];
    const reason = stateReasonNames[books.reason(slot)];
    writer.text(
      `"state","state":"${state}","reason":"${reason}","epoch":${books.epoch(slot)},"seq":${books.seq(slot)},"version":${books.version(slot)},"since":`,
    );
    writer.time(books.field(slot, SINCE));
    writer.text(',"tp":');
    writer.time(this.#clock());
    writer.text('}');
    const sent = this.#emit(this.id, kind, token, writer.frame());
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

  #writeSide(window: LevelWindow, side: typeof BIDS | typeof ASKS): void {
    const books = this.#books;
    const slot = this.#slot;
    if (this.spec.depth > 0) {
      this.#writer.levels(window.ticks, window.lots, window.count, books.priceScale(slot), books.quantityScale(slot));
      return;
    }
    const levels = books.levels(slot, side);
    if (levels > this.#changedTicks.length) {
      this.#changedTicks = new Float64Array(levels);
      this.#changedLots = new Float64Array(levels);
    }
    this.#writeChanged(books.collect(slot, side, levels, this.#changedTicks, this.#changedLots));
  }

  #writeChanged(count: number): void {
    const books = this.#books;
    this.#writer.levels(this.#changedTicks, this.#changedLots, count, books.priceScale(this.#slot), books.quantityScale(this.#slot));
  }

  #writeDirty(dirty: DirtyLevels, side: typeof BIDS | typeof ASKS): void {
    dirty.settle();
    const writer = this.#writer;
    const books = this.#books;
    const slot = this.#slot;
    writer.text('[');
    for (let i = 0; i < dirty.count; i++) {
      if (i > 0) writer.text(',');
      const tick = dirty.ticks[i]!;
      writer.level(tick, books.lotsAt(slot, side, tick), books.priceScale(slot), books.quantityScale(slot));
    }
    writer.text(']');
  }

  /** `,"b":["price","quantity"],"a":null` */
  #writeQuote(): void {
    const books = this.#books;
    const slot = this.#slot;
    const bid = books.field(slot, BEST_BID_TICK);
    const ask = books.field(slot, BEST_ASK_TICK);
    const writer = this.#writer;
    writer.text(',"b":');
    if (bid === NO_TICK) writer.text('null');
    else writer.level(bid, books.field(slot, BEST_BID_LOTS), books.priceScale(slot), books.quantityScale(slot));
    writer.text(',"a":');
    if (ask === NO_TICK) writer.text('null');
    else writer.level(ask, books.field(slot, BEST_ASK_LOTS), books.priceScale(slot), books.quantityScale(slot));
  }

  /** Epoch to state; `prev` < 0 = null. Deltas carry the exchange's versions they cover, whole books the one they stand at. */
  #writeEnvelope(prev: number): void {
    const books = this.#books;
    const slot = this.#slot;
    const writer = this.#writer;
    const version = books.version(slot);
    writer.text(',"epoch":');
    writer.integer(books.epoch(slot));
    writer.text(',"seq":');
    writer.integer(books.seq(slot));
    writer.text(',"prev":');
    if (prev < 0) writer.text('null,"xv":[');
    else {
      writer.integer(prev);
      writer.text(',"xv":[');
    }
    writer.integer(prev < 0 ? version : Math.min(this.#lastVersion + 1, version));
    writer.text(',');
    writer.integer(version);
    writer.text('],"te":');
    writer.time(books.exchangeTimeMs(slot));
    writer.text(',"tr":');
    writer.time(books.receiveTimeMs(slot));
    writer.text(',"tp":');
    writer.time(this.#clock());
    writer.text(',"state":"live"');
  }

  #encodeHead(): Uint8Array {
    const { channel, depth, intervalMs } = this.spec;
    const writer = this.#writer;
    writer.begin();
    writer.text(`{"ch":"${channelNames[channel]}","sym":`);
    writer.raw(this.#symbol);
    if (channel === Channel.BOOK || channel === Channel.BOOK_TOP) writer.text(`,"depth":${depth === 0 ? '"full"' : depth}`);
    if (channel !== Channel.STATUS) writer.text(`,"interval":${intervalMs}`);
    writer.text(',"type":');
    const frame = writer.frame();
    return frame.slice(frame[1]! < 126 ? 2 : 4);
  }
}
