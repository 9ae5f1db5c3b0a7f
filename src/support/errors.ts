/**
 * Every operating error of the project has a stable `code`. Callers match the code, never the class or the text.
 * Programmer errors are asserted instead (`support/assert.ts`).
 */
export const ErrorCode = {
  // exchange
  FRAME_TRUNCATED: 'FRAME_TRUNCATED',
  FRAME_MALFORMED: 'FRAME_MALFORMED',
  NUMBER_MALFORMED: 'NUMBER_MALFORMED',
  SNAPSHOT_MALFORMED: 'SNAPSHOT_MALFORMED',
  KLINES_MALFORMED: 'KLINES_MALFORMED',
  CHANNEL_MALFORMED: 'CHANNEL_MALFORMED',
  EXCHANGE_UNREACHABLE: 'EXCHANGE_UNREACHABLE',
  EXCHANGE_TIMEOUT: 'EXCHANGE_TIMEOUT',
  EXCHANGE_THROTTLED: 'EXCHANGE_THROTTLED',
  EXCHANGE_FORBIDDEN: 'EXCHANGE_FORBIDDEN',
  EXCHANGE_REFUSED: 'EXCHANGE_REFUSED',
  EXCHANGE_ANSWER_MALFORMED: 'EXCHANGE_ANSWER_MALFORMED',
  // configuration
  CONFIG_INVALID: 'CONFIG_INVALID',
  // engine
  SYMBOL_NOT_LISTED: 'SYMBOL_NOT_LISTED',
  SYMBOL_CAPACITY_REACHED: 'SYMBOL_CAPACITY_REACHED',
  WORKER_START_TIMEOUT: 'WORKER_START_TIMEOUT',
  // simulated exchange
  RECORDING_MALFORMED: 'RECORDING_MALFORMED',
  // gateway: REST and WebSocket
  BOOK_NOT_LIVE: 'BOOK_NOT_LIVE',
  BOOK_BUSY: 'BOOK_BUSY',
  SYMBOL_NOT_TRACKED: 'SYMBOL_NOT_TRACKED',
  BAD_PARAMETER: 'BAD_PARAMETER',
  BAD_REQUEST: 'BAD_REQUEST',
  ROUTE_NOT_FOUND: 'ROUTE_NOT_FOUND',
  METHOD_NOT_ALLOWED: 'METHOD_NOT_ALLOWED',
  BODY_TOO_LARGE: 'BODY_TOO_LARGE',
  MEDIA_TYPE_NOT_SUPPORTED: 'MEDIA_TYPE_NOT_SUPPORTED',
  UPGRADE_REQUIRED: 'UPGRADE_REQUIRED',
  NOT_READY: 'NOT_READY',
  SHUTTING_DOWN: 'SHUTTING_DOWN',
  TOO_MANY_CLIENTS: 'TOO_MANY_CLIENTS',
  INTERNAL_ERROR: 'INTERNAL_ERROR',
  BAD_JSON: 'BAD_JSON',
  BAD_MESSAGE: 'BAD_MESSAGE',
  BAD_ID: 'BAD_ID',
  BAD_SYMBOLS: 'BAD_SYMBOLS',
  BINARY_NOT_SUPPORTED: 'BINARY_NOT_SUPPORTED',
  UNKNOWN_OP: 'UNKNOWN_OP',
  UNKNOWN_CHANNEL: 'UNKNOWN_CHANNEL',
  DEPTH_NOT_SUPPORTED: 'DEPTH_NOT_SUPPORTED',
  INTERVAL_NOT_SUPPORTED: 'INTERVAL_NOT_SUPPORTED',
  NOT_SUBSCRIBED: 'NOT_SUBSCRIBED',
  SUBSCRIPTION_LIMIT: 'SUBSCRIPTION_LIMIT',
  RATE_LIMITED: 'RATE_LIMITED',
  SYMBOL_UNTRACKED: 'SYMBOL_UNTRACKED',
  // commands
  SIMULATOR_ENDED: 'SIMULATOR_ENDED',
} as const;
export type ErrorCode = (typeof ErrorCode)[keyof typeof ErrorCode];

/** An expected failure with a stable code and the numbers that explain it. */
export class CodedError extends Error {
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, details: Readonly<Record<string, unknown>> = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'CodedError';
    this.code = code;
    this.details = details;
  }
}
