import type { Logger } from 'pino';
import { CodedError, ErrorCode } from '../support/errors.js';

/** Between two rounds: one request of weight 40, where MEXC allows 500 in 10 s. What moves faster comes by push. */
export const TICKERS_EVERY_MS = 60_000;
/** A symbol that was just tracked waits so long for the next round, so that several share one. */
const SOON_MS = 2_000;

export interface TickerRoundsOptions {
  /** Asks for the figures of all symbols and hands them on. */
  readonly request: () => Promise<void>;
  readonly everyMs: number;
  readonly logger: Logger;
}

/** Asks for the exchange's 24 h figures of all symbols, again and again. */
export class TickerRounds {
  readonly #options: TickerRoundsOptions;
  #timer: NodeJS.Timeout | undefined;
  #dueMs = Infinity;
  #asking = false;
  #closed = false;

  constructor(options: TickerRoundsOptions) {
    this.#options = options;
  }

  /** The first round is due after a whole period: the figures of the start are there already. */
  start(): void {
    this.#plan(this.#options.everyMs);
  }

  /** A symbol is new: its figures are in no answer that was read so far. */
  soon(): void {
    if (!this.#closed && !this.#asking && this.#dueMs > performance.now() + SOON_MS) this.#plan(SOON_MS);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #plan(delayMs: number): void {
    clearTimeout(this.#timer);
    this.#dueMs = performance.now() + delayMs;
    this.#timer = setTimeout(() => void this.#ask(), delayMs);
  }

  async #ask(): Promise<void> {
    this.#asking = true;
    try {
      await this.#options.request();
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      if (error.code !== ErrorCode.SHUTTING_DOWN) this.#options.logger.warn({ code: error.code }, 'the 24 h figures could not be fetched');
    } finally {
      this.#asking = false;
      if (!this.#closed) this.#plan(this.#options.everyMs);
    }
  }
}
