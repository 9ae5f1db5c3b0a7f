import type { Logger } from 'pino';
import { CodedError, ErrorCode } from '../support/errors.js';
import type { Clock, Random } from '../support/clock.js';
import { Backoff } from './backoff.js';
import { LogGate } from './log-gate.js';
import { RestKind } from './rest-queue.js';
import type { RestQueue, RestRequest } from './rest-queue.js';
import type { FeedTimings } from './timings.js';

/** As many as MEXC gives. */
export const TRADES_LIMIT = 1000;

export interface TradesFetcherOptions {
  readonly queue: RestQueue;
  readonly rest: { trades(symbol: string, limit: number): Promise<Uint8Array> };
  readonly delivered: (symbolId: number, body: Uint8Array, receiveTimeMs: number) => void;
  readonly timings: FeedTimings;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

interface Job {
  readonly symbol: string;
  readonly retries: Backoff;
  readonly rejections: Backoff;
  request: RestRequest | undefined;
  timer: NodeJS.Timeout | undefined;
  /** Unix ms of the last request; 0 = none yet. */
  requestedAt: number;
}

/** Fetches the last trades of symbols whose tape asks for them, until they are there: one request a symbol at a time. */
export class TradesFetcher {
  readonly #options: TradesFetcherOptions;
  readonly #failures: LogGate;
  readonly #jobs = new Map<number, Job>();
  #closed = false;

  constructor(options: TradesFetcherOptions) {
    this.#options = options;
    this.#failures = new LogGate(5000, options.clock);
  }

  /** Asks anew: an answer on its way may be older than what the tape has lost since. A tape that asks in a row waits longer each time. */
  request(symbolId: number, symbol: string): void {
    if (this.#closed) return;
    const { timings, clock } = this.#options;
    let job = this.#jobs.get(symbolId);
    if (job === undefined) this.#jobs.set(symbolId, (job = this.#createJob(symbol)));
    this.#stop(job);
    const recent = clock() - job.requestedAt < timings.liveStableMs;
    if (!recent) job.retries.reset();
    this.#ask(symbolId, job, recent ? job.retries.next() : 0);
  }

  /** Forgets the symbol's request and its failures. */
  cancel(symbolId: number): void {
    const job = this.#jobs.get(symbolId);
    if (job === undefined) return;
    this.#stop(job);
    this.#jobs.delete(symbolId);
  }

  close(): void {
    this.#closed = true;
    for (const job of this.#jobs.values()) this.#stop(job);
    this.#jobs.clear();
  }

  #createJob(symbol: string): Job {
    const { timings, random } = this.#options;
    return {
      symbol,
      retries: new Backoff({ baseMs: timings.snapshotRetryMs, maxMs: timings.snapshotRetryMaxMs, random }),
      rejections: new Backoff({ baseMs: timings.rejectedRetryMs, maxMs: timings.rejectedRetryMaxMs, random }),
      request: undefined,
      timer: undefined,
      requestedAt: 0,
    };
  }

  #ask(symbolId: number, job: Job, delayMs: number): void {
    job.timer = setTimeout(() => {
      const { queue, rest, delivered, clock } = this.#options;
      job.requestedAt = clock();
      job.request = {
        kind: RestKind.TRADES,
        fetch: () => rest.trades(job.symbol, TRADES_LIMIT),
        delivered: (body, receiveTimeMs) => {
          job.request = undefined;
          delivered(symbolId, body, receiveTimeMs);
        },
        failed: (error) => this.#failed(symbolId, job, error),
      };
      queue.add(job.request);
    }, delayMs);
  }

  #failed(symbolId: number, job: Job, error: unknown): void {
    job.request = undefined;
    const refused = error instanceof CodedError && error.code === ErrorCode.EXCHANGE_REFUSED;
    const delayMs = refused ? job.rejections.next() : job.retries.next();
    const suppressed = this.#failures.pass();
    if (suppressed >= 0) {
      this.#options.logger.warn(
        { err: error, symbol: job.symbol, retryInMs: Math.round(delayMs), suppressed },
        'the last trades could not be fetched',
      );
    }
    this.#ask(symbolId, job, delayMs);
  }

  #stop(job: Job): void {
    clearTimeout(job.timer);
    if (job.request !== undefined) this.#options.queue.cancel(job.request);
    job.request = undefined;
  }
}
