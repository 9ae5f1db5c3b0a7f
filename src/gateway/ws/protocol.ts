import { type CandleInterval, candleIntervals } from '../../model/candle-interval.js';
import {
  Channel,
  channelName,
  channelNames,
  channelOfName,
  Format,
  hasDepth,
  hasInterval,
  type PublicationSpec,
} from '../../model/publication.js';
import type { SkippedRun } from '../../publish/trade-backlog.js';
import { ErrorCode } from '../../support/errors.js';

/** What a client may write into `id`; it comes back with the answer. */
export type MessageId = string | number;

/** `id` is `undefined` when the client gave none. */
export type ClientMessage =
  | {
      readonly op: 'subscribe';
      readonly id: MessageId | undefined;
      readonly spec: PublicationSpec;
      readonly symbols: readonly string[];
    }
  | {
      readonly op: 'unsubscribe';
      readonly id: MessageId | undefined;
      /** A field the client left out matches whatever its value is. */
      readonly pattern: SpecPattern;
      readonly symbols: readonly string[] | 'all';
    }
  | { readonly op: 'ping'; readonly id: MessageId | undefined };

/** An answer to a message that could not be followed; sent as it is. */
export interface ErrorMessage {
  readonly op: 'error';
  readonly id?: MessageId;
  readonly code: MessageErrorCode;
  readonly message: string;
  readonly retryable: boolean;
}

export interface FailedSymbol {
  readonly symbol: string;
  readonly code: FailureCode;
  readonly message: string;
  readonly retryable: boolean;
  readonly nearest?: string;
}

export const ops = ['subscribe', 'unsubscribe', 'ping'] as const;
/** Levels a side of the channels that have a depth. */
export const depths = [1, 5, 10, 20, 50, 100, 500, 'full'] as const;
/** Least time between two messages of a subscription in ms; 0 = every change. */
export const intervalsMs = [0, 10, 20, 50, 100, 200, 250, 500, 1000, 2000, 5000] as const;

const DEFAULT_DEPTH = 20;
const DEFAULT_INTERVAL_MS = 100;
const DEFAULT_EVERY_MS = 1000;
const DEFAULT_TICKER_INTERVAL_MS = 1000;
export const ID_LENGTH_MAX = 256;

/** Every code an error message may carry. */
export const errorCodes = [
  ErrorCode.BAD_JSON,
  ErrorCode.BAD_MESSAGE,
  ErrorCode.BAD_ID,
  ErrorCode.BAD_SYMBOLS,
  ErrorCode.BINARY_NOT_SUPPORTED,
  ErrorCode.UNKNOWN_OP,
  ErrorCode.UNKNOWN_CHANNEL,
  ErrorCode.DEPTH_NOT_SUPPORTED,
  ErrorCode.INTERVAL_NOT_SUPPORTED,
  ErrorCode.RATE_LIMITED,
] as const;
export type MessageErrorCode = (typeof errorCodes)[number];

/** Every code a symbol may fail with. */
export const failureCodes = [ErrorCode.SYMBOL_NOT_TRACKED, ErrorCode.SUBSCRIPTION_LIMIT, ErrorCode.NOT_SUBSCRIBED] as const;
export type FailureCode = (typeof failureCodes)[number];

export interface ProtocolLimits {
  readonly symbolsPerMessage: number;
}

/** Reads one text message. Fields that are not known are ignored. */
export function parseClientMessage(text: string, limits: ProtocolLimits): ClientMessage | ErrorMessage {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return errorMessage(undefined, ErrorCode.BAD_JSON, 'the message is not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return errorMessage(undefined, ErrorCode.BAD_MESSAGE, 'a message is a JSON object with an "op"');
  }
  const fields = value as Readonly<Record<string, unknown>>;
  const id = fields['id'] ?? undefined;
  if (!isMessageId(id)) {
    return errorMessage(undefined, ErrorCode.BAD_ID, `id must be a number or a string of at most ${ID_LENGTH_MAX} characters`);
  }
  switch (fields['op']) {
    case 'subscribe':
      return parseSubscribe(fields, id, limits);
    case 'unsubscribe':
      return parseUnsubscribe(fields, id, limits);
    case 'ping':
      return { op: 'ping', id };
    default:
      return errorMessage(id, ErrorCode.UNKNOWN_OP, `op must be one of ${ops.join(', ')}`);
  }
}

