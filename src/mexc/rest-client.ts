import type { Logger } from 'pino';
import { Agent } from 'undici';
import type { Dispatcher } from 'undici';
import type { ListedSymbol } from '../model/symbol.js';
import { CodedError, ErrorCode } from '../support/errors.js';
import { parseExchangeInfo, parseTickers, withTurnover } from './exchange-info.js';
import { answerError } from './rest-errors.js';

/** The host's request budget, as far as the client needs it: MEXC limits by IP, so every request shares one. */
export interface RequestBudget {
  /** Resolves when one request may be sent. Throws EXCHANGE_THROTTLED (`details.retryAfterMs`) when that will be later than in `waitMsMax`. */
  acquire(waitMsMax?: number): Promise<void>;
  /** The exchange answered 429, 403 or 418; `retryAfterMs` is `null` when it did not say for how long. */
  throttled(retryAfterMs: number | null): void;
  /** The exchange answered with data. */
  succeeded(): void;
}

export interface RestClientOptions {
  /** E.g. `https://api.mexc.com`; a path is kept as a prefix. */
  readonly restUrl: string;
  readonly budget: RequestBudget;
  readonly logger: Logger;
  /** Until the connection stands. Default 10,000 ms. */
  readonly connectTimeoutMs?: number;
  /** Until the answer's headers. Default 10,000 ms. */
  readonly headersTimeoutMs?: number;
  /** Between two parts of the body. Default 10,000 ms. */
  readonly bodyTimeoutMs?: number;
  /** From sending to the last byte. Default 30,000 ms. */
  readonly totalTimeoutMs?: number;
  /** Connections held open at most. Default 64: with 200 ms an answer, 300 requests a second. */
  readonly connections?: number;
}

/** A depth answer with 5,000 levels a side is about 260 KB. */
export const DEPTH_BYTES_MAX = 8 * 1024 * 1024;
/** `exchangeInfo` was 1.6 MB for 1,966 pairs. */
export const LIST_BYTES_MAX = 64 * 1024 * 1024;

/** 1,000 trades are about 170 KB, as many candles less. */
const ROWS_BYTES_MAX = 2 * 1024 * 1024;

const TIME_BYTES_MAX = 4096;

const OPEN_BRACE = 0x7b;
const OPEN_BRACKET = 0x5b;

/** Which candles to ask for. MEXC heeds the times only together. */
export interface KlineQuery {
  /** As REST names it: 1m, 5m, 15m, 30m, 60m, 4h, 1d, 1W, 1M. */
  readonly interval: string;
  /** Unix ms, inclusive. */
  readonly startTime?: number;
  readonly endTime?: number;
  /** At most 1,000. */
  readonly limit: number;
}

/**
 * MEXC's public spot REST API. Main thread only. Every failure is a CodedError: EXCHANGE_TIMEOUT, EXCHANGE_UNREACHABLE (no
 * connection, or a 5xx), EXCHANGE_THROTTLED and EXCHANGE_FORBIDDEN (both with `details.retryAfterMs`, a number or null),
 * EXCHANGE_REFUSED (with `details.exchangeCode`, e.g. -1121 for an unknown symbol), EXCHANGE_ANSWER_MALFORMED.
 */
export class RestClient {
  readonly #baseUrl: URL;
  readonly #basePath: string;
  readonly #budget: RequestBudget;
  readonly #logger: Logger;
  readonly #agent: Agent;
  readonly #totalTimeoutMs: number;
  #simulated = false;

