import type { MarketData, ShardStatus } from '../model/market-data.js';

/** Workers of a shard lost in a row (`ShardStatus.deaths`) at which the process calls itself not ready, even while the next one works. */
export const WORKER_DEATHS_MAX = 3;

/** Why a process is not ready; what comes first counts. */
export const unreadyReasons = ['worker_deaths', 'shards_not_running', 'books_not_live'] as const;
export type UnreadyReason = (typeof unreadyReasons)[number];

/** Whether the process is of use, and the numbers that say why. */
export interface Readiness {
  readonly ready: boolean;
  /** `null` when it is ready. */
  readonly reason: UnreadyReason | null;
  readonly live: number;
  readonly tracked: number;
  /** Books that must be live. */
  readonly required: number;
  readonly shards: number;
  /** Shards that do not run, or whose workers die again and again. */
  readonly failing: readonly Pick<ShardStatus, 'shard' | 'state' | 'deaths' | 'lastDeath'>[];
}

/** Ready when every shard runs, none has lost its workers again and again, and enough of the tracked books are live. */
export function readReadiness(market: MarketData, readyShare: number): Readiness {
  const { books, shards } = market.status();
  const required = booksRequired(books.tracked, readyShare);
  const failing = shards
    .filter((shard) => shard.state !== 'running' || isDying(shard))
    .map(({ shard, state, deaths, lastDeath }) => ({ shard, state, deaths, lastDeath }));
  const reason = unreadyReason(failing, books.live >= required);
  return { ready: reason === null, reason, live: books.live, tracked: books.tracked, required, shards: shards.length, failing };
}

function unreadyReason(failing: Readiness['failing'], enoughLive: boolean): UnreadyReason | null {
  if (failing.some(isDying)) return 'worker_deaths';
  if (failing.length > 0) return 'shards_not_running';
  return enoughLive ? null : 'books_not_live';
}

function isDying({ deaths }: Pick<ShardStatus, 'deaths'>): boolean {
  return deaths >= WORKER_DEATHS_MAX;
}

/** How many books must be live for the process to be ready. */
export function booksRequired(tracked: number, share: number): number {
  return tracked === 0 ? 0 : Math.max(1, Math.floor(tracked * share));
}
