import type { Logger } from 'pino';
import { depthChannel } from '../mexc/channels.js';
import type { Speed } from '../mexc/channels.js';
import { BookState, StateReason } from '../model/book-state.js';
import type { FeedSink } from '../model/feed.js';
import type { ConnectionStatus, EngineStatus } from '../model/market-data.js';
import type { TrackedSymbol } from '../model/symbol.js';
import { assert } from '../support/assert.js';
import { Admission } from './admission.js';
import { BookSync } from './book-sync.js';
import { systemClock } from '../support/clock.js';
import type { Clock, Random } from '../support/clock.js';
import { ConnectionPool } from './connection-pool.js';
import { Connection } from './connection.js';
import type { ConnectionHandlers, ConnectionOptions } from './connection.js';
import { FrameRouter } from './frame-router.js';
import type { FrameCounters } from './frame-router.js';
import { LogGate } from './log-gate.js';
import { Pacer } from './pacer.js';
import { Rotation } from './rotation.js';
import type { SnapshotBudget } from './snapshot-budget.js';
import type { DepthSource } from './snapshot-scheduler.js';
import { createLine, LinePhase } from './symbol-line.js';
import type { SymbolLine } from './symbol-line.js';
import { feedTimings } from './timings.js';
import type { FeedTimings, FeedTimingsOverride } from './timings.js';

export interface FeedOptions {
  readonly wsUrl: string;
  readonly interval: Speed;
  readonly rest: DepthSource;
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
  /** New connections per second of the whole host. Default 10. */
  readonly connectPerSecond?: number;
  /** Symbols subscribed and not yet live. Default 4 s of the snapshot rate, at least 30. */
  readonly settlingMax?: number;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly timings?: FeedTimingsOverride;
  /** Default: a WebSocket to `wsUrl`. */
  readonly openSocket?: ConnectionOptions['openSocket'];
}

export interface FeedStatus {
  readonly connections: readonly ConnectionStatus[];
  readonly snapshots: EngineStatus['snapshots'];
  readonly counters: FrameCounters;
}

/**
 * Keeps every tracked symbol subscribed and gives the shards what their books are made of: pushes, snapshots, and word of
 * lines that go up and down. It never looks inside a push, except for the symbol. Main thread only.
 *
 * Per symbol: its turn (hottest first, a bounded number at a time) → `lineUp` → SUBSCRIPTION → first delta or a short
 * wait → snapshot under the host's budget → live, as the shard says; on a gap or an old snapshot another one, later each time.
 */
export class Feed {
  readonly #options: FeedOptions;
  readonly #timings: FeedTimings;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #handlers: ConnectionHandlers;
  readonly #pool: ConnectionPool;
  readonly #admission: Admission;
  readonly #router: FrameRouter;
  readonly #sync: BookSync;
  readonly #rotation: Rotation;
  readonly #refusals: LogGate;
  readonly #lines = new Map<number, SymbolLine>();
  /** Connections on their way out. */
  readonly #leaving = new Set<Promise<void>>();
  #closed = false;

