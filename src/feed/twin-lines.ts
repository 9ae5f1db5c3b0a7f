import type { Logger } from 'pino';
import type { ConnectionStatus } from '../model/market-data.js';
import type { Clock, Random } from '../support/clock.js';
import { Backoff } from './backoff.js';
import type { ConnectionPool } from './connection-pool.js';
import type { Connection, ConnectionHandlers } from './connection.js';
import type { FrameRouter } from './frame-router.js';
import { LinePhase } from './stream-line.js';
import type { StreamLine } from './stream-line.js';
import type { FeedTimings } from './timings.js';

export interface TwinLinesOptions {
  readonly pool: ConnectionPool;
  readonly router: FrameRouter;
  /** Subscriptions over a connection's life. */
  readonly slots: number;
  /** Those of a connection that carries lines by itself. */
  readonly handlers: ConnectionHandlers;
  readonly timings: FeedTimings;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** A twin was open and is no more. */
  readonly lost: () => void;
  /** A connection that is not needed any more. */
  readonly leave: (connection: Connection) => void;
}

/** The second connection of one that carries lines, and how far it is. */
interface Twin {
  /** That whose lines it repeats. */
  first: Connection;
  readonly connection: Connection;
  /** By channel: subscribed here, answered or not. */
  readonly asked: Map<string, StreamLine>;
  /** Of these, the channels the exchange confirmed, and since when, Unix ms, every push of theirs comes here too. */
  readonly carried: Map<string, number>;
  /** Channels the exchange refused to one that is to take another's place. */
  readonly refused: Set<string>;
  /** Subscriptions of this life of the connection. */
  used: number;
  readonly refusals: Backoff;
  retry: NodeJS.Timeout | undefined;
  /** Takes its place because of its age, once it carries as much. */
  heir: Twin | undefined;
}

/**
 * Two lines: each connection that carries streams has a twin that subscribes the same channels, as soon as they stand, and whatever comes first
 * on either counts (the shards know depth by its versions and trades by their ids). When a connection is lost, its twin takes its place at once
 * with all it carries, nobody is told, and the lost one comes back as the twin. What a twin does not carry yet is lost as with one line.
 */
export class TwinLines {
  readonly #options: TwinLinesOptions;
  /** By the connection whose lines they repeat. */
  readonly #twins = new Map<Connection, Twin>();
  /** Twins whose heir was given up before: the others go first, and a refusal is borne. */
  readonly #failed = new WeakSet<Connection>();
  #takeovers = 0;
  #replaced = 0;

  constructor(options: TwinLinesOptions) {
    this.#options = options;
  }

  /** Losses of a connection that its twin made up for. */
  get takeovers(): number {
    return this.#takeovers;
  }

  /** Twins replaced because of their age. */
  get replaced(): number {
    return this.#replaced;
  }

