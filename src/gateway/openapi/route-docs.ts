import type { TSchema } from '@fastify/type-provider-typebox';
import type { ProblemCode } from '../problem.js';

/** What the routes are grouped by, and what is said of each group. */
export const tags = {
  books: 'Order books, straight from shared memory',
  trades: 'The latest trades',
  tickers: 'The last 24 hours',
  candles: 'Open, high, low, close and volume by the clock',
  analytics: 'What follows from a book',
  symbols: 'What is tracked',
  engine: 'State and health of the process',
  documents: 'Descriptions of the interfaces',
} as const;
export type Tag = keyof typeof tags;

/** One successful answer. */
export interface AnswerDocs {
  readonly description: string;
  /** Left out when there is no body. */
  readonly schema?: TSchema;
  /** `application/json` unless given. */
  readonly mediaType?: string;
  readonly example?: unknown;
  /** Name and meaning of each header worth knowing. */
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * What a route's description says beyond its parameters, given as `config: { docs }` of the route. Not as `schema.response`: answers are
 * made of bytes that need no serializer, and Fastify would compile one.
 */
export interface RouteDocs {
  readonly tag: Tag;
  /** A few words, no full stop. */
  readonly summary: string;
  readonly description?: string;
  readonly answers: Readonly<Record<number, AnswerDocs>>;
  /** Refusals of this route, beside those every route has. */
  readonly problems?: readonly ProblemCode[];
}

declare module 'fastify' {
  interface FastifyContextConfig {
    readonly docs?: RouteDocs;
  }
}
