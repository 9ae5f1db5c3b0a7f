import { COUNT_CROSSED, COUNT_DROPPED, COUNT_GAPS, COUNT_REFUSED, KNOWN_VERSION } from '../book/book-layout.js';
import type { DeltaBuffer } from '../book/delta-buffer.js';
import { TICK_LIMIT } from '../book/ladder-layout.js';
import { OrderBooks } from '../book/order-books.js';
import { Arena, ArenaFullError } from '../memory/arena.js';
import { BatchTimes } from '../memory/log-histogram.js';
import * as meters from '../memory/shard-meter.js';
import { RingConsumer, RingProducer } from '../memory/spsc-ring.js';
import { createDepthDecoder, type DecodeDepth, DepthDecode } from '../mexc/decode-depth.js';
import { decodeSnapshot } from '../mexc/decode-snapshot.js';
import { decodeLegacyBytes, decodeLegacyDepth, fillDelta } from '../mexc/legacy-json/columns.js';
import type { LegacyBook, LegacyEvent } from '../mexc/legacy-json/events.js';
import { judgeSequence, Sequence } from '../mexc/sequence.js';
import { BookState, StateReason } from '../model/book-state.js';
import { POWERS_OF_TEN } from '../model/decimal.js';
import { StreamKind } from '../model/feed.js';
import { Channel, type MessageKind } from '../model/publication.js';
import { assert } from '../support/assert.js';
import { CodedError, ErrorCode } from '../support/errors.js';
import { TickerStore } from '../ticker/ticker-store.js';
import { DealsBuffer } from '../tape/deals-buffer.js';
import { TAPE_PRICE_SCALE, TAPE_QUANTITY_SCALE } from '../tape/tape-layout.js';
import { Tapes } from '../tape/tapes.js';
import { encodeReport } from './audit-report.js';
import { type AuditedBook, ShardAudits } from './audits.js';
import { EarlyPushes } from './early-pushes.js';
import { LineRace } from './line-race.js';
import { MessageWriter } from './message-writer.js';
import { PendingUpdates } from './pending-updates.js';
import { openPublication } from './open-publication.js';
import { ProtoWriter } from './proto-writer.js';
import type { Emit, EmitTrades, Publication, SnapshotReason } from './publication.js';
import {
  decodeSpec,
  decodeTrack,
  encodeAsk,
  encodeTradesMessage,
  Inbound,
  KIND_BITS,
  NO_SLOT,
  Outbound,
  REFUSED_KLINES,
  REFUSED_SNAPSHOT,
  REFUSED_TEXT,
  REFUSED_TICKERS,
  textRefusals,
} from './records.js';
import { SilenceWatch } from './silence.js';
import { type CandleOutput, ShardCandles } from './shard-candles.js';
import { SymbolTape } from './symbol-tape.js';
import type { ShardTask } from './task.js';
import { TickerIntake } from './ticker-intake.js';

// Loaded once, as in `order-books.ts`.
const { METER_APPLIED, METER_DROPPED, METER_LEVELS, METER_MESSAGES } = meters;

const OPEN_BRACE = 0x7b;
/** Records handled before the ring's space is handed back. */
const BATCH_RECORDS = 256;
const SILENCE_CHECK_MS = 250;
/** So many pushes in a row without anything new, for so long, and the exchange's versions have begun anew. */
const DROPS_MAX = 20;
const DROPS_MS = 5_000;
/** The channel of a text frame of trades, whatever is wrong with the rest. */
const TEXT_DEALS = /"c"\s*:\s*"[^"]*deals/;
const textDecoder = new TextDecoder();
/** So many snapshots in a row older than what is known mean the same. */
const OLD_SNAPSHOTS_MAX = 6;

/** What a shard remembers of a book beside its shared memory. */
interface ShardBook extends AuditedBook {
  readonly symbol: string;
  /** The symbol is subscribed: pushes that arrive belong to the present stream. */
  lineUp: boolean;
  readonly pending: PendingUpdates;
  /** A push behind this version was lost: an older snapshot would be a book without it. -1 = none was. */
  lostAfter: number;
  /** Snapshots in a row that were too old. */
  oldSnapshots: number;
  /** Pushes in a row that brought nothing new. */
  drops: number;
  /** With two lines: when the first of these came. */
  dropsFromMs: number;
  /** `undefined` with one line. */
  readonly early: EarlyPushes | undefined;
  readonly race: LineRace | undefined;
  readonly silence: SilenceWatch;
  readonly tape: SymbolTape;
  readonly publications: Publication[];
}

/** A record for the main thread that found the ring full and must not be lost. */
interface DeferredRecord {
  readonly type: number;
  readonly key: number;
  readonly aux: number;
  readonly timeMs: number;
  readonly payload: Uint8Array | undefined;
}

/**
 * The books of one worker: takes records from the inbound ring in order, keeps the books, and sends what became due. Its state is a function of
 * the records and of the clock values in them; `clock` only stamps the time of publication.
 */
