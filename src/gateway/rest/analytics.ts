import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox';
import { bookAnalytics } from '../../analytics/book-analytics.js';
import { defaultBandsBps } from '../../analytics/depth-bands.js';
import { parseAmount } from '../../analytics/fill.js';
import { slippage } from '../../analytics/slippage.js';
import type { BookCopy } from '../../model/book-copy.js';
import type { TrackedSymbol } from '../../model/symbol.js';
import type { GatewayContext } from '../context.js';
import type { RouteDocs } from '../openapi/route-docs.js';
import { Problem } from '../problem.js';
import { Analytics, DepthBands, Slippage } from '../schemas/analytics.js';
import { AllowStale, Bps, Depth, Numbers, parseDepth, SymbolParams } from './query.js';

const AnalyticsQuery = Type.Object({ depth: Depth, bps: Bps, numbers: Numbers, allowStale: AllowStale }, { additionalProperties: false });
const DepthQuery = Type.Object({ bps: Bps, numbers: Numbers, allowStale: AllowStale }, { additionalProperties: false });
const AmountText = Type.Optional(
  Type.String({ pattern: '^[0-9]{1,20}(\\.[0-9]{1,19})?$', description: 'a decimal number above 0, at most 40 characters long' }),
);
const SlippageQuery = Type.Object(
  {
    side: Type.Union([Type.Literal('buy'), Type.Literal('sell')], { description: 'buy or sell' }),
    size: AmountText,
    notional: AmountText,
    ref: Type.Optional(Type.Union([Type.Literal('mid'), Type.Literal('best')], { description: 'mid or best', default: 'mid' })),
    allowStale: AllowStale,
  },
  { additionalProperties: false },
);

const JSON_TYPE = 'application/json; charset=utf-8';
/** Levels a side that nearly always suffice; a question that goes deeper reads the whole book. */
const FIRST_LEVELS = 512;

const envelope = {
  symbol: 'BTCUSDT',
  state: 'live',
  epoch: 1,
  seq: 1,
  version: 69199464891,
  ageMs: 447,
  te: 1795730210221,
  tr: 1795730210223,
  tp: 1795730210671,
};
const bands = [
  {
    bps: 5,
    bid: { base: '38.92801084', quote: '3279928.7082868615', covered: true },
    ask: { base: '42.02236706', quote: '3541992.6364427213', covered: true },
  },
];
const problems: RouteDocs['problems'] = ['SYMBOL_NOT_TRACKED', 'BOOK_NOT_LIVE', 'BOOK_BUSY'];

const analyticsDocs: RouteDocs = {
  tag: 'analytics',
  summary: 'Figures of one book',
  description: 'Of one moment. A book that is not live is refused unless `allowStale=true`, as by `/orderbook`.',
  answers: {
    200: {
      description: 'the figures',
      schema: Analytics,
      example: {
        ...envelope,
        depth: 20,
        best_bid: ['84270.00', '0.01115724'],
        best_ask: ['84270.85', '0.02364929'],
        spread: '0.85',
        spread_bps: 0.10086575450402677,
        mid: '84270.425',
        microprice: 84270.27246766626,
        imbalance: 0.1782632134676264,
        bands,
      },
    },
  },
  problems,
};

const depthDocs: RouteDocs = {
  tag: 'analytics',
  summary: 'Depth around the mid',
  answers: { 200: { description: 'each band', schema: DepthBands, example: { ...envelope, mid: '84270.425', bands } } },
  problems,
};

const slippageDocs: RouteDocs = {
  tag: 'analytics',
  summary: 'What an order would get',
  description:
    'The best levels are taken first, the last one in part. Exactly one of `size` (base units) and `notional` (quote units) is given. An ' +
    'order beyond what the book holds is not guessed at: the figures are null.',
  answers: {
    200: {
      description: 'average price and slippage',
      schema: Slippage,
      example: {
        ...envelope,
        side: 'buy',
        size: '2.5',
        notional: null,
        ref: 'mid',
        reference_price: '84270.425',
        base: 2.5,
        quote: 210678.4252387028,
        average_price: 84271.37009548112,
        worst_price: '84271.94',
        levels: 52,
        slippage: 0.94509548112,
        slippage_bps: 0.11215031621354704,
      },
    },
  },
  problems,
};

/**
 * `GET /analytics/:symbol`, `GET /orderbook/:symbol/depth`, `GET /orderbook/:symbol/slippage`: what can be read off one book, from one
 * consistent copy of it, in its envelope. A book that is not live is a 503 unless `allowStale=true`.
 */
