import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { GatewayContext } from '../context.js';
import type { RouteDocs } from '../openapi/route-docs.js';
import { EngineStatus, SymbolStatus } from '../schemas/status.js';
import { NoQuery, SymbolParams } from './query.js';

const engineDocs: RouteDocs = {
  tag: 'engine',
  summary: 'The engine and its clients',
  description:
    '`framesDropped` counts pushes whose changes the book held already, usual around a snapshot, and those that found a ring full.',
  answers: { 200: { description: 'shards, connections, counters, clients', schema: EngineStatus } },
};

const symbolDocs: RouteDocs = {
  tag: 'engine',
  summary: 'One book, live or not',
  description:
    '`inexactNumbers` counts numbers too long for a whole number below 2^53, kept as the nearest double; `evictedLevels` counts levels ' +
    'dropped because a side was full.',
  answers: { 200: { description: 'its state, reason and counters', schema: SymbolStatus } },
  problems: ['SYMBOL_NOT_TRACKED'],
};

/** `GET /status`: the engine and its clients. `GET /status/:symbol`: one book, live or not. */
export const status: FastifyPluginAsyncTypebox<{ context: GatewayContext }> = async (app, { context }) => {
  const { market, hub, directory } = context;

  app.get('/status', { schema: { querystring: NoQuery }, config: { docs: engineDocs } }, async () => ({
    ...market.status(),
    clients: hub.status(),
  }));

  app.get('/status/:symbol', { schema: { params: SymbolParams, querystring: NoQuery }, config: { docs: symbolDocs } }, async (request) =>
    market.symbolStatus(directory.require(request.params.symbol)),
  );
};
