import type { PublicationSpec } from '../model/publication.js';
import type { TrackedSymbol } from '../model/symbol.js';
import type { Subscriber } from './subscriber.js';
import { TradeBacklog } from './trade-backlog.js';

/** One stream of encoded messages, shared by all its subscribers. Main thread only. */
export interface Publication {
  readonly id: number;
  readonly key: string;
  readonly symbol: TrackedSymbol;
  readonly spec: PublicationSpec;
  readonly subscriptions: Subscription[];
  /** A message has come since it was opened; before that a newcomer waits for the first one like everybody else. */
  answered: boolean;
  /** Length of its newest snapshot frame: what another one is expected to cost. */
  snapshotBytes: number;
}

export type SnapshotReason = 'subscribe' | 'slow';

/** Expected length of a snapshot nobody has seen yet. */
const FIRST_SNAPSHOT_BYTES = 16 * 1024;

/** One client's share of a publication. All fields exist from the start, so that every one has the same shape. */
export class Subscription {
  readonly publication: Publication;
  readonly subscriber: Subscriber;
  /** Its place in `publication.subscriptions`. */
  index: number;
  /** `book` only: needs a snapshot before deltas mean anything. */
  waiting = true;
  /** The outstanding snapshot request; 0 = none. */
  token = 0;
  /** Bytes the outstanding request was expected to cost; 0 = none. */
  requestedBytes = 0;
  /** When the hub's checks first saw the outstanding request, Unix ms; -1 = not yet. */
  requestSeenAtMs = -1;
  /** Why the next request is made. */
  reason: SnapshotReason = 'subscribe';
  /** Newest messages withheld from a slow client; `null` = nothing withheld. */
  pendingData: Buffer | null = null;
  pendingState: Buffer | null = null;
  /** The order in which the two were withheld. */
  stateIsNewer = false;
  /** `trade` only: withheld from a slow client. */
  readonly backlog = new TradeBacklog();

  constructor(publication: Publication, subscriber: Subscriber, index: number) {
    this.publication = publication;
    this.subscriber = subscriber;
    this.index = index;
  }

  get key(): string {
    return this.publication.key;
  }
}

export function createPublication(id: number, key: string, symbol: TrackedSymbol, spec: PublicationSpec): Publication {
  return { id, key, symbol, spec, subscriptions: [], answered: false, snapshotBytes: FIRST_SNAPSHOT_BYTES };
}

/** Two subscriptions with the same key are the same subscription. */
export function publicationKey(symbolId: number, spec: PublicationSpec): string {
  const key = `${symbolId}:${spec.channel}:${spec.depth}:${spec.intervalMs}:${spec.format}`;
  return spec.candleInterval === undefined ? key : `${key}:${spec.candleInterval}`;
}
