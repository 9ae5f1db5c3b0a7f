import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox';
import type { TrackedSymbol } from '../../model/symbol.js';
import type { TapePage } from '../../model/trade.js';
import { matchesEtag } from '../etag.js';
import type { GatewayContext } from '../context.js';
import type { RouteDocs } from '../openapi/route-docs.js';
import { readTrades } from '../read-trades.js';
import { Trades } from '../schemas/trade.js';
import { SymbolParams } from './query.js';

const TradesQuery = Type.Object(
  {
    limit: Type.Optional(Type.String({ pattern: '^([1-9][0-9]{0,2}|1000)$', description: '1 to 1000', default: '100' })),
    before: Type.Optional(Type.String({ pattern: '^[1-9][0-9]{0,14}$', description: 'the id of a trade, as `next` of an answer has it' })),
  },
  { additionalProperties: false },
);

const JSON_TYPE = 'application/json; charset=utf-8';
const DEFAULT_LIMIT = 100;

const tradesDocs: RouteDocs = {
  tag: 'trades',
  summary: 'The latest trades of one symbol',
  description:
    'Oldest first, from the tape in memory, newest page first: `next` leads to the page before. Trades that are known to be missing are listed ' +
    'in `skipped`. Refused only until the exchange has said once what was traded last.',
  answers: {
    200: {
      description: 'a page of trades',
      schema: Trades,
      example: {
        symbol: 'BTCUSDT',
        state: 'live',
        epoch: 1,
        seq: 1042,
        version: null,
        ageMs: 310,
        te: 1795371461553,
        tr: 1795371461736,
        tp: 1795371462046,
        trades: [
          {
            id: 1042,
            symbol: 'BTCUSDT',
            price: '84270.00',
            quantity: '0.00099829',
            buyer_order_id: null,
            seller_order_id: null,
            timestamp: 1795371461553,
            is_buyer_maker: true,
            exchange_id: '731901896985399296X0_731901896985399297X0',
          },
        ],
        skipped: [],
        next: 1042,
      },
      headers: { etag: 'to be sent back in `if-none-match`: 304 as long as there is nothing new' },
    },
    304: { description: 'nothing has changed since the answer of `if-none-match`' },
  },
  problems: ['SYMBOL_NOT_TRACKED', 'TRADES_NOT_READY', 'BOOK_BUSY'],
};

/** `GET /trades/:symbol`, straight from shared memory. */
export const trades: FastifyPluginAsyncTypebox<{ context: GatewayContext }> = async (app, { context }) => {
  const { market, directory, now } = context;

  app.get(
    '/trades/:symbol',
    { schema: { params: SymbolParams, querystring: TradesQuery }, config: { docs: tradesDocs } },
    async (request, reply) => {
      const symbol = directory.require(request.params.symbol);
      const { limit = String(DEFAULT_LIMIT), before } = request.query;
      const page = await readTrades(market, symbol, Number(limit), before === undefined ? null : Number(before));
      const etag = `"${market.instance}-${page.epoch}-${page.seq}-${limit}-${before ?? ''}-${page.state}"`;
      reply.headers({ etag, 'cache-control': 'no-cache' });
      if (matchesEtag(request.headers['if-none-match'], etag)) return reply.code(304).send();
      return reply.type(JSON_TYPE).send(JSON.stringify(answer(symbol, page)));
    },
  );

  function answer({ symbol }: TrackedSymbol, { state, epoch, seq, receivedAt, trades: list, skipped, next }: TapePage): object {
    const time = Math.trunc(now());
    const ageMs = receivedAt === null ? null : Math.max(0, time - receivedAt);
    const te = list.at(-1)?.timestamp ?? null;
    return { symbol, state, epoch, seq, version: null, ageMs, te, tr: receivedAt, tp: time, trades: list, skipped, next };
  }
};
