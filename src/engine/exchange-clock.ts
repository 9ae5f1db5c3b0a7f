import type { Logger } from 'pino';
import type { ClockSample } from '../feed/feed.js';
import type { ExchangeClockStatus } from '../model/market-data.js';
import { CodedError, ErrorCode } from '../support/errors.js';

/** Between two rounds; clocks drift by a few ms a minute at most. */
export const CLOCK_EVERY_MS = 60_000;
/** Requests of a round, one after the other: the first may have to open a connection, and its half of the way says little. */
const SAMPLES = 3;

export interface ExchangeClockOptions {
  /** Asks the exchange for its time once. */
  readonly request: () => Promise<ClockSample>;
  readonly everyMs: number;
  readonly logger: Logger;
}

/**
 * How far the exchange's clock is ahead of ours, from its answers to `/api/v3/time`: the exchange read its clock at some moment between sending
 * and receiving, so the middle of the two is off by half the time between them at most. Of each round the quickest answer counts; a later
 * round replaces an earlier one, whatever it says, as the exchange's clock may have been set meanwhile.
 */
export class ExchangeClock {
  readonly #options: ExchangeClockOptions;
  #status: ExchangeClockStatus | null = null;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: ExchangeClockOptions) {
    this.#options = options;
  }

  /** `null` before the first round is over. */
  get status(): ExchangeClockStatus | null {
    return this.#status;
  }

  start(): void {
    void this.#round();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  async #round(): Promise<void> {
    const { request, everyMs, logger } = this.#options;
    let best: ExchangeClockStatus | undefined;
    try {
      for (let i = 0; i < SAMPLES && !this.#closed; i++) {
        const estimate = estimateOf(await request());
        if (best === undefined || estimate.errorMs < best.errorMs) best = estimate;
      }
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      if (error.code !== ErrorCode.SHUTTING_DOWN) logger.warn({ code: error.code }, "the exchange's time could not be fetched");
    }
    if (best !== undefined) this.#status = best;
    if (!this.#closed) this.#timer = setTimeout(() => void this.#round(), everyMs);
  }
}

/** The exchange says whole ms, rounded down: half of one is added to both. */
function estimateOf({ sentMs, exchangeMs, receivedMs }: ClockSample): ExchangeClockStatus {
  const round = (ms: number): number => Math.round(ms * 1000) / 1000;
  return {
    offsetMs: round(exchangeMs + 0.5 - (sentMs + receivedMs) / 2),
    errorMs: round((receivedMs - sentMs) / 2 + 0.5),
    measuredAt: Math.floor(receivedMs),
  };
}