export class Shard {
  readonly #inbound: RingConsumer;
  readonly #outbound: RingProducer;
  readonly #books: OrderBooks;
  readonly #candles: ShardCandles;
  readonly #tickers: TickerStore;
  readonly #tickerIntake: TickerIntake;
  readonly #tapes: Tapes;
  readonly #audits: ShardAudits<ShardBook>;
  readonly #slots: (ShardBook | undefined)[] = [];
  readonly #bySymbol = new Map<string, ShardBook>();
  readonly #publications = new Map<number, { readonly book: ShardBook; readonly publication: Publication }>();
  readonly #delta: DeltaBuffer;
  readonly #decodeDepth: DecodeDepth;
  /** The same for text frames. */
  readonly #decodeText: DecodeDepth = (bytes, _view, start, end, priceScale, quantityScale) =>
    decodeLegacyDepth(bytes, start, end, priceScale, quantityScale, this.#delta);
  readonly #deals = new DealsBuffer(256);
  readonly #writer = new MessageWriter();
  readonly #protoWriter = new ProtoWriter();
  readonly #meter: meters.ShardMeter;
  /** Receipt of the pushes this batch applied. */
  readonly #applied: BatchTimes;
  readonly #deferred: DeferredRecord[] = [];
  readonly #deferredSnapshots: { readonly publicationId: number; readonly token: number; readonly reason: SnapshotReason }[] = [];
  readonly #staleAfterMs: number;
  readonly #twoLines: boolean;
  /** Books with pushes that came too early. */
  readonly #waiting = new Set<ShardBook>();
  /** Of the push at hand. */
  #line = 0;
  readonly #clock: () => number;
  #lastSilenceCheckMs = 0;
  /** Highest price of the snapshot at hand, while the pushes that wait for it are examined. */
  #snapshotPrice = 0;
  /** Receipt of the update that is being published, Unix ms; 0 while what is sent answers a request or a change of state. */
  #newsMs = 0;
  #running = true;

  constructor(task: ShardTask, clock: () => number) {
    this.#inbound = new RingConsumer(task.buffers.inbound);
    this.#outbound = new RingProducer(task.buffers.outbound);
    this.#books = new OrderBooks(new Arena(task.buffers.books));
    this.#delta = this.#books.delta;
    this.#decodeDepth = createDepthDecoder(this.#delta);
    this.#audits = this.#createAudits();
    this.#candles = new ShardCandles(task.buffers.candles, this.#candleOutput());
    this.#tickers = new TickerStore(task.buffers.tickers);
    this.#tickerIntake = new TickerIntake({
      wanted: (symbol) => this.#bySymbol.has(symbol),
      take: (symbol, figures, receiveTimeMs) => {
        const book = this.#bySymbol.get(symbol)!;
        this.#tickers.apply(book.slot, figures, receiveTimeMs);
        for (const publication of book.publications) publication.tickerChanged();
      },
      refused: (timeMs) => this.#send(Outbound.REFUSED, NO_SLOT, REFUSED_TICKERS, timeMs),
    });
    this.#tapes = new Tapes(task.buffers.tapes);
    this.#meter = new meters.ShardMeter(task.buffers.meters);
    this.#applied = new BatchTimes(this.#meter.receivedToApplied, BATCH_RECORDS);
    this.#staleAfterMs = task.staleAfterMs;
    this.#twoLines = task.lines === 2;
    this.#clock = clock;
  }

  /** False once a SHUT_DOWN record was read. */
  get running(): boolean {
    return this.#running;
  }

  /** Handles up to one batch of records, and a portion of what waits; returns how many. */
  doWork(recordsMax = BATCH_RECORDS): number {
    const inbound = this.#inbound;
    let handled = 0;
    while (handled < recordsMax && inbound.next()) {
      this.#handle();
      handled++;
      // One of these may take milliseconds: a batch of them would look like a worker that hangs.
      if (isSlow(inbound.type)) break;
    }
    if (handled > 0) inbound.release();
    if (!this.#applied.isEmpty) this.#applied.end(this.#clock());
    if (this.#deferred.length > 0 || this.#deferredSnapshots.length > 0) this.#retryDeferred();
    return this.#tickerIntake.isBusy ? handled + this.#tickerIntake.work() : handled;
  }

  /** Sleeps until a record arrives or `timeoutMs` passed. */
  idle(timeoutMs: number): void {
    this.#inbound.waitForRecord(timeoutMs);
  }

  #handle(): void {
    const { type, key, aux, timeMs, bytes, view, payloadStart, payloadEnd } = this.#inbound;
    if (type === Inbound.FRAME) {
      const book = this.#slots[key];
      this.#line = aux;
      if (book !== undefined) this.#onFrame(book, bytes, view, payloadStart, payloadEnd, timeMs);
      return;
    }
    if (type === Inbound.TICK) return this.#onTick(timeMs);
    if (type === Inbound.DEALS) {
      this.#slots[key]?.tape.push(bytes, payloadStart, payloadEnd, timeMs, aux);
      return;
    }
    if (type === Inbound.SHUT_DOWN) {
      this.#running = false;
      return;
    }
    if (type === Inbound.TEXT_FRAME) return this.#onText(this.#slots[key], key, bytes, view, payloadStart, payloadEnd, timeMs);
    const payload = bytes.subarray(payloadStart, payloadEnd);
    if (type === Inbound.MINI_TICKERS) return this.#tickerIntake.push(payload, timeMs);
    if (type === Inbound.TICKERS) return this.#tickerIntake.answer(payload, timeMs);
    if (type === Inbound.TRACK) return this.#onTrack(key, aux, payload, timeMs);
    const book = this.#slots[key];
    if (book === undefined) return;
    switch (type) {
      case Inbound.UNTRACK:
        return this.#onUntrack(book);
      case Inbound.SNAPSHOT:
        return this.#onSnapshot(book, payload, timeMs);
      case Inbound.LINE_DOWN:
        return this.#onLineDown(book, aux as StateReason, timeMs);
      case Inbound.LINE_UP:
        return this.#onLineUp(book, timeMs);
      case Inbound.FRAMES_LOST:
        return this.#onFramesLost(book, timeMs);
      case Inbound.TRADES:
        return book.tape.fill(payload, timeMs);
      case Inbound.STREAM_UP:
        if (aux === StreamKind.DEALS) book.tape.streamUp(timeMs);
        return;
      case Inbound.STREAM_DOWN:
        if (aux === StreamKind.DEALS) book.tape.streamDown(timeMs);
        return;
      case Inbound.STREAM_LOST:
        if (aux === StreamKind.DEALS) book.tape.lost(timeMs);
        return;
      case Inbound.KLINE:
        return this.#candles.kline(key, payload);
      case Inbound.KLINES:
        return this.#candles.klines(key, aux, payload, timeMs);
      case Inbound.AUDIT:
        return this.#audits.begin(book, timeMs);
      case Inbound.AUDIT_SNAPSHOT:
        return payload.length === 0 ? this.#audits.cancel(book) : this.#audits.snapshot(book, payload, timeMs);
      case Inbound.CANDLES:
        return this.#candles.question(key, payload);
      case Inbound.OPEN_PUBLICATION:
        return this.#onOpenPublication(book, aux, payload);
      case Inbound.CLOSE_PUBLICATION:
        return this.#onClosePublication(book, aux);
      case Inbound.REQUEST_SNAPSHOT: {
        const reason = view.getInt32(payloadStart + 4, true) === 1 ? 'slow' : 'subscribe';
        return this.#sendSnapshotFor(aux, view.getInt32(payloadStart, true), reason);
      }
      default:
        assert(false, `unknown record type ${type}`);
    }
  }

  #onTrack(slot: number, scales: number, payload: Uint8Array, timeMs: number): void {
    const { serial, symbol } = decodeTrack(payload);
    const book: ShardBook = {
      slot,
      symbol,
      audit: undefined,
      lineUp: false,
      pending: new PendingUpdates(),
      lostAfter: -1,
      oldSnapshots: 0,
      drops: 0,
      dropsFromMs: 0,
      early: this.#twoLines ? new EarlyPushes() : undefined,
      race: this.#twoLines ? new LineRace() : undefined,
      silence: new SilenceWatch(this.#staleAfterMs),
      tape: this.#createTape(slot),
      publications: [],
    };
    this.#slots[slot] = book;
    this.#candles.track(slot, scales & 0xff, scales >>> 8);
    this.#bySymbol.set(book.symbol, book);
    this.#tapes.open(slot, scales & 0xff, scales >>> 8, timeMs);
    this.#guardMemory(book, timeMs, () => this.#books.open(slot, scales & 0xff, scales >>> 8, timeMs, serial));
    // Under a worker that died more may have been known than a snapshot of now says.
    book.lostAfter = this.#books.field(slot, KNOWN_VERSION) - 1;
  }

  #createTape(slot: number): SymbolTape {
    return new SymbolTape({
      slot,
      twoLines: this.#twoLines,
      tapes: this.#tapes,
      deals: this.#deals,
      want: () => this.#send(Outbound.TRADES_WANTED, slot, 0, 0),
      refused: (what) => this.#send(Outbound.REFUSED, slot, what, 0),
      appended: (trades) =>
        this.#candles.trades(slot, trades, this.#tapes.int(slot, TAPE_PRICE_SCALE), this.#tapes.int(slot, TAPE_QUANTITY_SCALE)),
      changed: () => {
        const { tape, publications } = this.#slots[slot]!;
        this.#candles.tapeIsWhole(slot, tape.isWhole);
        for (let i = 0; i < publications.length; i++) publications[i]!.tapeChanged();
      },
    });
  }

  #onUntrack(book: ShardBook): void {
    for (const publication of book.publications) this.#publications.delete(publication.id);
    this.#audits.cancel(book);
    this.#books.close(book.slot);
    this.#candles.untrack(book.slot);
    this.#tickers.clear(book.slot);
    this.#tapes.close(book.slot);
    this.#forgetEarly(book);
    this.#slots[book.slot] = undefined;
    this.#bySymbol.delete(book.symbol);
    this.#send(Outbound.UNTRACKED, book.slot, 0, 0);
  }

  /** A live book, or one that was only silent: its next update can be judged by the versions. */
  #isFollowing(book: ShardBook): boolean {
    const state = this.#books.state(book.slot);
    return state === BookState.LIVE || (state === BookState.STALE && this.#books.reason(book.slot) === StateReason.SILENT);
  }

  // ---- the hot path: one push into its book

  #onFrame(book: ShardBook, bytes: Uint8Array, view: DataView, start: number, end: number, timeMs: number): void {
    if (this.#isFollowing(book)) {
      this.#applyFrame(book, bytes, view, start, end, timeMs);
    } else if (book.lineUp) {
      book.silence.received(timeMs);
      if (!book.pending.push(bytes, start, end, timeMs)) {
        // Nothing waits any more: a snapshot must reach beyond all that did.
        if (this.#decode(book, bytes, view, start, end, timeMs) === DepthDecode.OK) this.#mustReach(book, this.#delta.toVersion);
        this.#requestResync(book, StateReason.BUFFER_OVERFLOW, timeMs);
      }
    }
  }

  #applyFrame(book: ShardBook, bytes: Uint8Array, view: DataView, start: number, end: number, timeMs: number): void {
    const books = this.#books;
    const slot = book.slot;
    const delta = this.#delta;
    const outcome = this.#decode(book, bytes, view, start, end, timeMs);
    if (outcome !== DepthDecode.OK) {
      if (outcome !== DepthDecode.NOT_DEPTH && this.#isFollowing(book)) this.#losePush(book, StateReason.BAD_FRAME, timeMs);
      return;
    }
    const verdict = judgeSequence(books.version(slot), delta.fromVersion, delta.toVersion);
    if (verdict === Sequence.DROP) {
      books.count(slot, COUNT_DROPPED);
      this.#meter.add(METER_DROPPED, 1);
      this.#onDrop(book, timeMs);
    } else if (verdict === Sequence.GAP) {
      if (book.early?.hold(bytes, start, end, timeMs) === true) {
        this.#waiting.add(book);
        return;
      }
      this.#onGap(book, timeMs);
      // The update behind the gap is the first the snapshot must reach.
      book.pending.push(bytes, start, end, timeMs);
    } else if (this.#applyDelta(book, timeMs)) {
      book.race?.first(delta.toVersion, this.#line, timeMs);
      book.drops = 0;
      book.silence.received(timeMs);
      this.#applied.began(timeMs);
      const sentMs = delta.exchangeTimeMs;
      if (!Number.isNaN(sentMs)) this.#meter.exchangeToReceived.record(timeMs - sentMs);
      if (books.state(slot) === BookState.LIVE) {
        const publications = book.publications;
        this.#newsMs = timeMs;
        for (let i = 0; i < publications.length; i++) publications[i]!.updated(delta);
        this.#newsMs = 0;
        if (book.audit !== undefined) this.#audits.applied(book, bytes, start, end, timeMs);
      } else {
        this.#enter(book, BookState.LIVE, StateReason.SYNCED, timeMs);
        this.#restart(book, 'resync');
      }
      if (book.early !== undefined && book.early.count > 0) this.#takeEarly(book, book.early, timeMs);
    }
  }

  // ---- two lines

  /** Applies the pushes that came too early and follow now. What still waits then has another hole before it. */
  #takeEarly(book: ShardBook, early: EarlyPushes, timeMs: number): void {
    const delta = this.#delta;
    const version = this.#books.version(book.slot);
    for (let i = 0; i < early.count; ) {
      const frame = early.frame(i);
      const outcome = this.#decodePending(book, frame, timeMs);
      const verdict =
        outcome === DepthDecode.OK ? judgeSequence(this.#books.version(book.slot), delta.fromVersion, delta.toVersion) : Sequence.DROP;
      if (verdict === Sequence.GAP) {
        i++;
        continue;
      }
      early.remove(i);
      if (verdict === Sequence.DROP) continue;
      // It lost the book, and with it what waits.
      if (!this.#applyDelta(book, timeMs)) return;
      book.drops = 0;
      for (const publication of book.publications) publication.updated(delta);
      if (book.audit !== undefined) this.#audits.applied(book, frame, 0, frame.length, timeMs);
      // One before it may follow now.
      i = 0;
    }
    if (this.#books.version(book.slot) > version) this.#meter.add(meters.METER_LINE_HEALED, 1);
    if (early.count === 0) this.#waiting.delete(book);
  }

  /** The other line did not fill the hole in time. */
  #giveUpWaiting(book: ShardBook, early: EarlyPushes, timeMs: number): void {
    if (this.#isFollowing(book)) this.#takeEarly(book, early, timeMs);
    if (early.count > 0) this.#onGap(book, timeMs);
  }

  /** Which line's copy of a push was faster, and by how much: this is the second one. */
  #meterRace(race: LineRace, timeMs: number): void {
    const leadMs = race.second(this.#delta.toVersion, this.#line, timeMs);
    if (leadMs < 0) return;
    this.#meter.lineLead.record(leadMs);
    this.#meter.add(meters.METER_LINE_WINS + race.winner, 1);
  }

  /** Decodes into the delta buffer, rescaling the book when a number has more decimals than expected. */
  #decode(book: ShardBook, bytes: Uint8Array, view: DataView, start: number, end: number, timeMs: number): DepthDecode {
    const books = this.#books;
    const slot = book.slot;
    const delta = this.#delta;
    // No push begins like this: it would be a field of a kind that does not exist any more.
    const decode = bytes[start] === OPEN_BRACE ? this.#decodeText : this.#decodeDepth;
    let outcome = decode(bytes, view, start, end, books.priceScale(slot), books.quantityScale(slot));
    if (outcome === DepthDecode.RESCALE) {
      const { priceScaleNeeded, quantityScaleNeeded } = delta;
      // The frame first: one that is refused after all leaves the book as it is.
      outcome = decode(bytes, view, start, end, priceScaleNeeded, quantityScaleNeeded);
      if (outcome === DepthDecode.OK) {
        if (!this.#fitsScale(book, priceScaleNeeded)) outcome = DepthDecode.BAD_NUMBER;
        else if (!this.#rescale(book, priceScaleNeeded, quantityScaleNeeded, timeMs)) return DepthDecode.NOT_DEPTH;
        // The book went through the delta buffer.
        else outcome = decode(bytes, view, start, end, priceScaleNeeded, quantityScaleNeeded);
      }
    }
    if (outcome !== DepthDecode.OK) {
      books.count(slot, COUNT_REFUSED);
      this.#meter.add(meters.METER_REFUSED, 1);
      this.#send(Outbound.REFUSED, slot, outcome, timeMs);
    }
    return outcome;
  }

  #decodePending(book: ShardBook, frame: Uint8Array, timeMs: number): DepthDecode {
    return this.#decode(book, frame, new DataView(frame.buffer), 0, frame.length, timeMs);
  }

  /** Applies the delta buffer; false when the book is `suspect` now, and a snapshot asked for. */
  #applyDelta(book: ShardBook, timeMs: number): boolean {
    const delta = this.#delta;
    this.#meter.add(METER_APPLIED, 1);
    this.#meter.add(METER_LEVELS, delta.bids.count + delta.asks.count);
    try {
      if (this.#books.applyDelta(book.slot, timeMs)) return true;
    } catch (error) {
      this.#onMemoryFull(book, error, timeMs);
      return false;
    }
    this.#onCrossed(book, timeMs);
    return false;
  }

  // ---- trust

  /** A hole in the versions. What waited for it to be filled waits for the snapshot now. */
  #onGap(book: ShardBook, timeMs: number): void {
    this.#books.count(book.slot, COUNT_GAPS);
    this.#meter.add(meters.METER_GAPS, 1);
    const early = book.early?.take() ?? [];
    this.#lose(book, BookState.SYNCING, StateReason.GAP, timeMs);
    for (const { frame, timeMs: cameMs } of early) book.pending.push(frame, 0, frame.length, cameMs);
  }

  /** Nothing waits for the other line any more. */
  #forgetEarly(book: ShardBook): void {
    if (book.early === undefined) return;
    book.early.clear();
    this.#waiting.delete(book);
  }

  /** A push of a book that follows the stream is known to be lost. The snapshot must be newer than what the book holds. */
  #losePush(book: ShardBook, reason: StateReason, timeMs: number): void {
    this.#mustReach(book, this.#books.version(book.slot) + 1);
    this.#lose(book, BookState.SYNCING, reason, timeMs);
  }

  #onFramesLost(book: ShardBook, timeMs: number): void {
    if (this.#isFollowing(book)) return this.#losePush(book, StateReason.RING_FULL, timeMs);
    // Whether it was one of those that wait or a later one is not known: a snapshot must reach beyond them all.
    this.#forgetPending(book, 1, timeMs);
  }

  /**
   * Repeated pushes are normal for the second or two that two connections carry the symbol. A stream of nothing else is another
   * stream: the exchange began to count anew.
   */
  #onDrop(book: ShardBook, timeMs: number): void {
    if (book.drops++ === 0) book.dropsFromMs = timeMs;
    if (book.race !== undefined) this.#meterRace(book.race, timeMs);
    // A line that stood still brings in a moment what the other one brought long ago.
    const fromMs = this.#twoLines ? book.dropsFromMs : this.#books.receiveTimeMs(book.slot);
    if (book.drops < DROPS_MAX || timeMs - fromMs < DROPS_MS) return;
    this.#onGap(book, timeMs);
    // Versions of the count before say nothing of those to come.
    book.lostAfter = -1;
  }

  /** A snapshot older than what is known. Asked for again; after several in a row the exchange counts anew and the snapshot is right. */
  #isTooOld(book: ShardBook, version: number, atLeast: number, timeMs: number): boolean {
    if (version >= atLeast) return false;
    book.oldSnapshots++;
    if (book.oldSnapshots >= OLD_SNAPSHOTS_MAX) return false;
    this.#requestResync(book, StateReason.SNAPSHOT_OLD, timeMs);
    return true;
  }

  #onCrossed(book: ShardBook, timeMs: number): void {
    this.#books.count(book.slot, COUNT_CROSSED);
    this.#meter.add(meters.METER_CROSSED, 1);
    this.#lose(book, BookState.SUSPECT, StateReason.CROSSED, timeMs);
  }

  /** The book is no longer exact: says so, and asks for a snapshot. Pushes are kept from here on. */
  #lose(book: ShardBook, state: BookState, reason: StateReason, timeMs: number): void {
    // What the book held stays known.
    this.#mustReach(book, this.#books.version(book.slot));
    book.pending.clear();
    this.#forgetEarly(book);
    this.#enter(book, state, reason, timeMs);
    this.#requestResync(book, reason, timeMs);
  }

  /** No snapshot older than `version` may be taken for the book. */
  #mustReach(book: ShardBook, version: number): void {
    book.lostAfter = Math.max(book.lostAfter, version - 1);
  }

  #enter(book: ShardBook, state: BookState, reason: StateReason, timeMs: number): void {
    if (state !== BookState.LIVE) this.#audits.interrupt(book, timeMs);
    this.#books.setState(book.slot, state, reason, timeMs);
    this.#send(Outbound.STATE, book.slot, state | (reason << 8), timeMs);
    for (const publication of book.publications) {
      if (state !== BookState.LIVE || publication.spec.channel === Channel.STATUS) publication.stateChanged();
    }
  }

  #requestResync(book: ShardBook, reason: StateReason, timeMs: number): void {
    this.#send(Outbound.RESYNC, book.slot, reason, timeMs);
  }

  /** Runs a change that may find the arena full. */
  #guardMemory(book: ShardBook, timeMs: number, change: () => void): boolean {
    try {
      change();
      return true;
    } catch (error) {
      this.#onMemoryFull(book, error, timeMs);
      return false;
    }
  }

  /** The arena is full: the book gives its memory back and says that it holds nothing. Any other error ends the worker. */
  #onMemoryFull(book: ShardBook, error: unknown, timeMs: number): void {
    if (!(error instanceof ArenaFullError)) throw error;
    this.#books.release(book.slot);
    this.#lose(book, BookState.SUSPECT, StateReason.MEMORY_FULL, timeMs);
  }

  /** Whether the book's prices, and those of a snapshot that is about to replace it, would be ticks at this scale that a ladder takes. */
  #fitsScale(book: ShardBook, priceScale: number): boolean {
    const price = Math.max(this.#books.highestPrice(book.slot), this.#snapshotPrice);
    return price * POWERS_OF_TEN[priceScale]! < TICK_LIMIT / 2;
  }

  #rescale(book: ShardBook, priceScale: number, quantityScale: number, timeMs: number): boolean {
    const live = this.#books.state(book.slot) === BookState.LIVE;
    const fits = this.#guardMemory(book, timeMs, () => this.#books.rescale(book.slot, priceScale, quantityScale));
    if (fits && live) this.#restart(book, 'rescale');
    return fits;
  }

  /** Nothing waits any more. A snapshot must reach what did, and so many versions more. */
  #forgetPending(book: ShardBook, more: number, timeMs: number): void {
    const { frames } = book.pending;
    for (let i = frames.length - 1; i >= 0; i--) {
      if (this.#decodePending(book, frames[i]!, timeMs) !== DepthDecode.OK) continue;
      this.#mustReach(book, this.#delta.toVersion + more);
      break;
    }
    book.pending.clear();
  }

  #onLineDown(book: ShardBook, reason: StateReason, timeMs: number): void {
    book.lineUp = false;
    this.#forgetPending(book, 0, timeMs);
    this.#forgetEarly(book);
    const state = this.#books.state(book.slot);
    this.#enter(book, state === BookState.SYNCING ? BookState.SYNCING : BookState.STALE, reason, timeMs);
  }

  #onLineUp(book: ShardBook, timeMs: number): void {
    book.lineUp = true;
    // What was known stays known: a snapshot from before it is an old one, whatever line its pushes come on.
    this.#mustReach(book, this.#books.version(book.slot));
    book.oldSnapshots = 0;
    book.pending.clear();
    this.#forgetEarly(book);
    book.silence.start(timeMs);
    const books = this.#books;
    if (books.state(book.slot) !== BookState.SYNCING) this.#enter(book, BookState.SYNCING, books.reason(book.slot), timeMs);
  }

  #onTick(timeMs: number): void {
    this.#candles.tick(timeMs);
    this.#audits.tick(timeMs);
    for (const book of this.#waiting) {
      if (book.early!.tick(timeMs)) this.#giveUpWaiting(book, book.early!, timeMs);
    }
    for (const { book, publication } of this.#publications.values()) {
      if (this.#books.state(book.slot) === BookState.LIVE) {
        this.#newsMs = this.#books.receiveTimeMs(book.slot);
        publication.tick(timeMs);
        this.#newsMs = 0;
      } else publication.retryState();
    }
    if (timeMs - this.#lastSilenceCheckMs < SILENCE_CHECK_MS) return;
    this.#lastSilenceCheckMs = timeMs;
    for (const book of this.#slots) {
      book?.tape.tick(timeMs);
      if (book === undefined || this.#books.state(book.slot) !== BookState.LIVE || !book.silence.isTooLong(timeMs)) continue;
      this.#enter(book, BookState.STALE, StateReason.SILENT, timeMs);
      this.#requestResync(book, StateReason.SILENT, timeMs);
    }
  }

  // ---- snapshots

  #onSnapshot(book: ShardBook, body: Uint8Array, timeMs: number): void {
    const books = this.#books;
    const slot = book.slot;
    if (!book.lineUp || books.state(slot) === BookState.LIVE) return;
    const read: ReadSnapshot = (priceScale, quantityScale) => decodeSnapshot(body, priceScale, quantityScale, this.#delta);
    if (!this.#readSnapshot(book, read, timeMs)) return;
    const version = this.#delta.toVersion;
    if (this.#isFollowing(book)) {
      // A silent book: the exchange's own says whether anything was missed.
      if (this.#isTooOld(book, version, books.version(slot), timeMs)) return;
      if (version === books.version(slot)) {
        book.silence.justified(timeMs);
        this.#enter(book, BookState.LIVE, StateReason.SYNCED, timeMs);
        return this.#restart(book, 'resync');
      }
    }
    if (book.pending.frames.length === 0 && this.#isTooOld(book, version, book.lostAfter + 1, timeMs)) return;
    this.#replaceBook(book, version, read, timeMs);
  }

  /** Puts the snapshot that was just read in the place of the book, and what waited on top of it, when that joins it without a gap. */
  #replaceBook(book: ShardBook, version: number, read: ReadSnapshot, timeMs: number, cut = false): void {
    const books = this.#books;
    const slot = book.slot;
    this.#snapshotPrice = this.#delta.highestTick() / POWERS_OF_TEN[books.priceScale(slot)]!;
    const reach = this.#pendingFollows(book, version, timeMs);
    this.#snapshotPrice = 0;
    // Text frames carry versions of their own kind.
    if (reach < 0 || (!cut && this.#isTooOld(book, reach, book.lostAfter + 1, timeMs))) return;
    // The check went through the delta buffer.
    if (this.#readSnapshot(book, read, timeMs)) this.#applySnapshot(book, reach, timeMs, cut);
  }

  /** Puts the snapshot in the delta buffer in the place of the book, and what waited on top of it. */
  #applySnapshot(book: ShardBook, reach: number, timeMs: number, cut: boolean): void {
    this.#audits.interrupt(book, timeMs);
    let sound = true;
    this.#meter.add(meters.METER_RESYNCS, 1);
    this.#meter.add(METER_LEVELS, this.#delta.bids.count + this.#delta.asks.count);
    if (!this.#guardMemory(book, timeMs, () => (sound = this.#books.applySnapshot(book.slot, timeMs, cut)))) return;
    if (!sound) return this.#onCrossed(book, timeMs);
    this.#applyPending(book, reach, timeMs);
  }

  /** Into the delta buffer, at the book's scales; false when it cannot be read (said and asked for again). */
  #readSnapshot(book: ShardBook, read: ReadSnapshot, timeMs: number): boolean {
    const books = this.#books;
    const slot = book.slot;
    try {
      if (read(books.priceScale(slot), books.quantityScale(slot))) return true;
      const { priceScaleNeeded, quantityScaleNeeded } = this.#delta;
      read(priceScaleNeeded, quantityScaleNeeded);
      if (!this.#fitsScale(book, priceScaleNeeded))
        throw new CodedError(ErrorCode.SNAPSHOT_MALFORMED, `prices with ${priceScaleNeeded} decimals`);
      // The book goes through the delta buffer.
      return this.#rescale(book, priceScaleNeeded, quantityScaleNeeded, timeMs) && read(priceScaleNeeded, quantityScaleNeeded);
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      books.count(slot, COUNT_REFUSED);
      this.#meter.add(meters.METER_REFUSED, 1);
      this.#send(Outbound.REFUSED, slot, REFUSED_SNAPSHOT, timeMs);
      this.#requestResync(book, StateReason.SNAPSHOT_MALFORMED, timeMs);
      return false;
    }
  }

  /**
   * The version the pushes that wait lead a book at `version` to; below 0 when there is a gap, and then it asked again. What a bad push held is known to be in
   * the book as soon as a later one joins it.
   */
  #pendingFollows(book: ShardBook, version: number, timeMs: number): number {
    const { frames } = book.pending;
    const waited = frames.length;
    let last = version;
    let bad = -1;
    for (let i = 0; i < frames.length; i++) {
      const outcome = this.#decodePending(book, frames[i]!, timeMs);
      if (outcome === DepthDecode.NOT_DEPTH) continue;
      if (outcome !== DepthDecode.OK) {
        bad = i;
        continue;
      }
      const verdict = judgeSequence(last, this.#delta.fromVersion, this.#delta.toVersion);
      if (verdict === Sequence.GAP) {
        // Only what comes behind the hole can still be of use; a snapshot older than the first push just has to be newer.
        book.pending.dropFirst(this.#lastHighPoint(book, i, timeMs));
        const reason = bad >= 0 ? StateReason.BAD_FRAME : last === version ? StateReason.SNAPSHOT_OLD : StateReason.GAP;
        this.#requestResync(book, reason, timeMs);
        return -1;
      }
      bad = -1;
      if (verdict === Sequence.APPLY) last = this.#delta.toVersion;
    }
    if (bad >= 0) {
      book.pending.dropFirst(bad + 1);
      this.#mustReach(book, last + 1);
      this.#requestResync(book, StateReason.BAD_FRAME, timeMs);
      return -1;
    }
    // Where the memory ran full the book was lost, and what waited with it.
    return frames.length < waited ? -1 : last;
  }

  /**
   * The waiting push, `first` or a later one, behind which the versions stay above it. Where they go back the exchange began to count
   * anew, or what came before was no true version: no snapshot would ever reach it.
   */
  #lastHighPoint(book: ShardBook, first: number, timeMs: number): number {
    const { frames } = book.pending;
    let highPoint = first;
    let from = this.#delta.fromVersion;
    for (let i = first + 1; i < frames.length; i++) {
      if (this.#decodePending(book, frames[i]!, timeMs) !== DepthDecode.OK || this.#delta.toVersion >= from) continue;
      highPoint = i;
      from = this.#delta.fromVersion;
    }
    return highPoint;
  }

  /** Applies what waited, on the fresh snapshot, then lets everybody know. `pendingFollows` has proven that there is no gap. */
  #applyPending(book: ShardBook, reach: number, timeMs: number): void {
    const books = this.#books;
    const slot = book.slot;
    const { frames, times } = book.pending;
    for (let i = 0; i < frames.length; i++) {
      const frame = frames[i]!;
      if (this.#decodePending(book, frame, timeMs) !== DepthDecode.OK) continue;
      const { fromVersion, toVersion } = this.#delta;
      const verdict = judgeSequence(books.version(slot), fromVersion, toVersion);
      if (verdict === Sequence.GAP) break;
      if (verdict === Sequence.DROP) {
        books.count(slot, COUNT_DROPPED);
        this.#meter.add(METER_DROPPED, 1);
      } else if (!this.#applyDelta(book, times[i]!)) return;
    }
    // The memory ran full: the book was lost already.
    if (books.state(slot) !== BookState.LIVE) return;
    // A push that could be read before cannot be read at the book's scales of now.
    if (books.version(slot) !== reach) return this.#losePush(book, StateReason.BAD_FRAME, timeMs);
    book.pending.clear();
    // The snapshot says how the market stands now: silence counts from here.
    book.silence.start(timeMs);
    book.lostAfter = -1;
    book.oldSnapshots = 0;
    book.drops = 0;
    this.#enter(book, BookState.LIVE, StateReason.SYNCED, timeMs);
    this.#restart(book, 'resync');
  }

  // ---- text frames of the JSON streams

  #onText(book: ShardBook | undefined, key: number, bytes: Uint8Array, view: DataView, start: number, end: number, timeMs: number): void {
    let event: LegacyEvent;
    try {
      event = decodeLegacyBytes(bytes, start, end);
      if (event.kind !== 'tickers' && event.symbol !== book?.symbol) return;
      // A number no book takes is refused here: further on it would be a push that was lost.
      if (event.kind === 'book') fillDelta(event, this.#books.priceScale(key), this.#books.quantityScale(key), this.#delta);
      if (event.kind === 'trades') book!.tape.pushText(event, timeMs);
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      if (TEXT_DEALS.test(textDecoder.decode(bytes.slice(start, end)))) book?.tape.lost(timeMs);
      return this.#refuseText(key, error, timeMs);
    }
    this.#meter.add(meters.METER_TEXT_FRAMES, 1);
    if (event.kind === 'tickers') return this.#tickerIntake.text(event, timeMs);
    if (event.kind !== 'book') return;
    if (event.effect === 'replace' || event.effect === 'replace_newer') return this.#onTextSnapshot(book!, event, timeMs);
    let object = start;
    while (bytes[object] !== OPEN_BRACE) object++;
    this.#onFrame(book!, bytes, view, object, end, timeMs);
  }

  /** Not a byte of it was applied. What it may have meant for the book shows in the versions of the next one, where the dialect has such. */
  #refuseText(key: number, { code }: CodedError, timeMs: number): void {
    const kind = textRefusals.findIndex((each) => each === code);
    assert(kind >= 0, `a text frame is refused as ${code}`);
    this.#meter.add(meters.METER_TEXT_REFUSED + kind, 1);
    this.#send(Outbound.REFUSED, key, REFUSED_TEXT + kind, timeMs);
  }

  /** A text frame that is a whole book: it makes the book live without a snapshot from REST. */
  #onTextSnapshot(book: ShardBook, event: LegacyBook, timeMs: number): void {
    const books = this.#books;
    if (!book.lineUp) return;
    book.silence.received(timeMs);
    // What is held reaches farther than the frame, and is as new.
    if (event.effect === 'replace_newer' && this.#isFollowing(book) && event.version <= books.version(book.slot)) {
      books.count(book.slot, COUNT_DROPPED);
      this.#meter.add(METER_DROPPED, 1);
      return;
    }
    const read: ReadSnapshot = (priceScale, quantityScale) => fillDelta(event, priceScale, quantityScale, this.#delta);
    // How many levels there are to a side of such a frame is not said.
    if (this.#readSnapshot(book, read, timeMs)) this.#replaceBook(book, event.version, read, timeMs, true);
  }

  // ---- publications

  #onOpenPublication(book: ShardBook, id: number, payload: Uint8Array): void {
    const spec = decodeSpec(payload);
    const parts = {
      symbol: book.symbol,
      slot: book.slot,
      books: this.#books,
      candles: this.#candles,
      tickers: this.#tickers,
      tapes: this.#tapes,
      writer: this.#writer,
      protoWriter: this.#protoWriter,
      emitTrades: this.#emitTrades,
      emit: isOfBook(spec.channel) ? this.#emitNews : this.#emit,
      clock: this.#clock,
    };
    const publication = openPublication(id, spec, parts);
    book.publications.push(publication);
    this.#publications.set(id, { book, publication });
    if (this.#books.state(book.slot) === BookState.LIVE) publication.restarted('subscribe');
    else publication.stateChanged();
  }

  #onClosePublication(book: ShardBook, id: number): void {
    this.#publications.delete(id);
    const index = book.publications.findIndex((publication) => publication.id === id);
    if (index >= 0) book.publications.splice(index, 1);
  }

  readonly #emitTrades: EmitTrades = (publicationId, frame, head) =>
    this.#count(this.#outbound.write(Outbound.TRADES, publicationId, head.count, head.seq, encodeTradesMessage(frame, head)));
  readonly #emit: Emit = (publicationId, kind, token, frame) => this.#message(publicationId, kind, token, frame, 0);
  readonly #emitNews: Emit = (publicationId, kind, token, frame) => this.#message(publicationId, kind, token, frame, this.#newsMs);

  /** `newsMs`: receipt of what the message is about, so that the main thread can say how long it took; 0 = not to be measured. */
  #message(publicationId: number, kind: MessageKind, token: number, frame: Uint8Array, newsMs: number): boolean {
    return this.#count(this.#outbound.write(Outbound.MESSAGE, publicationId, kind | (token << KIND_BITS), newsMs, frame));
  }

  #count(written: boolean): boolean {
    this.#meter.add(written ? METER_MESSAGES : meters.METER_OUTBOUND_STALLS, 1);
    return written;
  }

  #restart(book: ShardBook, reason: SnapshotReason): void {
    for (const publication of book.publications) publication.restarted(reason);
  }

  #sendSnapshotFor(publicationId: number, token: number, reason: SnapshotReason): void {
    const open = this.#publications.get(publicationId);
    if (open !== undefined && !open.publication.snapshotFor(token, reason)) {
      this.#deferredSnapshots.push({ publicationId, token, reason });
    }
  }

  // ---- audits

  #createAudits(): ShardAudits<ShardBook> {
    return new ShardAudits({
      books: this.#books,
      decode: (book, push, timeMs) => this.#decodePending(book, push, timeMs),
      rescale: (book, priceScale, quantityScale, timeMs) =>
        this.#fitsScale(book, priceScale) && this.#rescale(book, priceScale, quantityScale, timeMs),
      correct: (book) => {
        if (!this.#applyDelta(book, this.#books.receiveTimeMs(book.slot))) return;
        for (const publication of book.publications) publication.updated(this.#delta);
      },
      repair: (book, timeMs) => {
        this.#enter(book, BookState.SUSPECT, StateReason.AUDIT_MISMATCH, timeMs);
        this.#applySnapshot(book, this.#delta.toVersion, timeMs, false);
      },
      report: (book, report) => this.#send(Outbound.AUDITED, book.slot, report.outcome, report.timeMs, encodeReport(report)),
    });
  }

  // ---- candles

  #candleOutput(): CandleOutput {
    const outbound = this.#outbound;
    return {
      answer: (slot, payload) => outbound.write(Outbound.CANDLES, slot, 0, 0, payload),
      ask: (slot, ask) => outbound.write(Outbound.KLINES_WANTED, slot, ask.token, 0, encodeAsk(ask)),
      refused: (slot) => this.#send(Outbound.REFUSED, slot, REFUSED_KLINES, 0),
    };
  }

  // ---- records that must not be lost

  #send(type: number, key: number, aux: number, timeMs: number, payload?: Uint8Array): void {
    if (this.#deferred.length === 0 && this.#outbound.write(type, key, aux, timeMs, payload)) return;
    this.#meter.add(meters.METER_OUTBOUND_STALLS, 1);
    this.#deferred.push({ type, key, aux, timeMs, payload });
  }

  #retryDeferred(): void {
    let sent = 0;
    for (const { type, key, aux, timeMs, payload } of this.#deferred) {
      if (!this.#outbound.write(type, key, aux, timeMs, payload)) break;
      sent++;
    }
    this.#deferred.splice(0, sent);
    for (const { publicationId, token, reason } of this.#deferredSnapshots.splice(0)) this.#sendSnapshotFor(publicationId, token, reason);
  }
}

/** Reads a snapshot into the delta buffer at these scales; false when it needs larger ones. Throws CodedError. */
type ReadSnapshot = (priceScale: number, quantityScale: number) => boolean;

/** Records of answers from REST, long enough to take milliseconds. */
function isSlow(type: number): boolean {
  return type === Inbound.SNAPSHOT || type === Inbound.AUDIT_SNAPSHOT || type === Inbound.TRADES || type === Inbound.KLINES;
}

/** Whether a channel's messages are about the book, and so about its last push. */
function isOfBook(channel: Channel): boolean {
  return channel === Channel.BOOK || channel === Channel.BOOK_TOP || channel === Channel.BBO || channel === Channel.ANALYTICS;
}
