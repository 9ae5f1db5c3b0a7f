import type { Logger } from 'pino';
import { formatChannel } from '../mexc/channels.js';
import type { Speed } from '../mexc/channels.js';
import { NO_SYMBOL, StreamKind } from '../model/feed.js';
import type { FeedSink, SideStream } from '../model/feed.js';
import type { TrackedSymbol } from '../model/symbol.js';
import type { Clock, Random } from '../support/clock.js';
import { Backoff } from './backoff.js';
import type { ConnectionPool } from './connection-pool.js';
import type { Connection } from './connection.js';
import type { FrameRouter } from './frame-router.js';
import { LogGate } from './log-gate.js';
import { LinePhase, StreamLine } from './stream-line.js';
import type { FeedTimings } from './timings.js';
import type { TradesFetcher } from './trades-fetcher.js';

export interface SideLinesOptions {
  readonly interval: Speed;
  readonly pool: ConnectionPool;
  readonly router: FrameRouter;
  readonly sink: FeedSink;
  readonly trades: TradesFetcher;
  readonly timings: FeedTimings;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** The line leaves its connection. */
  readonly release: (line: StreamLine) => void;
}

interface KlineUse {
  readonly line: StreamLine;
  users: number;
  /** While nobody uses it. */
  idle: NodeJS.Timeout | undefined;
}

/**
 * The streams beside the depth: trades of every tracked symbol, candles of those somebody asks for, the tickers of all. They live on
 * connections of their own, so whatever happens to them leaves the books alone.
 */
export class SideLines {
  readonly #options: SideLinesOptions;
  readonly #refusals: LogGate;
  readonly #deals = new Map<number, StreamLine>();
  readonly #klines = new Map<number, KlineUse>();
  #closed = false;
  #miniTickers: StreamLine | undefined;

  constructor(options: SideLinesOptions) {
    this.#options = options;
    this.#refusals = new LogGate(1000, options.clock);
  }

