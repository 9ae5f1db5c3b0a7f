import { HOUR_MS, MINUTE_MS, DAY_MS } from '../model/candle-interval.js';
import { MINUTE_ROWS } from './candle-layout.js';
import {
  addTrade,
  align,
  beginFold,
  CLOSE,
  CLOSE_EXACT,
  CLOSED,
  compareVolumes,
  COMPLETE,
  copyRow,
  COUNTED,
  EMPTY,
  EXCHANGE_FINAL,
  finer,
  foldRow,
  hasFlag,
  insertTrades,
  isOwn,
  lastTradeOffset,
  OPEN,
  OPEN_TIME,
  refine,
  refineOwn,
  ROW_WORDS,
  scaleAt,
  setFlags,
  setOpen,
  writeFlat,
} from './candle-row.js';
import { mergeMinute } from './merge-minute.js';
import type { SymbolRows } from './symbol-rows.js';

/** From a minute's end until it is final: trades arrive up to some tenths of a second late, and clocks differ. */
export const FINAL_AFTER_MS = 2_000;

/** A trade at its own scales. */
export interface FormerTrade {
  readonly timeMs: number;
  readonly tick: number;
  readonly lots: number;
  /** The taker bought: the seller's order rested in the book. */
  readonly takerBought: boolean;
  readonly priceScale: number;
  readonly quantityScale: number;
}

export interface FormerOptions {
  /** MEXC: a minute opens at the close before it. Other exchanges: at its first trade. Default `previousClose`. */
  readonly opensAt?: 'previousClose' | 'firstTrade';
  /** A minute is over for good; its row is in place. Called in order of time, once for each minute. */
  readonly final?: (openMs: number) => void;
}

/** A minute that is not final yet: what the trades make of it, and what the exchange last said. */
interface YoungMinute {
  readonly openMs: number;
  readonly trades: Float64Array;
  exchange: Float64Array | undefined;
}

/**
 * Makes the minutes of one symbol from its trades and from the exchange's own figures, after MEXC's conventions: a minute opens at the close
 * before it; one without trades is flat, with volume 0; it ends by the clock, not by the next trade. Rows go to shared memory as they change.
 *
 * Whole or not: `covered(from)` says that all trades since then are known, `uncovered` that some may be missing from now on. A minute is
 * complete when it was covered from its open on and the price before it was known, or when the exchange's figures stand in.
 *
 * The clock is whatever is passed in. After a jump forwards, which whoever passes it in tells, the minutes in between are flat but not complete;
 * backwards, nothing ends until it has caught up, and trades count for the minute their own time says. Owner thread (the shard) only.
 */
export class MinuteFormer {
  readonly #rows: SymbolRows;
  readonly #opensAtFirst: boolean;
  readonly #final: (openMs: number) => void;
  #priceScale: number;
  #quantityScale: number;
  /** Not final yet, contiguous, newest last. */
  readonly #young: YoungMinute[] = [];
  readonly #shown = new Float64Array(ROW_WORDS);
  /** All trades since then are known; Infinity = not at present. */
  #coveredFrom = Infinity;

  constructor(rows: SymbolRows, priceScale: number, quantityScale: number, options: FormerOptions = {}) {
    this.#rows = rows;
    this.#priceScale = priceScale;
    this.#quantityScale = quantityScale;
    this.#opensAtFirst = options.opensAt === 'firstTrade';
    this.#final = options.final ?? (() => {});
    if (rows.newest > 0) this.#resume();
  }

  /** Open time of the newest minute; 0 = nothing is known yet. */
  get newest(): number {
    return this.#young.at(-1)?.openMs ?? this.#rows.newest;
  }

  /** One trade; trades come in order, late ones excepted. */
  trade(trade: FormerTrade): void {
    const { timeMs, tick, priceScale, quantityScale } = trade;
    const openMs = timeMs - (timeMs % MINUTE_MS);
    this.#learnScales(priceScale, quantityScale);
    const young = this.#reach(openMs, finer(tick, priceScale, this.#priceScale)) ? this.#indexOf(openMs) : -1;
    if (young < 0) return this.#late(openMs, trade);
    this.#add(this.#young[young]!.trades, trade);
    this.#show(young);
  }

