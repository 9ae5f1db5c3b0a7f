import type { StateReason } from '../model/book-state.js';
import type { TrackedSymbol } from '../model/symbol.js';
import { Backoff } from './backoff.js';
import type { Random } from '../support/clock.js';
import type { Connection } from './connection.js';
import type { FeedTimings } from './timings.js';

/** Where a symbol's subscription stands. */
export const LinePhase = {
  /** Waits for its turn to be subscribed. */
  WAITING: 0,
  /** Has its turn; its connection is on the way, or the subscription is out and not answered. */
  SUBSCRIBING: 1,
  SUBSCRIBED: 2,
  /** Refused by the exchange, waits to be tried again. */
  REFUSED: 3,
  /** Untracked: nothing more happens to it. */
  GONE: 4,
} as const;
export type LinePhase = (typeof LinePhase)[keyof typeof LinePhase];

export interface LineBackoffs {
  /** Between snapshots of a book that does not become live, or not for long. */
  readonly resyncs: Backoff;
  /** Between snapshots of a silent book. */
  readonly silences: Backoff;
  /** Between subscriptions that are refused. */
  readonly refusals: Backoff;
  /** After the REST API refused the symbol. */
  readonly rejections: Backoff;
}

/** One tracked symbol as the feed sees it. */
export class SymbolLine implements LineBackoffs {
  readonly symbol: TrackedSymbol;
  readonly channel: string;
  readonly resyncs: Backoff;
  readonly silences: Backoff;
  readonly refusals: Backoff;
  readonly rejections: Backoff;
  phase: LinePhase = LinePhase.WAITING;
  /** Keeps its place there from the first subscription on, while the connection is lost too. */
  connection: Connection | undefined;
  /** Was subscribed before: its book is in use, so it goes before those that start. */
  returning = false;
  /** `lineUp` was said and no `lineDown` since. */
  up = false;
  /** As the shard says. */
  live = false;
  /** Unix ms since when it is live. */
  liveSince = 0;
  /** Subscribed, and neither a push nor the end of the wait for one has come. */
  awaitsFirstDelta = false;
  /** Snapshots handed to the shard since the line went up: without one no book becomes live. */
  snapshotsSinceUp = 0;
  /** One was handed over since the line went up or the book was last live, so far without success. */
  snapshotDelivered = false;
  /** The one resync without delay was used; returns after a good while live. */
  resyncedAtOnce = false;
  /** Checks of a silent book since the last push. */
  silentChecks = 0;
  /** Why the line is down; `undefined` when it never was. */
  downReason: StateReason | undefined;
  /** The first delta, the snapshot's effect, or the next subscription is awaited: one at a time. */
  timer: NodeJS.Timeout | undefined;

  constructor(symbol: TrackedSymbol, channel: string, backoffs: LineBackoffs) {
    this.symbol = symbol;
    this.channel = channel;
    this.resyncs = backoffs.resyncs;
    this.silences = backoffs.silences;
    this.refusals = backoffs.refusals;
    this.rejections = backoffs.rejections;
  }
}

/** A line that waits for its first turn. */
export function createLine(symbol: TrackedSymbol, channel: string, timings: FeedTimings, random: Random): SymbolLine {
  return new SymbolLine(symbol, channel, {
    resyncs: new Backoff({ baseMs: timings.snapshotRetryMs, maxMs: timings.snapshotRetryMaxMs, random }),
    silences: new Backoff({ baseMs: timings.silentRetryMs, maxMs: timings.silentRetryMaxMs, random }),
    refusals: new Backoff({ baseMs: timings.refusedRetryMs, maxMs: timings.refusedRetryMaxMs, random }),
    rejections: new Backoff({ baseMs: timings.rejectedRetryMs, maxMs: timings.rejectedRetryMaxMs, random }),
  });
}

/** Orders lines by turnover, the hottest first; those without a known turnover last, in order of their ids. */
export function compareHeat(a: SymbolLine, b: SymbolLine): number {
  const difference = (b.symbol.turnover ?? -1) - (a.symbol.turnover ?? -1);
  return difference !== 0 ? difference : a.symbol.id - b.symbol.id;
}
