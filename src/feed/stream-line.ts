import type { StreamKind } from '../model/feed.js';
import type { Backoff } from './backoff.js';
import type { Connection } from './connection.js';

/** Where a subscription stands. */
export const LinePhase = {
  /** Waits for its turn to be subscribed. */
  WAITING: 0,
  /** Has its turn; its connection is on the way, or the subscription is out and not answered. */
  SUBSCRIBING: 1,
  SUBSCRIBED: 2,
  /** Refused by the exchange, waits to be tried again. */
  REFUSED: 3,
  /** Not wanted any more: nothing more happens to it. */
  GONE: 4,
} as const;
export type LinePhase = (typeof LinePhase)[keyof typeof LinePhase];

/** One subscription: a channel, and the connection that carries it or is to. */
export class StreamLine {
  readonly kind: StreamKind;
  /** NO_SYMBOL when the channel is about all symbols. */
  readonly symbolId: number;
  readonly channel: string;
  /** Between subscriptions that are refused. */
  readonly refusals: Backoff;
  phase: LinePhase = LinePhase.WAITING;
  /** Keeps its place there from the first subscription on, while the connection is lost too. */
  connection: Connection | undefined;
  /** The subscription is out or stands, on a connection that is open. */
  up = false;
  /** One period at a time is awaited, e.g. the one before the next subscription. */
  timer: NodeJS.Timeout | undefined;

  constructor(kind: StreamKind, symbolId: number, channel: string, refusals: Backoff) {
    this.kind = kind;
    this.symbolId = symbolId;
    this.channel = channel;
    this.refusals = refusals;
  }
}
