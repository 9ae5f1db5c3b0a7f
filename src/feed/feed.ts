import type { Logger } from 'pino';
import type { Speed } from '../mexc/channels.js';
import type { KlineQuery } from '../mexc/rest-client.js';
import type { BookState, StateReason } from '../model/book-state.js';
import { SNAPSHOT_LEVELS_MAX } from '../book/proof.js';
import { StreamKind } from '../model/feed.js';
import type { AuditSink, FeedSink, KlinesRange } from '../model/feed.js';
import type { ConnectionStatus, EngineStatus } from '../model/market-data.js';
import type { TrackedSymbol } from '../model/symbol.js';
import { assert } from '../support/assert.js';
import { AuditRounds } from './audit-rounds.js';
import { BookLines } from './book-lines.js';
import { systemClock } from '../support/clock.js';
import type { Clock, Random } from '../support/clock.js';
import { CodedError, ErrorCode } from '../support/errors.js';
import { decodeServerTime } from '../mexc/server-time.js';
import { ConnectRank, ConnectTurns } from './connect-turns.js';
import { ConnectionPool } from './connection-pool.js';
import { Connection } from './connection.js';
import type { ConnectionHandlers, ConnectionOptions } from './connection.js';
import { FrameRouter } from './frame-router.js';
import type { FrameCounters } from './frame-router.js';
import { KlinesFetcher } from './klines-fetcher.js';
import { RestKind, RestQueue } from './rest-queue.js';
import type { RestQueueStatus } from './rest-queue.js';
import { Rotation } from './rotation.js';
import { SideLines } from './side-lines.js';
import type { SnapshotBudget } from './snapshot-budget.js';
import type { DepthSource } from './snapshot-scheduler.js';
import { LinePhase } from './stream-line.js';
import type { StreamLine } from './stream-line.js';
import { SymbolLine } from './symbol-line.js';
import { TwinLines } from './twin-lines.js';
import { feedTimings } from './timings.js';
import type { FeedTimings, FeedTimingsOverride } from './timings.js';
import { TextRouter } from './text-router.js';
import { TradesFetcher } from './trades-fetcher.js';

/** What the feed asks of the REST client, whose answers go to the shards unparsed. */
export interface RestSource extends DepthSource {
  trades(symbol: string, limit: number): Promise<Uint8Array>;
  klines(symbol: string, query: KlineQuery): Promise<Uint8Array>;
  tickers(): Promise<Uint8Array>;
  /** The body of `/api/v3/time`. */
  time(): Promise<Uint8Array>;
}

/** One look at the exchange's clock, all in Unix ms. */
export interface ClockSample {
  readonly sentMs: number;
  /** Whole ms, rounded down. */
  readonly exchangeMs: number;
  readonly receivedMs: number;
}

export interface FeedOptions {
  readonly wsUrl: string;
  readonly interval: Speed;
  readonly rest: RestSource;
  /** The same one the REST client reports to. */
  readonly budget: SnapshotBudget;
  readonly sink: FeedSink;
  readonly logger: Logger;
  /** Levels a side to ask for. Default 5,000. */
  readonly snapshotLimit?: number;
  /** Snapshot requests under way at once. Default 4 s of the snapshot rate, at least 16. */
  readonly snapshotsInFlightMax?: number;
  /** Default 30, which is what MEXC takes. */
  readonly subscriptionsPerConnection?: number;
  /** 2: every channel on two connections. Default 1. */
  readonly lines?: number;
  /** New connections per second of the whole host. Default 10. */
  readonly connectPerSecond?: number;
  /** What is subscribed without being asked for, beside the depth. Default deals and miniTickers. */
  readonly streams?: readonly StreamKind[];
  /** Symbols subscribed and not yet live. Default 4 s of the snapshot rate, at least 30. */
  readonly settlingMax?: number;
  /** Where books are audited, and how often one is. Default: none is. */
  readonly audit?: { readonly sink: AuditSink; readonly everyMs: number };
  readonly clock?: Clock;
  readonly random?: Random;
  readonly timings?: FeedTimingsOverride;
  /** Default: a WebSocket to `wsUrl`. */
  readonly openSocket?: ConnectionOptions['openSocket'];
}

export interface FeedStatus {
  readonly connections: readonly ConnectionStatus[];
  readonly snapshots: EngineStatus['snapshots'];
  /** Requests that are not for snapshots. */
  readonly requests: RestQueueStatus;
  readonly counters: FrameCounters;
  /** Connections that were open and were lost. */
  readonly connectionsLost: number;
  /** Connections replaced because of their age. */
  readonly connectionsReplaced: number;
  /** Losses of a connection that the other line made up for. */
  readonly takeovers: number;
  /** Text frames refused before they reached a shard, by code. */
  readonly textRefusals: ReadonlyMap<ErrorCode, number>;
  /** Audits whose request failed. */
  readonly auditsFailed: number;
}

