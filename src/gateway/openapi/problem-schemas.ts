import { type TProperties, type TSchema, Type } from '@fastify/type-provider-typebox';
import { ErrorCode } from '../../support/errors.js';
import { workerDeaths } from '../../model/market-data.js';
import { kinds, type ProblemCode } from '../problem.js';
import { unreadyReasons } from '../readiness.js';
import { TapeStateName } from '../schemas/trade.js';
import { count, Epoch, nullable, Reason, Seq, State } from '../schemas/values.js';

const allowed = Type.Union([Type.String(), Type.Array(Type.String())], { description: 'what is possible instead' });
const symbol = Type.String({ description: 'as the client wrote it, shortened when it is very long' });
/** What the exchange said, as far as it said something. */
const exchange = {
  path: Type.Optional(Type.String({ description: 'the request to the exchange' })),
  retryAfterMs: Type.Optional(nullable(Type.Number({ minimum: 0 }))),
  exchangeCode: Type.Optional(nullable(Type.Number())),
  exchangeMsg: Type.Optional(nullable(Type.String())),
  cause: Type.Optional(Type.String({ description: 'what the network said' })),
};

/** Members of a problem document beyond those all have. */
const details: Partial<Record<ProblemCode, TProperties>> = {
  [ErrorCode.BAD_PARAMETER]: { parameter: Type.String(), allowed },
  [ErrorCode.RIGHT_MISSING]: { right: Type.Literal('admin', { description: 'what the key would have to be allowed to' }) },
  [ErrorCode.METHOD_NOT_ALLOWED]: { allowed },
  [ErrorCode.MEDIA_TYPE_NOT_SUPPORTED]: { allowed },
  [ErrorCode.SYMBOL_NOT_TRACKED]: {
    symbol,
    nearest: Type.Optional(Type.String({ description: 'the most similar symbol that is tracked' })),
  },
  [ErrorCode.SYMBOL_NOT_LISTED]: { symbol },
  [ErrorCode.SYMBOL_CAPACITY_REACHED]: { shard: count('the worker that is full'), booksMax: count('how many books it holds') },
  [ErrorCode.BOOK_NOT_LIVE]: {
    symbol,
    state: State,
    reason: Reason,
    ageMs: nullable(Type.Integer({ minimum: 0 })),
    epoch: Epoch,
    seq: Seq,
  },
  [ErrorCode.BOOK_BUSY]: { symbol },
  [ErrorCode.TRADES_NOT_READY]: { symbol, state: TapeStateName },
  [ErrorCode.NOT_READY]: {
    phase: Type.Enum(['starting', 'degraded']),
    reason: Type.Enum([...unreadyReasons]),
    live: count('books that are live'),
    tracked: count('books in all'),
    required: count('how many must be live'),
    shards: Type.Array(
      Type.Object({
        shard: count('its number'),
        state: Type.String(),
        deaths: count('workers lost in a row'),
        lastDeath: nullable(Type.Enum([...workerDeaths])),
      }),
      { description: 'those that do not run, or whose workers die again and again' },
    ),
  },
  [ErrorCode.EXCHANGE_UNREACHABLE]: exchange,
  [ErrorCode.EXCHANGE_TIMEOUT]: exchange,
  [ErrorCode.EXCHANGE_THROTTLED]: exchange,
  [ErrorCode.EXCHANGE_QUEUE_FULL]: { retryAfterMs: count('when most of them are gone, in ms') },
  [ErrorCode.EXCHANGE_REFUSED]: exchange,
  [ErrorCode.EXCHANGE_FORBIDDEN]: exchange,
  [ErrorCode.EXCHANGE_ANSWER_MALFORMED]: exchange,
};

/** The problem document of one code. */
export function problemSchema(code: ProblemCode): TSchema {
  return Type.Object(
    {
      type: Type.Literal(`urn:mdp:problem:${code}`),
      title: Type.Literal(kinds[code].title),
      status: Type.Integer({ description: 'the HTTP status once more' }),
      detail: Type.String({ description: 'for people; may change' }),
      code: Type.Literal(code),
      requestId: Type.Optional(Type.String({ description: 'also in the log when the failure is ours' })),
      ...details[code],
    },
    { $id: `Problem.${code}`, description: `${kinds[code].title}.` },
  );
}
