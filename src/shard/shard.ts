import { KNOWN_VERSION } from '../book/book-layout.js';
import { OrderBooks } from '../book/order-books.js';
import { Arena } from '../memory/arena.js';
import { BatchTimes } from '../memory/log-histogram.js';
import { ShardMeter } from '../memory/shard-meter.js';
import { RingConsumer, RingProducer } from '../memory/spsc-ring.js';
import { BookState, type StateReason } from '../model/book-state.js';
import { StreamKind } from '../model/feed.js';
import { assert } from '../support/assert.js';
import { TickerStore } from '../ticker/ticker-store.js';
import { DealsBuffer } from '../tape/deals-buffer.js';
import { TAPE_PRICE_SCALE, TAPE_QUANTITY_SCALE } from '../tape/tape-layout.js';
import { Tapes } from '../tape/tapes.js';
import { BookKeeper } from './book-keeper.js';
import { BookDecoder } from './book-decoder.js';
import { BookTrust } from './book-trust.js';
import { EarlyPushes } from './early-pushes.js';
import { LineRace } from './line-race.js';
import { Outbox } from './outbox.js';
import { PendingBudget } from './pending-budget.js';
import { PendingUpdates } from './pending-updates.js';
import { Publications } from './publications.js';
import { decodeTrack, decodeVersion, encodeRange, Inbound, NO_SLOT, Outbound, REFUSED_KLINES, REFUSED_TICKERS } from './records.js';
import type { ShardBook } from './shard-book.js';
import { type CandleOutput, ShardCandles } from './shard-candles.js';
import { SilenceWatch } from './silence.js';
import { Spin } from './spin.js';
import { SymbolTape } from './symbol-tape.js';
import type { ShardTask } from './task.js';
import { TextFrames } from './text-frames.js';
import { TickerIntake } from './ticker-intake.js';

/** Records handled before the ring's space is handed back. */
const BATCH_RECORDS = 256;
const SILENCE_CHECK_MS = 250;

/**
 * The books of one worker: takes records from the inbound ring in order, and gives each to the part that it is for. Its state is a function of
 * the records and of the clock values in them; `clock` only stamps the time of publication.
 */
export class Shard {
  readonly #inbound: RingConsumer;
  readonly #outbox: Outbox;
  readonly #books: OrderBooks;
  readonly #trust: BookTrust;
  readonly #keeper: BookKeeper;
  readonly #budget: PendingBudget;
  readonly #publications: Publications;
  readonly #candles: ShardCandles;
  readonly #tickers: TickerStore;
  readonly #tickerIntake: TickerIntake;
  readonly #tapes: Tapes;
  readonly #textFrames: TextFrames;
  readonly #slots: (ShardBook | undefined)[] = [];
  readonly #bySymbol = new Map<string, ShardBook>();
  readonly #deals = new DealsBuffer(256);
  /** Receipt of the pushes this batch applied. */
  readonly #applied: BatchTimes;
  readonly #staleAfterMs: number;
  readonly #twoLines: boolean;
  readonly #clock: () => number;
  readonly #spin: Spin | undefined;
  #lastSilenceCheckMs = 0;
  #running = true;