  constructor(options: FeedOptions) {
    const { sink, budget, logger } = options;
    this.#options = options;
    this.#timings = feedTimings(options.timings);
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#refusals = new LogGate(1000, this.#clock);
    this.#handlers = this.#connectionHandlers();
    this.#pool = this.#createPool();
    this.#admission = new Admission(options.settlingMax ?? Math.max(30, Math.ceil(4 * budget.ratePerSecond)));
    this.#router = new FrameRouter(sink, (symbolId) => this.#firstFrame(symbolId), this.#clock, logger);
    this.#sync = new BookSync({
      rest: options.rest,
      budget,
      snapshotLimit: options.snapshotLimit ?? 5000,
      snapshotsInFlightMax: options.snapshotsInFlightMax ?? Math.max(16, Math.ceil(4 * budget.ratePerSecond)),
      sink,
      router: this.#router,
      timings: this.#timings,
      clock: this.#clock,
      logger,
      settled: (line) => this.#settled(line),
      doubted: (line) => this.#resubscribe(line),
    });
    this.#rotation = new Rotation({
      pool: this.#pool,
      router: this.#router,
      handlers: this.#handlers,
      timings: this.#timings,
      clock: this.#clock,
      logger,
      leave: (connection) => this.#leave(connection),
    });
  }

  /** Begins with all of them, the hottest first. */
  start(symbols: readonly TrackedSymbol[]): void {
    for (const symbol of symbols) this.#add(symbol);
    this.#admit();
  }

  track(symbol: TrackedSymbol): void {
    this.#add(symbol);
    this.#admit();
  }

  /** Does nothing when it is not tracked. The sink hears nothing more of the symbol. */
  untrack(symbolId: number): void {
    const line = this.#lines.get(symbolId);
    if (line === undefined) return;
    this.#lines.delete(symbolId);
    this.#router.remove(symbolId);
    this.#sync.forget(line);
    this.#admission.remove(line);
    if (line.up) line.connection?.unsubscribe(line.channel);
    line.phase = LinePhase.GONE;
    line.up = false;
    this.#release(line);
    this.#admit();
  }

  /**
   * A shard cannot go on without a snapshot, or (SILENT) wants one to check a silent book against. Requests of one symbol
   * merge. The first one after a good while live goes out at once; then each waits longer.
   */
  resyncRequested(symbolId: number, reason: StateReason): void {
    const line = this.#lines.get(symbolId);
    // Before the subscription stands a snapshot would not join; afterwards one is asked for anyway.
    if (line === undefined || line.phase !== LinePhase.SUBSCRIBED) return;
    if (reason === StateReason.SILENT) this.#sync.silent(line);
    else this.#sync.resync(line);
  }

  /** A shard reports that a book entered a state. */
  bookState(symbolId: number, state: BookState): void {
    const line = this.#lines.get(symbolId);
    if (line === undefined) return;
    if (state === BookState.LIVE) this.#sync.live(line);
    else line.live = false;
  }

  /** A worker died and its books start anew; their pushes go on meanwhile. */
  shardLost(symbolIds: Iterable<number>): void {
    for (const symbolId of symbolIds) {
      const line = this.#lines.get(symbolId);
      if (line === undefined) continue;
      if (line.up) {
        this.#lineUp(line);
        this.#sync.anew(line);
      } else if (line.downReason !== undefined) {
        this.#options.sink.lineDown(symbolId, line.downReason, this.#clock());
      }
    }
  }

  /** The connection that carries the symbol, or is to; `null` before its first turn. */
  connectionOf(symbolId: number): number | null {
    return this.#lines.get(symbolId)?.connection?.number ?? null;
  }

  status(): FeedStatus {
    const { budget } = this.#options;
    return {
      connections: this.#pool.status(),
      snapshots: {
        waiting: this.#sync.waiting,
        inFlight: this.#sync.inFlight,
        ratePerSecond: budget.ratePerSecond,
        pausedUntil: budget.pausedUntil,
      },
      counters: this.#router.counters,
    };
  }

  /** Resolves when every socket is gone; the sink hears nothing more from the moment of the call. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#rotation.close();
    this.#sync.close();
    for (const line of this.#lines.values()) clearTimeout(line.timer);
    for (const connection of this.#pool.connections()) this.#leave(connection);
    await Promise.all(this.#leaving);
  }

  // --- turns ---

  #add(symbol: TrackedSymbol): void {
    assert(!this.#closed, 'the feed is closed');
    assert(!this.#lines.has(symbol.id), `symbol id ${symbol.id} is tracked`);
    const line = createLine(symbol, depthChannel(symbol.symbol, this.#options.interval), this.#timings, this.#random);
    this.#router.add(symbol.symbol, symbol.id);
    this.#lines.set(symbol.id, line);
    this.#admission.wait(line);
  }

  #admit(): void {
    if (this.#closed) return;
    for (let line = this.#admission.next(); line !== undefined; line = this.#admission.next()) this.#place(line);
  }

  #settled(line: SymbolLine): void {
    if (this.#admission.settled(line)) this.#admit();
  }

  // --- lines ---

  /** Subscribes it where it has its slot; when that connection is not open, as soon as it is. */
  #place(line: SymbolLine): void {
    line.phase = LinePhase.SUBSCRIBING;
    const connection = line.connection ?? this.#pool.assign(line);
    if (connection.isOpen) this.#subscribe(line, connection);
    else connection.open();
  }

  #subscribe(line: SymbolLine, connection: Connection): void {
    this.#router.listen(line.symbol.id);
    this.#router.setOwner(line.symbol.id, connection);
    this.#lineUp(line);
    connection.subscribe(line.channel);
  }

  #lineUp(line: SymbolLine): void {
    line.up = true;
    line.live = false;
    line.snapshotsSinceUp = 0;
    line.snapshotDelivered = false;
    this.#options.sink.lineUp(line.symbol.id, this.#clock());
  }

  #lineDown(line: SymbolLine, reason: StateReason): void {
    this.#sync.forget(line);
    this.#router.setOwner(line.symbol.id, null);
    line.up = false;
    line.live = false;
    line.downReason = reason;
    this.#options.sink.lineDown(line.symbol.id, reason, this.#clock());
  }

  /** Its turn comes again. */
  #requeue(line: SymbolLine): void {
    line.phase = LinePhase.WAITING;
    this.#admission.wait(line);
  }

  #firstFrame(symbolId: number): void {
    const line = this.#lines.get(symbolId);
    if (line !== undefined) this.#sync.firstFrame(line);
  }

  #resubscribe(line: SymbolLine): void {
    const { connection } = line;
    assert(connection !== undefined, `${line.symbol.symbol} has no connection`);
    this.#options.logger.info({ symbol: line.symbol.symbol, silentChecks: line.silentChecks }, 'silent for long, subscribing again');
    this.#sync.forget(line);
    this.#router.setOwner(line.symbol.id, null);
    connection.unsubscribe(line.channel);
    line.up = false;
    if (!this.#pool.takeAnother(connection)) this.#release(line);
    this.#place(line);
  }

  // --- connections ---

  #connectionHandlers(): ConnectionHandlers {
    return {
      frame: (connection, bytes, receiveTimeMs) => this.#router.route(connection, bytes, receiveTimeMs),
      opened: (connection) => {
        for (const line of this.#pool.lines(connection)) if (line.phase === LinePhase.SUBSCRIBING) this.#subscribe(line, connection);
      },
      lost: (connection) => this.#lost(connection),
      accepted: (connection, channel) => this.#accepted(connection, channel),
      refused: (connection, channel, reason) => this.#refused(connection, channel, reason),
      isFlowing: (connection, channel) => {
        const line = this.#pool.find(connection, channel);
        return line !== undefined && this.#router.hasHeard(line.symbol.id);
      },
    };
  }

  #accepted(connection: Connection, channel: string): void {
    const line = this.#pool.find(connection, channel);
    if (line === undefined || line.phase !== LinePhase.SUBSCRIBING) return;
    line.phase = LinePhase.SUBSCRIBED;
    this.#sync.subscribed(line);
  }

  #refused(connection: Connection, channel: string, reason: string): void {
    const line = this.#pool.find(connection, channel);
    if (line === undefined || line.phase !== LinePhase.SUBSCRIBING) return;
    line.phase = LinePhase.REFUSED;
    this.#lineDown(line, StateReason.SUBSCRIPTION_REFUSED);
    const delayMs = line.refusals.next();
    line.timer = setTimeout(() => {
      line.timer = undefined;
      this.#requeue(line);
      this.#admit();
    }, delayMs);
    const suppressed = this.#refusals.pass();
    if (suppressed >= 0)
      this.#options.logger.warn({ symbol: line.symbol.symbol, reason, retryInMs: Math.round(delayMs), suppressed }, 'subscription refused');
    this.#settled(line);
  }

  #lost(connection: Connection): void {
    this.#rotation.gone(connection);
    this.#pool.restart(connection);
    for (const line of this.#pool.lines(connection)) {
      if (!line.up) continue;
      this.#lineDown(line, StateReason.LINE_DOWN);
      line.returning = true;
      this.#requeue(line);
    }
    this.#admit();
  }

  #release(line: SymbolLine): void {
    const emptied = this.#pool.release(line);
    if (emptied === undefined) return;
    this.#rotation.gone(emptied);
    this.#leave(emptied);
  }

  #leave(connection: Connection): void {
    const closed = connection.close().finally(() => this.#leaving.delete(closed));
    this.#leaving.add(closed);
  }

  #createPool(): ConnectionPool {
    const { wsUrl, openSocket, logger, subscriptionsPerConnection = 30, connectPerSecond = 10 } = this.#options;
    const connectPacer = new Pacer(connectPerSecond, 1, this.#clock);
    const shared = { wsUrl, openSocket, timings: this.#timings.connection, connectPacer, clock: this.#clock, random: this.#random, logger };
    return new ConnectionPool(subscriptionsPerConnection, (number) => new Connection({ number, ...shared }, this.#handlers));
  }
}
