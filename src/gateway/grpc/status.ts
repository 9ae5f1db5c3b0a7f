import { Metadata, status as Status, type StatusObject } from '@grpc/grpc-js';
import { CodedError, ErrorCode } from '../../support/errors.js';
import { Problem } from '../problem.js';

/** The gRPC status of every error a call can end with. */
const statuses: Partial<Record<ErrorCode, Status>> = {
  [ErrorCode.BAD_PARAMETER]: Status.INVALID_ARGUMENT,
  [ErrorCode.BAD_REQUEST]: Status.INVALID_ARGUMENT,
  [ErrorCode.KEY_REQUIRED]: Status.UNAUTHENTICATED,
  [ErrorCode.KEY_UNKNOWN]: Status.UNAUTHENTICATED,
  [ErrorCode.SYMBOL_NOT_TRACKED]: Status.NOT_FOUND,
  [ErrorCode.SYMBOL_UNTRACKED]: Status.NOT_FOUND,
  [ErrorCode.BOOK_NOT_LIVE]: Status.UNAVAILABLE,
  [ErrorCode.BOOK_BUSY]: Status.UNAVAILABLE,
  [ErrorCode.TRADES_NOT_READY]: Status.UNAVAILABLE,
  [ErrorCode.SHUTTING_DOWN]: Status.UNAVAILABLE,
  [ErrorCode.TOO_MANY_CLIENTS]: Status.RESOURCE_EXHAUSTED,
  [ErrorCode.SUBSCRIPTION_LIMIT]: Status.RESOURCE_EXHAUSTED,
  [ErrorCode.RATE_LIMITED]: Status.RESOURCE_EXHAUSTED,
  [ErrorCode.SLOW_CONSUMER]: Status.RESOURCE_EXHAUSTED,
};

/** Details of an error that are trailing metadata too, for programs. */
const METADATA_DETAILS = ['nearest', 'state', 'reason', 'parameter'] as const;

/**
 * How a call ends because of `error`: the status, its text, and metadata for programs: `code`, and `retry-after-ms` where trying again can
 * help (`grpc-retry-pushback-ms` says the same to clients with a retry policy). Anything unknown is INTERNAL and shows nothing of itself.
 */
export function toStatus(error: unknown): StatusObject {
  const metadata = new Metadata();
  const code = error instanceof CodedError ? statuses[error.code] : undefined;
  if (!(error instanceof CodedError) || code === undefined) {
    metadata.set('code', ErrorCode.INTERNAL_ERROR);
    return { code: Status.INTERNAL, details: 'the server failed to answer; the log has the details', metadata };
  }
  metadata.set('code', error.code);
  for (const name of METADATA_DETAILS) {
    const value = error.details[name];
    // Metadata is ASCII; a pair's name need not be.
    if (typeof value === 'string') metadata.set(name, encodeURI(value.toWellFormed()));
  }
  const retryAfter = error instanceof Problem ? error.headers['retry-after'] : undefined;
  if (retryAfter !== undefined) {
    const ms = String(Number(retryAfter) * 1000);
    metadata.set('retry-after-ms', ms);
    metadata.set('grpc-retry-pushback-ms', ms);
  }
  // grpc-js encodes the text as an address is, and throws at half a pair of surrogates.
  return { code, details: error.message.toWellFormed(), metadata };
}
