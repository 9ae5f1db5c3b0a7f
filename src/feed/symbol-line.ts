import type { StateReason } from '../model/book-state.js';
import type { TrackedSymbol } from '../model/symbol.js';
import { Backoff } from './backoff.js';
import type { Random } from '../support/clock.js';
import { StreamKind } from '../model/feed.js';
import { StreamLine } from './stream-line.js';
import type { FeedTimings } from './timings.js';

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

/** The depth of one tracked symbol as the feed sees it. `up`: `lineUp` was said and no `lineDown` since. */
export class SymbolLine extends StreamLine implements LineBackoffs {
  readonly symbol: TrackedSymbol;
  readonly resyncs: Backoff;
  readonly silences: Backoff;
  readonly rejections: Backoff;
  /** Was subscribed before: its book is in use, so it goes before those that start. */
  returning = false;
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

  constructor(symbol: TrackedSymbol, channel: string, backoffs: LineBackoffs) {
    super(StreamKind.DEPTH, symbol.id, channel, backoffs.refusals);
    this.symbol = symbol;
    this.resyncs = backoffs.resyncs;
    this.silences = backoffs.silences;
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