  constructor(task: ShardTask, clock: () => number) {
    const meter = new ShardMeter(task.buffers.meters);
    const outbox = new Outbox(new RingProducer(task.buffers.outbound), meter);
    const books = new OrderBooks(new Arena(task.buffers.books));
    this.#inbound = new RingConsumer(task.buffers.inbound);
    this.#outbox = outbox;
    this.#books = books;
    this.#candles = new ShardCandles(task.buffers.candles, this.#candleOutput());
    this.#tickers = new TickerStore(task.buffers.tickers);
    this.#tapes = new Tapes(task.buffers.tapes);
    this.#applied = new BatchTimes(meter.receivedToApplied, BATCH_RECORDS);
    this.#staleAfterMs = task.staleAfterMs;
    this.#twoLines = task.lines === 2;
    this.#clock = clock;
    const { spinUs = 0 } = task;
    this.#spin = spinUs > 0 ? new Spin(spinUs, clock) : undefined;
    this.#publications = new Publications({ books, candles: this.#candles, tickers: this.#tickers, tapes: this.#tapes, clock }, outbox);
    this.#budget = new PendingBudget(meter);
    const parts = { books, outbox, publications: this.#publications, meter, budget: this.#budget };
    this.#trust = new BookTrust(parts, (book, timeMs) => this.#keeper.audits.interrupt(book, timeMs));
    this.#keeper = new BookKeeper(parts, this.#trust, new BookDecoder(parts, this.#trust), this.#applied, this.#twoLines);
    this.#tickerIntake = new TickerIntake({
      wanted: (symbol) => this.#bySymbol.has(symbol),
      take: (symbol, figures, receiveTimeMs) => {
        const book = this.#bySymbol.get(symbol)!;
        this.#tickers.apply(book.slot, figures, receiveTimeMs);
        for (const publication of book.publications) publication.tickerChanged();
      },
      refused: (timeMs) => outbox.send(Outbound.REFUSED, NO_SLOT, REFUSED_TICKERS, timeMs),
    });
    this.#textFrames = new TextFrames(books, this.#keeper, this.#tickerIntake, outbox, meter);
  }

  /** False once a SHUT_DOWN record was read. */
  get running(): boolean {
    return this.#running;
  }

  /** Publications that are open. */
  get publications(): number {
    return this.#publications.count;
  }

  /** Records and snapshots that wait for room in the outbound ring. */
  get waiting(): number {
    return this.#outbox.waiting + this.#publications.waiting;
  }

  /** Handles up to one batch of records, and a portion of what waits; returns how many. */
  doWork(recordsMax = BATCH_RECORDS): number {
    const inbound = this.#inbound;
    let handled = 0;
    let news = false;
    while (handled < recordsMax && inbound.next()) {
      this.#handle();
      handled++;
      if (inbound.type !== Inbound.TICK) news = true;
      // One of these may take milliseconds: a batch of them would look like a worker that hangs.
      if (isSlow(inbound.type)) break;
    }
    // The main thread takes it for our answer: what is published at interval 0 was written before. What found no room, below, has to wake it.
    if (handled > 0) inbound.release();
    if (news) this.#spin?.news();
    if (!this.#applied.isEmpty) this.#applied.end(this.#clock());
    this.#outbox.retry();
    this.#publications.retry();
    // Behind all records, so that what is opened and closed in one breath was closed by then.
    if (handled < recordsMax) handled += this.#publications.begin();
    return this.#tickerIntake.isBusy ? handled + this.#tickerIntake.work() : handled;
  }

  /** Waits until a record arrives or `timeoutMs` passed: awake for a while where it is told to, then asleep. */
  idle(timeoutMs: number): void {
    if (this.#spin?.finds(this.#inbound)) return;
    this.#inbound.waitForRecord(timeoutMs);
  }

  #handle(): void {
    const { type, key, aux, timeMs, bytes, view, payloadStart, payloadEnd } = this.#inbound;
    if (type === Inbound.FRAME) {
      const book = this.#slots[key];
      if (book !== undefined) this.#keeper.push(book, bytes, view, payloadStart, payloadEnd, timeMs, aux);
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
    if (type === Inbound.TEXT_FRAME) return this.#textFrames.take(this.#slots[key], key, bytes, view, payloadStart, payloadEnd, timeMs);
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
        return this.#keeper.snapshot(book, payload, timeMs);
      case Inbound.LINE_DOWN:
        return this.#keeper.lineDown(book, aux as StateReason, timeMs);
      case Inbound.LINE_UP:
        return this.#keeper.lineUp(book, timeMs);
      case Inbound.FRAMES_LOST:
        return this.#keeper.pushesLost(book, decodeVersion(payload), aux === 1, timeMs);
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
        return this.#candles.klines(key, payload, timeMs);
      case Inbound.AUDIT:
        return this.#keeper.audits.begin(book, timeMs);
      case Inbound.AUDIT_SNAPSHOT:
        return payload.length === 0 ? this.#keeper.audits.cancel(book) : this.#keeper.audits.snapshot(book, payload, timeMs);
      case Inbound.CANDLES:
        return this.#candles.question(key, payload);
      case Inbound.OPEN_PUBLICATION:
        return this.#publications.open(book, aux, payload);
      case Inbound.CLOSE_PUBLICATION:
        return this.#publications.close(book, aux);
      case Inbound.REQUEST_SNAPSHOT: {
        const reason = view.getInt32(payloadStart + 4, true) === 1 ? 'slow' : 'subscribe';
        return this.#publications.snapshotFor(aux, view.getInt32(payloadStart, true), reason);
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
      pending: new PendingUpdates(this.#budget, (nowMs) => this.#keeper.overflowed(book, nowMs)),
      lostAfter: -1,
      oldSnapshots: 0,
      drops: 0,
      oldAudits: 0,
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
    this.#trust.guardMemory(book, timeMs, () => this.#books.open(slot, scales & 0xff, scales >>> 8, timeMs, serial));
    // Under a worker that died more may have been known than a snapshot of now says.
    book.lostAfter = this.#books.field(slot, KNOWN_VERSION) - 1;
  }

  #createTape(slot: number): SymbolTape {
    return new SymbolTape({
      slot,
      twoLines: this.#twoLines,
      tapes: this.#tapes,
      deals: this.#deals,
      want: () => this.#outbox.send(Outbound.TRADES_WANTED, slot, 0, 0),
      refused: (what) => this.#outbox.send(Outbound.REFUSED, slot, what, 0),
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
    this.#publications.forget(book);
    this.#keeper.audits.cancel(book);
    this.#books.close(book.slot);
    this.#candles.untrack(book.slot);
    this.#tickers.clear(book.slot);
    this.#tapes.close(book.slot);
    this.#trust.forgetEarly(book);
    book.pending.clear();
    this.#slots[book.slot] = undefined;
    this.#bySymbol.delete(book.symbol);
    this.#outbox.send(Outbound.UNTRACKED, book.slot, 0, 0);
  }

  #onTick(timeMs: number): void {
    this.#candles.tick(timeMs);
    this.#keeper.tick(timeMs);
    this.#publications.tick(timeMs);
    if (timeMs - this.#lastSilenceCheckMs < SILENCE_CHECK_MS) return;
    this.#lastSilenceCheckMs = timeMs;
    for (const book of this.#slots) {
      book?.tape.tick(timeMs);
      if (book === undefined || this.#books.state(book.slot) !== BookState.LIVE || !book.silence.isTooLong(timeMs)) continue;
      this.#trust.silent(book, timeMs);
    }
  }

  #candleOutput(): CandleOutput {
    const outbox = this.#outbox;
    return {
      answer: (slot, payload) => outbox.offer(Outbound.CANDLES, slot, 0, 0, payload),
      ask: (slot, range) => outbox.offer(Outbound.KLINES_WANTED, slot, 0, 0, encodeRange(range)),
      refused: (slot) => outbox.send(Outbound.REFUSED, slot, REFUSED_KLINES, 0),
    };
  }
}

/** Records of answers from REST, long enough to take milliseconds. */
function isSlow(type: number): boolean {
  return type === Inbound.SNAPSHOT || type === Inbound.AUDIT_SNAPSHOT || type === Inbound.TRADES || type === Inbound.KLINES;
}
