import { EventEmitter } from 'node:events';
import { AuditLog } from '../../src/engine/audit-log.js';
import { histogramBoundsUs } from '../../src/memory/log-histogram.js';
import type { SymbolAudits } from '../../src/model/audit.js';
import { BookState, bookStateNames, StateReason, stateReasonNames } from '../../src/model/book-state.js';
import { type BookCopy, createBookCopy } from '../../src/model/book-copy.js';
import type { Candle } from '../../src/model/candle.js';
import type { CandleInterval } from '../../src/model/candle-interval.js';
import type { CandleRange, EngineStatus, MarketData, ShardStatus, SymbolStatus } from '../../src/model/market-data.js';
import type { EngineMeters, TimesSeen } from '../../src/model/meters.js';
import type { MessageKind, PublicationPort, PublicationSpec } from '../../src/model/publication.js';
import type { TrackedSymbol } from '../../src/model/symbol.js';
import type { Ticker } from '../../src/model/ticker.js';
import type { TapePage } from '../../src/model/trade.js';
import { CodedError, ErrorCode } from '../../src/support/errors.js';
import { composeTicker } from '../../src/ticker/compose-ticker.js';
import type { HeldFigures } from '../../src/ticker/ticker-words.js';

/** A book as a test writes it: levels as `[ticks, lots]`, best first. */
export interface FakeBook {
  state: BookState;
  reason: StateReason;
  epoch: number;
  seq: number;
  version: number;
  exchangeTimeMs: number;
  receiveTimeMs: number;
  /** Ticks up to which bids and asks are proven; all when left out. */
  proven?: [bids: number, asks: number];
  bids: [number, number][];
  asks: [number, number][];
  /** Reads that fail before one succeeds, as if the writer were faster. */
  busyReads: number;
}

export interface FakeSymbol {
  readonly symbol: string;
  readonly priceScale?: number;
  readonly quantityScale?: number;
}

const nothingHeld: HeldFigures = {
  lastTimeMs: 0,
  closeTimeMs: 0,
  lastPrice: null,
  lastQuantity: null,
  openPrice: null,
  highPrice: null,
  lowPrice: null,
  volume: null,
  quoteVolume: null,
  priceChange: null,
  changeRate: null,
};

/** The engine as the gateways see it, with books a test sets at will. */
export class FakeMarketData implements MarketData {
  readonly instance = 'fake1234';
  readonly source = { venue: 'mexc', simulated: true, wsUrl: 'ws://fake', restUrl: 'http://fake' } as const;
  readonly books = new Map<TrackedSymbol, FakeBook>();
  /** What the exchange says of the last 24 hours. */
  readonly tickers = new Map<string, Partial<HeldFigures>>();
  /** Reads of a ticker that fail before one succeeds. */
  busyTickers = 0;
  /** By symbol: a page that holds all there is. */
  readonly tapes = new Map<string, TapePage>();
  readonly listed = new Set<string>();
  capacity = 1000;
  shards: ShardStatus[] = [shardStatus(0, 'running')];
  reads: { readonly symbol: string; readonly depth: number }[] = [];
  nearestCalls = 0;
  /** What `candles` gives, or throws; and what it was asked for. */
  candleAnswer: readonly Candle[] | Error = [];
  candleRequests: { readonly symbol: string; readonly interval: CandleInterval; readonly range: CandleRange }[] = [];
  /** Called by `untrack`, as the engine tells its hub. */
  onUntrack: (symbolId: number) => void = () => {};
  readonly auditEveryMs = 1000;
  readonly audited = new AuditLog();
  readonly #symbols = new Map<string, TrackedSymbol>();
  #nextId = 0;

