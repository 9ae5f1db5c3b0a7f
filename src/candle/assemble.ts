import { type CandleInterval, MINUTE_MS, nextOpen, openAfter, openTimeOf } from '../model/candle-interval.js';
import { type BaseInterval, baseIntervals, baseLengthMs, baseOf } from './base-interval.js';
import { beginFold, CLOSED, COMPLETE, COUNTED, foldRow, hasFlag, ROW_WORDS, setFlags } from './candle-row.js';
import { FINAL_AFTER_MS } from './minute-former.js';

/** Where rows of one symbol are looked up. The row found lies at `at` of `rows` until the next call. */
export interface CandleRows {
  rows: Float64Array;
  at: number;
  /** Finds a row; larger ones than minutes are closed and complete. */
  find(interval: BaseInterval, openMs: number): boolean;
  /** The exchange was asked for it: when it is not found there is none. */
  isCovered(interval: BaseInterval, openMs: number): boolean;
}

/** Candles to be asked of the exchange: those that open in [fromMs, toMs). */
export interface Wanted {
  readonly interval: BaseInterval;
  readonly fromMs: number;
  readonly toMs: number;
}

export interface Assembly {
  /** Rows one behind the other, oldest first. */
  readonly rows: Float64Array;
  /** What to ask the exchange for: parts that are missing, or not known to be whole. */
  readonly wanted: readonly Wanted[];
  /** Candles left out because a part of them is missing that the exchange was not asked for. */
  readonly missing: number;
}

export interface AssemblyRequest {
  readonly interval: CandleInterval;
  /** Candles that open from here on, Unix ms; `null` = no bound. */
  readonly startMs: number | null;
  /** Candles that open up to here, Unix ms. */
  readonly endMs: number;
  /** At most so many, the newest. */
  readonly limit: number;
}

/**
 * The newest `limit` candles that open in [startMs, endMs], from what is at hand: the exchange's own where they are, otherwise added up
 * from shorter ones, minute by minute at the end. `nowMs` bounds what can exist.
 *
 * Sums are exact: whole ticks and lots, at the finest scale among the parts. A candle with a part missing is left out and the part `wanted`.
 * What the exchange was asked for and does not have: before the first candle of a symbol there is nothing to add; in the middle
 * the candle is given, not complete.
 */
export function assemble(source: CandleRows, request: AssemblyRequest, nowMs: number): Assembly {
  const { interval, startMs, limit } = request;
  const newest = openTimeOf(interval, Math.min(request.endMs, nowMs));
  const assembler = new Assembler(source, interval, nowMs);
  const rows: Float64Array[] = [];
  for (let i = 0; i < limit; i++) {
    const openMs = openAfter(interval, newest, -i);
    if (openMs <= 0 || (startMs !== null && openMs < startMs)) break;
    const row = assembler.candle(openMs);
    if (row !== undefined) rows.push(row);
  }
  const joined = new Float64Array(rows.length * ROW_WORDS);
  for (const [index, row] of rows.toReversed().entries()) joined.set(row, index * ROW_WORDS);
  return { rows: joined, wanted: assembler.wanted(), missing: assembler.missing };
}

/**
 * What can exist: as long as minutes come, up to the end of the newest; the clock of whoever asks may be a little ahead of the shard's. When
 * none has come for long, the clock.
 */
export function boundOf(newest: number, nowMs: number): number {
  return newest > 0 && nowMs - newest < 3 * MINUTE_MS ? newest + MINUTE_MS - 1 : nowMs;
}

class Assembler {
  missing = 0;
  readonly #source: CandleRows;
  readonly #interval: CandleInterval;
  readonly #nowMs: number;
  /** The lengths a candle is made of, longest first. */
  readonly #pieces: readonly BaseInterval[];
  readonly #wanted = new Map<BaseInterval, { fromMs: number; toMs: number }>();

  constructor(source: CandleRows, interval: CandleInterval, nowMs: number) {
    this.#source = source;
    this.#interval = interval;
    this.#nowMs = nowMs;
    this.#pieces = piecesOf(interval);
  }

  wanted(): Wanted[] {
    return Array.from(this.#wanted, ([interval, range]) => ({ interval, ...range }));
  }

  candle(openMs: number): Float64Array | undefined {
    const source = this.#source;
    const endMs = nextOpen(this.#interval, openMs);
    const row = new Float64Array(ROW_WORDS);
    let begun = false;
    let isMissing = false;
    let hasHole = false;
    let at = openMs;
    while (at < endMs && at <= this.#nowMs) {
      const piece = this.#pieces.find((candidate) => fits(candidate, at, endMs) && source.find(candidate, at));
      if (piece !== undefined) {
        if (begun) foldRow(row, 0, source.rows, source.at);
        else beginFold(row, 0, source.rows, source.at, openMs);
        begun = true;
        if (!hasFlag(source.rows, source.at, COMPLETE)) this.#ask(this.#longest(at, endMs), at);
        at += baseLengthMs(piece);
        continue;
      }
      const absent = this.#longest(at, endMs);
      if (this.#ask(absent, at)) isMissing = true;
      else if (begun) hasHole = true;
      at += baseLengthMs(absent);
    }
    if (isMissing) this.missing++;
    if (isMissing || !begun) return undefined;
    if (hasHole) setFlags(row, 0, 0, COMPLETE | COUNTED);
    if (at < endMs || endMs > this.#nowMs) setFlags(row, 0, 0, CLOSED);
    return row;
  }

  /** The longest candle of the exchange that begins here and is over; a minute when none is. */
  #longest(at: number, endMs: number): BaseInterval {
    const isOver = (length: number): boolean => at + length + FINAL_AFTER_MS <= this.#nowMs;
    return this.#pieces.find((candidate) => fits(candidate, at, endMs) && isOver(baseLengthMs(candidate))) ?? '1m';
  }

  /** False when the exchange was asked already. */
  #ask(interval: BaseInterval, at: number): boolean {
    if (this.#source.isCovered(interval, at)) return false;
    const toMs = at + baseLengthMs(interval);
    const range = this.#wanted.get(interval);
    if (range === undefined) this.#wanted.set(interval, { fromMs: at, toMs });
    else {
      range.fromMs = Math.min(range.fromMs, at);
      range.toMs = Math.max(range.toMs, toMs);
    }
    return true;
  }
}

function piecesOf(interval: CandleInterval): readonly BaseInterval[] {
  const own = baseOf[interval];
  const most = baseLengthMs(own);
  return baseIntervals.filter((base) => base === own || ((base === '1h' || base === '1m') && baseLengthMs(base) < most)).toReversed();
}

function fits(piece: BaseInterval, at: number, endMs: number): boolean {
  const length = baseLengthMs(piece);
  return at % length === 0 && at + length <= endMs;
}