export function errorMessage(id: MessageId | undefined, code: MessageErrorCode, message: string, retryable = false): ErrorMessage {
  return { op: 'error', ...(id === undefined ? {} : { id }), code, message, retryable };
}

/** What nobody asked for: the symbol of a subscription is no longer tracked. */
export function endedMessage(symbol: string, spec: PublicationSpec): object {
  return {
    op: 'unsubscribed',
    channel: channelName(spec.channel),
    ...specFields(spec),
    ok: [symbol],
    failed: [],
    code: ErrorCode.SYMBOL_UNTRACKED,
    message: `${symbol} is no longer tracked`,
  };
}

/** Tells of trades a slow client is not sent. */
export function skippedMessage(symbol: string, { epoch, seq, prev, count, fromMs, toMs }: SkippedRun, nowMs: number): object {
  return {
    ch: channelName(Channel.TRADE),
    sym: symbol,
    type: 'skipped',
    epoch,
    seq,
    prev,
    reason: 'slow',
    count,
    from: Number.isNaN(fromMs) ? null : fromMs,
    to: Number.isNaN(toMs) ? null : toMs,
    tp: Math.trunc(nowMs),
  };
}

/** A spec, or several: what is `undefined` is left open. */
export interface SpecPattern {
  readonly channel: Channel;
  readonly depth: number | undefined;
  readonly intervalMs: number | undefined;
  /** `candle` only. */
  readonly candleInterval?: number | undefined;
}

/** What tells subscriptions of a channel apart, as a client writes and reads it. */
export interface SpecFields {
  readonly depth?: number | 'full';
  readonly interval?: number | CandleInterval;
  readonly every?: number;
}

/** Only those the channel knows. Of `candle` the interval is the length of the candles; how often they come is `every`. */
export function specFields({ channel, depth, intervalMs, candleInterval }: SpecPattern): SpecFields {
  if (channel === Channel.CANDLE) {
    return {
      ...(candleInterval === undefined ? {} : { interval: candleIntervals[candleInterval]! }),
      ...(intervalMs === undefined ? {} : { every: intervalMs }),
    };
  }
  return {
    ...(hasDepth(channel) && depth !== undefined ? { depth: depth === 0 ? 'full' : depth } : {}),
    ...(hasInterval(channel) && intervalMs !== undefined ? { interval: intervalMs } : {}),
  };
}

type Fields = Readonly<Record<string, unknown>>;

function parseSubscribe(fields: Fields, id: MessageId | undefined, limits: ProtocolLimits): ClientMessage | ErrorMessage {
  const channel = channelOfName(fields['channel']);
  if (channel === undefined) return unknownChannel(id);
  const pattern = parsePattern(channel, fields, id);
  if ('op' in pattern) return pattern;
  const symbols = parseSymbols(fields['symbols'], limits);
  if (symbols === undefined) return badSymbols(id, limits, '');
  return { op: 'subscribe', id, spec: { ...defaultsOf(channel), ...given(pattern), channel, format: Format.JSON }, symbols };
}

function parseUnsubscribe(fields: Fields, id: MessageId | undefined, limits: ProtocolLimits): ClientMessage | ErrorMessage {
  const channel = channelOfName(fields['channel']);
  if (channel === undefined) return unknownChannel(id);
  const pattern = parsePattern(channel, fields, id);
  if ('op' in pattern) return pattern;
  const wanted = fields['symbols'] ?? 'all';
  const symbols = wanted === 'all' ? wanted : parseSymbols(wanted, limits);
  if (symbols === undefined) return badSymbols(id, limits, ', or "all"');
  return { op: 'unsubscribe', id, pattern, symbols };
}

