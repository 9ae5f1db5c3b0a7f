import { pino } from 'pino';

import { ASKS, BIDS, headerInts } from '../../src/book/book-layout.js';
import { createCandleBuffer } from '../../src/candle/candle-layout.js';
import { type CandleAnswer, type CandleQuestion, decodeAnswer } from '../../src/candle/query.js';
import { createArenaBuffer } from '../../src/memory/arena.js';
import { HISTOGRAM_DOUBLES, LogHistogram } from '../../src/memory/log-histogram.js';
import { createMeterBuffer } from '../../src/memory/shard-meter.js';
import { createRingBuffer } from '../../src/memory/spsc-ring-layout.js';
import { type BookCopy, createBookCopy } from '../../src/model/book-copy.js';
import { type BookState, bookStateNames, type StateReason, stateReasonNames } from '../../src/model/book-state.js';
import { formatDecimal } from '../../src/model/decimal.js';
import { type KlinesRange, StreamKind } from '../../src/model/feed.js';
import {
  Channel,
  Format,
  MessageKind,
  type PublicationSink,
  type PublicationSpec,
  type TradesHead,
  type TradesMessage,
} from '../../src/model/publication.js';
import type { TrackedSymbol } from '../../src/model/symbol.js';
import type { TapePage } from '../../src/model/trade.js';
import { BookReader } from '../../src/publish/book-reader.js';
import { TapeReader } from '../../src/publish/tape-reader.js';
import { ShardEgress, type ShardEvents } from '../../src/shard/egress.js';
import { ShardIngress } from '../../src/shard/ingress.js';
import type { AuditReport } from '../../src/model/audit.js';
import { Shard } from '../../src/shard/shard.js';
import { resetShard, type ShardBuffers } from '../../src/shard/task.js';
import { createTickerBuffer } from '../../src/ticker/ticker-layout.js';
import { encodePush } from './mexc-schema.js';
import { createTapesBuffer } from '../../src/tape/tape-layout.js';
import { type Deal, dealsFrame, tradesBody } from './deals.js';
import { type DepthFrame, depthFrame } from './depth-frame.js';
import { decodeMarketData } from './market-data-schema.js';
import { shortest, type Side, type TextLevel } from './model-book.js';
import { pushDeals, pushDepth, pushKline, pushMiniTickers } from './pushes-in-a-buffer.js';

export interface ShardBenchOptions {
  readonly inboundBytes?: number;
  readonly outboundBytes?: number;
  readonly booksBytes?: number;
  /** Slots. */
  readonly symbols?: number;
  readonly staleAfterMs?: number;
  /** Connections pushes come on. */
  readonly lines?: number;
  /** Microseconds the shard looks for records before it sleeps. */
  readonly spinUs?: number;
  /** Trades a tape keeps. */
  readonly tape?: number;
}

/** One message of a shard. */
export interface BenchMessage {
  readonly id: number;
  readonly kind: MessageKind;
  readonly token: number;
  /** As it came. */
  readonly frame: Buffer;
  /** Its content; of JSON the frame header was checked and taken off. Tests look at what they are about. */
  readonly body: Readonly<Record<string, unknown>>;
}

export interface Snapshot {
  readonly lastUpdateId: number;
  readonly bids?: readonly TextLevel[];
  readonly asks?: readonly TextLevel[];
}

/** The symbol most tests are about, in slot 1. */
export const SYMBOL = 'BTCUSDT';

/**
 * A shard on one thread, between its real rings: everything goes in as the main thread sends it and comes out as the main thread
 * takes it, and the clock stands still until told.
 */
export class ShardBench implements PublicationSink, ShardEvents {
  now = 1_000_000;
  /** False: nothing is taken from the outbound ring, so that it runs full. */
  draining = true;
  readonly messages: BenchMessage[] = [];
  readonly tradesHeads: TradesHead[] = [];
  /** `gap`, … in order, with the slot in front when it is not 1. */
  readonly resyncs: string[] = [];
  /** `live synced`, … in order. */
  readonly states: string[] = [];
  /** DepthDecode or REFUSED_SNAPSHOT, in order. */
  readonly refusals: number[] = [];
  readonly untrackedSlots: number[] = [];
  readonly candleAnswers: CandleAnswer[] = [];
  readonly klineAsks: KlinesRange[] = [];
  /** What audits found, in order. */
  readonly audits: AuditReport[] = [];
  /** Slots, in order. */
  readonly tradesWantedBy: number[] = [];
  readonly buffers: ShardBuffers;
  readonly ingress: ShardIngress;
  readonly reader: BookReader;
  readonly tapes: TapeReader;
  onMessage: (message: BenchMessage) => void = () => {};
  #shard: Shard;
  readonly #staleAfterMs: number;
  readonly #lines: number;
  readonly #spinUs: number;
  readonly #egress: ShardEgress;
  /** The histogram of what was published, see `memory/log-histogram.ts`. */
  readonly published = new Float64Array(HISTOGRAM_DOUBLES);
  readonly #copy: BookCopy = createBookCopy(64);
  readonly #specs = new Map<number, PublicationSpec>();

