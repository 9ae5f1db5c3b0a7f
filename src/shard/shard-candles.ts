import { assemble, type Assembly, type AssemblyRequest, boundOf, type Wanted } from '../candle/assemble.js';
import { baseIntervals, baseLengthMs } from '../candle/base-interval.js';
import { CandleHistory } from '../candle/candle-history.js';
import { MINUTE_ROWS } from '../candle/candle-layout.js';
import { EXCHANGE_FINAL, hasFlag, OPEN_TIME, ROW_WORDS } from '../candle/candle-row.js';
import { CandleSource } from '../candle/candle-source.js';
import { FINAL_AFTER_MS, MinuteFormer } from '../candle/minute-former.js';
import { decodeQuestion, encodeAnswer } from '../candle/query.js';
import { SymbolRows } from '../candle/symbol-rows.js';
import { decodeKlinePush, decodeKlines, KLINES_PER_REQUEST } from '../mexc/decode-klines.js';
import { DAY_MS, MINUTE_MS } from '../model/candle-interval.js';
import type { KlinesRange } from '../model/feed.js';
import { CodedError } from '../support/errors.js';
import type { DealsBuffer } from '../tape/deals-buffer.js';
import { MARK_HOLE, MARK_SELL } from '../tape/tape-layout.js';
import { decodeKlinesAnswer } from './records.js';

/** How often publications say what they lack; the feed asks the exchange once, as long as it hears so. */
const ASK_AGAIN_MS = 5_000;
/** Things asked for that are remembered, for a symbol. */
const ASKED_MAX = 64;
/** Symbols the clock is told in one turn, so that a minute's end holds nobody up. */
const SYMBOLS_PER_TURN = 256;
/** The clock, told a hundred times a second, moved on by more at once: it jumped, or everything stood still. */
const JUMP_MS = 10_000;
/** A trade or candle so far ahead of the clock is nonsense. */
const AHEAD_MS_MAX = DAY_MS;

interface SymbolCandles {
  readonly slot: number;
  readonly rows: SymbolRows;
  readonly former: MinuteFormer;
  readonly source: CandleSource;
  readonly priceScale: number;
  readonly quantityScale: number;
  /** No trade is missing up to now. */
  isWhole: boolean;
  /** None since then; Infinity = none was seen yet. */
  unbrokenMs: number;
  /** When publications last asked for what: `interval from`. */
  readonly asked: Map<string, number>;
  /** Answers of the exchange that were read. */
  answers: number;
}

/** What the candles of a shard tell the main thread; false = no room now. */
export interface CandleOutput {
  /** The answer to a question, `query.ts`. */
  answer(slot: number, payload: Uint8Array): boolean;
  /** The exchange is to be asked. */
  ask(slot: number, range: KlinesRange): boolean;
  /** A push or an answer of the exchange could not be read. */
  refused(slot: number): void;
}

/** A trade ahead of the clock by more is believed when another one says the same: a wrong time must not close the candles of others. */
const AHEAD_ALONE_MS_MAX = 60_000;

/** The candles of all symbols of one shard. */
export class ShardCandles {
  readonly #memory: SharedArrayBuffer;
  readonly #output: CandleOutput;
  readonly #history = new CandleHistory();
  readonly #symbols: (SymbolCandles | undefined)[] = [];
  #clockMs = 0;
  /** The newest time the exchange named: the clock may be behind it. */
  #exchangeMs = 0;
  #latestClaimMs = 0;
  #dueMs = 0;
  /** The symbol that is told the clock next; -1 = all were. */
  #turn = -1;
  readonly #row = new Float64Array(ROW_WORDS);
  /** Reused: trades come often. */
  readonly #trade = { timeMs: 0, tick: 0, lots: 0, takerBought: false, priceScale: 0, quantityScale: 0 };

  constructor(memory: SharedArrayBuffer, output: CandleOutput) {
    this.#memory = memory;
    this.#output = output;
  }

