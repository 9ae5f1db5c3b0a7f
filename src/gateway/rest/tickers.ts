import { setImmediate as nextTurn } from 'node:timers/promises';
import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox';
import type { TrackedSymbol } from '../../model/symbol.js';
import type { GatewayContext } from '../context.js';
import type { RouteDocs } from '../openapi/route-docs.js';
import { TickerAnswer } from '../schemas/ticker.js';
import { Numbers, requireSymbolList, SymbolList, SymbolParams } from './query.js';

const TickerQuery = Type.Object({ numbers: Numbers }, { additionalProperties: false });
const TickersQuery = Type.Object({ symbols: Type.Optional(SymbolList), numbers: Numbers }, { additionalProperties: false });

const JSON_TYPE = 'application/json; charset=utf-8';
/** Tickers made before others get a turn: some 2 ms. */
const TICKERS_A_TURN = 100;

const example = {
  symbol: 'BTCUSDT',
  state: 'live',
  epoch: 1,
  seq: 1,
  version: 69199464891,
  ageMs: 447,
  te: 1795730210221,
  tr: 1795730210223,
  tp: 1795730210671,
  price_change: '271.10',
  price_change_percent: '0.3227',
  weighted_avg_price: '84162.1000',
  last_price: '84271.10',
  last_quantity: '0.50000000',
  bid_price: '84270.00',
  bid_quantity: '0.01115724',
  ask_price: '84270.85',
  ask_quantity: '0.02364929',
  open_price: '84000.00',
  high_price: '85000.00',
  low_price: '83999.99',
  volume: '7390.50000000',
  quote_volume: '622000000.123',
  open_time: 1795643810000,
  close_time: 1795730210000,
  first_id: null,
  last_id: null,
  count: null,
};

const tickerDocs: RouteDocs = {
  tag: 'tickers',
  summary: 'The last 24 hours of one symbol',
  description:
    'Given whatever the state of the book is: without a live one, bid and ask are null. The envelope is that of the book; `close_time` says ' +
    'how old the figures are.',
  answers: { 200: { description: 'the ticker', schema: TickerAnswer, example } },
  problems: ['SYMBOL_NOT_TRACKED', 'BOOK_BUSY'],
};

const tickersDocs: RouteDocs = {
  tag: 'tickers',
  summary: 'The last 24 hours of all symbols',
  description: 'Of all tracked symbols, or of up to 100 named ones.',
  answers: { 200: { description: 'one entry for each symbol', schema: Type.Array(TickerAnswer), example: [example] } },
  problems: ['SYMBOL_NOT_TRACKED', 'BOOK_BUSY'],
};

/** `GET /ticker/:symbol`, `GET /tickers`. A ticker does not need a live book: bid and ask are `null` without one. */
export const tickers: FastifyPluginAsyncTypebox<{ context: GatewayContext }> = async (app, { context }) => {
  const { market, directory, answers, limits } = context;

  app.get(
    '/ticker/:symbol',
    { schema: { params: SymbolParams, querystring: TickerQuery }, config: { docs: tickerDocs } },
    async (request, reply) => {
      const body = await answers.ticker(directory.require(request.params.symbol), request.query.numbers ?? 'string');
      return reply.header('cache-control', 'no-cache').type(JSON_TYPE).send(body);
    },
  );

  app.get('/tickers', { schema: { querystring: TickersQuery }, config: { docs: tickersDocs } }, async (request, reply) => {
    const { symbols, numbers = 'string' } = request.query;
    const listed: TrackedSymbol[] =
      symbols === undefined
        ? [...market.tracked()]
        : requireSymbolList(symbols, limits.symbolsPerRequest).map((name) => directory.require(name));
    const bodies: string[] = [];
    for (const symbol of listed) {
      if (bodies.length % TICKERS_A_TURN === TICKERS_A_TURN - 1) await nextTurn();
      // It may have gone while others had their turn.
      if (market.find(symbol.symbol) === symbol) bodies.push(await answers.ticker(symbol, numbers));
    }
    return reply
      .header('cache-control', 'no-cache')
      .type(JSON_TYPE)
      .send(`[${bodies.join(',')}]`);
  });
};
