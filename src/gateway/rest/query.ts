import { Type } from '@fastify/type-provider-typebox';
import { Problem } from '../problem.js';

// The `description` of a parameter says what it may be: error answers quote it.

/** No parameters are taken. */
export const NoQuery = Type.Object({}, { additionalProperties: false });

export const SymbolParams = Type.Object({ symbol: Type.String({ description: 'a symbol as the exchange lists it' }) });

/** 1 to 5000 or `full`. */
export const Depth = Type.Optional(
  Type.String({ pattern: '^(full|[1-9][0-9]{0,2}|[1-4][0-9]{3}|5000)$', description: '1 to 5000, or full', default: '20' }),
);

/** 1 to 500. */
export const SmallDepth = Type.Optional(
  Type.String({ pattern: '^([1-9][0-9]?|[1-4][0-9]{2}|500)$', description: '1 to 500', default: '20' }),
);

export const Numbers = Type.Optional(
  Type.Union([Type.Literal('string'), Type.Literal('float')], { description: 'string or float', default: 'string' }),
);

export const AllowStale = Type.Optional(
  Type.Union([Type.Literal('true'), Type.Literal('false')], { description: 'true or false', default: 'false' }),
);

export const SymbolList = Type.String({ minLength: 1, description: 'a list of symbols with commas between them' });

/** Widths in basis points: 1 to 10 whole numbers. */
export const Bps = Type.Optional(
  Type.String({
    pattern: '^(10000|[1-9][0-9]{0,3})(,(10000|[1-9][0-9]{0,3})){0,9}$',
    description: '1 to 10 whole numbers from 1 to 10000 with commas between them',
    default: '5,10,50,100',
  }),
);

const DEFAULT_DEPTH = 20;

/** The number of levels a `depth` parameter asks for; 0 = all. */
export function parseDepth(text: string | undefined): number {
  if (text === undefined) return DEFAULT_DEPTH;
  return text === 'full' ? 0 : Number(text);
}

/** The names in a list of 1 to `max`, each once, in order. Throws BAD_PARAMETER. */
export function requireSymbolList(text: string, max: number): string[] {
  const names = parseSymbolList(text);
  const allowed = `1 to ${max} symbols with commas between them`;
  if (names.length === 0 || names.length > max) {
    throw new Problem('BAD_PARAMETER', `symbols must be ${allowed}`, { parameter: 'symbols', allowed });
  }
  return names;
}

/** The names in a list, each once, in order. */
function parseSymbolList(text: string): string[] {
  return [...new Set(text.split(',').filter((name) => name.length > 0))];
}
