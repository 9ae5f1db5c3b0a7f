import { HISTOGRAM_DOUBLES, LogHistogram } from './log-histogram.js';

/*
 * What a shard counts for the operator, in memory that outlives its worker. Doubles, each written by the worker alone and read by the main
 * thread at any moment.
 *
 *   double  0                       16                          120                          224
 *           +-----------------------+---------------------------+----------------------------+
 *           | counters              | exchange to received      | received to applied        |
 *           +-----------------------+---------------------------+----------------------------+
 *
 * The last two are histograms (`log-histogram.ts`). Counters never go back, also when a symbol is untracked.
 */

/** Time spent at work, not asleep, in ms. */
export const METER_BUSY_MS = 0;
/** Levels of applied pushes and snapshots, removals included. */
export const METER_LEVELS = 1;
export const METER_APPLIED = 2;
export const METER_DROPPED = 3;
export const METER_GAPS = 4;
export const METER_RESYNCS = 5;
export const METER_REFUSED = 6;
export const METER_CROSSED = 7;
/** Messages for clients encoded and written to the outbound ring. */
export const METER_MESSAGES = 8;
/** Records that found the outbound ring full. */
export const METER_OUTBOUND_STALLS = 9;
/** Text frames that were read. */
export const METER_TEXT_FRAMES = 10;
/** Text frames refused: as no JSON, and in the next two words as of another form and of no known channel. */
export const METER_TEXT_REFUSED = 11;
export const METER_EXCHANGE_TO_RECEIVED = 16;
export const METER_RECEIVED_TO_APPLIED = METER_EXCHANGE_TO_RECEIVED + HISTOGRAM_DOUBLES;
const METER_DOUBLES = METER_RECEIVED_TO_APPLIED + HISTOGRAM_DOUBLES;

export function createMeterBuffer(): SharedArrayBuffer {
  return new SharedArrayBuffer(METER_DOUBLES * Float64Array.BYTES_PER_ELEMENT);
}

/** The writing side. The shard's thread only; hot. */
export class ShardMeter {
  readonly exchangeToReceived: LogHistogram;
  readonly receivedToApplied: LogHistogram;
  readonly #words: Float64Array;

  constructor(buffer: SharedArrayBuffer) {
    this.#words = new Float64Array(buffer);
    this.exchangeToReceived = new LogHistogram(this.#words, METER_EXCHANGE_TO_RECEIVED);
    this.receivedToApplied = new LogHistogram(this.#words, METER_RECEIVED_TO_APPLIED);
  }

  /** Adds to one of the counters. */
  add(counter: number, amount: number): void {
    this.#words[counter] = this.#words[counter]! + amount;
  }
}
