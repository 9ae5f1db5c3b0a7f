import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { GatewayContext } from '../context.js';
import { NoQuery, SymbolParams } from './query.js';

/** `GET /status`: the engine and its clients. `GET /status/:symbol`: one book, live or not. */
export const status: FastifyPluginAsyncTypebox<{ context: GatewayContext }> = async (app, { context }) => {
  const { market, hub, directory } = context;

  app.get('/status', { schema: { querystring: NoQuery } }, async () => ({ ...market.status(), clients: hub.status() }));

  app.get('/status/:symbol', { schema: { params: SymbolParams, querystring: NoQuery } }, async (request) =>
    market.symbolStatus(directory.require(request.params.symbol)),
  );
};