  add({ symbol, priceScale = 2, quantityScale = 4 }: FakeSymbol): FakeBook {
    const id = this.#nextId++;
    const tracked: TrackedSymbol = {
      symbol,
      baseAsset: symbol.slice(0, -4),
      quoteAsset: 'USDT',
      priceScale,
      quantityScale,
      turnover: null,
      id,
      shard: 0,
      slot: id,
      serial: id + 1,
    };
    const book: FakeBook = {
      state: BookState.SYNCING,
      reason: StateReason.START,
      epoch: 0,
      seq: 0,
      version: 0,
      exchangeTimeMs: NaN,
      receiveTimeMs: 0,
      bids: [],
      asks: [],
      busyReads: 0,
    };
    this.listed.add(symbol);
    this.#symbols.set(symbol, tracked);
    this.books.set(tracked, book);
    return book;
  }

  /** Adds a live book with `levels` levels a side around `mid` ticks. */
  addLive(symbol: string, levels = 3, mid = 1_000_000): FakeBook {
    return Object.assign(this.add({ symbol }), {
      state: BookState.LIVE,
      reason: StateReason.SYNCED,
      epoch: 1,
      seq: 7,
      version: 4242,
      exchangeTimeMs: 1_700_000_000_000,
      receiveTimeMs: 1_700_000_000_050.25,
      bids: Array.from({ length: levels }, (_, i): [number, number] => [mid - 1 - i, 10_000 + i]),
      asks: Array.from({ length: levels }, (_, i): [number, number] => [mid + 1 + i, 20_000 + i]),
    });
  }

  symbol(name: string): TrackedSymbol {
    const found = this.#symbols.get(name);
    if (found === undefined) throw new Error(`the test tracks no ${name}`);
    return found;
  }

  find(symbol: string): TrackedSymbol | undefined {
    return this.#symbols.get(symbol);
  }