  constructor(options: ShardBenchOptions = {}) {
    const {
      inboundBytes = 2 ** 20,
      outboundBytes = 2 ** 20,
      booksBytes = 2 ** 20,
      symbols = 8,
      staleAfterMs = 1000,
      tape = 100,
      lines = 1,
      spinUs = 0,
    } = options;
    this.#lines = lines;
    this.#spinUs = spinUs;
    this.buffers = {
      inbound: createRingBuffer(inboundBytes),
      outbound: createRingBuffer(outboundBytes),
      books: createArenaBuffer(booksBytes, symbols),
      candles: createCandleBuffer(symbols),
      tickers: createTickerBuffer(symbols),
      tapes: createTapesBuffer(symbols, tape),
      control: new SharedArrayBuffer(64),
      meters: createMeterBuffer(),
    };
    this.#staleAfterMs = staleAfterMs;
    this.#shard = this.#newShard();
    this.ingress = new ShardIngress([this.buffers], pino({ level: 'silent' }), () => {});
    this.#egress = new ShardEgress(0, this.buffers.outbound, this, this, new LogHistogram(this.published), () => this.now);
    this.reader = new BookReader(this.buffers.books);
    this.tapes = new TapeReader(this.buffers.tapes);
  }

  get running(): boolean {
    return this.#shard.running;
  }

  /** The worker dies, with what it had not read, and another one takes over its memory; it knows no symbols yet. */
  die(timeMs = this.now): this {
    this.ingress.show();
    resetShard(this.buffers, timeMs);
    this.ingress.shardLost(0);
    this.#shard = this.#newShard();
    return this;
  }

  #newShard(): Shard {
    return new Shard(
      { shard: 0, buffers: this.buffers, staleAfterMs: this.#staleAfterMs, lines: this.#lines, spinUs: this.#spinUs },
      () => this.now,
    );
  }

  /** Lets the shard wait for a record, which must be there. */
  idle(): void {
    this.ingress.show();
    this.#shard.idle(0);
  }

