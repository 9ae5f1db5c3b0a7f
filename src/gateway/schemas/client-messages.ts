import { type TProperties, Type } from '@fastify/type-provider-typebox';
import type { ChannelName } from '../../model/publication.js';
import { ErrorCode } from '../../support/errors.js';
import { defaultGatewayLimits } from '../limits.js';
import { errorCodes, failureCodes, ID_LENGTH_MAX } from '../ws/protocol.js';
import { SymbolName, time } from './values.js';

const Id = Type.Union([Type.Number(), Type.String({ maxLength: ID_LENGTH_MAX })], {
  $id: 'MessageId',
  description: 'chosen by the client; comes back with the answer',
});
const id = Type.Optional(Id);

const Symbols = Type.Array(SymbolName, { minItems: 1, maxItems: defaultGatewayLimits.symbolsPerMessage });

/** `subscribe` to one channel; parameters that are left out have the defaults of the channel. */
export function subscribeMessage(channel: ChannelName, parameters: TProperties) {
  return Type.Object({ op: Type.Literal('subscribe'), id, channel: Type.Literal(channel), symbols: Symbols, ...optional(parameters) });
}

/** `unsubscribe` from one channel; what is left out matches whatever its value is. */
export function unsubscribeMessage(channel: ChannelName, parameters: TProperties) {
  const symbols = Type.Optional(Type.Union([Symbols, Type.Literal('all')]));
  return Type.Object({ op: Type.Literal('unsubscribe'), id, channel: Type.Literal(channel), symbols, ...optional(parameters) });
}

export const Ping = Type.Object({ op: Type.Literal('ping'), id });

export const Pong = Type.Object({ op: Type.Literal('pong'), id, tp: time('when it was answered') });

const FailedSymbol = Type.Object(
  {
    symbol: SymbolName,
    code: Type.Enum([...failureCodes]),
    message: Type.String({ description: 'for people; may change' }),
    retryable: Type.Boolean({ description: 'whether the same may succeed later' }),
    nearest: Type.Optional(Type.String({ description: 'the most similar symbol that is tracked' })),
  },
  { $id: 'FailedSymbol' },
);

const told = {
  ok: Type.Array(SymbolName, { description: 'those it was done for' }),
  failed: Type.Array(FailedSymbol, { description: 'those it was not done for, and why' }),
};

/** The answer to `subscribe`: parameters as they were understood, defaults filled in. */
export function subscribedMessage(channel: ChannelName, parameters: TProperties) {
  return Type.Object({ op: Type.Literal('subscribed'), id, channel: Type.Literal(channel), ...parameters, ...told });
}

/** The answer to `unsubscribe`, with the parameters it named; or, with a `code`, what nobody asked for: a symbol is no longer tracked. */
export function unsubscribedMessage(channel: ChannelName, parameters: TProperties) {
  return Type.Object({
    op: Type.Literal('unsubscribed'),
    id,
    channel: Type.Literal(channel),
    ...optional(parameters),
    ...told,
    code: Type.Optional(Type.Literal(ErrorCode.SYMBOL_UNTRACKED)),
    message: Type.Optional(Type.String({ description: 'for people; may change' })),
  });
}

export const ErrorAnswer = Type.Object({
  op: Type.Literal('error'),
  id,
  code: Type.Enum([...errorCodes]),
  message: Type.String({ description: 'for people; may change' }),
  retryable: Type.Boolean({ description: 'whether the same may succeed later' }),
});

function optional(parameters: TProperties): TProperties {
  return Object.fromEntries(Object.entries(parameters).map(([name, schema]) => [name, Type.Optional(schema)]));
}