  nearest(symbol: string): string | undefined {
    this.nearestCalls++;
    for (const name of this.#symbols.keys()) if (name.slice(0, 3) === symbol.slice(0, 3)) return name;
    return undefined;
  }

  tracked(): Iterable<TrackedSymbol> {
    return this.#symbols.values();
  }

  readBook(symbol: TrackedSymbol, depth: number, copy: BookCopy): boolean {
    this.reads.push({ symbol: symbol.symbol, depth });
    const book = this.books.get(symbol)!;
    if (book.busyReads > 0) {
      book.busyReads--;
      return false;
    }
    const { state, reason, epoch, seq, version, exchangeTimeMs, receiveTimeMs, bids, asks } = book;
    const { priceScale, quantityScale } = symbol;
    Object.assign(copy, { state, reason, epoch, seq, version, exchangeTimeMs, receiveTimeMs, priceScale, quantityScale });
    copy.provenBids = book.proven?.[0] ?? 0;
    copy.provenAsks = book.proven?.[1] ?? Infinity;
    copy.bidLevels = bids.length;
    copy.askLevels = asks.length;
    copy.bidCount = depth === 0 ? bids.length : Math.min(depth, bids.length);
    copy.askCount = depth === 0 ? asks.length : Math.min(depth, asks.length);
    copy.bidTicks = Float64Array.from(bids, ([ticks]) => ticks);
    copy.bidLots = Float64Array.from(bids, ([, lots]) => lots);
    copy.askTicks = Float64Array.from(asks, ([ticks]) => ticks);
    copy.askLots = Float64Array.from(asks, ([, lots]) => lots);
    return true;
  }

  readTicker(symbol: TrackedSymbol, book: Readonly<BookCopy> = createBookCopy(0)): Ticker | undefined {
    if (this.busyTickers > 0) {
      this.busyTickers--;
      return undefined;
    }
    return composeTicker(
      symbol.symbol,
      { ...nothingHeld, ...this.tickers.get(symbol.symbol) },
      book,
      this.tapes.get(symbol.symbol)?.trades.at(-1) ?? null,
    );
  }

  /** The pages of `tapes`, cut as a tape does; `undefined` first for as long as the symbol's book has `busyReads`. */
  readTrades(symbol: TrackedSymbol, limit: number, before: number | null): TapePage | undefined {
    const book = this.books.get(symbol)!;
    if (book.busyReads > 0) {
      book.busyReads--;
      return undefined;
    }
    const tape = this.tapes.get(symbol.symbol) ?? {
      state: 'syncing',
      epoch: 1,
      seq: 0,
      receivedAt: null,
      trades: [],
      skipped: [],
      next: null,
    };
    const older = tape.trades.filter(({ id }) => before === null || id < before);
    const trades = older.slice(-limit);
    return { ...tape, trades, next: trades.length < older.length ? trades[0]!.id : null };
  }

  async track(symbol: string): Promise<{ symbol: TrackedSymbol; added: boolean }> {
    const existing = this.#symbols.get(symbol);
    if (existing !== undefined) return { symbol: existing, added: false };
    if (!this.listed.has(symbol)) throw new CodedError(ErrorCode.SYMBOL_NOT_LISTED, `${symbol} is not listed`, { symbol });
    if (this.#symbols.size >= this.capacity)
      throw new CodedError(ErrorCode.SYMBOL_CAPACITY_REACHED, 'no room', { shard: 0, booksMax: this.capacity });
    this.add({ symbol });
    return { symbol: this.symbol(symbol), added: true };
  }

  untrack(symbol: string): boolean {
    const tracked = this.#symbols.get(symbol);
    if (tracked === undefined) return false;
    this.onUntrack(tracked.id);
    this.#symbols.delete(symbol);
    this.books.delete(tracked);
    return true;
  }

  async candles({ symbol }: TrackedSymbol, interval: CandleInterval, range: CandleRange): Promise<readonly Candle[]> {
    this.candleRequests.push({ symbol, interval, range });
    if (this.candleAnswer instanceof Error) throw this.candleAnswer;
    return this.candleAnswer;
  }

  reach(): { readonly bid: string | null; readonly ask: string | null } {
    return { bid: null, ask: null };
  }

  audits({ id }: TrackedSymbol): SymbolAudits {
    return this.audited.of(id);
  }

  symbolStatus(symbol: TrackedSymbol): SymbolStatus {
    const book = this.books.get(symbol)!;
    return {
      symbol: symbol.symbol,
      state: bookStateNames[book.state],
      reason: stateReasonNames[book.reason],
      since: 1_700_000_000_000,
      epoch: book.epoch,
      seq: book.seq,
      version: book.version,
      ageMs: null,
      shard: symbol.shard,
      connection: null,
      bidLevels: book.bids.length,
      askLevels: book.asks.length,
      counters: {
        framesApplied: 0,
        framesDropped: 0,
        gaps: 0,
        resyncs: 0,
        framesRefused: 0,
        inexactNumbers: 0,
        evictedLevels: 0,
      },
    };
  }

  meters(): EngineMeters {
    const none: TimesSeen = { counts: new Float64Array(histogramBoundsUs.length + 1), sumMs: 0, negative: 0 };
    const ring = { usedBytes: 0, capacityBytes: 1, stalls: 0 };
    const counters = {
      busyMs: 0,
      levels: 0,
      applied: 0,
      dropped: 0,
      gaps: 0,
      resyncs: 0,
      refused: 0,
      crossed: 0,
      overflows: 0,
      pendingPushes: 0,
      pendingBytes: 0,
      messages: 0,
      textFrames: 0,
    };
    return {
      shards: this.shards.map(({ shard }) => ({ shard, ...counters, inbound: ring, pressedFrames: 0, lostFrames: 0, outbound: ring })),
      exchangeToReceived: none,
      receivedToApplied: none,
      receivedToPublished: none,
      lineLead: none,
      lineWins: [0, 0],
      linesHealed: 0,
      takeovers: 0,
      eventLoopDelay: none,
      malformedFrames: 0,
      textRefusals: {},
      connectionsLost: 0,
      audits: this.audited.meters(0),
      connectionsReplaced: 0,
      requests: 0,
      requestsWaiting: {},
      requestsRefused: {},
      pauses: 0,
    };
  }

  status(): EngineStatus {
    const states = [...this.books.values()].map((book) => book.state);
    const count = (state: BookState): number => states.filter((each) => each === state).length;
    return {
      source: this.source,
      instance: this.instance,
      startedAt: 1_700_000_000_000,
      books: {
        tracked: states.length,
        live: count(BookState.LIVE),
        syncing: count(BookState.SYNCING),
        stale: count(BookState.STALE),
        suspect: count(BookState.SUSPECT),
      },
      shards: this.shards,
      connections: [],
      snapshots: { waiting: 0, inFlight: 0, ratePerSecond: 8, pausedUntil: null },
      exchangeClock: null,
      counters: {
        frames: 0,
        bytes: 0,
        framesApplied: 0,
        framesDropped: 0,
        framesRefused: 0,
        framesUnknownSymbol: 0,
        gaps: 0,
        resyncs: 0,
        crossedBooks: 0,
        readRetries: 0,
      },
    };
  }
}

export function shardStatus(shard: number, state: ShardStatus['state']): ShardStatus {
  return {
    shard,
    state,
    restarts: 0,
    deaths: 0,
    lastDeath: null,
    symbols: 0,
    ringBytes: 0,
    ringCapacity: 1,
    memoryBytes: 0,
    memoryCapacity: 1,
  };
}

export type PortCall =
  | { readonly call: 'open'; readonly symbolId: number; readonly publicationId: number; readonly spec: PublicationSpec }
  | { readonly call: 'close'; readonly symbolId: number; readonly publicationId: number }
  | {
      readonly call: 'requestSnapshot';
      readonly symbolId: number;
      readonly publicationId: number;
      readonly token: number;
      readonly reason: 'subscribe' | 'slow';
    };

/** Writes down what the fan-out asks of the shards; emits `call`. */
export class FakePort extends EventEmitter implements PublicationPort {
  readonly calls: PortCall[] = [];

  open(symbolId: number, publicationId: number, spec: PublicationSpec): void {
    this.#record({ call: 'open', symbolId, publicationId, spec });
  }

  close(symbolId: number, publicationId: number): void {
    this.#record({ call: 'close', symbolId, publicationId });
  }

  requestSnapshot(symbolId: number, publicationId: number, token: number, reason: 'subscribe' | 'slow'): void {
    this.#record({ call: 'requestSnapshot', symbolId, publicationId, token, reason });
  }

  opened(): Extract<PortCall, { call: 'open' }>[] {
    return this.calls.filter((each) => each.call === 'open');
  }

  requests(): Extract<PortCall, { call: 'requestSnapshot' }>[] {
    return this.calls.filter((each) => each.call === 'requestSnapshot');
  }

  #record(call: PortCall): void {
    this.calls.push(call);
    this.emit('call', call);
  }
}

/** A whole unmasked text frame, as the shards make them. */
export function textFrame(payload: unknown): Buffer {
  const body = Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload));
  return Buffer.concat([frameHead(body.length), body]);
}

function frameHead(length: number): Buffer {
  if (length < 126) return Buffer.from([0x81, length]);
  if (length < 65_536) return Buffer.from([0x81, 126, length >> 8, length & 0xff]);
  const head = Buffer.alloc(10);
  head[0] = 0x81;
  head[1] = 127;
  head.writeUInt32BE(length, 6);
  return head;
}

/** What a test delivers to a hub. */
export interface Deliverer {
  deliver(publicationId: number, kind: MessageKind, token: number, frame: Buffer): void;
}

export function deliver(hub: Deliverer, publicationId: number, kind: MessageKind, payload: unknown, token = 0): void {
  hub.deliver(publicationId, kind, token, textFrame(payload));
}