  /** Lets the shard handle all there is, and takes what it sends. */
  work(): this {
    this.ingress.show();
    while (this.#shard.doWork() > 0);
    if (this.draining) {
      this.#egress.drain();
      // What found no room finds it now.
      this.#shard.doWork();
      this.#egress.drain();
    }
    return this;
  }

  // ---- the main thread's side; `slot` names the symbol

  track(symbol = SYMBOL, slot = 1, priceScale = 2, quantityScale = 3): this {
    this.ingress.track(tracked(symbol, slot, priceScale, quantityScale), this.now);
    return this.work();
  }

  untrack(slot = 1): this {
    this.ingress.untrack(idOf(slot));
    return this.work();
  }

  lineUp(slot = 1): this {
    this.ingress.lineUp(idOf(slot), this.now);
    return this.work();
  }

  lineDown(reason: StateReason, slot = 1): this {
    this.ingress.lineDown(idOf(slot), reason, this.now);
    return this.work();
  }

  frame(frame: DepthFrame | Uint8Array, slot = 1, line = 0): this {
    pushDepth(this.ingress, idOf(slot), frame instanceof Uint8Array ? frame : depthFrame(frame), this.now, line);
    return this.work();
  }

  /** A push of mini tickers: every shard gets it whole. */
  miniTickers(items: readonly Readonly<Record<string, string>>[], sendTime = this.now): this {
    const channel = 'spot@public.miniTickers.v3.api.pb@24H';
    pushMiniTickers(this.ingress, encodePush({ channel, sendTime, publicMiniTickers: { items } }), this.now);
    return this.work();
  }

  /** The body of a `ticker/24hr` answer. */
  tickers(body: unknown): this {
    this.ingress.tickers(new TextEncoder().encode(typeof body === 'string' ? body : JSON.stringify(body)), this.now);
    return this.work();
  }

  streamUp(slot = 1): this {
    this.ingress.streamUp(idOf(slot), StreamKind.DEALS, this.now);
    return this.work();
  }

  streamDown(slot = 1): this {
    this.ingress.streamDown(idOf(slot), StreamKind.DEALS, this.now);
    return this.work();
  }

  /** A push of trades. */
  deals(deals: readonly Deal[] | Uint8Array, slot = 1, line = 0): this {
    pushDeals(this.ingress, idOf(slot), deals instanceof Uint8Array ? deals : dealsFrame(deals), this.now, line);
    return this.work();
  }

  /** The exchange's last trades, oldest first. */
  trades(deals: readonly Deal[] | Uint8Array, slot = 1): this {
    this.ingress.trades(idOf(slot), deals instanceof Uint8Array ? deals : tradesBody(deals), this.now);
    return this.work();
  }

  tape(limit = 1000, before: number | null = null, slot = 1): TapePage {
    return this.tapes.read(slot, SYMBOL, limit, before)!;
  }

  snapshot(snapshot: Snapshot | Uint8Array, slot = 1): this {
    const body = snapshot instanceof Uint8Array ? snapshot : new TextEncoder().encode(JSON.stringify({ bids: [], asks: [], ...snapshot }));
    this.ingress.snapshot(idOf(slot), body, this.now);
    return this.work();
  }

  /** An audit begins: its snapshot is about to be asked for. */
  audit(slot = 1): this {
    this.ingress.auditBegun(idOf(slot), this.now);
    return this.work();
  }

  auditSnapshot(snapshot: Snapshot | Uint8Array, slot = 1): this {
    const body = snapshot instanceof Uint8Array ? snapshot : new TextEncoder().encode(JSON.stringify({ bids: [], asks: [], ...snapshot }));
    this.ingress.auditSnapshot(idOf(slot), body, this.now);
    return this.work();
  }

  kline(frame: Uint8Array, slot = 1): this {
    pushKline(this.ingress, idOf(slot), frame, this.now);
    return this.work();
  }

  klines(range: KlinesRange, rows: readonly unknown[] | string, slot = 1): this {
    const body = typeof rows === 'string' ? rows : JSON.stringify(rows);
    this.ingress.klines(idOf(slot), range, new TextEncoder().encode(body), this.now);
    return this.work();
  }

  /** Asks for candles, and returns the answer. */
  askCandles(question: Omit<CandleQuestion, 'token'>, slot = 1): CandleAnswer {
    this.ingress.askCandles(idOf(slot), { token: 7, ...question });
    this.work();
    return this.candleAnswers.at(-1)!;
  }

  /** The clock moves on by `ms`, and the shard is told. */
  tick(ms = 10): this {
    this.now += ms;
    this.ingress.tick(this.now);
    return this.work();
  }

  open(id: number, spec: PublicationSpec, slot = 1): this {
    this.#specs.set(id, spec);
    this.ingress.open(idOf(slot), id, spec);
    return this.work();
  }

  close(id: number, slot = 1): this {
    this.ingress.close(idOf(slot), id);
    return this.work();
  }

  requestSnapshot(id: number, token: number, reason: 'subscribe' | 'slow' = 'subscribe', slot = 1): this {
    this.ingress.requestSnapshot(idOf(slot), id, token, reason);
    return this.work();
  }

  /** A tracked book, live on the given snapshot. */
  live(snapshot: Snapshot = { lastUpdateId: 100, bids: [['99.5', '1']], asks: [['100.5', '2']] }): this {
    return this.track().lineUp().snapshot(snapshot);
  }

  // ---- what can be seen from outside

  /** The book as any reader sees it. */
  book(slot = 1, depth = 0): BookCopy {
    if (!this.reader.read(slot, depth, this.#copy)) throw new Error('a write section is open');
    return this.#copy;
  }

  /** `live synced`. */
  state(slot = 1): string {
    const { state, reason } = this.book(slot, -1);
    return `${bookStateNames[state]} ${stateReasonNames[reason]}`;
  }

  /** Best first, as shortest decimal text. */
  levels(side: Side, depth = 0, slot = 1): TextLevel[] {
    const copy = this.book(slot, depth);
    const [ticks, lots, count] =
      side === 'bid' ? [copy.bidTicks, copy.bidLots, copy.bidCount] : [copy.askTicks, copy.askLots, copy.askCount];
    return Array.from({ length: count }, (_, i) => [
      shortest(formatDecimal(ticks[i]!, copy.priceScale)),
      shortest(formatDecimal(lots[i]!, copy.quantityScale)),
    ]);
  }

  /** `collect()` of both sides, for a comparison in one look. */
  sides(depth = 0, slot = 1): { readonly bids: TextLevel[]; readonly asks: TextLevel[] } {
    return { bids: this.levels('bid', depth, slot), asks: this.levels('ask', depth, slot) };
  }

  /** The messages of a publication, and forgets them. */
  take(id: number): BenchMessage[] {
    const taken = this.messages.filter((message) => message.id === id);
    const kept = this.messages.filter((message) => message.id !== id);
    this.messages.splice(0, this.messages.length, ...kept);
    return taken;
  }

  /** A header word that is guarded by nothing. */
  counter(offset: number, slot = 1): number {
    return this.reader.field(slot, offset);
  }

  ladderWord(side: Side, offset: number, slot = 1): number {
    return this.reader.int(headerInts(slot) + (side === 'bid' ? BIDS : ASKS) + offset);
  }

  // ---- PublicationSink and ShardEvents

  wants(): boolean {
    return true;
  }

  deliver(id: number, kind: MessageKind, token: number, frame: Buffer): void {
    const body = this.#decode(id, frame);
    const message = { id, kind, token, frame, body };
    this.messages.push(message);
    this.onMessage(message);
  }

  /** As JSON, with the rest of the head beside it in `tradesHeads`. */
  #decode(id: number, frame: Buffer): Record<string, unknown> {
    const { format, channel } = this.#specs.get(id) ?? { format: Format.JSON, channel: Channel.BOOK };
    if (format === Format.JSON) return JSON.parse(unframe(frame)) as Record<string, unknown>;
    const types: Partial<Record<Channel, string>> = { [Channel.TICKER]: 'TickerUpdate', [Channel.TRADE]: 'TradeUpdate' };
    return decodeMarketData(types[channel] ?? 'OrderBookUpdate', frame);
  }

  deliverTrades(id: number, { frame, ...head }: TradesMessage): void {
    const body = this.#decode(id, frame);
    this.tradesHeads.push(head);
    this.messages.push({ id, kind: MessageKind.DELTA, token: 0, frame, body });
  }

  flush(): boolean {
    return false;
  }

  resyncRequested(_shard: number, slot: number, reason: StateReason): void {
    this.resyncs.push(slot === 1 ? stateReasonNames[reason] : `${slot} ${stateReasonNames[reason]}`);
  }

  bookState(_shard: number, slot: number, state: BookState, reason: StateReason, _timeMs: number): void {
    const text = `${bookStateNames[state]} ${stateReasonNames[reason]}`;
    this.states.push(slot === 1 ? text : `${slot} ${text}`);
  }

  refused(_shard: number, _slot: number, what: number): void {
    this.refusals.push(what);
  }

  candles(_shard: number, _slot: number, payload: Uint8Array): void {
    this.candleAnswers.push(decodeAnswer(payload));
  }

  klinesWanted(_shard: number, _slot: number, range: KlinesRange): void {
    this.klineAsks.push(range);
  }

  audited(_shard: number, _slot: number, report: AuditReport): void {
    this.audits.push(report);
  }

  untracked(_shard: number, slot: number): void {
    this.untrackedSlots.push(slot);
  }

  tradesWanted(_shard: number, slot: number): void {
    this.tradesWantedBy.push(slot);
  }
}

/** The symbol in a slot. */
export function idOf(slot: number): number {
  return 300 + slot;
}

function tracked(symbol: string, slot: number, priceScale: number, quantityScale: number): TrackedSymbol {
  return {
    symbol,
    baseAsset: symbol,
    quoteAsset: 'USDT',
    priceScale,
    quantityScale,
    turnover: null,
    id: idOf(slot),
    shard: 0,
    slot,
    serial: slot + 1,
  };
}

/** The payload of one whole, unmasked, final text frame whose header says the right length in the shortest form. */
export function unframe(frame: Uint8Array): string {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const short = frame[1]!;
  const [offset, length] = short < 126 ? [2, short] : short === 126 ? [4, view.getUint16(2)] : [10, Number(view.getBigUint64(2))];
  const shortest = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  if (frame[0] !== 0x81 || offset !== shortest || offset + length !== frame.length) {
    throw new Error(`a frame of ${frame.length} bytes begins with ${Buffer.from(frame.subarray(0, 10)).toString('hex')}`);
  }
  return Buffer.from(frame.subarray(offset)).toString('utf8');
}
