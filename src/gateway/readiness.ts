import type { MarketData, ShardStatus } from '../model/market-data.js';

/** Whether the process is of use, and the numbers that say why. */
export interface Readiness {
  readonly ready: boolean;
  readonly live: number;
  readonly tracked: number;
  /** Books that must be live. */
  readonly required: number;
  readonly shards: number;
  /** Shards that do not run. */
  readonly idle: readonly Pick<ShardStatus, 'shard' | 'state'>[];
}

/** Ready when every shard runs and enough of the tracked books are live. */
export function readReadiness(market: MarketData, readyShare: number): Readiness {
  const { books, shards } = market.status();
  const required = booksRequired(books.tracked, readyShare);
  const idle = shards.filter((shard) => shard.state !== 'running').map(({ shard, state }) => ({ shard, state }));
  const ready = books.live >= required && idle.length === 0;
  return { ready, live: books.live, tracked: books.tracked, required, shards: shards.length, idle };
}

/** How many books must be live for the process to be ready. */
export function booksRequired(tracked: number, share: number): number {
  return tracked === 0 ? 0 : Math.max(1, Math.floor(tracked * share));
}
