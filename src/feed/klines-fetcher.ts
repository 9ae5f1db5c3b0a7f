import type { Logger } from 'pino';
import { klinesQuery } from '../mexc/decode-klines.js';
import type { KlineQuery } from '../mexc/rest-client.js';
import type { KlinesRange } from '../model/feed.js';
import type { TrackedSymbol } from '../model/symbol.js';
import { CodedError, ErrorCode } from '../support/errors.js';
import { RestKind } from './rest-queue.js';
import type { RestQueue, RestRequest } from './rest-queue.js';

export interface KlinesFetcherOptions {
  readonly queue: RestQueue;
  readonly rest: { klines(symbol: string, query: KlineQuery): Promise<Uint8Array> };
  readonly delivered: (symbolId: number, range: KlinesRange, body: Uint8Array, receiveTimeMs: number) => void;
  readonly logger: Logger;
}

/** A publication that still lacks candles says so every 5 s: not heard of for twice as long, they are not wanted any more. */
const WANTED_MS = 10_000;

interface Client {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
  /** The signal is not listened to any more. */
  readonly settled: () => void;
}

interface Job {
  readonly key: string;
  readonly symbol: TrackedSymbol;
  /** Grows while the request waits. */
  range: KlinesRange;
  request: RestRequest | undefined;
  readonly clients: Set<Client>;
  /** Runs while publications want it. */
  wanted: NodeJS.Timeout | undefined;
}

/**
 * Fetches candles. What begins at the same candle of a symbol is asked for once, whoever wants it, as far as any of them wants it; a request
 * nobody waits for any more leaves the queue, unless it is under way.
 */
export class KlinesFetcher {
  readonly #options: KlinesFetcherOptions;
  /** By symbol id and question. */
  readonly #jobs = new Map<number, Map<string, Job>>();

  constructor(options: KlinesFetcherOptions) {
    this.#options = options;
  }

  /**
   * For a client, who waits until `signal`: from then on the promise is never settled. Resolves when an answer was delivered; it may end
   * before `range` does. Rejects with a CodedError: of the REST client, EXCHANGE_QUEUE_FULL, SYMBOL_NOT_TRACKED, SHUTTING_DOWN.
   */
  fetch(symbol: TrackedSymbol, range: KlinesRange, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const job = this.#join(symbol, range);
      const leave = (): void => {
        job.clients.delete(client);
        this.#leaveIfUnwanted(job);
      };
      const client = { resolve, reject, settled: () => signal.removeEventListener('abort', leave) };
      signal.addEventListener('abort', leave);
      job.clients.add(client);
      this.#queue(job, RestKind.CANDLES);
    });
  }

  /** For publications, until they have not said it again for 10 s. */
  want(symbol: TrackedSymbol, range: KlinesRange): void {
    const job = this.#join(symbol, range);
    clearTimeout(job.wanted);
    job.wanted = setTimeout(() => this.#noMoreWanted(job), WANTED_MS);
    this.#queue(job, RestKind.HISTORY);
  }

  /** No publication of the symbol's candles is left. */
  unwant(symbolId: number): void {
    for (const job of this.#jobsOf(symbolId)) this.#noMoreWanted(job);
  }

  /** The symbol is not tracked any more: clients are told SYMBOL_NOT_TRACKED, answers under way are thrown away. */
  cancel(symbolId: number): void {
    for (const job of this.#jobsOf(symbolId)) {
      this.#options.queue.cancel(job.request!);
      this.#failed(job, new CodedError(ErrorCode.SYMBOL_NOT_TRACKED, `${job.symbol.symbol} is not tracked`));
    }
  }

  #join(symbol: TrackedSymbol, range: KlinesRange): Job {
    const key = `${range.base} ${range.fromMs}`;
    let jobs = this.#jobs.get(symbol.id);
    if (jobs === undefined) this.#jobs.set(symbol.id, (jobs = new Map()));
    let job = jobs.get(key);
    if (job === undefined) {
      job = { key, symbol, range, request: undefined, clients: new Set(), wanted: undefined };
      jobs.set(key, job);
    } else if (this.#isWaiting(job) && range.toMs > job.range.toMs) job.range = range;
    return job;
  }

  /** One that waits behind publications goes to the clients' kind as soon as a client waits for it. */
  #queue(job: Job, kind: RestKind): void {
    const { queue } = this.#options;
    if (job.request !== undefined) {
      const rises = kind === RestKind.CANDLES && job.request.kind !== kind && this.#isWaiting(job) && queue.hasRoom(kind);
      if (!rises) return;
      queue.cancel(job.request);
    }
    job.request = this.#createRequest(job, kind);
    queue.add(job.request);
  }

  #isWaiting({ request }: Job): boolean {
    return request !== undefined && this.#options.queue.isWaiting(request);
  }

  #createRequest(job: Job, kind: RestKind): RestRequest {
    const { rest, delivered } = this.#options;
    return {
      kind,
      fetch: () => rest.klines(job.symbol.symbol, klinesQuery(job.range)),
      delivered: (body, receiveTimeMs) => {
        this.#end(job);
        delivered(job.symbol.id, job.range, body, receiveTimeMs);
        for (const { resolve } of job.clients) resolve();
      },
      failed: (error) => this.#failed(job, error),
    };
  }

  #failed(job: Job, error: unknown): void {
    this.#end(job);
    if (job.clients.size === 0) this.#options.logger.debug({ err: error, symbol: job.symbol.symbol }, 'no candles fetched');
    for (const { reject } of job.clients) reject(error);
  }

  #noMoreWanted(job: Job): void {
    clearTimeout(job.wanted);
    job.wanted = undefined;
    this.#leaveIfUnwanted(job);
  }

  #leaveIfUnwanted(job: Job): void {
    if (job.clients.size > 0 || job.wanted !== undefined || !this.#isWaiting(job)) return;
    this.#options.queue.cancel(job.request!);
    this.#end(job);
  }

  /** As they are now: those that end meanwhile are still among them. */
  #jobsOf(symbolId: number): readonly Job[] {
    return [...(this.#jobs.get(symbolId)?.values() ?? [])];
  }

  #end(job: Job): void {
    clearTimeout(job.wanted);
    const jobs = this.#jobs.get(job.symbol.id);
    jobs?.delete(job.key);
    if (jobs?.size === 0) this.#jobs.delete(job.symbol.id);
    for (const { settled } of job.clients) settled();
  }
}
