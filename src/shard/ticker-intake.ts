import { MiniTickerItems } from '../mexc/decode-mini-tickers.js';
import { TickerEntries } from '../mexc/decode-tickers.js';
import type { LegacyTickers } from '../mexc/legacy-json/events.js';
import type { TakeFigures, TickerFigures } from '../model/ticker-figures.js';
import { CodedError } from '../support/errors.js';

/** Tickers read in one turn: some 0.2 ms, so that pushes of books hardly wait for those of 2,000 symbols. */
const TICKERS_A_TURN = 50;
/** Messages that may wait to be read; beyond it the oldest is dropped, since later ones say the same and more. */
const WAITING_MAX = 8;

export interface TickerIntakeParts {
  /** Whether the shard keeps this symbol. */
  readonly wanted: (symbol: string) => boolean;
  readonly take: (symbol: string, figures: TickerFigures, receiveTimeMs: number) => void;
  /** A message could not be read, or not to its end. */
  readonly refused: (timeMs: number) => void;
}

/** A message about many tickers, read in portions. */
interface Portions {
  read(count: number, wanted: (symbol: string) => boolean, take: TakeFigures): boolean;
}

/** Reads the messages about the tickers of all symbols, which every shard gets whole, for the symbols of this shard. */
export class TickerIntake {
  readonly #parts: TickerIntakeParts;
  readonly #waiting: { readonly portions: Portions; readonly receiveTimeMs: number }[] = [];

  constructor(parts: TickerIntakeParts) {
    this.#parts = parts;
  }

  /** A message is not read to its end: call `work`. */
  get isBusy(): boolean {
    return this.#waiting.length > 0;
  }

  /** A push of mini tickers. Out of the ring, which is shared memory: text is not decoded from there. */
  push(payload: Uint8Array, receiveTimeMs: number): void {
    this.#guard(receiveTimeMs, () => this.#add(new MiniTickerItems(payload.slice()), receiveTimeMs));
  }

  /** A text frame of tickers. */
  text({ tickers }: LegacyTickers, receiveTimeMs: number): void {
    const { wanted, take } = this.#parts;
    for (const { symbol, figures } of tickers) if (wanted(symbol)) take(symbol, figures, receiveTimeMs);
  }

  /** The body of a `ticker/24hr` answer. */
  answer(payload: Uint8Array, receiveTimeMs: number): void {
    this.#guard(receiveTimeMs, () => this.#add(new TickerEntries(payload.slice()), receiveTimeMs));
  }

  /** Reads a portion; returns 1, as one thing done. */
  work(): number {
    const { wanted, take } = this.#parts;
    const { portions, receiveTimeMs } = this.#waiting[0]!;
    let more = false;
    this.#guard(receiveTimeMs, () => {
      more = portions.read(TICKERS_A_TURN, wanted, (symbol, figures) => take(symbol, figures, receiveTimeMs));
    });
    if (!more) this.#waiting.shift();
    return 1;
  }

  #add(portions: Portions, receiveTimeMs: number): void {
    this.#waiting.push({ portions, receiveTimeMs });
    if (this.#waiting.length > WAITING_MAX) this.#waiting.shift();
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