  /** Twins that are being replaced. */
  get replacing(): number {
    let count = 0;
    for (const { heir } of this.#twins.values()) if (heir !== undefined) count++;
    return count;
  }

  /** The twin of that connection is being replaced. */
  isReplacing(first: Connection): boolean {
    return this.#twins.get(first)?.heir !== undefined;
  }

  status(): ConnectionStatus[] {
    return [...this.#twins.values()].map(({ connection }) => connection.status());
  }

  /** The line's subscription stands on its connection: the twin subscribes it too. */
  carry(line: StreamLine): void {
    const first = line.connection!;
    const twin = this.#twins.get(first) ?? this.#create(first);
    twin.connection.open();
    this.#subscribe(twin, line);
    if (twin.heir !== undefined) this.#subscribe(twin.heir, line);
  }

  /** The line leaves its connection. */
  drop(line: StreamLine): void {
    const twin = line.connection === undefined ? undefined : this.#twins.get(line.connection);
    if (twin === undefined) return;
    this.#options.router.setTwin(line, null);
    for (const each of [twin, twin.heir]) {
      if (each?.asked.delete(line.channel) !== true) continue;
      each.carried.delete(line.channel);
      each.connection.unsubscribe(line.channel);
      // It may have been the last one the heir waited for, and then no answer comes any more.
      if (each === twin.heir) this.#inheritWhenComplete(twin, each, line);
    }
  }

  /** The connection has left the pool. */
  gone(first: Connection): void {
    const twin = this.#twins.get(first);
    if (twin === undefined) return;
    this.#twins.delete(first);
    this.#end(twin);
  }

  /**
   * The connection was lost. Its twin takes its place and its lines, and it becomes the twin. Returns the lines the twin does not carry, which
   * are down; `undefined` when it carries none, and nothing changed. What it carries since the connection was last heard of it does not carry: from when the
   * connection was dead without anybody knowing neither may have brought everything.
   */
  takeOver(lost: Connection): StreamLine[] | undefined {
    const twin = this.#twins.get(lost);
    if (twin === undefined || !twin.connection.isOpen) return undefined;
    const { pool, router, handlers, logger } = this.#options;
    const { connection, carried, asked } = twin;
    const lines = [...pool.lines(lost)];
    const isWhole = (channel: string): boolean => (carried.get(channel) ?? Infinity) < lost.lastReceived;
    const left = lines.filter((line) => line.phase !== LinePhase.SUBSCRIBED || !isWhole(line.channel));
    if (left.length === lines.length) return undefined;
    this.#twins.delete(lost);
    clearTimeout(twin.retry);
    if (twin.heir !== undefined) this.#forsake(twin);
    for (const line of lines) {
      router.setTwin(line, null);
      if (!left.includes(line)) router.setOwner(line, connection);
    }
    pool.takeOver(lost, connection, twin.used);
    for (const line of left) {
      // It is asked for again from the start, here or elsewhere.
      if (asked.has(line.channel)) connection.unsubscribe(line.channel);
      if (!pool.takeAnother(connection)) pool.release(line);
    }
    connection.handlers = handlers;
    this.#takeovers++;
    logger.info({ connection: lost.number, by: connection.number, streams: lines.length - left.length }, 'the other line took over');
    this.#twins.set(connection, this.#twin(connection, lost));
    lost.open();
    return left;
  }

  /** `fresh` took the place of `old` and has its lines. */
  moved(old: Connection, fresh: Connection): void {
    const twin = this.#twins.get(old);
    if (twin === undefined) return;
    this.#twins.delete(old);
    twin.first = fresh;
    if (twin.heir !== undefined) twin.heir.first = fresh;
    this.#twins.set(fresh, twin);
  }

  /** Begins to replace up to `most` twins that are due. Each stays until its heir carries as much. */
  replace(most: number, isDue: (first: Connection, twin: Connection) => boolean): void {
    const due = [...this.#twins].filter(([first, twin]) => twin.heir === undefined && isDue(first, twin.connection));
    const hasFailed = ([, { connection }]: [Connection, Twin]): number => (this.#failed.has(connection) ? 1 : 0);
    for (const [first, twin] of due.sort((a, b) => hasFailed(a) - hasFailed(b)).slice(0, Math.max(0, most))) {
      const fresh = this.#options.pool.createReplacement(first);
      fresh.line = twin.connection.line;
      twin.heir = this.#twin(first, fresh);
      fresh.handlers = this.#heirHandlers(twin, twin.heir);
      fresh.open();
    }
  }

  close(): void {
    for (const twin of this.#twins.values()) this.#end(twin);
    this.#twins.clear();
  }

  #create(first: Connection): Twin {
    const connection = this.#options.pool.createReplacement(first);
    connection.line = 1 - first.line;
    const twin = this.#twin(first, connection);
    this.#twins.set(first, twin);
    return twin;
  }

  #twin(first: Connection, connection: Connection): Twin {
    const { timings, random } = this.#options;
    const refusals = new Backoff({ baseMs: timings.refusedRetryMs, maxMs: timings.refusedRetryMaxMs, random });
    const twin: Twin = {
      first,
      connection,
      asked: new Map(),
      carried: new Map(),
      refused: new Set(),
      used: 0,
      refusals,
      retry: undefined,
      heir: undefined,
    };
    connection.handlers = this.#twinHandlers(twin);
    return twin;
  }

  #end(twin: Twin): void {
    clearTimeout(twin.retry);
    for (const line of twin.asked.values()) this.#options.router.setTwin(line, null);
    if (twin.heir !== undefined) this.#forsake(twin);
    this.#leave(twin.connection);
  }

  #leave(connection: Connection): void {
    this.#options.pool.discard(connection);
    this.#options.leave(connection);
  }

  /** The heir is given up. */
  #forsake(twin: Twin): void {
    const { connection } = twin.heir!;
    twin.heir = undefined;
    this.#leave(connection);
  }

