import { CodedError, ErrorCode } from '../support/errors.js';

/** What is needed of an HTTP answer to tell what it means. */
export interface RestAnswer {
  readonly path: string;
  readonly status: number;
  readonly contentType: string;
  /** The `Retry-After` header as it came; seconds or an HTTP date. */
  readonly retryAfter: string | undefined;
  readonly body: Uint8Array;
}

/** Bodies above this are data, never `{code, msg}`. */
const ERROR_BODY_BYTES_MAX = 1024;
/** Bans are documented to last up to three days. */
const RETRY_AFTER_MS_MAX = 3 * 24 * 3600 * 1000;
const OPEN_BRACE = 0x7b;
const OPEN_BRACKET = 0x5b;
const LESS_THAN = 0x3c;

/** Codes that mean "too many requests" when they come in a body, with whatever status. */
const THROTTLE_CODES = new Set([429, 510, -1003]);

/**
 * The error an answer stands for, or `undefined` when it carries data. Judged by what was seen on the wire: 429 with
 * `{code, msg}` and `Retry-After`; the firewall's 403 HTML page without one; 400 with `{"msg":"invalid symbol","code":-1121}`;
 * bodies that are no JSON at all.
 */
export function answerError(answer: RestAnswer, nowMs: number): CodedError | undefined {
  const { status } = answer;
  const stated = statedError(answer);
  const retryAfterMs = parseRetryAfter(answer.retryAfter, nowMs);
  const details = { path: answer.path, status, retryAfterMs, exchangeCode: stated?.code ?? null, exchangeMsg: stated?.msg ?? null };
  const fail = (code: ErrorCode, what: string): CodedError =>
    new CodedError(
      code,
      `${answer.path}: ${what} (HTTP ${status}${stated === undefined ? '' : `, ${stated.code} ${stated.msg}`})`,
      details,
    );

  if (status === 429 || (stated !== undefined && THROTTLE_CODES.has(stated.code)))
    return fail(ErrorCode.EXCHANGE_THROTTLED, 'too many requests');
  if (status === 403 || status === 418 || status === 451) return fail(ErrorCode.EXCHANGE_FORBIDDEN, 'the exchange refuses this host');
  if (status >= 500) return fail(ErrorCode.EXCHANGE_UNREACHABLE, 'the exchange failed');
  if (stated !== undefined) return fail(ErrorCode.EXCHANGE_REFUSED, 'refused');
  if (isHtml(answer)) return fail(ErrorCode.EXCHANGE_FORBIDDEN, 'a page instead of data');
  if (status !== 200) return fail(ErrorCode.EXCHANGE_ANSWER_MALFORMED, 'unexpected status');
  const first = answer.body[0];
  if (first !== OPEN_BRACE && first !== OPEN_BRACKET) return fail(ErrorCode.EXCHANGE_ANSWER_MALFORMED, 'not JSON');
  return undefined;
}

/** Milliseconds from now, bounded; `null` when the header is absent or unreadable. */
export function parseRetryAfter(value: string | undefined, nowMs: number): number | null {
  if (value === undefined) return null;
  const seconds = /^\s*\d+(\.\d+)?\s*$/.test(value) ? Number(value) * 1000 : Date.parse(value) - nowMs;
  return Number.isNaN(seconds) ? null : Math.min(Math.max(seconds, 0), RETRY_AFTER_MS_MAX);
}

/** `{code, msg}` in either order. Answers of data hold no number under `code`, except lists under `data` with code 0 or 200. */
function statedError(answer: RestAnswer): { readonly code: number; readonly msg: string } | undefined {
  if (answer.body.length > ERROR_BODY_BYTES_MAX || answer.body[0] !== OPEN_BRACE) return undefined;
  try {
    const body = JSON.parse(Buffer.from(answer.body.buffer, answer.body.byteOffset, answer.body.length).toString('utf8')) as Record<
      string,
      unknown
    >;
    const { code, msg } = body;
    if (typeof code !== 'number' || code === 0 || code === 200) return undefined;
    return { code, msg: typeof msg === 'string' ? msg : '' };
  } catch {
    return undefined;
  }
}

function isHtml(answer: RestAnswer): boolean {
  return answer.contentType.includes('html') || answer.body[0] === LESS_THAN;
}
