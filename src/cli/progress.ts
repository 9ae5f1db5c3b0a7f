import type { Logger } from 'pino';
import type { EngineStatus, MarketData } from '../model/market-data.js';
import type { LiveBlock } from './live-block.js';

export interface Progress {
  readonly live: number;
  readonly asked: number;
  /** Until the last book is live when every snapshot is answered as the budget allows; it may take longer. */
  readonly secondsLeft: number;
  /** Whether the exchange asked for a pause that is not over. */
  readonly paused: boolean;
}

/** How far the start-up is. `now` is Unix ms. */
export function readProgress(status: EngineStatus, now: number): Progress {
  const { books, snapshots } = status;
  const pauseMs = Math.max(0, (snapshots.pausedUntil ?? 0) - now);
  const secondsLeft = Math.ceil((books.tracked - books.live) / snapshots.ratePerSecond + pauseMs / 1_000);
  return { live: books.live, asked: books.tracked, secondsLeft, paused: pauseMs > 0 };
}

const BAR_COLUMNS = 24;

/** `[######..................] 12 of 50 books live, 5 s left` */
export function progressLine({ live, asked, secondsLeft, paused }: Progress): string {
  const filled = asked === 0 ? BAR_COLUMNS : Math.floor((live / asked) * BAR_COLUMNS);
  const bar = '#'.repeat(filled).padEnd(BAR_COLUMNS, '.');
  return `[${bar}] ${live} of ${asked} books live, ${secondsLeft} s left${paused ? ' (paused by the exchange)' : ''}`;
}

const DRAW_MS = 250;
/** At most one log line in this time, and none while nothing changed … */
const LOG_MS_MIN = 5_000;
/** … except one in this time, since a start-up that hangs must not fall silent. */
const LOG_MS_MAX = 60_000;

export interface ProgressOptions {
  readonly market: MarketData;
  readonly logger: Logger;
  /** Draws a line in place on a terminal; without it progress is logged. */
  readonly block: LiveBlock | undefined;
  readonly now?: () => number;
}

/** Shows the start-up until every book asked for is live, then logs that once. Does not keep the process alive. */
export class ProgressWatch {
  readonly #options: ProgressOptions;
  readonly #now: () => number;
  readonly #startedMs: number;
  readonly #timer: NodeJS.Timeout;
  #loggedMs: number;
  #loggedLive = 0;

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#startedMs = this.#now();
    this.#loggedMs = this.#startedMs;
    this.#timer = setInterval(() => this.tick(), DRAW_MS).unref();
  }

  /** Looks once; called by its own timer. */
  tick(): void {
    const now = this.#now();
    const progress = readProgress(this.#options.market.status(), now);
    if (progress.live >= progress.asked) this.#finish(progress, now);
    else if (this.#options.block === undefined) this.#log(progress, now);
    else this.#options.block.draw([progressLine(progress)]);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#options.block?.clear();
  }

  #finish({ live }: Progress, now: number): void {
    this.stop();
    this.#options.logger.info({ books: live, tookMs: now - this.#startedMs }, 'all books live');
  }

  #log(progress: Progress, now: number): void {
    const sinceMs = now - this.#loggedMs;
    if (sinceMs < LOG_MS_MIN || (progress.live === this.#loggedLive && sinceMs < LOG_MS_MAX)) return;
    this.#loggedMs = now;
    this.#loggedLive = progress.live;
    const { live, asked, secondsLeft, paused } = progress;
    this.#options.logger.info({ live, asked, secondsLeft, paused }, 'books going live');
  }
}
