import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox';
import { type CandleInterval, candleIntervals, openTimeOf } from '../../model/candle-interval.js';
import type { GatewayContext } from '../context.js';
import type { RouteDocs } from '../openapi/route-docs.js';
import { Problem } from '../problem.js';
import { Candle } from '../schemas/candle.js';
import { SymbolParams } from './query.js';

const Interval = Type.Optional(
  Type.String({ pattern: `^(${candleIntervals.join('|')})$`, description: `one of ${candleIntervals.join(', ')}`, default: '1m' }),
);
const Time = Type.Optional(Type.String({ pattern: '^[0-9]{1,15}$', description: 'Unix ms' }));
const Limit = Type.Optional(Type.String({ pattern: '^([1-9][0-9]{0,2}|1000)$', description: '1 to 1000', default: '100' }));
const CandlesQuery = Type.Object({ interval: Interval, start: Time, end: Time, limit: Limit }, { additionalProperties: false });

const LIMIT_DEFAULT = 100;
/** Candles that are over and whole change no more. */
const FOR_GOOD = 'public, max-age=86400, immutable';

const candlesDocs: RouteDocs = {
  tag: 'candles',
  summary: 'Candles of a symbol',
  description:
    'The newest `limit` that open from `start` to `end`, oldest first. What the engine has not seen itself is asked of the exchange, once. ' +
    `Cached for good (\`${FOR_GOOD}\`) when all are closed and complete.`,
  answers: {
    200: {
      description: 'oldest first',
      schema: Type.Array(Candle),
      example: [
        {
          symbol: 'BTCUSDT',
          interval: '1m',
          open_time: 1795371480000,
          open: '84270.31',
          high: '84271.07',
          low: '84269.85',
          close: '84270.12',
          volume: '0.38201145',
          close_time: 1795371540000,
          quote_asset_volume: '32192.2437214455',
          number_of_trades: 41,
          taker_buy_base_asset_volume: '0.20117420',
          taker_buy_quote_asset_volume: '16953.0157032060',
          closed: true,
          complete: true,
        },
      ],
    },
  },
  problems: [
    'SYMBOL_NOT_TRACKED',
    'CANDLES_NOT_READY',
    'EXCHANGE_QUEUE_FULL',
    'EXCHANGE_UNREACHABLE',
    'EXCHANGE_TIMEOUT',
    'EXCHANGE_REFUSED',
  ],
};

/** `GET /candles/:symbol`: candles of any interval, from shared memory, the shard's history, or the exchange. */
export const candles: FastifyPluginAsyncTypebox<{ context: GatewayContext }> = async (app, { context }) => {
  const { market, directory } = context;

  app.get(
    '/candles/:symbol',
    { schema: { params: SymbolParams, querystring: CandlesQuery }, config: { docs: candlesDocs } },
    async (request, reply) => {
      const { interval = '1m', start, end, limit } = request.query;
      const symbol = directory.require(request.params.symbol);
      const range = {
        start: start === undefined ? null : Number(start),
        end: end === undefined ? null : Number(end),
        limit: limit === undefined ? LIMIT_DEFAULT : Number(limit),
      };
      if (range.start !== null && range.end !== null && range.start > range.end) {
        throw new Problem('BAD_PARAMETER', 'start must not lie behind end', { parameter: 'start', allowed: 'Unix ms up to end' });
      }
      const found = await market.candles(symbol, interval as CandleInterval, range);
      const isWhole = found.every(({ closed, complete }) => closed && complete);
      // Without the candle of `end` among them, newer ones may come.
      const forGood = isWhole && range.end !== null && found.at(-1)?.open_time === openTimeOf(interval as CandleInterval, range.end);
      return reply.header('cache-control', forGood ? FOR_GOOD : 'no-cache').send(found);
    },
  );
};
