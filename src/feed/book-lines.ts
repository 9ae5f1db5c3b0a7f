import type { Logger } from 'pino';
import { depthChannel } from '../mexc/channels.js';
import type { Speed } from '../mexc/channels.js';
import { BookState, StateReason } from '../model/book-state.js';
import type { FeedSink } from '../model/feed.js';
import type { TrackedSymbol } from '../model/symbol.js';
import { assert } from '../support/assert.js';
import type { Clock, Random } from '../support/clock.js';
import { Admission } from './admission.js';
import { BookSync } from './book-sync.js';
import type { ConnectionPool } from './connection-pool.js';
import type { Connection } from './connection.js';
import type { FrameRouter } from './frame-router.js';
import { LogGate } from './log-gate.js';
import type { SnapshotBudget } from './snapshot-budget.js';
import type { DepthSource } from './snapshot-scheduler.js';
import { LinePhase } from './stream-line.js';
import { createLine } from './symbol-line.js';
import type { SymbolLine } from './symbol-line.js';
import type { FeedTimings } from './timings.js';

export interface BookLinesOptions {
  readonly interval: Speed;
  readonly rest: DepthSource;
  readonly budget: SnapshotBudget;
  readonly snapshotLimit: number;
  readonly snapshotsInFlightMax: number;
  readonly settlingMax: number;
  readonly pool: ConnectionPool;
  readonly router: FrameRouter;
  readonly sink: FeedSink;
  readonly timings: FeedTimings;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** The line leaves its connection. */
  readonly release: (line: SymbolLine) => void;
  /** The symbol's book is live for the first time, or takes so long that nothing else should wait for it. May be said more than once. */
  readonly settled: (symbol: TrackedSymbol) => void;
}

/**
 * The depth of every tracked symbol. Per symbol: its turn (hottest first, a bounded number at a time) → `lineUp` → SUBSCRIPTION → first delta
 * or a short wait → snapshot under the host's budget → live, as the shard says; on a gap or an old snapshot another one, later each time.
 */
export class BookLines {
  readonly #options: BookLinesOptions;
  readonly #admission: Admission;
  readonly #sync: BookSync;
  readonly #refusals: LogGate;
  readonly #lines = new Map<number, SymbolLine>();
  #closed = false;

