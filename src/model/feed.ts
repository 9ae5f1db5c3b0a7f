import type { StateReason } from './book-state.js';

/** The streams of the exchange the feed subscribes to. */
export const StreamKind = { DEPTH: 0, DEALS: 1, KLINE: 2, MINI_TICKERS: 3 } as const;
export type StreamKind = (typeof StreamKind)[keyof typeof StreamKind];
export const STREAM_KINDS = 4;

/** The symbol id of a stream that is about all symbols. */
export const NO_SYMBOL = -1;

/** Where the audits of books are done: in the shard that owns the symbol. */
export interface AuditSink {
  /** A snapshot for an audit is about to be asked for: pushes are kept from here on. */
  auditBegun(symbolId: number, timeMs: number): void;
  /** The body of a `/api/v3/depth` answer, unparsed. */
  auditSnapshot(symbolId: number, body: Uint8Array, receiveTimeMs: number): void;
  /** No snapshot will come. */
  auditCancelled(symbolId: number, timeMs: number): void;
}

/** Candles of the exchange's own lengths, asked of it by REST: those that open in [fromMs, toMs), Unix ms. */
export interface KlinesRange {
  /** Place in `baseIntervals`. */
  readonly base: number;
  readonly fromMs: number;
  readonly toMs: number;
}

/** The streams of one symbol beside its depth. */
export type SideStream = typeof StreamKind.DEALS | typeof StreamKind.KLINE;

/**
 * Where the feed puts what it receives; every call becomes a record in the ring of the shard that owns the symbol, or of every shard. Methods
 * that return a boolean copy one push (binary ones are `bytes[start, end)`) and say false when the sender should pause reading for a moment because a ring runs full; the
 * push itself was taken, or (when nothing fits) dropped and counted.
 */
export interface FeedSink {
  /** A push of the symbol's depth, on line 0 or 1. When it is dropped, its book is marked for a resync. */
  frame(symbolId: number, bytes: Uint8Array, start: number, end: number, receiveTimeMs: number, line: number): boolean;
  /** The body of a `/api/v3/depth` answer, unparsed. */
  snapshot(symbolId: number, body: Uint8Array, receiveTimeMs: number): void;
  /** The symbol's line is down (or its subscription was refused): the book is no longer live. */
  lineDown(symbolId: number, reason: StateReason, timeMs: number): void;
  /** The symbol is subscribed (again) from here on: old buffers are dropped, the book waits for a snapshot. */
  lineUp(symbolId: number, timeMs: number): void;

  /** The exchange confirmed the subscription: every push from here on arrives. Some may have come before. */
  streamUp(symbolId: number, kind: SideStream, timeMs: number): void;
  /** Pushes are missed from here on. */
  streamDown(symbolId: number, kind: SideStream, timeMs: number): void;
  /** A push of the symbol's trades, on line 0 or 1. When it is dropped, the shard is told that some are missing. */
  deals(symbolId: number, bytes: Uint8Array, start: number, end: number, receiveTimeMs: number, line: number): boolean;
  /** A push of the symbol's one-minute candle. */
  kline(symbolId: number, bytes: Uint8Array, start: number, end: number, receiveTimeMs: number): boolean;
  /** A push of the tickers of many symbols, for every shard. */
  miniTickers(bytes: Uint8Array, start: number, end: number, receiveTimeMs: number): boolean;
  /** A text frame of the JSON streams, for the symbol's shard, or (NO_SYMBOL) for every shard. One that is dropped is counted. */
  text(symbolId: number, bytes: Uint8Array, receiveTimeMs: number): boolean;
  /** The body of a `/api/v3/trades` answer, unparsed. */
  trades(symbolId: number, body: Uint8Array, receiveTimeMs: number): void;
  /** The body of a `/api/v3/klines` answer, unparsed, and what was asked for. */
  klines(symbolId: number, range: KlinesRange, body: Uint8Array, receiveTimeMs: number): void;
  /** The body of a `/api/v3/ticker/24hr` answer about all symbols, unparsed, for every shard. */
  tickers(body: Uint8Array, receiveTimeMs: number): void;
}
