import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { TrackedSymbol } from '../../model/symbol.js';
import type { GatewayContext } from '../context.js';
import type { RouteDocs } from '../openapi/route-docs.js';
import { Problem } from '../problem.js';
import { AddedSymbol, SymbolInfo, SymbolInfos } from '../schemas/symbol.js';
import { canonicalSymbol } from '../symbol-directory.js';
import { NoQuery, SymbolParams } from './query.js';

const example = {
  symbol: 'BTCUSDT',
  baseAsset: 'BTC',
  quoteAsset: 'USDT',
  priceScale: 2,
  quantityScale: 8,
  turnover: 1819835202.9213154,
  shard: 0,
};

const listDocs: RouteDocs = {
  tag: 'symbols',
  summary: 'What is tracked',
  answers: { 200: { description: 'all of it', schema: SymbolInfos, example: { count: 1, symbols: [example] } } },
};

const oneDocs: RouteDocs = {
  tag: 'symbols',
  summary: 'One tracked symbol',
  answers: { 200: { description: 'the symbol', schema: SymbolInfo, example } },
  problems: ['SYMBOL_NOT_TRACKED'],
};

const trackDocs: RouteDocs = {
  tag: 'symbols',
  summary: 'Tracks one more',
  description: 'A symbol not known yet is looked up at the exchange. Its book is `syncing` until the snapshot has come.',
  answers: {
    200: { description: 'it was tracked already', schema: AddedSymbol, example: { ...example, added: false } },
    201: {
      description: 'it is tracked from now on',
      schema: AddedSymbol,
      example: { ...example, added: true },
      headers: { location: 'where it is described' },
    },
  },
  problems: [
    'ORIGIN_NOT_ALLOWED',
    'SYMBOL_NOT_LISTED',
    'BODY_TOO_LARGE',
    'MEDIA_TYPE_NOT_SUPPORTED',
    'EXCHANGE_REFUSED',
    'EXCHANGE_FORBIDDEN',
    'EXCHANGE_ANSWER_MALFORMED',
    'EXCHANGE_UNREACHABLE',
    'EXCHANGE_THROTTLED',
    'EXCHANGE_TIMEOUT',
    'SYMBOL_CAPACITY_REACHED',
  ],
};

const untrackDocs: RouteDocs = {
  tag: 'symbols',
  summary: 'Stops tracking it',
  description: 'Frees its memory; subscribers are told with `SYMBOL_UNTRACKED`. Tracked again, it goes on with a higher epoch.',
  answers: { 204: { description: 'it is gone' } },
  problems: ['SYMBOL_NOT_TRACKED', 'ORIGIN_NOT_ALLOWED', 'BODY_TOO_LARGE', 'MEDIA_TYPE_NOT_SUPPORTED'],
};

/**
 * `GET /symbols` lists what is tracked. `POST /symbols/:symbol` tracks one more: 201, or 200 when it was tracked already;
 * its book is `syncing` at first. `DELETE /symbols/:symbol` stops: 204, and its subscribers are told.
 */
export const symbols: FastifyPluginAsyncTypebox<{ context: GatewayContext }> = async (app, { context }) => {
  const { market, directory, limits } = context;

  app.get('/symbols', { schema: { querystring: NoQuery }, config: { docs: listDocs } }, async () => {
    const listed = Array.from(market.tracked(), describe);
    return { count: listed.length, symbols: listed };
  });

  app.post(
    '/symbols/:symbol',
    { schema: { params: SymbolParams, querystring: NoQuery }, config: { docs: trackDocs, needs: 'admin' } },
    async (request, reply) => {
      const name = request.params.symbol;
      if (name.length === 0 || name.length > limits.symbolLength) {
        throw new Problem('SYMBOL_NOT_LISTED', 'no symbol of the exchange has such a name', { symbol: directory.shorten(name) });
      }
      const { symbol, added } = await market.track(directory.find(name)?.symbol ?? canonicalSymbol(name));
      if (added) reply.code(201).header('location', `/symbols/${encodeURIComponent(symbol.symbol)}`);
      return { ...describe(symbol), added };
    },
  );

  app.get('/symbols/:symbol', { schema: { params: SymbolParams, querystring: NoQuery }, config: { docs: oneDocs } }, async (request) =>
    describe(directory.require(request.params.symbol)),
  );

  app.delete(
    '/symbols/:symbol',
    { schema: { params: SymbolParams, querystring: NoQuery }, config: { docs: untrackDocs, needs: 'admin' } },
    async (request, reply) => {
      const { symbol } = directory.require(request.params.symbol);
      if (!market.untrack(symbol)) throw directory.notTracked(symbol);
      return reply.code(204).send();
    },
  );
};

function describe(symbol: TrackedSymbol): Record<string, unknown> {
  const { baseAsset, quoteAsset, priceScale, quantityScale, turnover, shard } = symbol;
  return { symbol: symbol.symbol, baseAsset, quoteAsset, priceScale, quantityScale, turnover, shard };
}