  constructor(options: BookLinesOptions) {
    this.#options = options;
    this.#refusals = new LogGate(1000, options.clock);
    this.#admission = new Admission(options.settlingMax);
    this.#sync = new BookSync({
      ...options,
      settled: (line) => this.#settled(line),
      doubted: (line) => this.#resubscribe(line),
    });
  }

  get snapshotsWaiting(): number {
    return this.#sync.waiting;
  }

  get snapshotsInFlight(): number {
    return this.#sync.inFlight;
  }

  /** A snapshot waits for its turn. */
  get snapshotsDue(): boolean {
    return this.#sync.isDue;
  }

  /** A book could use the next request: its snapshot is due, or books are on their way to be live. */
  get wantRequests(): boolean {
    return this.snapshotsDue || this.#admission.busy;
  }

  start(symbols: readonly TrackedSymbol[]): void {
    for (const symbol of symbols) this.#add(symbol);
    this.#admit();
  }

  /** Does nothing when it is not tracked. */
  untrack(symbolId: number): void {
    const line = this.#lines.get(symbolId);
    if (line === undefined) return;
    this.#lines.delete(symbolId);
    this.#sync.forget(line);
    this.#admission.remove(line);
    if (line.up) line.connection?.unsubscribe(line.channel);
    line.phase = LinePhase.GONE;
    line.up = false;
    this.#options.release(line);
    this.#admit();
  }

  resyncRequested(symbolId: number, reason: StateReason): void {
    const line = this.#lines.get(symbolId);
    // Before the subscription stands a snapshot would not join; afterwards one is asked for anyway.
    if (line === undefined || line.phase !== LinePhase.SUBSCRIBED) return;
    if (reason === StateReason.SILENT) this.#sync.silent(line);
    else this.#sync.resync(line);
  }

  bookState(symbolId: number, state: BookState): void {
    const line = this.#lines.get(symbolId);
    if (line === undefined) return;
    if (state === BookState.LIVE) this.#sync.live(line);
    else line.live = false;
  }

  /** The shard begins anew with the symbol; its pushes go on meanwhile. */
  shardLost(symbolId: number): void {
    const line = this.#lines.get(symbolId);
    if (line === undefined) return;
    if (line.up) {
      this.#lineUp(line);
      this.#sync.anew(line);
    } else if (line.downReason !== undefined) {
      this.#options.sink.lineDown(symbolId, line.downReason, this.#options.clock());
    }
  }

  isLive(symbolId: number): boolean {
    return this.#lines.get(symbolId)?.live ?? false;
  }

  connectionOf(symbolId: number): Connection | undefined {
    return this.#lines.get(symbolId)?.connection;
  }

  firstFrame(symbolId: number): void {
    const line = this.#lines.get(symbolId);
    if (line !== undefined) this.#sync.firstFrame(line);
  }

  /** The line's connection is open. */
  opened(line: SymbolLine, connection: Connection): void {
    if (line.phase === LinePhase.SUBSCRIBING) this.#subscribe(line, connection);
  }

  accepted(line: SymbolLine): void {
    if (line.phase !== LinePhase.SUBSCRIBING) return;
    line.phase = LinePhase.SUBSCRIBED;
    this.#sync.subscribed(line);
  }

  refused(line: SymbolLine, reason: string): void {
    if (line.phase !== LinePhase.SUBSCRIBING) return;
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
      this.#options.logger.warn(
        { symbol: line.symbol.symbol, connection: line.connection?.number, reason, retryInMs: Math.round(delayMs), suppressed },
        'subscription refused',
      );
    this.#settled(line);
  }

  /** Their connection was lost. */
  lost(lines: readonly SymbolLine[]): void {
    for (const line of lines) {
      if (!line.up) continue;
      this.#lineDown(line, StateReason.LINE_DOWN);
      line.returning = true;
      this.#requeue(line);
    }
    this.#admit();
  }

  close(): void {
    this.#closed = true;
    this.#sync.close();
    for (const line of this.#lines.values()) clearTimeout(line.timer);
  }

  // --- turns ---

  #add(symbol: TrackedSymbol): void {
    assert(!this.#closed, 'the feed is closed');
    const { interval, timings, random } = this.#options;
    const line = createLine(symbol, depthChannel(symbol.symbol, interval), timings, random);
    this.#lines.set(symbol.id, line);
    this.#admission.wait(line);
  }

  #admit(): void {
    if (this.#closed) return;
    for (let line = this.#admission.next(); line !== undefined; line = this.#admission.next()) this.#place(line);
  }

  #settled(line: SymbolLine): void {
    if (this.#admission.settled(line)) this.#admit();
    this.#options.settled(line.symbol);
  }

  /** Its turn comes again. */
  #requeue(line: SymbolLine): void {
    line.phase = LinePhase.WAITING;
    this.#admission.wait(line);
  }

  // --- lines ---

  /** Subscribes it where it has its slot; when that connection is not open, as soon as it is. */
  #place(line: SymbolLine): void {
    line.phase = LinePhase.SUBSCRIBING;
    const connection = line.connection ?? this.#options.pool.assign(line);
    if (connection.isOpen) this.#subscribe(line, connection);
    else connection.open();
  }

  #subscribe(line: SymbolLine, connection: Connection): void {
    const { router } = this.#options;
    router.listen(line);
    router.setOwner(line, connection);
    this.#lineUp(line);
    connection.subscribe(line.channel);
  }

  #lineUp(line: SymbolLine): void {
    line.up = true;
    line.live = false;
    line.snapshotsSinceUp = 0;
    line.snapshotDelivered = false;
    this.#options.sink.lineUp(line.symbolId, this.#options.clock());
  }

  #lineDown(line: SymbolLine, reason: StateReason): void {
    this.#sync.forget(line);
    this.#options.router.setOwner(line, null);
    line.up = false;
    line.live = false;
    line.downReason = reason;
    this.#options.sink.lineDown(line.symbolId, reason, this.#options.clock());
  }

  #resubscribe(line: SymbolLine): void {
    const { connection } = line;
    const { pool, router, logger, release } = this.#options;
    assert(connection !== undefined, `${line.symbol.symbol} has no connection`);
    logger.info(
      { symbol: line.symbol.symbol, connection: connection.number, silentChecks: line.silentChecks },
      'silent for long, subscribing again',
    );
    this.#sync.forget(line);
    router.setOwner(line, null);
    connection.unsubscribe(line.channel);
    line.up = false;
    if (!pool.takeAnother(connection)) release(line);
    this.#place(line);
  }
}
