import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox';
import type { TrackedSymbol } from '../../model/symbol.js';
import type { BookRequest } from '../book-answers.js';
import type { GatewayContext } from '../context.js';
import { JsonBytes } from '../json-bytes.js';
import type { RouteDocs } from '../openapi/route-docs.js';
import { Problem } from '../problem.js';
import { Book, Books, Quote } from '../schemas/book.js';
import { AllowStale, Depth, Numbers, parseDepth, requireSymbolList, SmallDepth, SymbolList, SymbolParams } from './query.js';

const BookQuery = Type.Object({ depth: Depth, numbers: Numbers, allowStale: AllowStale }, { additionalProperties: false });
const BooksQuery = Type.Object(
  { symbols: SymbolList, depth: SmallDepth, numbers: Numbers, allowStale: AllowStale },
  { additionalProperties: false },
);
const BboQuery = Type.Object(
  { symbols: Type.Optional(SymbolList), numbers: Numbers, allowStale: AllowStale },
  { additionalProperties: false },
);

const JSON_TYPE = 'application/json; charset=utf-8';
/** Expected length of one `GET /bbo` entry. */
const BBO_BYTES = 240;

const envelope = {
  symbol: 'BTCUSDT',
  state: 'live',
  epoch: 1,
  seq: 4,
  version: 69199464912,
  ageMs: 493,
  te: 1795371461553,
  tr: 1795371461553,
  tp: 1795371462046,
};
const book = { ...envelope, verifiedDepth: { bids: 1, asks: 1 }, bids: [['84269.96', '0.00529748']], asks: [['84270.86', '0.02956030']] };

const bookDocs: RouteDocs = {
  tag: 'books',
  summary: 'One book',
  description:
    'The best levels of both sides, of one moment. A book that is not live is refused unless `allowStale=true`, and even then while it has ' +
    'never held anything. `verifiedDepth` says how many of the levels are proven by the last snapshot or audit; the rest came by pushes alone.',
  answers: {
    200: {
      description: 'the book',
      schema: Book,
      example: book,
      headers: { etag: 'to be sent back in `if-none-match`: 304 as long as the book does not change' },
    },
    304: { description: 'the book is still the one of `if-none-match`' },
  },
  problems: ['SYMBOL_NOT_TRACKED', 'BOOK_NOT_LIVE', 'BOOK_BUSY'],
};

const booksDocs: RouteDocs = {
  tag: 'books',
  summary: 'Up to 100 books',
  description: 'Each book is consistent in itself; two of them are not of one moment. Those that cannot be given are listed in `failed`.',
  answers: {
    200: {
      description: 'the books, in the order asked for, and those that failed',
      schema: Books,
      example: { books: [book], failed: [{ symbol: 'NOPE', code: 'SYMBOL_NOT_TRACKED', detail: 'NOPE is not tracked' }] },
    },
  },
};

const bboDocs: RouteDocs = {
  tag: 'books',
  summary: 'Best bid and ask',
  description: 'Of all tracked symbols, or of up to 100 named ones. A book that is not live is listed with its state and without prices.',
  answers: {
    200: {
      description: 'one entry for each symbol',
      schema: Type.Array(Quote),
      example: [{ ...envelope, bid: ['84269.96', '0.00529748'], ask: ['84270.86', '0.02956030'] }],
    },
  },
  problems: ['SYMBOL_NOT_TRACKED', 'BOOK_BUSY'],
};

interface CommonQuery {
  readonly depth?: string;
  readonly numbers?: 'string' | 'float';
  readonly allowStale?: 'true' | 'false';
}

/**
 * `GET /orderbook/:symbol`, `GET /orderbooks`, `GET /bbo`, straight from shared memory.
 *
 * A book that is not live is a 503 unless `allowStale=true`, and even then when no snapshot was ever applied.
 * `/orderbooks` reports such books one by one in `failed`; `/bbo` lists them with their state and without prices.
 */
export const books: FastifyPluginAsyncTypebox<{ context: GatewayContext }> = async (app, { context }) => {
  const { market, directory, answers, limits } = context;

  app.get(
    '/orderbook/:symbol',
    { schema: { params: SymbolParams, querystring: BookQuery }, config: { docs: bookDocs } },
    async (request, reply) => {
      const symbol = directory.require(request.params.symbol);
      const { etag, body } = await answers.book(symbol, bookRequest(request.query), request.headers['if-none-match']);
      reply.headers({ etag, 'cache-control': 'no-cache' });
      if (body === null) return reply.code(304).send();
      return reply.type(JSON_TYPE).send(body);
    },
  );

  app.get('/orderbooks', { schema: { querystring: BooksQuery }, config: { docs: booksDocs } }, async (request, reply) => {
    const names = requireSymbolList(request.query.symbols, limits.symbolsPerRequest);
    const wanted = bookRequest(request.query);
    const found: string[] = [];
    const failed: Record<string, unknown>[] = [];
    for (const name of names) {
      try {
        const { body } = await answers.book(directory.require(name), wanted);
        if (body === null) continue;
        found.push(body);
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        failed.push({ symbol: directory.shorten(name), code: error.code, detail: error.message, ...error.details });
      }
    }
    reply.header('cache-control', 'no-cache').type(JSON_TYPE);
    return reply.send(`{"books":[${found.join(',')}],"failed":${JSON.stringify(failed)}}`);
  });

  app.get('/bbo', { schema: { querystring: BboQuery }, config: { docs: bboDocs } }, async (request, reply) => {
    const { symbols } = request.query;
    const wanted = bookRequest(request.query);
    const listed: TrackedSymbol[] =
      symbols === undefined
        ? [...market.tracked()]
        : requireSymbolList(symbols, limits.symbolsPerRequest).map((name) => directory.require(name));
    const json = new JsonBytes(BBO_BYTES * (listed.length + 1));
    json.raw('[');
    for (const [index, symbol] of listed.entries()) {
      if (index > 0) json.raw(',');
      await answers.bbo(symbol, wanted, json);
    }
    return reply.header('cache-control', 'no-cache').type(JSON_TYPE).send(json.raw(']').take());
  });
};

function bookRequest(query: CommonQuery): BookRequest {
  return { depth: parseDepth(query.depth), numbers: query.numbers ?? 'string', allowStale: query.allowStale === 'true' };
}
