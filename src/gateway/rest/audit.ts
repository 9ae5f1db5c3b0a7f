import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { GatewayContext } from '../context.js';
import type { RouteDocs } from '../openapi/route-docs.js';
import { BUSY, readInTurns } from '../read-in-turns.js';
import { Audit } from '../schemas/audit.js';
import { NoQuery, SymbolParams } from './query.js';

const found = {
  outcome: 'match',
  time: 1795371462046,
  version: 69199464912,
  compared: 3120,
  matched: 3120,
  wrong: 0,
  ghosts: 0,
  missing: 0,
  corrected: 0,
  dropped: 0,
  matchRatio: 1,
  differences: [],
};

const auditDocs: RouteDocs = {
  tag: 'engine',
  summary: 'How a book compares with the exchange',
  description:
    'Requests to spare fetch the books anew, one after the other; each is compared level by level with ours at the same version. A difference ' +
    'within what was proven makes the book `suspect` (`audit_mismatch`) and repairs it at once in a new epoch.',
  answers: {
    200: {
      description: 'what the audits of this book found',
      schema: Audit,
      example: {
        symbol: 'BTCUSDT',
        everyMs: 2000,
        audits: { match: 12, mismatch: 0, interrupted: 1, no_join: 0, not_reached: 0, overflow: 0, unreadable: 0 },
        reach: { bid: null, ask: null },
        last: found,
        lastMismatch: null,
      },
    },
  },
  problems: ['SYMBOL_NOT_TRACKED', 'BOOK_BUSY'],
};

/** `GET /audit/:symbol`. */
export const audit: FastifyPluginAsyncTypebox<{ context: GatewayContext }> = async (app, { context }) => {
  const { market, directory } = context;

  app.get('/audit/:symbol', { schema: { params: SymbolParams, querystring: NoQuery }, config: { docs: auditDocs } }, async (request) => {
    const symbol = directory.require(request.params.symbol);
    const reach = await readInTurns(symbol, 'book', () => market.reach(symbol) ?? BUSY);
    const { audits, last, lastMismatch } = market.audits(symbol);
    return { symbol: symbol.symbol, everyMs: market.auditEveryMs, audits, reach, last, lastMismatch };
  });
};
