import type { Logger } from 'pino';
import type { Clock } from '../support/clock.js';
import type { ConnectionPool } from './connection-pool.js';
import type { Connection, ConnectionHandlers } from './connection.js';
import type { FrameRouter } from './frame-router.js';
import { type HeldFrame, Replacement } from './replacement.js';
import { LinePhase } from './stream-line.js';
import type { StreamLine } from './stream-line.js';
import type { TwinLines } from './twin-lines.js';
import type { FeedTimings } from './timings.js';

export interface RotationOptions {
  readonly pool: ConnectionPool;
  readonly router: FrameRouter;
  readonly handlers: ConnectionHandlers;
  readonly timings: FeedTimings;
  readonly clock: Clock;
  /** With two lines. */
  readonly twins: TwinLines | undefined;
  readonly logger: Logger;
  /** A connection that is not needed any more. */
  readonly leave: (connection: Connection) => void;
}

/** Successive multiples of it, modulo 1, lie far apart: connections opened together come due apart. */
const GOLDEN_RATIO = 0.618034;
/** 22 to 23.5 h. */
const AGE_SPREAD = 1.5 / 23.5;
/** Looks in a connection's life, at least. */
const LOOKS = 100;
/** Two seconds each: 135 connections, the books and trades of 2,000 symbols, take about 70 s. */
const REPLACEMENTS_MAX = 4;

/**
 * Replaces connections before the exchange cuts them at 24 h: a few at a time, so that a process that started everything
 * at once does not lose everything at once a day later, and holds only a few connections more than it needs.
 */
export class Rotation {
  readonly #options: RotationOptions;
  readonly #timer: NodeJS.Timeout;
  /** Under way, by the connection that is to go. */
  readonly #replacements = new Map<Connection, Replacement>();
  #replaced = 0;
  /** When a replacement failed last: the others go first. */
  readonly #failedAt = new WeakMap<Connection, number>();

  constructor(options: RotationOptions) {
    this.#options = options;
    const { connectionAgeCheckMs, connectionAgeMaxMs } = options.timings;
    this.#timer = setInterval(() => this.#look(), Math.min(connectionAgeCheckMs, connectionAgeMaxMs / LOOKS));
  }

  /** Connections replaced so far. */
  get replaced(): number {
    return this.#replaced + (this.#options.twins?.replaced ?? 0);
  }

  /** The connection was lost or closed: nothing to replace. */
  gone(connection: Connection): void {
    const replacement = this.#replacements.get(connection);
    if (replacement !== undefined) this.#abandon(replacement);
  }

  close(): void {
    clearInterval(this.#timer);
    for (const replacement of this.#replacements.values()) this.#abandon(replacement);
  }

  #look(): void {
    const { pool, twins } = this.#options;
    let room = REPLACEMENTS_MAX - this.#replacements.size - (twins?.replacing ?? 0);
    // A copy: what is replaced at once changes the pool. Those that failed before come last.
    const hasFailed = (connection: Connection): number => (this.#failedAt.has(connection) ? 1 : 0);
    for (const connection of [...pool.connections()].sort((a, b) => hasFailed(a) - hasFailed(b))) {
      if (room <= 0) return;
      if (!this.#isAged(connection) || this.#replacements.has(connection) || twins?.isReplacing(connection) === true) continue;
      const lines = [...pool.lines(connection)].filter((line) => line.phase === LinePhase.SUBSCRIBED);
      if (lines.length === 0) continue;
      this.#begin(connection, lines);
      room--;
    }
    // Never both lines of the same channels at once.
    twins?.replace(room, (first, connection) => this.#isAged(connection) && !this.#replacements.has(first));
  }

  #isAged(connection: Connection): boolean {
    const { clock, timings } = this.#options;
    const now = clock();
    const ageMaxMs = timings.connectionAgeMaxMs * (1 - AGE_SPREAD * ((connection.number * GOLDEN_RATIO) % 1));
    if (!connection.isOpen || now - connection.openedAt < ageMaxMs) return false;
    return now - (this.#failedAt.get(connection) ?? -Infinity) >= timings.connectionAgeCheckMs;
  }

  #begin(old: Connection, lines: readonly StreamLine[]): void {
    const { pool, router, timings, logger } = this.#options;
    pool.retire(old, true);
    const fresh = pool.createReplacement(old);
    fresh.line = old.line;
    const replacement = new Replacement({
      old,
      fresh,
      lines,
      holdMs: timings.replacementHoldMs,
      // A refusal may be an accident. One that comes again must not keep the connection until the exchange cuts it.
      tolerant: this.#failedAt.has(old),
      ready: (replacement) => this.#takeOver(replacement),
      failed: (replacement, reason) => {
        logger.warn({ connection: old.number, reason }, 'replacing an ageing connection failed, trying later');
        // What came may be newer than what a connection brings that is dead without anybody knowing: those books are not what they seem, then.
        for (const { bytes, receiveTimeMs, isText } of this.#abandon(replacement))
          if (!isText) router.routeDepth(old, bytes, receiveTimeMs);
      },
    });
    this.#replacements.set(old, replacement);
    replacement.start();
  }

  #takeOver(replacement: Replacement): void {
    const { pool, router, handlers, twins, leave, logger } = this.#options;
    const { old, fresh, channels, refused } = replacement;
    const carried = new Set(channels);
    const moving = [...pool.lines(old)].filter((line) => line.up);
    // Subscribed on the old connection alone since this began: not carried, so not yet.
    if (moving.some((line) => !carried.has(line.channel) || line.phase !== LinePhase.SUBSCRIBED)) return void this.#abandon(replacement);
    this.#replacements.delete(old);
    const held = replacement.end();
    pool.replace(old, fresh, channels.length);
    twins?.moved(old, fresh);
    for (const line of moving) {
      router.setOwner(line, fresh);
      carried.delete(line.channel);
    }
    fresh.handlers = handlers;
    for (const channel of carried) if (!refused.has(channel)) fresh.unsubscribe(channel);
    for (const { bytes, receiveTimeMs, isText } of held) {
      if (isText) handlers.text(fresh, bytes, receiveTimeMs);
      else router.route(fresh, bytes, 0, bytes.length, receiveTimeMs);
    }
    for (const line of moving) {
      const reason = refused.get(line.channel);
      if (reason === undefined) continue;
      // As if it had been asked for by itself.
      twins?.drop(line);
      line.phase = LinePhase.SUBSCRIBING;
      handlers.refused(fresh, line.channel, reason);
    }
    leave(old);
    this.#replaced++;
    logger.info({ connection: old.number, by: fresh.number, streams: moving.length }, 'replaced an ageing connection');
    this.#look();
  }

  /** The old connection stays. Returns what the other one brought. */
  #abandon(replacement: Replacement): readonly HeldFrame[] {
    const { pool, leave, clock } = this.#options;
    this.#replacements.delete(replacement.old);
    this.#failedAt.set(replacement.old, clock());
    const held = replacement.end();
    pool.retire(replacement.old, false);
    pool.discard(replacement.fresh);
    leave(replacement.fresh);
    return held;
  }
}
