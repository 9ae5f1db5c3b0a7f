import type { FastifyReply, FastifyRequest, FastifySchema } from 'fastify';
import { CodedError, ErrorCode } from '../support/errors.js';

/** What every kind of refusal is called and answered with. */
export const kinds = {
  [ErrorCode.BAD_REQUEST]: { status: 400, title: 'Malformed request' },
  [ErrorCode.BAD_PARAMETER]: { status: 400, title: 'Bad parameter' },
  [ErrorCode.KEY_REQUIRED]: { status: 401, title: 'API key required' },
  [ErrorCode.KEY_UNKNOWN]: { status: 401, title: 'API key unknown' },
  [ErrorCode.RIGHT_MISSING]: { status: 403, title: 'Right missing' },
  [ErrorCode.ORIGIN_NOT_ALLOWED]: { status: 403, title: 'Origin not allowed' },
  [ErrorCode.ROUTE_NOT_FOUND]: { status: 404, title: 'No such resource' },
  [ErrorCode.SYMBOL_NOT_TRACKED]: { status: 404, title: 'Symbol not tracked' },
  [ErrorCode.SYMBOL_NOT_LISTED]: { status: 404, title: 'Symbol not listed by the exchange' },
  [ErrorCode.METHOD_NOT_ALLOWED]: { status: 405, title: 'Method not allowed' },
  [ErrorCode.BODY_TOO_LARGE]: { status: 413, title: 'Body too large' },
  [ErrorCode.MEDIA_TYPE_NOT_SUPPORTED]: { status: 415, title: 'Media type not supported' },
  [ErrorCode.UPGRADE_REQUIRED]: { status: 426, title: 'WebSocket upgrade required' },
  [ErrorCode.RATE_LIMITED]: { status: 429, title: 'Too many requests', retryAfterSeconds: 1 },
  [ErrorCode.INTERNAL_ERROR]: { status: 500, title: 'Internal error' },
  [ErrorCode.EXCHANGE_REFUSED]: { status: 502, title: 'The exchange refused' },
  [ErrorCode.EXCHANGE_FORBIDDEN]: { status: 502, title: 'The exchange refused' },
  [ErrorCode.EXCHANGE_ANSWER_MALFORMED]: { status: 502, title: 'The exchange answered nonsense' },
  [ErrorCode.BOOK_NOT_LIVE]: { status: 503, title: 'Book not live', retryAfterSeconds: 1 },
  [ErrorCode.TRADES_NOT_READY]: { status: 503, title: 'Trades not known yet', retryAfterSeconds: 1 },
  [ErrorCode.BOOK_BUSY]: { status: 503, title: 'Book busy', retryAfterSeconds: 1 },
  [ErrorCode.CANDLES_NOT_READY]: { status: 503, title: 'Candles not ready', retryAfterSeconds: 2 },
  [ErrorCode.NOT_READY]: { status: 503, title: 'Not ready', retryAfterSeconds: 1 },
  [ErrorCode.SHUTTING_DOWN]: { status: 503, title: 'Shutting down', retryAfterSeconds: 5 },
  [ErrorCode.TOO_MANY_CLIENTS]: { status: 503, title: 'Too many clients', retryAfterSeconds: 5 },
  [ErrorCode.EXCHANGE_UNREACHABLE]: { status: 503, title: 'Exchange unreachable', retryAfterSeconds: 5 },
  [ErrorCode.EXCHANGE_THROTTLED]: { status: 503, title: 'Throttled by the exchange', retryAfterSeconds: 30 },
  [ErrorCode.EXCHANGE_QUEUE_FULL]: { status: 503, title: 'Too many requests wait for the exchange', retryAfterSeconds: 5 },
  [ErrorCode.EXCHANGE_TIMEOUT]: { status: 504, title: 'The exchange did not answer in time', retryAfterSeconds: 5 },
  [ErrorCode.SYMBOL_CAPACITY_REACHED]: { status: 507, title: 'No room for another symbol' },
} as const satisfies Partial<Record<ErrorCode, { status: number; title: string; retryAfterSeconds?: number }>>;

export type ProblemCode = keyof typeof kinds;