/** Of one connection, over its life. */
const SUBSCRIPTIONS_MAX = 30;

/**
 * Keeps every tracked symbol subscribed and gives the shards what their books, tapes, tickers and candles are made of: pushes, REST answers,
 * and word of lines that go up and down. It never looks inside a push, except for the symbol and the kind of stream. Main thread only.
 *
 * The books come first (`BookLines`): a symbol's trades are subscribed once its book is settled, and a REST request that is not a
 * snapshot goes out when no book wants one.
 */
export class Feed {
  readonly #options: FeedOptions;
  readonly #timings: FeedTimings;
  readonly #clock: Clock;
  readonly #handlers: ConnectionHandlers;
  readonly #pool: ConnectionPool;
  readonly #router: FrameRouter;
  readonly #texts: TextRouter;
  readonly #books: BookLines;
  readonly #sides: SideLines;
  readonly #trades: TradesFetcher;
  readonly #klines: KlinesFetcher;
  readonly #requests: RestQueue;
  readonly #twins: TwinLines | undefined;
  readonly #rotation: Rotation;
  readonly #audits: AuditRounds | undefined;
  readonly #symbols = new Map<number, TrackedSymbol>();
  readonly #streams: ReadonlySet<StreamKind>;
  /** Connections on their way out. */
  readonly #leaving = new Set<Promise<void>>();
  #connectionsLost = 0;

