import { defaultConnectionTimings } from './connection.js';
import type { ConnectionTimings } from './connection.js';

/** Every period of the feed, in ms. */
export interface FeedTimings {
  /** How long to wait for a symbol's first delta before its snapshot is asked for; a quiet symbol sends none. */
  readonly firstDeltaWaitMs: number;
  /** Between snapshots of a book that does not become live, doubling up to `snapshotRetryMaxMs`. */
  readonly snapshotRetryMs: number;
  readonly snapshotRetryMaxMs: number;
  /** A snapshot that was handed over and made nothing live after so long, with no word from the shard, is asked for again. */
  readonly snapshotSettleMs: number;
  /** A book that stayed live for so long may resync at once again. */
  readonly liveStableMs: number;
  /** Between snapshots of a silent book, doubling up to `silentRetryMaxMs`; the first goes at once. */
  readonly silentRetryMs: number;
  readonly silentRetryMaxMs: number;
  /** Between tries of a refused subscription. */
  readonly refusedRetryMs: number;
  readonly refusedRetryMaxMs: number;
  /** Between snapshots of a symbol the REST API does not know. */
  readonly rejectedRetryMs: number;
  readonly rejectedRetryMaxMs: number;
  /** A symbol's candles stay subscribed for so long after their last user left, so that one who comes and goes costs the exchange nothing. */
  readonly klineIdleMs: number;
  /** A connection is replaced at this age, or up to 3/47 of it earlier so that not all come due together; MEXC cuts it at 24 h. */
  readonly connectionAgeMaxMs: number;
  /** How often ages are looked at; more often when `connectionAgeMaxMs` is short. */
  readonly connectionAgeCheckMs: number;
  /** How much of a replacement's stream is held back to overlap with the old one's. */
  readonly replacementHoldMs: number;
  /** Pushes of an audited symbol are kept for so long before its snapshot is asked for: answers may be older than the pushes. */
  readonly auditLeadMs: number;
  /** How long an audit may wait for room in the budget, and how long for the shard's word after its snapshot. */
  readonly auditWaitMs: number;
  readonly connection: ConnectionTimings;
}

export const defaultFeedTimings: FeedTimings = {
  firstDeltaWaitMs: 1000,
  snapshotRetryMs: 1000,
  snapshotRetryMaxMs: 30_000,
  snapshotSettleMs: 15_000,
  liveStableMs: 10_000,
  silentRetryMs: 30_000,
  silentRetryMaxMs: 300_000,
  refusedRetryMs: 5000,
  refusedRetryMaxMs: 300_000,
  rejectedRetryMs: 60_000,
  rejectedRetryMaxMs: 600_000,
  klineIdleMs: 30_000,
  connectionAgeMaxMs: 23.5 * 3600 * 1000,
  connectionAgeCheckMs: 30_000,
  replacementHoldMs: 1500,
  auditLeadMs: 500,
  auditWaitMs: 30_000,
  connection: defaultConnectionTimings,
};

export type FeedTimingsOverride = Partial<Omit<FeedTimings, 'connection'>> & { readonly connection?: Partial<ConnectionTimings> };

export function feedTimings(override: FeedTimingsOverride = {}): FeedTimings {
  return { ...defaultFeedTimings, ...override, connection: { ...defaultConnectionTimings, ...override.connection } };
}
