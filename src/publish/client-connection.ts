import type { Publication } from './subscription.js';
import type { SkippedRun } from './trade-backlog.js';

/** Why a client is sent away. */
export type CloseReason = 'SLOW_CONSUMER' | 'RATE_LIMITED' | 'IDLE' | 'SHUTTING_DOWN';

/**
 * Where a client's messages go, as they are: a raw socket or what behaves like one. `writableLength` is in bytes; while `writableNeedDrain`
 * is true, a 'drain' will follow once everything is gone.
 */
export interface Outlet {
  write(frame: Buffer): unknown;
  /** Between these two whatever is written may be held back, to leave at once. */
  cork(): void;
  uncork(): void;
  readonly writableLength: number;
  readonly writableNeedDrain: boolean;
}

/** What the fan-out needs of a connected client. The gateways implement it. */
export interface ClientConnection {
  readonly outlet: Outlet;
  /** False once its end has begun, on either side: no message may follow. */
  isOpen(): boolean;
  /** Tells the client why it has to go. */
  close(reason: CloseReason): void;
  /** Drops the connection without waiting for the client. */
  terminate(): void;
  /** The book of the publication is not live. Returns false when the client is not to be told by a message. */
  takesState(): boolean;
  /** The symbol of this publication is no longer tracked: nothing more will come. */
  publicationEnded(publication: Publication): void;
  /** Trades of this publication were dropped because the client is slow: tells it at once which. */
  tradesSkipped(publication: Publication, skipped: SkippedRun): void;
}
