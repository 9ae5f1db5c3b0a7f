import { decodeMiniTickers } from '../mexc/decode-mini-tickers.js';
import { TickerEntries } from '../mexc/decode-tickers.js';
import type { TickerFigures } from '../model/ticker-figures.js';
import { CodedError } from '../support/errors.js';

/** Entries of an answer read in one turn: some 0.2 ms, so that pushes of books hardly wait for a megabyte of tickers. */
const ENTRIES_A_TURN = 50;

export interface TickerIntakeParts {
  /** Whether the shard keeps this symbol. */
  readonly wanted: (symbol: string) => boolean;
  readonly take: (symbol: string, figures: TickerFigures, receiveTimeMs: number) => void;
  /** A message could not be read, or not to its end. */
  readonly refused: (timeMs: number) => void;
}

/** Reads the messages about the tickers of all symbols, which every shard gets whole, for the symbols of this shard. */
export class TickerIntake {
  readonly #parts: TickerIntakeParts;
  #entries: TickerEntries | undefined;
  #entriesReceivedMs = 0;

  constructor(parts: TickerIntakeParts) {
    this.#parts = parts;
  }

  /** An answer is not read to its end: call `work`. */
  get isBusy(): boolean {
    return this.#entries !== undefined;
  }

  /** A push of mini tickers. */
  push(payload: Uint8Array, receiveTimeMs: number): void {
    this.#guard(receiveTimeMs, () => {
      const { wanted, take } = this.#parts;
      // Out of the ring, which is shared memory: text is not decoded from there.
      decodeMiniTickers(payload.slice(), wanted, (symbol, figures) => take(symbol, figures, receiveTimeMs));
    });
  }

  /** The body of a `ticker/24hr` answer; `work` reads it. It takes the place of one that is not read to its end. */
  answer(payload: Uint8Array, receiveTimeMs: number): void {
    this.#guard(receiveTimeMs, () => {
      this.#entries = undefined;
      this.#entries = new TickerEntries(payload.slice());
      this.#entriesReceivedMs = receiveTimeMs;
    });
  }

  /** Reads a portion; returns 1, as one thing done. */
  work(): number {
    const receiveTimeMs = this.#entriesReceivedMs;
    const { wanted, take } = this.#parts;
    const entries = this.#entries;
    this.#entries = undefined;
    this.#guard(receiveTimeMs, () => {
      if (entries?.read(ENTRIES_A_TURN, wanted, (symbol, figures) => take(symbol, figures, receiveTimeMs)) === true)
        this.#entries = entries;
    });
    return 1;
  }

  #guard(timeMs: number, read: () => void): void {
    try {
      read();
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      this.#parts.refused(timeMs);
    }
  }
}
