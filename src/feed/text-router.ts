import type { Logger } from 'pino';
import { decodeLegacyBytes } from '../mexc/legacy-json/columns.js';
import { peekTextFrame } from '../mexc/legacy-json/peek.js';
import { type FeedSink, NO_SYMBOL } from '../model/feed.js';
import type { Clock } from '../support/clock.js';
import { CodedError, type ErrorCode } from '../support/errors.js';
import type { Connection } from './connection.js';
import type { FrameRouter } from './frame-router.js';
import { LogGate } from './log-gate.js';

const LOG_INTERVAL_MS = 10_000;
const LOGGED_BYTES = 200;

/**
 * From a text frame to the shard of its symbol, which reads it. Only a frame whose symbol cannot be told from its bytes is read here: tickers of
 * many symbols go to every shard, and what cannot be read at all has no shard to be refused by. Main thread only.
 */
export class TextRouter {
  readonly #sink: FeedSink;
  readonly #router: FrameRouter;
  readonly #logger: Logger;
  /** By code, so that one kind does not hide another. */
  readonly #gates = new Map<ErrorCode, LogGate>();
  readonly #refusals = new Map<ErrorCode, number>();
  readonly #clock: Clock;

  constructor(sink: FeedSink, router: FrameRouter, clock: Clock, logger: Logger) {
    this.#sink = sink;
    this.#router = router;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** Frames refused here, by code. */
  get refusals(): ReadonlyMap<ErrorCode, number> {
    return this.#refusals;
  }

  route(connection: Connection, bytes: Buffer, receiveTimeMs: number): void {
    const { symbolStart, symbolEnd } = peekTextFrame(bytes);
    if (symbolEnd > symbolStart) return this.#router.routeText(connection, bytes, symbolStart, symbolEnd, receiveTimeMs);
    try {
      const event = decodeLegacyBytes(bytes, 0, bytes.length);
      if (event.kind === 'tickers') return this.#hand(connection, bytes, receiveTimeMs);
      const symbol = Buffer.from(event.symbol);
      // Written with escapes, or beside the data only.
      this.#router.routeText(connection, bytes, 0, symbol.length, receiveTimeMs, symbol);
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      this.#refuse(connection, bytes, error);
    }
  }

  #hand(connection: Connection, bytes: Buffer, receiveTimeMs: number): void {
    if (!this.#sink.text(NO_SYMBOL, bytes, receiveTimeMs)) connection.rest();
  }

  #refuse(connection: Connection, bytes: Buffer, { code, message }: CodedError): void {
    this.#refusals.set(code, (this.#refusals.get(code) ?? 0) + 1);
    const gate = this.#gates.get(code) ?? new LogGate(LOG_INTERVAL_MS, this.#clock);
    this.#gates.set(code, gate);
    const suppressed = gate.pass();
    if (suppressed < 0) return;
    const text = bytes.toString('utf8', 0, LOGGED_BYTES);
    this.#logger.warn({ connection: connection.number, code, reason: message, text, suppressed }, 'a text frame was refused');
  }
}
