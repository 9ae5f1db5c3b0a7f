import { CodedError, ErrorCode } from '../support/errors.js';
import type { Clock } from '../support/clock.js';
import type { SnapshotBudget } from './snapshot-budget.js';

/** What requests are for. The kinds that wait take turns; requests of one kind go in the order they were made. */
export const RestKind = {
  /** A client waits for candles. */
  CANDLES: 0,
  /** Candles that publications lack. */
  HISTORY: 1,
  TICKERS: 2,
  TIME: 3,
  /** A tape has a hole, or is empty. */
  TRADES: 4,
  /** An audit that found no request to spare for long. */
  AUDIT: 5,
} as const;
export type RestKind = (typeof RestKind)[keyof typeof RestKind];

/** By RestKind. */
export const restKindNames = ['candles', 'history', 'tickers', 'time', 'trades', 'audit'] as const;
export type RestKindName = (typeof restKindNames)[number];

export interface RestRequest {
  readonly kind: RestKind;
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

export type RestQueueStatus = Readonly<Record<RestKindName, { readonly waiting: number; readonly refused: number }>>;

/** How long to leave the budget to the books before looking again. */
const YIELD_MS = 50;
/**
 * Between two requests for trades: they weigh 5 where an endpoint takes 500 in 10 s (MEXC spot v3 documentation), and with more of them the
 * exchange would refuse the books as well. A fifth below that.
 */
const TRADES_EVERY_MS = 125;
/** Candles clients wait for: as many as go out in half the time they are waited for, by turns with all others, so that an answer still comes in time. */
const CANDLES_WAIT_S = 5;
const CANDLES_WAITING_MIN = 16;
/** Nobody's answer hangs on these: publications say again what they lack. */
const HISTORY_WAITING_MAX = 4_096;

/**
 * Everything asked of the REST API that is not a book: one budget for the host, the books come first, and then the kinds by turns.
 *
 * Bounded: one more request for candles than may wait is refused with EXCHANGE_QUEUE_FULL. The other kinds bound themselves: one request a
 * symbol for trades, one in all for tickers, the time and audits.
 */
export class RestQueue {
  readonly #options: RestQueueOptions;
  /** By kind, the first first. */
  readonly #waiting: Set<RestRequest>[] = restKindNames.map(() => new Set());
  readonly #refused: number[] = restKindNames.map(() => 0);
  readonly #inFlight = new Set<RestRequest>();
  /** The kind that was served last. */
  #served = restKindNames.length - 1;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  /** No request for trades before. */
  #tradesDueMs = 0;

  constructor(options: RestQueueOptions) {
    this.#options = options;
  }

  get waiting(): number {
    return this.#waiting.reduce((sum, { size }) => sum + size, 0);
  }

  get status(): RestQueueStatus {
    const each = (kind: number) => ({ waiting: this.#waiting[kind]!.size, refused: this.#refused[kind]! });
    return Object.fromEntries(restKindNames.map((name, kind) => [name, each(kind)])) as RestQueueStatus;
  }

  hasRoom(kind: RestKind): boolean {
    const { size } = this.#waiting[kind]!;
    if (kind === RestKind.CANDLES) return size < Math.max(CANDLES_WAITING_MIN, CANDLES_WAIT_S * this.#turnsPerSecond(kind));
    return kind !== RestKind.HISTORY || size < HISTORY_WAITING_MAX;
  }

  /** Requests of a kind that go out while as many kinds wait as now. */
  #turnsPerSecond(kind: RestKind): number {
    const others = this.#waiting.filter(({ size }, other) => size > 0 && other !== kind).length;
    return this.#options.budget.ratePerSecond / (1 + others);
  }

  isWaiting(request: RestRequest): boolean {
    return this.#waiting[request.kind]!.has(request);
  }

  /** May call `failed` before it returns: SHUTTING_DOWN, or EXCHANGE_QUEUE_FULL with `details.retryAfterMs`. */
  add(request: RestRequest): void {
    if (this.#closed) return request.failed(new CodedError(ErrorCode.SHUTTING_DOWN, 'the feed is closed'));
    const { kind } = request;
    const waiting = this.#waiting[kind]!;
    if (!this.hasRoom(kind)) {
      this.#refused[kind]!++;
      const retryAfterMs = Math.ceil((waiting.size * 1000) / this.#turnsPerSecond(kind));
      const error = new CodedError(ErrorCode.EXCHANGE_QUEUE_FULL, `${waiting.size} such requests wait for the exchange already`, {
        retryAfterMs,
      });
      return request.failed(error);
    }
    waiting.add(request);
    this.#pump();
  }

  /** Its answer is not wanted any more: neither `delivered` nor `failed` is called. */
  cancel(request: RestRequest): void {
    this.#inFlight.delete(request);
    this.#waiting[request.kind]!.delete(request);
  }

  /** Whoever waits is told SHUTTING_DOWN. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    const unanswered = [...this.#waiting.flatMap((requests) => [...requests]), ...this.#inFlight];
    for (const requests of this.#waiting) requests.clear();
    this.#inFlight.clear();
    for (const request of unanswered) request.failed(new CodedError(ErrorCode.SHUTTING_DOWN, 'the feed is closed'));
  }

  #pump(): void {
    const { budget, inFlightMax, booksWait, clock } = this.#options;
    while (this.waiting > 0 && this.#inFlight.size < inFlightMax) {
      if (booksWait()) return this.#comeBack(YIELD_MS);
      const request = this.#next();
      if (request === undefined) return this.#comeBack(this.#tradesDueMs - clock());
      if (!budget.tryTake('start')) return this.#comeBack(budget.msUntil('start'));
      const { kind } = request;
      if (kind === RestKind.TRADES) this.#tradesDueMs = clock() + TRADES_EVERY_MS;
      this.#served = kind;
      this.#waiting[kind]!.delete(request);
      this.#inFlight.add(request);
      void this.#run(request);
    }
  }

  /** The first of the kind whose turn it is; `undefined` when only trades wait, and for their time. */
  #next(): RestRequest | undefined {
    const kinds = restKindNames.length;
    for (let i = 1; i <= kinds; i++) {
      const kind = (this.#served + i) % kinds;
      if (kind === RestKind.TRADES && this.#options.clock() < this.#tradesDueMs) continue;
      for (const first of this.#waiting[kind]!) return first;
    }
    return undefined;
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
      deliver = isHostFailure(error) ? () => this.#putBack(request) : () => request.failed(error);
    }
    if (this.#inFlight.delete(request)) deliver();
    this.#pump();
  }

  /** In front of its kind. */
  #putBack(request: RestRequest): void {
    this.#waiting[request.kind] = new Set([request, ...this.#waiting[request.kind]!]);
  }
}

/** The budget has paused everybody. */
export function isHostFailure(error: unknown): boolean {
  return error instanceof CodedError && (error.code === ErrorCode.EXCHANGE_THROTTLED || error.code === ErrorCode.EXCHANGE_FORBIDDEN);
}