  track(slot: number, priceScale: number, quantityScale: number): void {
    const rows = SymbolRows.at(this.#memory, slot);
    this.#symbols[slot] = {
      slot,
      rows,
      former: new MinuteFormer(rows, priceScale, quantityScale),
      source: new CandleSource(rows, this.#history, slot),
      priceScale,
      quantityScale,
      isWhole: false,
      unbrokenMs: Infinity,
      asked: new Map(),
      answers: 0,
    };
  }

  untrack(slot: number): void {
    this.#symbols[slot]?.rows.clear();
    this.#symbols[slot] = undefined;
    this.#history.forget(slot);
  }

  /** Trades that went on the symbol's tape, in order, at these scales. */
  trades(slot: number, trades: DealsBuffer, priceScale: number, quantityScale: number): void {
    const symbol = this.#symbols[slot];
    if (symbol === undefined) return;
    const trade = this.#trade;
    trade.priceScale = priceScale;
    trade.quantityScale = quantityScale;
    for (let i = 0; i < trades.count; i++) {
      const timeMs = trades.times[i]!;
      if (!this.#isPlausible(timeMs)) continue;
      const mark = trades.marks[i]!;
      if (symbol.unbrokenMs === Infinity || (mark & MARK_HOLE) !== 0) {
        symbol.unbrokenMs = timeMs;
        if (symbol.isWhole) symbol.former.covered(timeMs);
      }
      if (timeMs > this.#exchangeMs) this.#hearTime(timeMs);
      trade.timeMs = timeMs;
      trade.tick = trades.ticks[i]!;
      trade.lots = trades.lots[i]!;
      trade.takerBought = (mark & MARK_SELL) === 0;
      symbol.former.trade(trade);
    }
    if (symbol.isWhole) symbol.former.advance(this.nowMs);
  }

  /** Whether no trade of the symbol is missing up to now; said after each change of its tape. */
  tapeIsWhole(slot: number, isWhole: boolean): void {
    const symbol = this.#symbols[slot];
    if (symbol === undefined || symbol.isWhole === isWhole) return;
    symbol.isWhole = isWhole;
    if (!isWhole) return symbol.former.uncovered();
    symbol.former.covered(symbol.unbrokenMs);
    // What was fetched may hold minutes that were over long ago: they do not wait for the next turn of the clock.
    symbol.former.advance(this.nowMs);
  }

  /** A push of the kline channel. */
  kline(slot: number, frame: Uint8Array): void {
    const symbol = this.#symbols[slot];
    if (symbol === undefined) return;
    try {
      const isMinute = decodeKlinePush(frame, symbol.priceScale, symbol.quantityScale, this.#row);
      if (isMinute && this.#isPlausible(this.#row[OPEN_TIME]!)) symbol.former.exchangeMinute(this.#row, 0, false);
    } catch (error) {
      this.#refuse(slot, error);
    }
  }

  /** A klines answer and what was asked for, whoever asked: `encodeKlines`. */
  klines(slot: number, payload: Uint8Array, timeMs: number): void {
    const symbol = this.#symbols[slot];
    if (symbol === undefined) return;
    const answer = decodeKlinesAnswer(payload);
    if (answer === undefined) return this.#output.refused(slot);
    const { base, fromMs, toMs } = answer.range;
    const interval = baseIntervals[base]!;
    const nowMs = Math.max(timeMs, this.nowMs);
    const overBeforeMs = nowMs - FINAL_AFTER_MS;
    let rows: Float64Array;
    try {
      rows = decodeKlines(answer.body, interval, symbol.priceScale, symbol.quantityScale, overBeforeMs);
    } catch (error) {
      return this.#refuse(slot, error);
    }
    const length = baseLengthMs(interval);
    const final = finalRows(rows);
    const coveredTo = Math.min(toMs, Math.floor(overBeforeMs / length) * length);
    // Nothing there: nor is there anything older.
    if (coveredTo > fromMs) this.#history.add(slot, interval, rows.length === 0 ? 0 : fromMs, coveredTo, final);
    symbol.answers++;
    if (interval === '1m') this.#takeMinutes(symbol, rows, nowMs);
  }

  /** The clock. */
  tick(timeMs: number): void {
    if (this.#clockMs > 0 && timeMs - this.#clockMs > JUMP_MS) this.#jumped(timeMs);
    this.#clockMs = timeMs;
    const nowMs = this.nowMs;
    if (this.#turn < 0 && nowMs >= this.#dueMs) {
      this.#turn = 0;
      const minute = nowMs - (nowMs % MINUTE_MS);
      this.#dueMs = nowMs < minute + FINAL_AFTER_MS ? minute + FINAL_AFTER_MS : minute + MINUTE_MS;
    }
    if (this.#turn < 0) return;
    const end = Math.min(this.#turn + SYMBOLS_PER_TURN, this.#symbols.length);
    for (let slot = this.#turn; slot < end; slot++) this.#symbols[slot]?.former.advance(nowMs);
    this.#turn = end === this.#symbols.length ? -1 : end;
  }

  #jumped(timeMs: number): void {
    for (const symbol of this.#symbols) {
      symbol?.former.jumped(timeMs);
      if (symbol !== undefined) symbol.unbrokenMs = Math.max(symbol.unbrokenMs, timeMs);
    }
  }

  /** A time later than any before. */
  #hearTime(timeMs: number): void {
    const isNear = timeMs - this.#clockMs < AHEAD_ALONE_MS_MAX;
    this.#exchangeMs = Math.max(this.#exchangeMs, isNear ? timeMs : Math.min(timeMs, this.#latestClaimMs));
    this.#latestClaimMs = Math.max(this.#latestClaimMs, timeMs);
  }

  /** Unix ms: the clock, or the exchange's when ours is behind it. */
  get nowMs(): number {
    return Math.max(this.#clockMs, this.#exchangeMs);
  }

  /** Answers a question of the main thread. */
  question(slot: number, payload: Uint8Array): void {
    const symbol = this.#symbols[slot];
    if (symbol === undefined) return;
    const question = decodeQuestion(payload);
    const { rows, wanted, missing } = this.assemble(slot, question);
    const asks = wanted.map(newestPage);
    // One that finds no room is asked again.
    this.#output.answer(slot, encodeAnswer({ token: question.token, missing, asks, rows }));
  }

  assemble(slot: number, request: AssemblyRequest): Assembly {
    const { source, rows } = this.#symbols[slot]!;
    return assemble(source, request, boundOf(rows.newest, this.nowMs));
  }

  /** For publications: says what an assembly lacks, now and then. */
  want(slot: number, wanted: readonly Wanted[]): void {
    const { asked } = this.#symbols[slot]!;
    for (const one of wanted) {
      const key = `${one.interval} ${one.fromMs}`;
      if (this.#clockMs - (asked.get(key) ?? -Infinity) < ASK_AGAIN_MS) continue;
      if (asked.size >= ASKED_MAX) asked.clear();
      asked.set(key, this.#clockMs);
      this.#output.ask(slot, newestPage(one));
    }
  }

  /** Open time of the newest minute; 0 = nothing is known. */
  newest(slot: number): number {
    return this.#symbols[slot]!.rows.newest;
  }

  /** Minutes that open before are final. */
  finalBefore(slot: number): number {
    return this.#symbols[slot]!.rows.finalBefore;
  }

  /** Another number after every change of the symbol's candles. */
  revision(slot: number): number {
    return this.#symbols[slot]!.rows.revision;
  }

  /** As `revision`, also after every answer of the exchange. */
  news(slot: number): number {
    const { rows, answers } = this.#symbols[slot]!;
    return rows.revision + answers;
  }

  #takeMinutes({ former }: SymbolCandles, rows: Float64Array, nowMs: number): void {
    for (let at = 0; at < rows.length; at += ROW_WORDS) {
      const openMs = rows[at + OPEN_TIME]!;
      if (openMs <= nowMs - MINUTE_ROWS * MINUTE_MS || !this.#isPlausible(openMs)) continue;
      former.exchangeMinute(rows, at, hasFlag(rows, at, EXCHANGE_FINAL));
    }
    if (rows.length > 0) former.advance(this.nowMs);
  }

  #isPlausible(timeMs: number): boolean {
    return timeMs > 0 && timeMs < this.#clockMs + AHEAD_MS_MAX;
  }

  #refuse(slot: number, error: unknown): void {
    if (!(error instanceof CodedError)) throw error;
    this.#output.refused(slot);
  }
}

/** As much as one request brings, the newest first. */
function newestPage({ interval, fromMs, toMs }: Wanted): KlinesRange {
  const page = KLINES_PER_REQUEST * baseLengthMs(interval);
  return { base: baseIntervals.indexOf(interval), fromMs: Math.max(fromMs, toMs - page), toMs };
}

function finalRows(rows: Float64Array): Float64Array {
  const final: number[] = [];
  for (let at = 0; at < rows.length; at += ROW_WORDS) {
    if (hasFlag(rows, at, EXCHANGE_FINAL)) for (let i = 0; i < ROW_WORDS; i++) final.push(rows[at + i]!);
  }
  return Float64Array.from(final);
}
