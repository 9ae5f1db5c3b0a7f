import type { SymbolAudits } from './audit.js';
import type { BookStateName, StateReasonName } from './book-state.js';
import type { BookCopy } from './book-copy.js';
import type { Candle } from './candle.js';
import type { CandleInterval } from './candle-interval.js';
import type { EngineMeters } from './meters.js';
import type { TrackedSymbol } from './symbol.js';
import type { Ticker } from './ticker.js';
import type { TapePage } from './trade.js';

/** Where the data comes from; a simulated exchange is always labelled as one. */
export interface SourceInfo {
  readonly venue: 'mexc';
  readonly simulated: boolean;
  readonly wsUrl: string;
  readonly restUrl: string;
}

export interface SymbolStatus {
  readonly symbol: string;
  readonly state: BookStateName;
  readonly reason: StateReasonName;
  /** Unix ms of the last change of state. */
  readonly since: number;
  readonly epoch: number;
  readonly seq: number;
  readonly version: number;
  /** Since the last update was received; `null` before the first. */
  readonly ageMs: number | null;
  readonly shard: number;
  readonly connection: number | null;
  readonly bidLevels: number;
  readonly askLevels: number;
  readonly counters: {
    readonly framesApplied: number;
    readonly framesDropped: number;
    readonly gaps: number;
    readonly resyncs: number;
    readonly framesRefused: number;
    readonly inexactNumbers: number;
    readonly evictedLevels: number;
  };
}

/** Why a worker thread is no more: it ended itself, threw, had no memory left, did no work, or never began. */
export const workerDeaths = ['exited', 'threw', 'out_of_memory', 'hung', 'not_started'] as const;
export type WorkerDeath = (typeof workerDeaths)[number];

export interface ShardStatus {
  readonly shard: number;
  readonly state: 'starting' | 'running' | 'restarting' | 'stopped';
  readonly restarts: number;
  /** Workers lost in a row, of which none but the first worked for two minutes; 0 once one has. */
  readonly deaths: number;
  /** Why the last worker was lost; `null` when none was. */
  readonly lastDeath: WorkerDeath | null;
  readonly symbols: number;
  readonly ringBytes: number;
  readonly ringCapacity: number;
  readonly memoryBytes: number;
  readonly memoryCapacity: number;
}

export interface ConnectionStatus {
  readonly connection: number;
  /** 0, or with two lines 1 on the other one. */
  readonly line: number;
  readonly state: 'connecting' | 'open' | 'waiting' | 'closed';
  readonly subscriptions: number;
  readonly reconnects: number;
  readonly frames: number;
  /** Unix ms of the last frame of any kind; `null` before the first. */
  readonly lastReceived: number | null;
  /** The WebSocket close code of the last loss, e.g. 1006; `null` when it never closed. */
  readonly lastCloseCode: number | null;
}

/** The exchange's clock against ours. */
export interface ExchangeClockStatus {
  /** Above 0: the exchange's clock is ahead. */
  readonly offsetMs: number;
  /** The offset is off by no more. */
  readonly errorMs: number;
  /** Unix ms. */
  readonly measuredAt: number;
}

export interface EngineStatus {
  readonly source: SourceInfo;
  readonly instance: string;
  readonly startedAt: number;
  readonly books: {
    readonly tracked: number;
    readonly live: number;
    readonly syncing: number;
    readonly stale: number;
    readonly suspect: number;
  };
  readonly shards: readonly ShardStatus[];
  readonly connections: readonly ConnectionStatus[];
  readonly snapshots: {
    readonly waiting: number;
    readonly inFlight: number;
    readonly ratePerSecond: number;
    /** Unix ms until which no request is sent (429, 403, 418), or `null`. */
    readonly pausedUntil: number | null;
  };
  /** `null` before it was measured. */
  readonly exchangeClock: ExchangeClockStatus | null;
  readonly counters: {
    readonly frames: number;
    readonly bytes: number;
    readonly framesApplied: number;
    readonly framesDropped: number;
    readonly framesRefused: number;
    readonly framesUnknownSymbol: number;
    readonly gaps: number;
    readonly resyncs: number;
    readonly crossedBooks: number;
    readonly readRetries: number;
  };
}

/** Which candles: those that open from `start` to `end`, both inclusive, Unix ms; `null` = no bound. */
export interface CandleRange {
  readonly start: number | null;
  readonly end: number | null;
  /** 1 to 1,000. */
  readonly limit: number;
}

/** What the gateways know of the engine: the whole of it, and nothing else. Main thread only. */
export interface MarketData {
  /** Random word of this process: part of every ETag, since epochs begin anew with a process. */
  readonly instance: string;
  readonly source: SourceInfo;
  find(symbol: string): TrackedSymbol | undefined;
  /** The tracked symbol with the most similar name, for error texts; `undefined` when nothing is near. */
  nearest(symbol: string): string | undefined;
  tracked(): Iterable<TrackedSymbol>;
  /**
   * Copies the top `depth` levels (0 = all, -1 = none) of a book into `copy` under its version check.
   * Returns false when the writer was faster every time (bounded retries): ask again a moment later.
   */
  readBook(symbol: TrackedSymbol, depth: number, copy: BookCopy): boolean;
  /**
   * The last 24 hours of a symbol. Bid and ask are those of `book`, a copy with at least the best levels, or of the book as it is now.
   * `undefined` when a writer was faster every time: ask again a moment later.
   */
  readTicker(symbol: TrackedSymbol, book?: Readonly<BookCopy>): Ticker | undefined;
  /**
   * The newest `limit` trades of a symbol with an id below `before` (`null`: the newest of all), as far as the tape has them.
   * `undefined` when the writer was faster every time (bounded retries): ask again a moment later.
   */
  readTrades(symbol: TrackedSymbol, limit: number, before: number | null): TapePage | undefined;
  /** Tracks one more symbol. Throws CodedError SYMBOL_NOT_LISTED or SYMBOL_CAPACITY_REACHED; returns at once when it is tracked already. */
  track(symbol: string): Promise<{ readonly symbol: TrackedSymbol; readonly added: boolean }>;
  /** Stops tracking and frees the memory; false when it was not tracked. */
  untrack(symbol: string): boolean;
  /**
   * The newest `limit` candles that open in the range, oldest first; fewer where the symbol has no more. Asks the exchange for what the engine
   * has not seen. Throws CodedError CANDLES_NOT_READY, EXCHANGE_QUEUE_FULL or another EXCHANGE_….
   */
  candles(symbol: TrackedSymbol, interval: CandleInterval, range: CandleRange): Promise<readonly Candle[]>;
  symbolStatus(symbol: TrackedSymbol): SymbolStatus;
  /** From one audit to the next, in ms; `null` = books are not audited. */
  readonly auditEveryMs: number | null;
  /** The last price of each side the exchange's book vouches for, as decimal text; `null` = the whole side, or nothing of an empty book. `undefined` as of `readBook` its false. */
  reach(symbol: TrackedSymbol): { readonly bid: string | null; readonly ask: string | null } | undefined;
  /** The audits of a book since it is tracked. */
  audits(symbol: TrackedSymbol): SymbolAudits;
  status(): EngineStatus;
  /** What is counted for the operator, since the process started. */
  meters(): EngineMeters;
}