/** A refusal on its way to the client as `application/problem+json` (RFC 9457). `extra` becomes members of the document. */
export class Problem extends CodedError {
  declare readonly code: ProblemCode;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: ProblemCode,
    detail: string,
    extra: Readonly<Record<string, unknown>> = {},
    options: { readonly status?: number; readonly headers?: Readonly<Record<string, string>>; readonly cause?: unknown } = {},
  ) {
    super(code, detail, extra, options.cause);
    const kind: { status: number; retryAfterSeconds?: number } = kinds[code];
    this.status = options.status ?? kind.status;
    const { retryAfterMs } = extra;
    const seconds = typeof retryAfterMs === 'number' ? Math.ceil(retryAfterMs / 1000) : kind.retryAfterSeconds;
    const retryAfter = kind.retryAfterSeconds === undefined ? {} : { 'retry-after': String(seconds) };
    this.headers = { ...retryAfter, ...options.headers };
  }

  /** The document, without the id of a request. */
  toJSON(): Record<string, unknown> {
    return {
      // First, so that no detail takes the place of a member of its own.
      ...this.details,
      type: `urn:mdp:problem:${this.code}`,
      title: kinds[this.code].title,
      status: this.status,
      detail: this.message,
      code: this.code,
    };
  }
}

export function problemBody(problem: Problem, requestId: string): string {
  return JSON.stringify({ ...problem.toJSON(), requestId });
}

export function sendProblem(request: FastifyRequest, reply: FastifyReply, problem: Problem): FastifyReply {
  return reply
    .code(problem.status)
    .headers({ 'cache-control': 'no-store', ...problem.headers })
    .type('application/problem+json; charset=utf-8')
    .serializer((payload: string) => payload)
    .send(problemBody(problem, request.id));
}

/** What a validator found, as far as it is looked at here. */
interface Violation {
  readonly instancePath: string;
  readonly params?: { readonly additionalProperties?: unknown; readonly requiredProperties?: unknown };
}

interface RaisedError {
  readonly code?: unknown;
  readonly statusCode?: unknown;
  readonly message?: unknown;
  readonly validation?: readonly Violation[];
}

/**
 * Turns whatever was thrown while answering into a problem; anything unknown becomes `INTERNAL_ERROR` and shows nothing of
 * itself. `schema` is the route's, for the names and values of its parameters.
 */
export function toProblem(thrown: unknown, schema: FastifySchema | undefined): Problem {
  if (thrown instanceof Problem) return thrown;
  if (thrown instanceof CodedError && Object.hasOwn(kinds, thrown.code)) {
    return new Problem(thrown.code as ProblemCode, thrown.message, thrown.details, { cause: thrown });
  }
  const error = (typeof thrown === 'object' && thrown !== null ? thrown : {}) as RaisedError;
  if (error.validation !== undefined) return badParameter(error.validation, schema);
  const message = typeof error.message === 'string' ? error.message : 'the request could not be read';
  const status = typeof error.statusCode === 'number' ? error.statusCode : 500;
  if (error.code === 'FST_ERR_BAD_URL') return new Problem('BAD_REQUEST', 'the path holds a malformed percent-encoding');
  if (status === 413) return new Problem('BODY_TOO_LARGE', message);
  if (status === 415) return new Problem('MEDIA_TYPE_NOT_SUPPORTED', message, { allowed: 'application/json' });
  if (status >= 400 && status < 500) return new Problem('BAD_REQUEST', message, {}, { status });
  return new Problem('INTERNAL_ERROR', 'the server failed to answer; the log has the details', {}, { cause: thrown });
}

type QueryProperties = Readonly<Record<string, { readonly description?: string }>>;

/** Names the parameter and what it may be: the `description` in the schema beside the handler. */
function badParameter(violations: readonly Violation[], schema: FastifySchema | undefined): Problem {
  const query = schema?.querystring as { readonly properties?: QueryProperties } | undefined;
  const properties = query?.properties ?? {};
  const first = violations[0];
  const parameter = first?.instancePath.split('/')[1] ?? namedProperty(violations) ?? '';
  const known = Object.hasOwn(properties, parameter) ? properties[parameter] : undefined;
  if (known !== undefined) {
    const allowed = known.description ?? '';
    return new Problem('BAD_PARAMETER', `${parameter} must be ${allowed}`, { parameter, allowed });
  }
  const allowed = Object.keys(properties);
  const detail = allowed.length === 0 ? 'no parameters are taken here' : `unknown parameter; known are ${allowed.join(', ')}`;
  return new Problem('BAD_PARAMETER', detail, { parameter, allowed });
}

/** The property that is one too many, or missing. */
function namedProperty(violations: readonly Violation[]): string | undefined {
  for (const { params } of violations) {
    for (const names of [params?.additionalProperties, params?.requiredProperties]) {
      if (Array.isArray(names)) return String(names[0]);
    }
  }
  return undefined;
}