export const analytics: FastifyPluginAsyncTypebox<{ context: GatewayContext }> = async (app, { context }) => {
  const { directory, answers } = context;

  app.get(
    '/analytics/:symbol',
    { schema: { params: SymbolParams, querystring: AnalyticsQuery }, config: { docs: analyticsDocs } },
    async (request, reply) => {
      const { depth, bps, numbers = 'string', allowStale } = request.query;
      const levels = parseDepth(depth);
      const widths = parseBps(bps);
      const symbol = directory.require(request.params.symbol);
      const body = await ask(symbol, levels, allowStale === 'true', (copy) => {
        const figures = bookAnalytics(copy, { depth: levels, bps: widths, numbers });
        return { enough: bandsEnd(figures.bands, copy), answer: { depth: levels === 0 ? 'full' : levels, ...figures } };
      });
      return reply.header('cache-control', 'no-cache').type(JSON_TYPE).send(body);
    },
  );

  app.get(
    '/orderbook/:symbol/depth',
    { schema: { params: SymbolParams, querystring: DepthQuery }, config: { docs: depthDocs } },
    async (request, reply) => {
      const { bps, numbers = 'string', allowStale } = request.query;
      const widths = parseBps(bps);
      const symbol = directory.require(request.params.symbol);
      const body = await ask(symbol, 1, allowStale === 'true', (copy) => {
        const { mid, bands } = bookAnalytics(copy, { depth: 1, bps: widths, numbers });
        return { enough: bandsEnd(bands, copy), answer: { mid, bands } };
      });
      return reply.header('cache-control', 'no-cache').type(JSON_TYPE).send(body);
    },
  );

  app.get(
    '/orderbook/:symbol/slippage',
    { schema: { params: SymbolParams, querystring: SlippageQuery }, config: { docs: slippageDocs } },
    async (request, reply) => {
      const { side, ref = 'mid', allowStale } = request.query;
      const order = parseOrder(request.query);
      const symbol = directory.require(request.params.symbol);
      const body = await ask(symbol, 1, allowStale === 'true', (copy) => {
        const answer = slippage(copy, { side, ref, ...order });
        return { enough: answer.levels !== null || isWhole(copy), answer };
      });
      return reply.header('cache-control', 'no-cache').type(JSON_TYPE).send(body);
    },
  );

  /** Asks of the first levels, and of the whole book when they do not say enough. The answer goes behind the envelope of the copy it came from. */
  async function ask(
    symbol: TrackedSymbol,
    atLeast: number,
    allowStale: boolean,
    question: (copy: Readonly<BookCopy>) => { readonly enough: boolean; readonly answer: object },
  ): Promise<string> {
    const first = atLeast === 0 ? 0 : Math.max(atLeast, FIRST_LEVELS);
    for (let depth = first; ; depth = 0) {
      const body = await answers.look(symbol, depth, allowStale, (copy, head) => {
        const { enough, answer } = question(copy);
        return enough ? head + JSON.stringify(answer).slice(1) : undefined;
      });
      if (body !== undefined) return body;
    }
  }
};

/** The widest band ends within the copy, or the copy is all there is. */
function bandsEnd(bands: readonly { readonly bid: Covered; readonly ask: Covered }[], copy: Readonly<BookCopy>): boolean {
  const widest = bands.at(-1)!;
  return (
    (copy.bidCount === copy.bidLevels || widest.bid === null || widest.bid.covered) &&
    (copy.askCount === copy.askLevels || widest.ask === null || widest.ask.covered)
  );
}

type Covered = { readonly covered: boolean } | null;

function isWhole(copy: Readonly<BookCopy>): boolean {
  return copy.bidCount === copy.bidLevels && copy.askCount === copy.askLevels;
}

/** Each width once. */
function parseBps(text: string | undefined): readonly number[] {
  return text === undefined ? defaultBandsBps : [...new Set(text.split(',').map(Number))];
}

function parseOrder({ size, notional }: { readonly size?: string; readonly notional?: string }) {
  const text = size ?? notional;
  if (text === undefined || (size !== undefined && notional !== undefined)) {
    const allowed = 'a decimal number above 0, of exactly one of size and notional';
    throw new Problem('BAD_PARAMETER', 'exactly one of size and notional must be given', { parameter: 'size', allowed });
  }
  const kind = size === undefined ? 'notional' : 'size';
  const amount = parseAmount(text);
  if (amount === undefined) {
    const allowed = 'a decimal number above 0, at most 40 characters long';
    throw new Problem('BAD_PARAMETER', `${kind} must be ${allowed}`, { parameter: kind, allowed });
  }
  return { kind, amount, text } as const;
}
