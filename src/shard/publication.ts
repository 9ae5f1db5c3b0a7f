import type { DeltaBuffer } from '../book/delta-buffer.js';
import type { OrderBooks } from '../book/order-books.js';
import type { MessageKind, PublicationSpec, TradesHead } from '../model/publication.js';
import type { TickerStore } from '../ticker/ticker-store.js';
import type { Tapes } from '../tape/tapes.js';
import type { MessageWriter } from './message-writer.js';
import type { ProtoWriter } from './proto-writer.js';
import type { ShardCandles } from './shard-candles.js';

/** Hands an encoded message to the main thread; false when there is no room now. */
export type Emit = (publicationId: number, kind: MessageKind, token: number, frame: Uint8Array) => boolean;

/** The same for a message of the channel `trade`. */
export type EmitTrades = (publicationId: number, frame: Uint8Array, head: TradesHead) => boolean;

/** Why a snapshot is sent. */
export type SnapshotReason = 'subscribe' | 'resync' | 'slow' | 'rescale' | 'evicted';

/** What every publication of a symbol works with. */
export interface PublicationParts {
  readonly symbol: string;
  /** The symbol's place in the shard's memory. */
  readonly slot: number;
  readonly books: OrderBooks;
  readonly candles: ShardCandles;
  readonly tickers: TickerStore;
  readonly tapes: Tapes;
  /** For `Format.JSON`. */
  readonly writer: MessageWriter;
  /** For the protobuf formats. */
  readonly protoWriter: ProtoWriter;
  readonly emit: Emit;
  readonly emitTrades: EmitTrades;
  /** Unix ms, for the time of publication. */
  readonly clock: () => number;
}

/**
 * One stream of messages about one symbol: a channel, its parameters, and at least one subscriber. All messages are encoded in the shard, once,
 * whatever the number of subscribers. Each channel has its own class; the shard tells all of them what happens to the symbol.
 */
export interface Publication {
  readonly id: number;
  readonly spec: PublicationSpec;
  /** The book took an update (`delta`: its columns) and is live. On the path of every push: returns at once when it does not matter here. */
  updated(delta: DeltaBuffer): void;
  /** The symbol's tape took trades, or its state changed. Returns at once when it does not matter here. */
  tapeChanged(): void;
  /** The exchange said something about the symbol's last 24 hours. Returns at once when it does not matter here. */
  tickerChanged(): void;
  /** The clock moved on: sends what is due. Only while the book is live. */
  tick(nowMs: number): void;
  /** The book is live again, or this publication was just opened on a live book: everybody starts from a whole state. */
  restarted(reason: SnapshotReason): void;
  /** The book's state changed to one that is not live, or (`status`) to any. */
  stateChanged(): void;
  /** The clock moved on while the book is not live: says what found no room before, and what does not need a live book. */
  retryState(): void;
  /** One subscriber asks for a whole state. Returns false when there is no room now: it is asked again later. */
  snapshotFor(token: number, reason: SnapshotReason): boolean;
}
