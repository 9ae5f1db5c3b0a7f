import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { TrackedSymbol } from '../../model/symbol.js';
import type { GatewayContext } from '../context.js';
import { Problem } from '../problem.js';
import { canonicalSymbol } from '../symbol-directory.js';
import { NoQuery, SymbolParams } from './query.js';

/**
 * `GET /symbols` lists what is tracked. `POST /symbols/:symbol` tracks one more: 201, or 200 when it was tracked already;
 * its book is `syncing` at first. `DELETE /symbols/:symbol` stops: 204, and its subscribers are told.
 */
export const symbols: FastifyPluginAsyncTypebox<{ context: GatewayContext }> = async (app, { context }) => {
  const { market, directory, limits } = context;

  app.get('/symbols', { schema: { querystring: NoQuery } }, async () => {
    const listed = Array.from(market.tracked(), describe);
    return { count: listed.length, symbols: listed };
  });

  app.post('/symbols/:symbol', { schema: { params: SymbolParams, querystring: NoQuery } }, async (request, reply) => {
    const name = request.params.symbol;
    if (name.length === 0 || name.length > limits.symbolLength) {
      throw new Problem('SYMBOL_NOT_LISTED', 'no symbol of the exchange has such a name', { symbol: directory.shorten(name) });
    }
    const { symbol, added } = await market.track(directory.find(name)?.symbol ?? canonicalSymbol(name));
    if (added) reply.code(201).header('location', `/symbols/${encodeURIComponent(symbol.symbol)}`);
    return { ...describe(symbol), added };
  });

  app.get('/symbols/:symbol', { schema: { params: SymbolParams, querystring: NoQuery } }, async (request) =>
    describe(directory.require(request.params.symbol)),
  );

  app.delete('/symbols/:symbol', { schema: { params: SymbolParams, querystring: NoQuery } }, async (request, reply) => {
    const { symbol } = directory.require(request.params.symbol);
    if (!market.untrack(symbol)) throw directory.notTracked(symbol);
    return reply.code(204).send();
  });
};

function describe(symbol: TrackedSymbol): Record<string, unknown> {
  const { baseAsset, quoteAsset, priceScale, quantityScale, turnover, shard } = symbol;
  return { symbol: symbol.symbol, baseAsset, quoteAsset, priceScale, quantityScale, turnover, shard };
}
