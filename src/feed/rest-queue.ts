import { CodedError, ErrorCode } from '../support/errors.js';
import type { Clock } from '../support/clock.js';
import type { SnapshotBudget } from './snapshot-budget.js';

/** Lower ranks go first; requests of one rank in the order they were made. */
export const RestRank = {
  /** A client waits for the answer. */
  CANDLES: 0,
  TICKERS: 1,
  TIME: 2,
  /** A tape has a hole, or is empty. */
  TRADES: 3,
} as const;
export type RestRank = (typeof RestRank)[keyof typeof RestRank];

export interface RestRequest {
  readonly rank: RestRank;
  /** Sends it. */
  readonly fetch: () => Promise<Uint8Array>;
  readonly delivered: (body: Uint8Array, receiveTimeMs: number) => void;
  /** Never called because the whole host is refused for a while: the request keeps its place then. */
  readonly failed: (error: unknown) => void;
}

export interface RestQueueOptions {
  readonly budget: SnapshotBudget;
  /** Requests under way at once. */
  readonly inFlightMax: number;
  /** A book wants the next request of the budget. */
  readonly booksWait: () => boolean;
  readonly clock: Clock;
}

/** How long to leave the budget to the books before looking again. */
const YIELD_MS = 50;
/**
 * Between two requests for trades: they weigh 5 where an endpoint takes 500 in 10 s (MEXC spot v3 documentation), and with more of them the
 * exchange would refuse the books as well. A fifth below that.
 */
const TRADES_EVERY_MS = 125;

/** Everything asked of the REST API that is not a book: one budget for the host, and the books come first. */
export class RestQueue {
  readonly #options: RestQueueOptions;
  #queue: RestRequest[] = [];
  readonly #inFlight = new Set<RestRequest>();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  /** No request for trades before. */
  #tradesDueMs = 0;

  constructor(options: RestQueueOptions) {
    this.#options = options;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  add(request: RestRequest): void {
    if (this.#closed) return request.failed(new CodedError(ErrorCode.SHUTTING_DOWN, 'the feed is closed'));
    const behind = this.#queue.findIndex(({ rank }) => rank > request.rank);
    if (behind < 0) this.#queue.push(request);
    else this.#queue.splice(behind, 0, request);
    this.#pump();
  }

  /** Its answer is not wanted any more: neither `delivered` nor `failed` is called. */
  cancel(request: RestRequest): void {
    this.#inFlight.delete(request);
    this.#queue = this.#queue.filter((each) => each !== request);
  }

  /** Whoever waits is told SHUTTING_DOWN. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    const unanswered = [...this.#queue, ...this.#inFlight];
    this.#queue = [];
    this.#inFlight.clear();
    for (const request of unanswered) request.failed(new CodedError(ErrorCode.SHUTTING_DOWN, 'the feed is closed'));
  }

  #pump(): void {
    const { budget, inFlightMax, booksWait, clock } = this.#options;
    while (this.#queue.length > 0 && this.#inFlight.size < inFlightMax) {
      if (booksWait()) return this.#comeBack(YIELD_MS);
      // Last in rank: when one of them is first, nothing else waits.
      const isTrades = this.#queue[0]!.rank === RestRank.TRADES;
      if (isTrades && clock() < this.#tradesDueMs) return this.#comeBack(this.#tradesDueMs - clock());
      if (!budget.tryTake('start')) return this.#comeBack(budget.msUntil('start'));
      if (isTrades) this.#tradesDueMs = clock() + TRADES_EVERY_MS;
      const request = this.#queue.shift()!;
      this.#inFlight.add(request);
      void this.#run(request);
    }
  }

  #comeBack(delayMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#pump(), delayMs);
  }

  async #run(request: RestRequest): Promise<void> {
    let deliver: () => void;
    try {
      const body = await request.fetch();
      const receiveTimeMs = this.#options.clock();
      deliver = () => request.delivered(body, receiveTimeMs);
    } catch (error) {
      deliver = isHostFailure(error) ? () => void this.#queue.unshift(request) : () => request.failed(error);
    }
    if (this.#inFlight.delete(request)) deliver();
    this.#pump();
  }
}

/** The budget has paused everybody. */
export function isHostFailure(error: unknown): boolean {
  return error instanceof CodedError && (error.code === ErrorCode.EXCHANGE_THROTTLED || error.code === ErrorCode.EXCHANGE_FORBIDDEN);
}