/** What a client said of a subscription; fields the channel does not know are ignored. */
function parsePattern(channel: Channel, fields: Fields, id: MessageId | undefined): SpecPattern | ErrorMessage {
  const depthField = hasDepth(channel) ? (fields['depth'] ?? undefined) : undefined;
  const depth = depthField === undefined ? undefined : parseDepth(depthField);
  if (depthField !== undefined && depth === undefined) return depthNotSupported(id);
  const isCandle = channel === Channel.CANDLE;
  const pace = isCandle ? 'every' : 'interval';
  const paceField = hasInterval(channel) ? (fields[pace] ?? undefined) : undefined;
  const intervalMs = paceField === undefined ? undefined : parseInterval(paceField);
  if (paceField !== undefined && intervalMs === undefined) return intervalNotSupported(id, pace);
  if (!isCandle) return { channel, depth, intervalMs };
  const lengthField = fields['interval'] ?? undefined;
  const place = lengthField === undefined ? undefined : candleIntervals.indexOf(lengthField as CandleInterval);
  if (place === -1) return candleIntervalNotSupported(id);
  return { channel, depth: undefined, intervalMs, candleInterval: place };
}

function defaultsOf(channel: Channel): Pick<PublicationSpec, 'depth' | 'intervalMs' | 'candleInterval'> {
  if (channel === Channel.CANDLE) return { depth: 0, intervalMs: DEFAULT_EVERY_MS, candleInterval: 0 };
  return { depth: hasDepth(channel) ? DEFAULT_DEPTH : 0, intervalMs: defaultIntervalMs(channel) };
}

/** The fields of a pattern that are not left open. */
function given({ depth, intervalMs, candleInterval }: SpecPattern): Partial<PublicationSpec> {
  return {
    ...(depth === undefined ? {} : { depth }),
    ...(intervalMs === undefined ? {} : { intervalMs }),
    ...(candleInterval === undefined ? {} : { candleInterval }),
  };
}

function isMessageId(value: unknown): value is MessageId | undefined {
  return value === undefined || typeof value === 'number' || (typeof value === 'string' && value.length <= ID_LENGTH_MAX);
}

/** A quote is worth every change, what is larger or slower is not. */
function defaultIntervalMs(channel: Channel): number {
  if (hasDepth(channel)) return DEFAULT_INTERVAL_MS;
  return channel === Channel.TICKER ? DEFAULT_TICKER_INTERVAL_MS : 0;
}

/** Levels a side, 0 = full. */
function parseDepth(value: unknown): number | undefined {
  if (!depths.includes(value as (typeof depths)[number])) return undefined;
  return value === 'full' ? 0 : (value as number);
}

/** `100` or `"100ms"`. */
function parseInterval(value: unknown): number | undefined {
  const ms = typeof value === 'string' && /^[0-9]{1,5}(ms)?$/.test(value) ? Number.parseInt(value, 10) : value;
  return intervalsMs.includes(ms as (typeof intervalsMs)[number]) ? (ms as number) : undefined;
}

function parseSymbols(value: unknown, limits: ProtocolLimits): readonly string[] | undefined {
  if (!Array.isArray(value) || value.length === 0 || value.length > limits.symbolsPerMessage) return undefined;
  return value.every((symbol) => typeof symbol === 'string') ? value : undefined;
}

function unknownChannel(id: MessageId | undefined): ErrorMessage {
  return errorMessage(id, ErrorCode.UNKNOWN_CHANNEL, `channel must be one of ${channelNames.join(', ')}`);
}

function depthNotSupported(id: MessageId | undefined): ErrorMessage {
  return errorMessage(id, ErrorCode.DEPTH_NOT_SUPPORTED, `depth must be one of ${depths.join(', ')}`);
}

function intervalNotSupported(id: MessageId | undefined, field: string): ErrorMessage {
  return errorMessage(id, ErrorCode.INTERVAL_NOT_SUPPORTED, `${field} must be one of ${intervalsMs.join(', ')} (ms)`);
}

function candleIntervalNotSupported(id: MessageId | undefined): ErrorMessage {
  return errorMessage(id, ErrorCode.INTERVAL_NOT_SUPPORTED, `interval must be one of ${candleIntervals.join(', ')}`);
}

function badSymbols(id: MessageId | undefined, limits: ProtocolLimits, alternative: string): ErrorMessage {
  return errorMessage(id, ErrorCode.BAD_SYMBOLS, `symbols must be a list of 1 to ${limits.symbolsPerMessage} names${alternative}`);
}