  /** Subscribes what stands on the first connection and is not here yet. */
  #fill(twin: Twin): void {
    for (const line of this.#options.pool.lines(twin.first)) if (line.phase === LinePhase.SUBSCRIBED) this.#subscribe(twin, line);
  }

  #subscribe(twin: Twin, line: StreamLine): void {
    if (!twin.connection.isOpen || twin.asked.has(line.channel)) return;
    // It begins to count anew when it opens anew.
    if (twin.used >= this.#options.slots) return twin.connection.terminate('no subscriptions left');
    twin.used++;
    twin.asked.set(line.channel, line);
    twin.connection.subscribe(line.channel);
  }

  /** What was refused is asked for again. */
  #fillLater(twin: Twin): void {
    twin.retry ??= setTimeout(() => {
      twin.retry = undefined;
      this.#fill(twin);
    }, twin.refusals.next());
  }

  #twinHandlers(twin: Twin): ConnectionHandlers {
    const { router } = this.#options;
    return {
      frame: (connection, bytes, start, end, receiveTimeMs) => router.route(connection, bytes, start, end, receiveTimeMs),
      // Most have no version to know a second one by: one line of them is enough.
      text: () => {},
      opened: () => this.#fill(twin),
      lost: () => this.#lost(twin),
      accepted: (connection, channel) => {
        const line = twin.asked.get(channel);
        if (line === undefined) return;
        twin.carried.set(channel, this.#options.clock());
        twin.refusals.reset();
        router.setTwin(line, connection);
      },
      refused: (_connection, channel) => {
        if (twin.asked.delete(channel)) this.#fillLater(twin);
      },
      // What is heard of the channel may have come on the first line.
      isFlowing: () => false,
    };
  }

  #heirHandlers(twin: Twin, heir: Twin): ConnectionHandlers {
    const failed = (): void => {
      if (twin.heir !== heir) return;
      this.#failed.add(twin.connection);
      this.#forsake(twin);
    };
    return {
      frame: () => {},
      text: () => {},
      opened: () => this.#fill(heir),
      lost: failed,
      accepted: (_connection, channel) => {
        if (heir.asked.has(channel)) heir.carried.set(channel, this.#options.clock());
        this.#inheritWhenComplete(twin, heir);
      },
      refused: (_connection, channel) => {
        heir.refused.add(channel);
        // A refusal may be an accident; one that comes again must not keep the twin until the exchange cuts it.
        if (!this.#failed.has(twin.connection) || 2 * heir.refused.size > heir.asked.size) return failed();
        heir.asked.delete(channel);
        this.#inheritWhenComplete(twin, heir);
      },
      isFlowing: () => false,
    };
  }

  /** `leaving`: is about to leave the first connection, and may stand there still. */
  #inheritWhenComplete(twin: Twin, heir: Twin, leaving?: StreamLine): void {
    for (const line of this.#options.pool.lines(heir.first)) {
      if (line === leaving) continue;
      if (line.phase === LinePhase.SUBSCRIBED && !heir.carried.has(line.channel) && !heir.refused.has(line.channel)) return;
    }
    if (twin.heir === heir) this.#inherit(twin, heir);
  }

  #inherit(twin: Twin, heir: Twin): void {
    clearTimeout(twin.retry);
    twin.heir = undefined;
    this.#twins.set(heir.first, heir);
    heir.connection.handlers = this.#twinHandlers(heir);
    // What it brought before was not handed on.
    for (const channel of heir.carried.keys()) heir.carried.set(channel, this.#options.clock());
    for (const line of heir.asked.values()) this.#options.router.setTwin(line, heir.connection);
    if (heir.refused.size > 0) this.#fillLater(heir);
    this.#leave(twin.connection);
    this.#replaced++;
    this.#options.logger.info(
      { connection: twin.connection.number, by: heir.connection.number, streams: heir.carried.size },
      'replaced an ageing connection of the second line',
    );
  }

  #lost(twin: Twin): void {
    this.#options.lost();
    clearTimeout(twin.retry);
    twin.retry = undefined;
    for (const line of twin.asked.values()) this.#options.router.setTwin(line, null);
    twin.asked.clear();
    twin.carried.clear();
    twin.used = 0;
    twin.connection.open();
  }
}
