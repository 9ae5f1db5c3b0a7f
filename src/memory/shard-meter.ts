import { HISTOGRAM_DOUBLES, LogHistogram } from './log-histogram.js';

/*
 * What a shard counts for the operator, in memory that outlives its worker. Doubles, each written by the worker alone and read by the main
 * thread at any moment.
 *
 *   double  0             16                          120                         224                    328
 *           +-------------+---------------------------+---------------------------+----------------------+---------------+
 *           | counters    | exchange to received      | received to applied       | lead of a line       | more counters |
 *           +-------------+---------------------------+---------------------------+----------------------+---------------+
 *
 * Those in the middle are histograms (`log-histogram.ts`). Counters never go back, also when a symbol is untracked;
 * of what waits at the moment the worker says how much.
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
/** Pushes that wait for a snapshot at the moment, and in the next word the bytes of memory they take. */
export const METER_PENDING_PUSHES = 14;
export const METER_PENDING_BYTES = 15;
export const METER_EXCHANGE_TO_RECEIVED = 16;
export const METER_RECEIVED_TO_APPLIED = METER_EXCHANGE_TO_RECEIVED + HISTOGRAM_DOUBLES;
/** With two lines: by how much the first copy of a push was earlier than the second. */
export const METER_LINE_LEAD = METER_RECEIVED_TO_APPLIED + HISTOGRAM_DOUBLES;
/** With two lines: pushes that came first, or alone, on line 0, and in the next word on line 1. */
export const METER_LINE_WINS = METER_LINE_LEAD + HISTOGRAM_DOUBLES;
/** Holes of one line that the other filled. */
export const METER_LINE_HEALED = METER_LINE_WINS + 2;
/** Times the pushes that waited for a book's snapshot were too many and were dropped. */
export const METER_OVERFLOWS = METER_LINE_HEALED + 1;
const METER_DOUBLES = METER_OVERFLOWS + 1;

export function createMeterBuffer(): SharedArrayBuffer {
  return new SharedArrayBuffer(METER_DOUBLES * Float64Array.BYTES_PER_ELEMENT);
}

/** The writing side. The shard's thread only; hot. */
export class ShardMeter {
  readonly exchangeToReceived: LogHistogram;
  readonly receivedToApplied: LogHistogram;
  readonly lineLead: LogHistogram;
  readonly #words: Float64Array;

  constructor(buffer: SharedArrayBuffer) {
    this.#words = new Float64Array(buffer);
    this.exchangeToReceived = new LogHistogram(this.#words, METER_EXCHANGE_TO_RECEIVED);
    this.receivedToApplied = new LogHistogram(this.#words, METER_RECEIVED_TO_APPLIED);
    this.lineLead = new LogHistogram(this.#words, METER_LINE_LEAD);
  }

  /** Adds to one of the counters. */
  add(counter: number, amount: number): void {
    this.#words[counter] = this.#words[counter]! + amount;
  }

  /** Says how much there is of something at the moment. */
  set(gauge: number, value: number): void {
    this.#words[gauge] = value;
  }
}
