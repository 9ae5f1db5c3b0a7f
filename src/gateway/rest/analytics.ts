import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox';
import { bookAnalytics } from '../../analytics/book-analytics.js';
import { defaultBandsBps } from '../../analytics/depth-bands.js';
import { parseAmount } from '../../analytics/fill.js';
import { slippage } from '../../analytics/slippage.js';
import type { BookCopy } from '../../model/book-copy.js';
import type { TrackedSymbol } from '../../model/symbol.js';
import type { GatewayContext } from '../context.js';
import { Problem } from '../problem.js';
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

/**
 * `GET /analytics/:symbol`, `GET /orderbook/:symbol/depth`, `GET /orderbook/:symbol/slippage`: what can be read off one book, from one
 * consistent copy of it, in its envelope. A book that is not live is a 503 unless `allowStale=true`.
 */
export const analytics: FastifyPluginAsyncTypebox<{ context: GatewayContext }> = async (app, { context }) => {
  const { directory, answers } = context;

  app.get('/analytics/:symbol', { schema: { params: SymbolParams, querystring: AnalyticsQuery } }, async (request, reply) => {
    const { depth, bps, numbers = 'string', allowStale } = request.query;
    const levels = parseDepth(depth);
    const widths = parseBps(bps);
    const symbol = directory.require(request.params.symbol);
    const body = await ask(symbol, levels, allowStale === 'true', (copy) => {
      const figures = bookAnalytics(copy, { depth: levels, bps: widths, numbers });
      return { enough: bandsEnd(figures.bands, copy), answer: { depth: levels === 0 ? 'full' : levels, ...figures } };
    });
    return reply.header('cache-control', 'no-cache').type(JSON_TYPE).send(body);
  });

  app.get('/orderbook/:symbol/depth', { schema: { params: SymbolParams, querystring: DepthQuery } }, async (request, reply) => {
    const { bps, numbers = 'string', allowStale } = request.query;
    const widths = parseBps(bps);
    const symbol = directory.require(request.params.symbol);
    const body = await ask(symbol, 1, allowStale === 'true', (copy) => {
      const { mid, bands } = bookAnalytics(copy, { depth: 1, bps: widths, numbers });
      return { enough: bandsEnd(bands, copy), answer: { mid, bands } };
    });
    return reply.header('cache-control', 'no-cache').type(JSON_TYPE).send(body);
  });

  app.get('/orderbook/:symbol/slippage', { schema: { params: SymbolParams, querystring: SlippageQuery } }, async (request, reply) => {
    const { side, ref = 'mid', allowStale } = request.query;
    const order = parseOrder(request.query);
    const symbol = directory.require(request.params.symbol);
    const body = await ask(symbol, 1, allowStale === 'true', (copy) => {
      const answer = slippage(copy, { side, ref, ...order });
      return { enough: answer.levels !== null || isWhole(copy), answer };
    });
    return reply.header('cache-control', 'no-cache').type(JSON_TYPE).send(body);
  });

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