  /** All trades from `fromMs` on are known, and go on to be. */
  covered(fromMs: number): void {
    this.#coveredFrom = fromMs;
    const oldest = this.newest - (MINUTE_ROWS - 1) * MINUTE_MS;
    const first = Math.max(fromMs - (fromMs % MINUTE_MS), oldest);
    for (let openMs = first; openMs < this.#firstYoung && openMs <= this.newest; openMs += MINUTE_MS) this.#judgeAgain(openMs);
    for (const { trades } of this.#young) if (this.#lastTradeCounts(trades, 0)) setFlags(trades, 0, CLOSE_EXACT);
    this.#showAll();
  }

  /** From now on trades may be missing. */
  uncovered(): void {
    this.#coveredFrom = Infinity;
    for (const { trades } of this.#young) setFlags(trades, 0, 0, CLOSE_EXACT);
    this.#showAll();
  }

  /** The exchange's own figures of a minute: as they stand, or (`final`) of one that is over. */
  exchangeMinute(row: Float64Array, at: number, final: boolean): void {
    const openMs = row[at + OPEN_TIME]!;
    this.#learnScales(scaleAt(row, at, 0), scaleAt(row, at, 1));
    const open = finer(row[at + OPEN]!, scaleAt(row, at, 0), this.#priceScale);
    this.#reach(openMs, open);
    let index = this.#indexOf(openMs);
    if (index < 0) {
      if (final && this.newest - openMs < MINUTE_ROWS * MINUTE_MS) this.#amend(row, at);
      if (final || index < -1 || this.#rows.find('1m', openMs) >= 0) return;
      // The minute before the first we know, over and not yet final.
      this.#young.unshift(this.#flat(openMs, open));
      index = 0;
    }
    const young = this.#young[index]!;
    const figures = row.slice(at, at + ROW_WORDS);
    setFlags(figures, 0, final ? EXCHANGE_FINAL : 0, COUNTED | COMPLETE | CLOSED | CLOSE_EXACT | (final ? 0 : EXCHANGE_FINAL));
    if (young.exchange !== undefined && !final) {
      if (hasFlag(young.exchange, 0, EXCHANGE_FINAL)) return;
      align(young.exchange, 0, figures, 0);
      if (compareVolumes(young.exchange, 0, figures, 0) > 0) return;
    }
    young.exchange = figures;
    this.#show(index);
  }

  /** The clock jumped forwards to `nowMs`: that there were no trades until then proves nothing. */
  jumped(nowMs: number): void {
    this.#coveredFrom = Math.max(this.#coveredFrom, nowMs);
  }

  /** The clock: minutes begin and end. */
  advance(nowMs: number): void {
    if (this.#young.length === 0) return;
    this.#reach(nowMs - (nowMs % MINUTE_MS), NaN);
    while (this.#young.length > 0 && this.#young[0]!.openMs + MINUTE_MS + FINAL_AFTER_MS <= nowMs) this.#finish();
  }

  /** A new worker goes on with what the memory holds: the newest minute's trades may not all be in it. */
  #resume(): void {
    const { newest } = this.#rows;
    const at = this.#rows.find('1m', newest);
    if (at < 0) return;
    const trades = this.#rows.rows.slice(at, at + ROW_WORDS);
    this.#learnScales(scaleAt(trades, 0, 0), scaleAt(trades, 0, 1));
    setFlags(trades, 0, 0, COMPLETE | COUNTED | CLOSE_EXACT | CLOSED);
    this.#young.push({ openMs: newest, trades, exchange: undefined });
  }

  get #firstYoung(): number {
    return this.#young[0]?.openMs ?? Infinity;
  }

  /** Begins minutes up to `openMs`; false when it lies before the young ones. `tick`: the first price ever, when there is none. */
  #reach(openMs: number, tick: number): boolean {
    const { newest } = this;
    if (newest === 0 || openMs - newest >= MINUTE_ROWS * MINUTE_MS) return this.#begin(openMs, tick);
    for (let next = newest + MINUTE_MS; next <= openMs; next += MINUTE_MS) {
      this.#young.push(this.#flat(next, this.#lastClose()));
      this.#show(this.#young.length - 1);
    }
    return openMs >= this.#firstYoung;
  }

  /** The first minute of all, or the first after so long that nothing before it matters any more. */
  #begin(openMs: number, tick: number): boolean {
    if (Number.isNaN(tick)) tick = this.#lastClose();
    while (this.#young.length > 0) this.#finish();
    this.#young.push(this.#flat(openMs, tick));
    this.#show(0);
    return true;
  }

  /** A minute that begins at this price, at the present scale. */
  #flat(openMs: number, tick: number): YoungMinute {
    const trades = new Float64Array(ROW_WORDS);
    writeFlat(trades, 0, openMs, tick, this.#priceScale, this.#quantityScale);
    return { openMs, trades, exchange: undefined };
  }

  /** Close of the newest minute, at the present scale. */
  #lastClose(): number {
    const { rows } = this.#rows;
    const at = this.#rows.find('1m', this.newest);
    return finer(rows[at + CLOSE]!, scaleAt(rows, at, 0), this.#priceScale);
  }

  #learnScales(priceScale: number, quantityScale: number): void {
    this.#priceScale = Math.max(priceScale, this.#priceScale);
    this.#quantityScale = Math.max(quantityScale, this.#quantityScale);
  }

  /** Place among the young minutes; negative = none of them. */
  #indexOf(openMs: number): number {
    return (openMs - this.#firstYoung) / MINUTE_MS;
  }

  #add(row: Float64Array, trade: FormerTrade): void {
    const { timeMs, tick, lots, takerBought, priceScale, quantityScale } = trade;
    refineOwn(row, priceScale, quantityScale);
    if (!isOwn(row)) return this.#addForeign(row, trade);
    const ticks = finer(tick, priceScale, scaleAt(row, 0, 0));
    if (this.#opensAtFirst && hasFlag(row, 0, EMPTY)) row[OPEN] = ticks;
    addTrade(row, 0, timeMs - row[OPEN_TIME]!, ticks, finer(lots, quantityScale, scaleAt(row, 0, 1)), takerBought);
    if (timeMs >= this.#coveredFrom) setFlags(row, 0, CLOSE_EXACT);
  }

  /** To a row that holds figures of the exchange, whose turnover has decimals of its own. */
  #addForeign(row: Float64Array, trade: FormerTrade): void {
    const single = new Float64Array(ROW_WORDS);
    writeFlat(single, 0, row[OPEN_TIME]!, 0, trade.priceScale, trade.quantityScale);
    this.#add(single, trade);
    align(row, 0, single, 0);
    insertTrades(row, 0, single, 0);
  }

  /** A trade of a minute that was said to be final. The row takes it, unless the exchange's own figures hold it already. */
  #late(openMs: number, trade: FormerTrade): void {
    const at = this.#rows.find('1m', openMs);
    if (at < 0 || hasFlag(this.#rows.rows, at, EXCHANGE_FINAL)) return;
    const row = this.#rows.rows.slice(at, at + ROW_WORDS);
    this.#add(row, trade);
    this.#rows.put('1m', row, 0);
    this.#passOn(openMs);
  }

  /** The exchange's figures of a minute that is final: they win, and count what we counted when the volume is the same. */
  #amend(row: Float64Array, at: number): void {
    const openMs = row[at + OPEN_TIME]!;
    const own = this.#rows.find('1m', openMs);
    const exchange = row.slice(at, at + ROW_WORDS);
    setFlags(exchange, 0, EXCHANGE_FINAL, COUNTED);
    if (own < 0) copyRow(this.#shown, 0, exchange, 0);
    else mergeMinute(this.#shown, this.#rows.rows.slice(own, own + ROW_WORDS), exchange, hasFlag(this.#rows.rows, own, COUNTED));
    setFlags(this.#shown, 0, COMPLETE | CLOSED | CLOSE_EXACT | EXCHANGE_FINAL);
    this.#rows.put('1m', this.#shown, 0);
    this.#passOn(openMs);
  }

  /** What is now covered may prove a final minute whole. */
  #judgeAgain(openMs: number): void {
    const at = this.#rows.find('1m', openMs);
    if (at < 0 || hasFlag(this.#rows.rows, at, COMPLETE)) return;
    copyRow(this.#shown, 0, this.#rows.rows, at);
    if (this.#lastTradeCounts(this.#shown, 0)) setFlags(this.#shown, 0, CLOSE_EXACT);
    if (this.#isWhole(openMs, !hasFlag(this.#shown, 0, EMPTY))) setFlags(this.#shown, 0, COMPLETE | COUNTED | CLOSE_EXACT);
    this.#rows.put('1m', this.#shown, 0);
    this.#rollUp(openMs);
  }

  /** The last trade seen lies in the time that is covered: so it was the last. */
  #lastTradeCounts(rows: Float64Array, at: number): boolean {
    return !hasFlag(rows, at, EMPTY) && rows[at + OPEN_TIME]! + lastTradeOffset(rows, at) >= this.#coveredFrom;
  }

  /** Every trade of the minute was seen, and the price before it is known. */
  #isWhole(openMs: number, hasTrades: boolean): boolean {
    if (this.#coveredFrom > openMs) return false;
    const before = this.#rows.find('1m', openMs - MINUTE_MS);
    return (before >= 0 && hasFlag(this.#rows.rows, before, CLOSE_EXACT)) || (this.#opensAtFirst && hasTrades);
  }

  #showAll(): void {
    for (let i = 0; i < this.#young.length; i++) this.#show(i);
  }

  /** Writes a young minute as it stands, and hands its close to the next. */
  #show(index: number): void {
    const { openMs, trades, exchange } = this.#young[index]!;
    const whole = this.#isWhole(openMs, !hasFlag(trades, 0, EMPTY));
    setFlags(trades, 0, whole ? COMPLETE | COUNTED | CLOSE_EXACT : 0, whole ? 0 : COMPLETE | COUNTED);
    if (exchange === undefined) copyRow(this.#shown, 0, trades, 0);
    else mergeMinute(this.#shown, trades.slice(), exchange.slice(), whole);
    this.#rows.put('1m', this.#shown, 0);
    if (index === this.#young.length - 1) this.#rows.setTimes(openMs, this.#firstYoung);
    this.#passOn(openMs);
  }

  /** The close of a minute is the open of the next. */
  #passOn(openMs: number): void {
    if (this.#opensAtFirst) return;
    const { rows } = this.#rows;
    const at = this.#rows.find('1m', openMs);
    const next = openMs + MINUTE_MS;
    const young = this.#indexOf(next);
    if (young >= 0) {
      const minute = this.#young[young];
      if (minute === undefined) return;
      refineOwn(minute.trades, scaleAt(rows, at, 0), 0);
      setOpen(minute.trades, 0, finer(rows[at + CLOSE]!, scaleAt(rows, at, 0), scaleAt(minute.trades, 0, 0)));
      return this.#show(young);
    }
    const then = this.#rows.find('1m', next);
    if (then < 0 || hasFlag(rows, then, EXCHANGE_FINAL)) return;
    copyRow(this.#shown, 0, rows, then);
    refine(this.#shown, 0, scaleAt(rows, at, 0), 0, 0, 0);
    const open = finer(rows[at + CLOSE]!, scaleAt(rows, at, 0), scaleAt(this.#shown, 0, 0));
    const isProven = hasFlag(rows, at, CLOSE_EXACT) && this.#coveredFrom <= next && !hasFlag(rows, then, COMPLETE);
    if (this.#shown[OPEN] === open && !isProven) return;
    setOpen(this.#shown, 0, open);
    if (isProven) setFlags(this.#shown, 0, COMPLETE | COUNTED | CLOSE_EXACT);
    this.#rows.put('1m', this.#shown, 0);
    this.#passOn(next);
  }

  /** The oldest young minute is over for good. A push of the exchange was the truth of its moment; whether it was the last nobody says. */
  #finish(): void {
    const { openMs } = this.#young[0]!;
    copyRow(this.#shown, 0, this.#rows.rows, this.#rows.find('1m', openMs));
    const proven = hasFlag(this.#shown, 0, COUNTED | EXCHANGE_FINAL);
    setFlags(this.#shown, 0, CLOSED | (proven ? COMPLETE | CLOSE_EXACT : 0), proven ? 0 : COMPLETE);
    const { newest } = this;
    this.#young.shift();
    this.#rows.put('1m', this.#shown, 0);
    this.#rows.setTimes(newest, openMs + MINUTE_MS);
    this.#passOn(openMs);
    this.#rollUp(openMs);
    this.#final(openMs);
  }

  /** The last minute of an hour, the last hour of a day: adds them up while they are at hand. Complete ones only. */
  #rollUp(openMs: number): void {
    const endMs = openMs + MINUTE_MS;
    if (endMs % HOUR_MS !== 0 || !this.#sumUp('1m', MINUTE_MS, '1h', endMs - HOUR_MS, endMs)) return;
    if (endMs % DAY_MS === 0) this.#sumUp('1h', HOUR_MS, '1d', endMs - DAY_MS, endMs);
  }

  #sumUp(from: '1m' | '1h', lengthMs: number, to: '1h' | '1d', startMs: number, endMs: number): boolean {
    const sum = new Float64Array(ROW_WORDS);
    for (let openMs = startMs; openMs < endMs; openMs += lengthMs) {
      const at = this.#rows.find(from, openMs);
      if (at < 0 || !hasFlag(this.#rows.rows, at, COMPLETE) || !hasFlag(this.#rows.rows, at, CLOSED)) return false;
      if (openMs === startMs) beginFold(sum, 0, this.#rows.rows, at, startMs);
      else foldRow(sum, 0, this.#rows.rows, at);
    }
    const present = this.#rows.find(to, startMs);
    if (present >= 0 && hasFlag(this.#rows.rows, present, EXCHANGE_FINAL)) {
      mergeMinute(this.#shown, sum, this.#rows.rows.slice(present, present + ROW_WORDS), hasFlag(sum, 0, COUNTED));
      setFlags(this.#shown, 0, COMPLETE | CLOSED | CLOSE_EXACT | EXCHANGE_FINAL);
      this.#rows.put(to, this.#shown, 0);
    } else this.#rows.put(to, sum, 0);
    return true;
  }
}