  constructor(options: RestClientOptions) {
    this.#baseUrl = new URL(options.restUrl);
    this.#basePath = this.#baseUrl.pathname.replace(/\/+$/, '');
    this.#budget = options.budget;
    this.#logger = options.logger;
    this.#totalTimeoutMs = options.totalTimeoutMs ?? 30_000;
    this.#agent = new Agent({
      connections: options.connections ?? 64,
      connect: { timeout: options.connectTimeoutMs ?? 10_000 },
      headersTimeout: options.headersTimeoutMs ?? 10_000,
      bodyTimeout: options.bodyTimeoutMs ?? 10_000,
    });
  }

  /** Whether an answer said that it comes from a simulated exchange; false before the first answer. */
  get simulated(): boolean {
    return this.#simulated;
  }

  /** The pairs that trade now. Throws EXCHANGE_THROTTLED instead of waiting longer than `waitMsMax` for its turn. */
  async exchangeInfo(waitMsMax?: number): Promise<readonly ListedSymbol[]> {
    await this.#budget.acquire(waitMsMax);
    const path = '/api/v3/exchangeInfo';
    const { symbols, unusable } = parseExchangeInfo(parseJson(path, await this.#get(path, LIST_BYTES_MAX)));
    if (unusable.length > 0)
      this.#logger.warn({ count: unusable.length, first: unusable.slice(0, 5) }, 'listed symbols that cannot be used were left out');
    return symbols;
  }

  /** The pairs that trade now with their 24 h turnover, and unparsed the answer it was taken from: a JSON array about all pairs. */
  async listing(): Promise<{ readonly symbols: readonly ListedSymbol[]; readonly tickers: Uint8Array }> {
    const symbols = await this.exchangeInfo();
    await this.#budget.acquire();
    const tickers = await this.tickers();
    return { symbols: withTurnover(symbols, parseTickers(parseJson('/api/v3/ticker/24hr', tickers))), tickers };
  }

  /**
   * The body of a depth answer, unparsed: a JSON object that is not an error. The caller has taken its place in the
   * budget already: which symbol is worth the next request is decided when there is one to spend.
   */
  async depth(symbol: string, limit: number): Promise<Uint8Array> {
    const path = `/api/v3/depth?symbol=${encodeURIComponent(symbol)}&limit=${limit}`;
    const body = await this.#get(path, DEPTH_BYTES_MAX);
    if (body[0] !== OPEN_BRACE) throw malformed(path, 'not a JSON object');
    return body;
  }

  /** The body of an answer about the last trades, newest first, unparsed: a JSON array. As with `depth`, the place in the budget is taken. */
  async trades(symbol: string, limit: number): Promise<Uint8Array> {
    return this.#array(`/api/v3/trades?symbol=${encodeURIComponent(symbol)}&limit=${limit}`, ROWS_BYTES_MAX);
  }

  /** The body of an answer about candles, unparsed: a JSON array. The place in the budget is taken. */
  async klines(symbol: string, { interval, startTime, endTime, limit }: KlineQuery): Promise<Uint8Array> {
    const times = startTime === undefined || endTime === undefined ? '' : `&startTime=${startTime}&endTime=${endTime}`;
    return this.#array(`/api/v3/klines?symbol=${encodeURIComponent(symbol)}&interval=${interval}${times}&limit=${limit}`, ROWS_BYTES_MAX);
  }

  /** The body of the answer about the 24 h figures of all symbols, unparsed: a JSON array. The place in the budget is taken. */
  async tickers(): Promise<Uint8Array> {
    return this.#array('/api/v3/ticker/24hr', LIST_BYTES_MAX);
  }

  /** The body of the answer about the exchange's time, unparsed: a JSON object. The place in the budget is taken. */
  async time(): Promise<Uint8Array> {
    return this.#get('/api/v3/time', TIME_BYTES_MAX);
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #array(path: string, bytesMax: number): Promise<Uint8Array> {
    const body = await this.#get(path, bytesMax);
    if (body[0] !== OPEN_BRACKET) throw malformed(path, 'not a JSON array');
    return body;
  }

  async #get(path: string, bytesMax: number): Promise<Uint8Array> {
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(), this.#totalTimeoutMs);
    try {
      const answer = await this.#agent.request({
        origin: this.#baseUrl.origin,
        path: this.#basePath + path,
        method: 'GET',
        signal: deadline.signal,
      });
      const body = await readBody(path, answer.body, bytesMax);
      return this.#judge(path, answer, body);
    } catch (error) {
      throw error instanceof CodedError ? error : transportError(path, error);
    } finally {
      clearTimeout(timer);
    }
  }

  #judge(path: string, answer: Dispatcher.ResponseData, body: Uint8Array): Uint8Array {
    if (answer.headers['x-simulated-exchange'] !== undefined) this.#simulated = true;
    const retryAfter = header(answer, 'retry-after');
    const error = answerError(
      { path, status: answer.statusCode, contentType: header(answer, 'content-type') ?? '', retryAfter, body },
      Date.now(),
    );
    if (error === undefined) {
      this.#budget.succeeded();
      return body;
    }
    if (error.code === ErrorCode.EXCHANGE_THROTTLED || error.code === ErrorCode.EXCHANGE_FORBIDDEN) {
      this.#budget.throttled(error.details['retryAfterMs'] as number | null);
    }
    throw error;
  }
}

function parseJson(path: string, body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.length).toString('utf8')) as unknown;
  } catch (error) {
    throw malformed(path, 'not JSON', error);
  }
}

async function readBody(path: string, body: Dispatcher.ResponseData['body'], bytesMax: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of body as AsyncIterable<Uint8Array>) {
    length += part.length;
    // Leaving the loop destroys the body, and with it the connection.
    if (length > bytesMax) throw malformed(path, `the answer is longer than ${bytesMax} bytes`);
    parts.push(part);
  }
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts, length);
}

function header(answer: Dispatcher.ResponseData, name: string): string | undefined {
  const value = answer.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

function malformed(path: string, why: string, cause?: unknown): CodedError {
  return new CodedError(ErrorCode.EXCHANGE_ANSWER_MALFORMED, `${path}: ${why}`, { path }, cause);
}

const TIMEOUT_CODES = new Set([
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_ABORTED',
  'ETIMEDOUT',
]);

function transportError(path: string, error: unknown): CodedError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const timedOut = TIMEOUT_CODES.has(code) || (error instanceof Error && error.name === 'AbortError');
  return timedOut
    ? new CodedError(ErrorCode.EXCHANGE_TIMEOUT, `${path}: no answer in time`, { path, cause: code }, error)
    : new CodedError(
        ErrorCode.EXCHANGE_UNREACHABLE,
        `${path}: the exchange cannot be reached (${code || String(error)})`,
        { path, cause: code },
        error,
      );
}
