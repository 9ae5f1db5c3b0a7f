import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { GatewayContext } from '../context.js';
import type { RouteDocs } from '../openapi/route-docs.js';
import { Problem } from '../problem.js';
import { readReadiness } from '../readiness.js';
import { Live, Ready } from '../schemas/status.js';
import { NoQuery } from './query.js';

const liveDocs: RouteDocs = {
  tag: 'engine',
  summary: 'Whether the process answers',
  answers: { 200: { description: 'it does', schema: Live, example: { status: 'live' } } },
};

const readyDocs: RouteDocs = {
  tag: 'engine',
  summary: 'Whether the process is of use',
  description:
    'Ready when every shard runs, none has lost three workers in a row within two minutes at work each, and nine in ten of the tracked ' +
    'books (rounded down, at least one) are live. Otherwise the same numbers, a `reason`, and a `phase`: `starting` until the first time all was well, `degraded` afterwards.',
  answers: { 200: { description: 'it is', schema: Ready, example: { status: 'ready', live: 3, tracked: 3, required: 2 } } },
  problems: ['NOT_READY'],
};

/**
 * `GET /health/live`: 200 as long as the event loop runs.
 *
 * `GET /health/ready`: 200 when every shard runs, none has lost WORKER_DEATHS_MAX workers in a row, and enough of the tracked books are
 * live: the stated share (default 90 %) rounded down, but at least one. Nothing tracked is ready. Not every book, because a listed pair that
 * the exchange refuses or that never trades stays out for ever. Otherwise 503 NOT_READY with `{phase, reason, live, tracked, required, shards}`;
 * `phase` is `starting` until the first time all was well, `degraded` afterwards.
 */
export const health: FastifyPluginAsyncTypebox<{ context: GatewayContext }> = async (app, { context }) => {
  const { market, limits } = context;
  let started = false;

  app.get('/health/live', { schema: { querystring: NoQuery }, config: { docs: liveDocs, needs: 'open' } }, async (_request, reply) => {
    reply.header('cache-control', 'no-store');
    return { status: 'live' };
  });

  app.get('/health/ready', { schema: { querystring: NoQuery }, config: { docs: readyDocs, needs: 'open' } }, async (_request, reply) => {
    const { ready, reason, live, tracked, required, shards, failing } = readReadiness(market, limits.readyShare);
    const progress = { live, tracked, required };
    if (!ready) {
      const about = reason === 'worker_deaths' ? 'keep losing their workers' : 'not running';
      const detail = `${live} of ${tracked} books live, ${required} needed; ${failing.length} of ${shards} shards ${about}`;
      throw new Problem('NOT_READY', detail, { phase: started ? 'degraded' : 'starting', reason, ...progress, shards: failing });
    }
    started = true;
    reply.header('cache-control', 'no-store');
    return { status: 'ready', ...progress };
  });
};
