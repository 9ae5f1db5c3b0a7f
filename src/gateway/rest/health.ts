import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { GatewayContext } from '../context.js';
import { Problem } from '../problem.js';
import { NoQuery } from './query.js';

/**
 * `GET /health/live`: 200 as long as the event loop runs.
 *
 * `GET /health/ready`: 200 when every shard runs and enough of the tracked books are live: the stated share (default 90 %)
 * rounded down, but at least one. Nothing tracked is ready. Not every book, because a listed pair that the exchange
 * refuses or that never trades stays out for ever. Otherwise 503 NOT_READY with `{phase, live, tracked, required}`;
 * `phase` is `starting` until the first time all was well, `degraded` afterwards.
 */
export const health: FastifyPluginAsyncTypebox<{ context: GatewayContext }> = async (app, { context }) => {
  const { market, limits } = context;
  let started = false;

  app.get('/health/live', { schema: { querystring: NoQuery } }, async (_request, reply) => {
    reply.header('cache-control', 'no-store');
    return { status: 'live' };
  });

  app.get('/health/ready', { schema: { querystring: NoQuery } }, async (_request, reply) => {
    const { books, shards } = market.status();
    const required = booksRequired(books.tracked, limits.readyShare);
    const idle = shards.filter((shard) => shard.state !== 'running').map(({ shard, state }) => ({ shard, state }));
    const progress = { live: books.live, tracked: books.tracked, required };
    if (books.live < required || idle.length > 0) {
      const detail = `${books.live} of ${books.tracked} books live, ${required} needed; ${idle.length} of ${shards.length} shards not running`;
      throw new Problem('NOT_READY', detail, { phase: started ? 'degraded' : 'starting', ...progress, shards: idle });
    }
    started = true;
    reply.header('cache-control', 'no-store');
    return { status: 'ready', ...progress };
  });
};

/** How many books must be live for the process to be ready. */
export function booksRequired(tracked: number, share: number): number {
  return tracked === 0 ? 0 : Math.max(1, Math.floor(tracked * share));
}
