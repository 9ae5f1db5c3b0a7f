import { doubledMidTicks, imbalance, microprice, spreadBps, spreadTicks } from '../analytics/book-figures.js';
import { type BandSide, createBands, defaultBandsBps, measureBands } from '../analytics/depth-bands.js';
import { ASKS, BIDS } from '../book/book-layout.js';
import type { OrderBooks } from '../book/order-books.js';
import { type BookCopy, createBookCopy } from '../model/book-copy.js';
import { BookState } from '../model/book-state.js';
import { MessageKind, type PublicationSpec } from '../model/publication.js';
import { JsonBookEncoder } from './json-book-encoder.js';
import type { MessageWriter } from './message-writer.js';
import type { Emit, Publication, PublicationParts } from './publication.js';

/** Levels a side looked at first; a wider reach is remembered. */
const FIRST_REACH = 64;

// One publication at a time looks at its book.
const levels: BookCopy = createBookCopy(FIRST_REACH);
const bands = createBands(defaultBandsBps);

/**
 * The channel `analytics`: what `GET /analytics/:symbol` says, whole in each message, when any of it changed. Exact numbers are text, the
 * others JSON numbers, as in `model/analytics.ts`.
 */
export class AnalyticsPublication implements Publication {
  readonly id: number;
  readonly spec: PublicationSpec;
  readonly #slot: number;
  readonly #books: OrderBooks;
  readonly #writer: MessageWriter;
  readonly #encoder: JsonBookEncoder;
  readonly #emit: Emit;
  readonly #clock: () => number;
  /** Levels a side that sufficed last time. */
  #reach: number;
  /** The figures as they were sent last. */
  #figures = new Uint8Array(1024);
  #figuresLength = 0;
  /** Seq that was looked at last; -1 = nothing was sent yet. */
  #lastSeq = -1;
  #lastSentMs = -Infinity;
  /** A message found no room: the next one goes to everybody whether anything changed or not. */
  #broken = false;
  #stateOwed = false;

  constructor(id: number, spec: PublicationSpec, parts: PublicationParts) {
    this.id = id;
    this.spec = spec;
    this.#slot = parts.slot;
    this.#books = parts.books;
    this.#writer = parts.writer;
    this.#encoder = new JsonBookEncoder(spec, parts);
    this.#emit = parts.emit;
    this.#clock = parts.clock;
    this.#reach = Math.max(FIRST_REACH, spec.depth);
  }

  updated(): void {
    if (this.spec.intervalMs === 0) this.#publish();
  }

  tapeChanged(): void {}

  tickerChanged(): void {}