  /** Does nothing when they are open. */
  openDeals({ id, symbol }: TrackedSymbol): void {
    if (this.#deals.has(id)) return;
    const channel = formatChannel({ kind: 'deals', symbol, speed: this.#options.interval });
    this.#deals.set(id, this.#open(StreamKind.DEALS, id, channel));
  }

  /** Rolling 24 h, as everything else the engine says of a day. */
  openMiniTickers(): void {
    this.#miniTickers ??= this.#open(StreamKind.MINI_TICKERS, NO_SYMBOL, formatChannel({ kind: 'miniTickers', timezone: '24H' }));
  }

  /** One more user of the symbol's one-minute candles. */
  openKline({ id, symbol }: TrackedSymbol): void {
    const use = this.#klines.get(id);
    if (use !== undefined) {
      clearTimeout(use.idle);
      use.users++;
      return;
    }
    const channel = formatChannel({ kind: 'kline', symbol, interval: 'Min1' });
    this.#klines.set(id, { line: this.#open(StreamKind.KLINE, id, channel), users: 1, idle: undefined });
  }

  /** One user less; true when that was the last one. The subscription ends when none came for a while after it. */
  closeKline(symbolId: number): boolean {
    const use = this.#klines.get(symbolId);
    if (use === undefined || use.users === 0 || --use.users > 0) return false;
    if (!this.#closed) use.idle = setTimeout(() => this.#endKline(symbolId, use), this.#options.timings.klineIdleMs);
    return true;
  }

  /** The symbol is not tracked any more. */
  forget(symbolId: number): void {
    const deals = this.#deals.get(symbolId);
    const kline = this.#klines.get(symbolId);
    this.#deals.delete(symbolId);
    if (deals !== undefined) this.#end(deals);
    if (kline !== undefined) this.#endKline(symbolId, kline);
  }

  /** A shard needs the symbol's last trades; when its stream does not stand, it asks again as soon as it does. */
  tradesWanted({ id, symbol }: TrackedSymbol): void {
    if (this.#deals.get(id)?.phase === LinePhase.SUBSCRIBED) this.#options.trades.request(id, symbol);
  }

  /** The shard begins anew with the symbol; its pushes go on meanwhile. */
  shardLost(symbolId: number): void {
    for (const line of [this.#deals.get(symbolId), this.#klines.get(symbolId)?.line]) {
      if (line?.phase === LinePhase.SUBSCRIBED) this.#say(line, true);
    }
  }

  /** The line's connection is open. */
  opened(line: StreamLine, connection: Connection): void {
    if (line.phase === LinePhase.SUBSCRIBING) this.#subscribe(line, connection);
  }

  accepted(line: StreamLine): void {
    if (line.phase !== LinePhase.SUBSCRIBING) return;
    line.phase = LinePhase.SUBSCRIBED;
    line.refusals.reset();
    this.#say(line, true);
  }

  refused(line: StreamLine, reason: string): void {
    if (line.phase !== LinePhase.SUBSCRIBING) return;
    this.#down(line);
    line.phase = LinePhase.REFUSED;
    const delayMs = line.refusals.next();
    line.timer = setTimeout(() => this.#place(line), delayMs);
    const suppressed = this.#refusals.pass();
    if (suppressed >= 0)
      this.#options.logger.warn(
        { channel: line.channel, connection: line.connection?.number, reason, retryInMs: Math.round(delayMs), suppressed },
        'subscription refused',
      );
  }

  /** Their connection was lost. */
  lost(lines: readonly StreamLine[]): void {
    for (const line of lines) {
      if (!line.up) continue;
      this.#down(line);
      this.#place(line);
    }
  }

  close(): void {
    this.#closed = true;
    for (const line of this.#lines()) clearTimeout(line.timer);
    for (const { idle } of this.#klines.values()) clearTimeout(idle);
  }

  *#lines(): Iterable<StreamLine> {
    yield* this.#deals.values();
    for (const { line } of this.#klines.values()) yield line;
    if (this.#miniTickers !== undefined) yield this.#miniTickers;
  }

  #open(kind: StreamKind, symbolId: number, channel: string): StreamLine {
    const { timings, random } = this.#options;
    const refusals = new Backoff({ baseMs: timings.refusedRetryMs, maxMs: timings.refusedRetryMaxMs, random });
    const line = new StreamLine(kind, symbolId, channel, refusals);
    this.#place(line);
    return line;
  }

  /** Subscribes it where it has its slot; when that connection is not open, as soon as it is. */
  #place(line: StreamLine): void {
    line.phase = LinePhase.SUBSCRIBING;
    const connection = line.connection ?? this.#options.pool.assign(line);
    if (connection.isOpen) this.#subscribe(line, connection);
    else connection.open();
  }

  #subscribe(line: StreamLine, connection: Connection): void {
    const { router } = this.#options;
    router.listen(line);
    router.setOwner(line, connection);
    line.up = true;
    connection.subscribe(line.channel);
  }

  #down(line: StreamLine): void {
    this.#options.router.setOwner(line, null);
    line.up = false;
    if (line.phase !== LinePhase.SUBSCRIBED) return;
    if (line.kind === StreamKind.DEALS) this.#options.trades.cancel(line.symbolId);
    this.#say(line, false);
  }

  #end(line: StreamLine): void {
    clearTimeout(line.timer);
    if (line.up) {
      line.connection?.unsubscribe(line.channel);
      this.#down(line);
    }
    line.phase = LinePhase.GONE;
    this.#options.release(line);
  }

  #endKline(symbolId: number, { line, idle }: KlineUse): void {
    clearTimeout(idle);
    this.#klines.delete(symbolId);
    this.#end(line);
  }

  #say({ kind, symbolId }: StreamLine, up: boolean): void {
    const { sink, clock } = this.#options;
    if (symbolId === NO_SYMBOL) return;
    if (up) sink.streamUp(symbolId, kind as SideStream, clock());
    else sink.streamDown(symbolId, kind as SideStream, clock());
  }
}