  constructor(options: FeedOptions) {
    const { sink, budget, logger, rest, interval, random = Math.random } = options;
    this.#options = options;
    const timings = (this.#timings = feedTimings(options.timings));
    const clock = (this.#clock = options.clock ?? systemClock);
    this.#streams = new Set(options.streams ?? [StreamKind.DEALS, StreamKind.MINI_TICKERS]);
    this.#handlers = this.#connectionHandlers();
    const pool = (this.#pool = this.#createPool());
    const router = (this.#router = new FrameRouter(sink, (symbolId) => this.#books.firstFrame(symbolId), clock, logger));
    this.#texts = new TextRouter(sink, router, clock, logger);
    const { snapshotLimit = SNAPSHOT_LEVELS_MAX } = options;
    const inFlightMax = options.snapshotsInFlightMax ?? Math.max(16, Math.ceil(4 * budget.ratePerSecond));
    const release = (line: StreamLine): void => this.#release(line);
    const common = { interval, rest, budget, pool, router, sink, timings, clock, random, logger, release };
    this.#books = new BookLines({
      ...common,
      snapshotLimit,
      snapshotsInFlightMax: inFlightMax,
      settlingMax: options.settlingMax ?? Math.max(30, Math.ceil(4 * budget.ratePerSecond)),
      settled: (symbol) => {
        if (this.#streams.has(StreamKind.DEALS)) this.#sides.openDeals(symbol);
      },
    });
    this.#requests = new RestQueue({ budget, inFlightMax, booksWait: () => this.#books.wantRequests, clock });
    this.#trades = new TradesFetcher({
      ...common,
      queue: this.#requests,
      delivered: (symbolId, body, receiveTimeMs) => sink.trades(symbolId, body, receiveTimeMs),
    });
    this.#klines = new KlinesFetcher({
      ...common,
      queue: this.#requests,
      delivered: (symbolId, range, body, receiveTimeMs) => sink.klines(symbolId, range, body, receiveTimeMs),
    });
    this.#sides = new SideLines({ ...common, trades: this.#trades });
    this.#audits =
      options.audit &&
      new AuditRounds({
        ...common,
        ...options.audit,
        limit: snapshotLimit,
        queue: this.#requests,
        // Books that have yet to settle keep no others from being audited; while many do, the budget is not full.
        booksWait: () => this.#books.snapshotsDue,
        isLive: (symbolId) => this.#books.isLive(symbolId),
      });
    const leave = (connection: Connection): void => this.#leave(connection);
    if (options.lines === 2) {
      const { subscriptionsPerConnection: slots = SUBSCRIPTIONS_MAX } = options;
      const lost = (): void => void this.#connectionsLost++;
      this.#twins = new TwinLines({ pool, router, slots, handlers: this.#handlers, timings, clock, random, logger, lost, leave });
    }
    this.#rotation = new Rotation({
      pool,
      router,
      handlers: this.#handlers,
      timings,
      clock,
      logger,
      twins: this.#twins,
      leave,
    });
  }

  /** Begins with all of them, the hottest first. */
  start(symbols: readonly TrackedSymbol[]): void {
    for (const symbol of symbols) this.#add(symbol);
    this.#books.start(symbols);
    if (this.#streams.has(StreamKind.MINI_TICKERS)) this.#sides.openMiniTickers();
  }

  track(symbol: TrackedSymbol): void {
    this.#add(symbol);
    this.#books.start([symbol]);
  }

  /** Does nothing when it is not tracked. The sink hears nothing more of the symbol. */
  untrack(symbolId: number): void {
    if (!this.#symbols.delete(symbolId)) return;
    this.#audits?.forget(symbolId);
    this.#sides.forget(symbolId);
    this.#klines.cancel(symbolId);
    this.#books.untrack(symbolId);
    this.#router.remove(symbolId);
  }

  /**
   * A shard cannot go on without a snapshot, or (SILENT) wants one to check a silent book against. Requests of one symbol
   * merge. The first one after a good while live goes out at once; then each waits longer.
   */
  resyncRequested(symbolId: number, reason: StateReason): void {
    this.#books.resyncRequested(symbolId, reason);
  }

  /** A shard reports that a book entered a state. */
  bookState(symbolId: number, state: BookState): void {
    this.#books.bookState(symbolId, state);
  }

  /** A worker died and its symbols start anew; their pushes go on meanwhile. */
  shardLost(symbolIds: Iterable<number>): void {
    for (const symbolId of symbolIds) {
      this.#audits?.over(symbolId);
      this.#books.shardLost(symbolId);
      // What was asked for the dead one may be older than pushes that died with it; the new one asks by itself.
      this.#trades.cancel(symbolId);
      this.#sides.shardLost(symbolId);
    }
  }

  /** A shard is done with an audit. */
  audited(symbolId: number): void {
    this.#audits?.over(symbolId);
  }

  /** A shard needs the symbol's last trades. They come through the sink, unless the stream goes down before. */
  tradesWanted(symbolId: number): void {
    const symbol = this.#symbols.get(symbolId);
    if (symbol !== undefined) this.#sides.tradesWanted(symbol);
  }

  /** Subscribes the symbol's one-minute candles for one more user. Does nothing when it is not tracked. */
  openKline(symbolId: number): void {
    const symbol = this.#symbols.get(symbolId);
    if (symbol !== undefined) this.#sides.openKline(symbol);
  }

  /** One user of the symbol's candles less. What they lacked need not be fetched for the last one. */
  closeKline(symbolId: number): void {
    if (this.#sides.closeKline(symbolId)) this.#klines.unwant(symbolId);
  }

  /**
   * Asks for candles, for a client who waits until `signal`; they come through the sink. Resolves when they, or the first of them, went
   * through. Rejects with a CodedError: of the REST client, EXCHANGE_QUEUE_FULL, SYMBOL_NOT_TRACKED. Unsettled for ever after `signal`.
   */
  async requestKlines(symbolId: number, range: KlinesRange, signal: AbortSignal): Promise<void> {
    const symbol = this.#symbols.get(symbolId);
    if (symbol === undefined) throw new CodedError(ErrorCode.SYMBOL_NOT_TRACKED, 'the symbol is not tracked');
    await this.#klines.fetch(symbol, range, signal);
  }

  /** Publications lack candles: asks for them as long as this is said again. */
  klinesWanted(symbolId: number, range: KlinesRange): void {
    const symbol = this.#symbols.get(symbolId);
    if (symbol !== undefined) this.#klines.want(symbol, range);
  }

  /** Asks for the 24 h figures of all symbols once; resolves when they went through the sink. Rejects with a CodedError of the REST client. */
  requestTickers(): Promise<void> {
    const { rest, sink } = this.#options;
    return this.#request(
      RestKind.TICKERS,
      () => rest.tickers(),
      (body, receiveTimeMs) => sink.tickers(body, receiveTimeMs),
    );
  }

  /** Asks for the exchange's time once. Rejects with a CodedError of the REST client. */
  async requestTime(): Promise<ClockSample> {
    const sample = { sentMs: 0, exchangeMs: NaN, receivedMs: 0 };
    await this.#request(
      RestKind.TIME,
      () => {
        sample.sentMs = this.#clock();
        return this.#options.rest.time();
      },
      (body, receiveTimeMs) => {
        sample.receivedMs = receiveTimeMs;
        sample.exchangeMs = decodeServerTime(body);
      },
    );
    if (Number.isNaN(sample.exchangeMs)) throw new CodedError(ErrorCode.EXCHANGE_ANSWER_MALFORMED, '/api/v3/time: no time');
    return sample;
  }

  /** The connection that carries the symbol's depth, or is to; `null` before its first turn. */
  connectionOf(symbolId: number): number | null {
    return this.#books.connectionOf(symbolId)?.number ?? null;
  }

  status(): FeedStatus {
    const { budget } = this.#options;
    return {
      connections: [...this.#pool.status(), ...(this.#twins?.status() ?? [])].sort((a, b) => a.connection - b.connection),
      snapshots: {
        waiting: this.#books.snapshotsWaiting,
        inFlight: this.#books.snapshotsInFlight,
        ratePerSecond: budget.ratePerSecond,
        pausedUntil: budget.pausedUntil,
      },
      requests: this.#requests.status,
      counters: this.#router.counters,
      connectionsLost: this.#connectionsLost,
      connectionsReplaced: this.#rotation.replaced,
      takeovers: this.#twins?.takeovers ?? 0,
      textRefusals: this.#texts.refusals,
      auditsFailed: this.#audits?.failed ?? 0,
    };
  }

  /** Resolves when every socket is gone; the sink hears nothing more from the moment of the call. */
  async close(): Promise<void> {
    this.#rotation.close();
    this.#audits?.close();
    this.#books.close();
    this.#sides.close();
    this.#trades.close();
    this.#requests.close();
    for (const connection of this.#pool.connections()) this.#leave(connection);
    this.#twins?.close();
    await Promise.all(this.#leaving);
  }

  #add(symbol: TrackedSymbol): void {
    assert(!this.#symbols.has(symbol.id), `symbol id ${symbol.id} is tracked`);
    this.#symbols.set(symbol.id, symbol);
    this.#router.add(symbol.symbol, symbol.id);
    this.#audits?.add(symbol.id, symbol.symbol);
  }

  #request(kind: RestKind, fetch: () => Promise<Uint8Array>, hand: (body: Uint8Array, receiveTimeMs: number) => void): Promise<void> {
    return new Promise((resolve, failed) => {
      const delivered = (body: Uint8Array, receiveTimeMs: number): void => {
        hand(body, receiveTimeMs);
        resolve();
      };
      this.#requests.add({ kind, fetch, delivered, failed });
    });
  }

  // --- connections ---

  #connectionHandlers(): ConnectionHandlers {
    return {
      frame: (connection, bytes, start, end, receiveTimeMs) => this.#router.route(connection, bytes, start, end, receiveTimeMs),
      text: (connection, bytes, receiveTimeMs) => this.#texts.route(connection, bytes, receiveTimeMs),
      opened: (connection) => {
        for (const line of this.#pool.lines(connection)) {
          if (line instanceof SymbolLine) this.#books.opened(line, connection);
          else this.#sides.opened(line, connection);
        }
      },
      lost: (connection) => this.#lost(connection),
      accepted: (connection, channel) => {
        const line = this.#pool.find(connection, channel);
        if (line instanceof SymbolLine) this.#books.accepted(line);
        else if (line !== undefined) this.#sides.accepted(line);
        if (line?.phase === LinePhase.SUBSCRIBED) this.#twins?.carry(line);
      },
      refused: (connection, channel, reason) => {
        const line = this.#pool.find(connection, channel);
        if (line instanceof SymbolLine) this.#books.refused(line, reason);
        else if (line !== undefined) this.#sides.refused(line, reason);
      },
      isFlowing: (connection, channel) => {
        const line = this.#pool.find(connection, channel);
        return line !== undefined && this.#router.hasHeard(line);
      },
    };
  }

  #lost(connection: Connection): void {
    this.#connectionsLost++;
    this.#rotation.gone(connection);
    const lines = this.#twins?.takeOver(connection) ?? this.#allLost(connection);
    this.#books.lost(lines.filter((line) => line instanceof SymbolLine));
    this.#sides.lost(lines.filter((line) => !(line instanceof SymbolLine)));
  }

  #allLost(connection: Connection): StreamLine[] {
    this.#pool.restart(connection);
    return [...this.#pool.lines(connection)];
  }

  #release(line: StreamLine): void {
    this.#twins?.drop(line);
    const emptied = this.#pool.release(line);
    if (emptied === undefined) return;
    this.#rotation.gone(emptied);
    this.#twins?.gone(emptied);
    this.#leave(emptied);
  }

  #leave(connection: Connection): void {
    const closed = connection.close().finally(() => this.#leaving.delete(closed));
    this.#leaving.add(closed);
  }

  #createPool(): ConnectionPool {
    const { wsUrl, openSocket, logger, subscriptionsPerConnection = SUBSCRIPTIONS_MAX, connectPerSecond = 10 } = this.#options;
    const connectTurns = new ConnectTurns(connectPerSecond, this.#clock);
    const random = this.#options.random ?? Math.random;
    const shared = { wsUrl, openSocket, timings: this.#timings.connection, connectTurns, clock: this.#clock, random, logger };
    return new ConnectionPool(subscriptionsPerConnection, (number, forBooks) => {
      const connectRank = forBooks ? ConnectRank.BOOKS : ConnectRank.SIDE;
      return new Connection({ number, connectRank, ...shared }, this.#handlers);
    });
  }
}