  tick(nowMs: number): void {
    if (this.#broken) this.restarted();
    else if (this.spec.intervalMs > 0 && nowMs - this.#lastSentMs >= this.spec.intervalMs) this.#publish();
  }

  restarted(): void {
    this.#writeFigures();
    this.#send(MessageKind.SNAPSHOT, 0);
  }

  stateChanged(): void {
    this.#sendStatus(MessageKind.STATE, 0);
  }

  retryState(): void {
    if (this.#stateOwed) this.stateChanged();
  }

  snapshotFor(token: number): boolean {
    if (this.#books.state(this.#slot) !== BookState.LIVE) return this.#sendStatus(MessageKind.STATE_FOR, token);
    // The others first, so that what was sent last holds for all subscribers.
    this.#publish();
    return this.#send(MessageKind.SNAPSHOT_FOR, token);
  }

  /** Sends the figures when the book took an update that changed any of them. */
  #publish(): void {
    const seq = this.#books.seq(this.#slot);
    if (this.#lastSeq < 0 || seq === this.#lastSeq) return;
    this.#lastSeq = seq;
    if (this.#writeFigures()) this.#send(MessageKind.SNAPSHOT, 0);
  }

  /** Sends the figures as they were taken last. */
  #send(kind: MessageKind, token: number): boolean {
    this.#encoder.beginSnapshot('subscribe');
    this.#writer.raw(this.#figures.subarray(0, this.#figuresLength));
    const sent = this.#emit(this.id, kind, token, this.#encoder.end());
    if (kind === MessageKind.SNAPSHOT) {
      this.#broken = !sent;
      this.#lastSeq = this.#books.seq(this.#slot);
      if (sent) {
        this.#stateOwed = false;
        this.#lastSentMs = this.#clock();
      }
    }
    return sent;
  }

  #sendStatus(kind: MessageKind, token: number): boolean {
    const sent = this.#emit(this.id, kind, token, this.#encoder.status());
    if (kind === MessageKind.STATE) this.#stateOwed = !sent;
    return sent;
  }

  /** Takes the figures of the book as it is; true when they differ from those taken before. */
  #writeFigures(): boolean {
    const hasMid = this.#measure();
    const writer = this.#writer;
    writer.begin();
    this.#writeTouch();
    writer.text(',"bands":[');
    for (let i = 0; i < bands.length; i++) {
      const band = bands[i]!;
      writer.text(i === 0 ? '{"bps":' : ',{"bps":');
      writer.integer(band.bps);
      writer.text(',"bid":');
      this.#writeSide(hasMid ? band.bid : null);
      writer.text(',"ask":');
      this.#writeSide(hasMid ? band.ask : null);
      writer.text('}');
    }
    writer.text(']');
    return this.#keep(writer.payload());
  }

  #writeTouch(): void {
    const writer = this.#writer;
    const { priceScale, quantityScale, bidCount, askCount } = levels;
    const spread = spreadTicks(levels);
    const doubledMid = doubledMidTicks(levels);
    writer.text(',"best_bid":');
    if (bidCount === 0) writer.text('null');
    else writer.level(levels.bidTicks[0]!, levels.bidLots[0]!, priceScale, quantityScale);
    writer.text(',"best_ask":');
    if (askCount === 0) writer.text('null');
    else writer.level(levels.askTicks[0]!, levels.askLots[0]!, priceScale, quantityScale);
    writer.text(',"spread":');
    if (spread === null) writer.text('null');
    else {
      // A live book is never crossed.
      writer.text('"');
      writer.decimal(spread, priceScale);
      writer.text('"');
    }
    writer.text(',"spread_bps":');
    writer.double(spreadBps(levels));
    writer.text(',"mid":');
    if (doubledMid === null) writer.text('null');
    else {
      writer.text('"');
      writer.decimal(Math.floor(doubledMid / 2), priceScale);
      if (doubledMid % 2 !== 0) writer.text(priceScale === 0 ? '.5' : '5');
      writer.text('"');
    }
    writer.text(',"microprice":');
    writer.double(microprice(levels));
    writer.text(',"imbalance":');
    writer.double(imbalance(levels, this.spec.depth));
  }

  #writeSide(side: BandSide | null): void {
    const writer = this.#writer;
    if (side === null) return writer.text('null');
    writer.text('{"base":"');
    writer.wide(side.lots, levels.quantityScale);
    writer.text('","quote":"');
    writer.wide(side.quote, levels.priceScale + levels.quantityScale);
    writer.text(side.covered ? '","covered":true}' : '","covered":false}');
  }

  /** Collects as many levels as depth and widest band need, and fills the bands; false when there is no mid. */
  #measure(): boolean {
    const books = this.#books;
    const slot = this.#slot;
    const held = Math.max(books.levels(slot, BIDS), books.levels(slot, ASKS));
    levels.priceScale = books.priceScale(slot);
    levels.quantityScale = books.quantityScale(slot);
    for (let reach = this.spec.depth === 0 ? held : this.#reach; ; reach *= 4) {
      if (reach > levels.bidTicks.length) {
        levels.bidTicks = new Float64Array(reach);
        levels.bidLots = new Float64Array(reach);
        levels.askTicks = new Float64Array(reach);
        levels.askLots = new Float64Array(reach);
      }
      levels.bidCount = books.collect(slot, BIDS, reach, levels.bidTicks, levels.bidLots);
      levels.askCount = books.collect(slot, ASKS, reach, levels.askTicks, levels.askLots);
      const hasMid = measureBands(levels, bands);
      const widest = bands.at(-1)!;
      const enough = !hasMid || ((widest.bid.covered || levels.bidCount < reach) && (widest.ask.covered || levels.askCount < reach));
      if (!enough && reach < held) continue;
      this.#reach = Math.max(this.#reach, Math.min(reach, held));
      return hasMid;
    }
  }

  #keep(figures: Uint8Array): boolean {
    let same = figures.length === this.#figuresLength;
    for (let i = 0; same && i < figures.length; i++) same = figures[i] === this.#figures[i];
    if (same) return false;
    if (figures.length > this.#figures.length) this.#figures = new Uint8Array(2 * figures.length);
    this.#figures.set(figures);
    this.#figuresLength = figures.length;
    return true;
  }
}
