import { candleIntervals } from '../model/candle-interval.js';
import type { KlinesRange } from '../model/feed.js';
import type { AssemblyRequest } from './assemble.js';
import { ROW_WORDS } from './candle-row.js';

/*
 * A question for candles and its answer, as they pass through the rings. Words of 8 bytes, doubles.
 *
 *   question   0 token   1 interval (its place in `candleIntervals`)   2 first open, -1 = no bound   3 last open   4 limit
 *
 *   answer     0 token   1 candles left out until the exchange was asked   2 number of things to ask   3 number of rows
 *              4 …       things to ask, 3 words each: interval (its place in `baseIntervals`), from, to
 *              then      rows, 16 words each (candle-row.ts)
 */

const QUESTION_WORDS = 5;
const ANSWER_HEAD_WORDS = 4;
const ASK_WORDS = 3;

export interface CandleQuestion extends AssemblyRequest {
  readonly token: number;
}

export interface CandleAnswer {
  readonly token: number;
  readonly missing: number;
  /** What the exchange has to be asked for first. */
  readonly asks: readonly KlinesRange[];
  readonly rows: Float64Array;
}

export function encodeQuestion({ token, interval, startMs, endMs, limit }: CandleQuestion): Uint8Array {
  return new Uint8Array(Float64Array.of(token, candleIntervals.indexOf(interval), startMs ?? -1, endMs, limit).buffer);
}

export function decodeQuestion(bytes: Uint8Array): CandleQuestion {
  const [token, interval, startMs, endMs, limit] = words(bytes, QUESTION_WORDS);
  return { token: token!, interval: candleIntervals[interval!]!, startMs: startMs! < 0 ? null : startMs!, endMs: endMs!, limit: limit! };
}

export function encodeAnswer({ token, missing, asks, rows }: CandleAnswer): Uint8Array {
  const answer = new Float64Array(ANSWER_HEAD_WORDS + asks.length * ASK_WORDS + rows.length);
  answer.set([token, missing, asks.length, rows.length / ROW_WORDS]);
  for (const [i, ask] of asks.entries()) answer.set([ask.base, ask.fromMs, ask.toMs], ANSWER_HEAD_WORDS + i * ASK_WORDS);
  answer.set(rows, ANSWER_HEAD_WORDS + asks.length * ASK_WORDS);
  return new Uint8Array(answer.buffer);
}

export function decodeAnswer(bytes: Uint8Array): CandleAnswer {
  const answer = words(bytes, bytes.length / 8);
  const [token, missing, count] = answer;
  const rowsAt = ANSWER_HEAD_WORDS + count! * ASK_WORDS;
  const asks = Array.from({ length: count! }, (_, i) => {
    const [base, fromMs, toMs] = answer.subarray(ANSWER_HEAD_WORDS + i * ASK_WORDS);
    return { base: base!, fromMs: fromMs!, toMs: toMs! };
  });
  return { token: token!, missing: missing!, asks, rows: answer.slice(rowsAt) };
}

/** Bytes in a ring may be anywhere: doubles are read from a copy. */
function words(bytes: Uint8Array, count: number): Float64Array {
  return new Float64Array(Uint8Array.from(bytes.subarray(0, count * 8)).buffer);
}
