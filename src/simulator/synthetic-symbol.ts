import { BookDigest, digestOf } from './book-digest.js';
import { BookHistory } from './book-history.js';
import { type Candle, MINUTE_MS } from './candle.js';
import type { DigestLog } from './digest-log.js';
import type { DayTicker, MarketSymbol } from './market.js';
import { PriceHistory } from './price-history.js';
import { Prng } from './prng.js';
import type { SyntheticListing } from './synthetic-listing.js';
import { ASK, BID, type Side, TickBook } from './tick-book.js';
import { TradeLog } from './trade-log.js';

/** Hears of every level change, once the book holds it. */
export interface ChangeListener {
  levelChanged(side: Side, tick: number): void;
}

const DAY_MS = 1440 * MINUTE_MS;
/** Size of one step of the price's random walk, as a fraction of the price. */
const STEP = 0.00004;

/**
 * One pair of the made-up market. `burst` is what happens at once: a market maker shifts his ladder, somebody trades, orders come and go.
 * Every level change is one version, and the book is never crossed between two of them. A function of seed, symbol and the times passed in.
 */
export class SyntheticSymbol implements MarketSymbol {
  readonly listing: SyntheticListing;
  /** Place in the listing, 0 = most traded. */
  readonly rank: number;
  readonly #random: Prng;
  readonly #book = new TickBook();
  readonly #trades: TradeLog;
  readonly #past: PriceHistory;
  readonly #listeners: ChangeListener[] = [];
  readonly #unit: number;
  /** Lots of a usual order; a market maker's orders are all near it. */
  readonly #usualLots: number;
  /** Where the price wants to go, in ticks. */
  #anchor: number;
  readonly #startTick: number;
  #changedMs: number;
  #history: BookHistory | undefined;
  #digest: BookDigest | undefined;
  #digests: DigestLog | undefined;
  #pastRange: { readonly high: number; readonly low: number } | undefined;

  /** `startMs`: Unix ms at which the market opens. */
  constructor(listing: SyntheticListing, rank: number, seed: number, startMs: number) {
    this.listing = listing;
    this.rank = rank;
    this.#random = new Prng(seed, listing.symbol);
    const tickSize = 10 ** -listing.priceScale;
    const lotSize = 10 ** -listing.quantityScale;
    this.#unit = tickSize * lotSize;
    this.#startTick = Math.max(10, Math.round(listing.price / tickSize));
    this.#anchor = this.#startTick;
    const usualUsd = 40 + 4_000 / (rank + 1) ** 0.5;
    this.#usualLots = Math.max(2, usualUsd / listing.quoteUsd / listing.price / lotSize);
    this.#changedMs = startMs;
    const lotsPerDay = listing.turnover / (this.#startTick * this.#unit);
    this.#past = new PriceHistory({ seed, symbol: listing.symbol, endMs: startMs, endTick: this.#startTick, lotsPerDay, unit: this.#unit });
    this.#trades = new TradeLog(rank < 100 ? 1_000 : 200, this.#unit);
    this.#book.version = Math.round((8e10 * (0.5 + 0.5 * this.#random.next())) / (rank + 1)) + 40_000_000;
    this.#openBook();
    this.#openTape(startMs);
  }

  book(): TickBook {
    return this.#book;
  }

  bookBefore(pushes: number): TickBook {
    return this.#history === undefined ? this.#book.copy() : this.#history.before(this.#book, pushes);
  }

  recordedDepth(): undefined {
    return undefined;
  }

  trades(): TradeLog {
    return this.#trades;
  }

  /** Time of the last change, Unix ms. */
  get changedMs(): number {
    return this.#changedMs;
  }

  /** Last traded price in ticks. */
  get lastTick(): number {
    return this.#trades.lastTick!;
  }

  /** From now on `bookBefore` can go back. */
  keepHistory(): void {
    this.#history ??= new BookHistory();
  }

  /** From now on the log has the digests of the book, of now and after every burst. */
  keepDigests(log: DigestLog): void {
    this.#digest = new BookDigest();
    digestOf(this.#book, Infinity, this.#digest);
    this.#digests = log;
    log.add(this.rank, this.#book, this.#digest.value);
  }

  listen(listener: ChangeListener): void {
    this.#listeners.push(listener);
  }

  unlisten(listener: ChangeListener): void {
    const index = this.#listeners.indexOf(listener);
    if (index >= 0) this.#listeners.splice(index, 1);
  }

  /** The day before the opening counts in full: the window does not move. */
  day(): DayTicker {
    const openMs = this.#past.endMs - DAY_MS;
    this.#pastRange ??= this.#past.range(openMs);
    const { high, low } = this.#pastRange;
    return {
      open: this.#past.tickAt(openMs),
      high: Math.max(high, this.#trades.high),
      low: Math.min(low, this.#trades.low),
      last: this.lastTick,
      volume: Math.round(this.listing.turnover / (this.#startTick * this.#unit)) + this.#trades.volume,
      turnover: this.listing.turnover + this.#trades.turnover,
    };
  }

  /** Price in ticks at a time before the opening, or the opening price. */
  pastTick(timeMs: number): number {
    return this.#past.tickAt(Math.min(Math.max(timeMs, this.#past.startMs), this.#past.endMs));
  }

  minutes(startMs: number, endMs: number): Candle[] {
    const oldest = this.#trades.forgottenBefore ?? this.#past.startMs;
    const openMinute = this.#past.endMs - (this.#past.endMs % MINUTE_MS);
    const candles: Candle[] = [];
    let minuteMs = Math.ceil(Math.max(startMs, oldest) / MINUTE_MS) * MINUTE_MS;
    for (; minuteMs < openMinute && minuteMs <= endMs; minuteMs += MINUTE_MS) candles.push(this.#past.minute(minuteMs));
    return minuteMs > endMs ? candles : candles.concat(this.#trades.minutes(minuteMs, endMs, this.#past.tickAt(openMinute)));
  }

  /** One burst of changes at `nowMs`. */
  burst(nowMs: number): void {
    this.#changedMs = nowMs;
    const direction = this.#walk();
    const choice = this.#random.next();
    if (choice < 0.56) this.#shiftLadders(direction);
    else if (choice < 0.72) this.#trade(direction, nowMs);
    else if (choice < 0.79) this.#resize();
    else if (choice < 0.95) this.#churn();
    else this.#changeFar();
    this.#closeSpread(direction);
    this.#history?.pushed();
    if (this.#digest !== undefined) this.#digests?.add(this.rank, this.#book, this.#digest.value);
  }

  /** One level change: one version. */
  #change(side: Side, tick: number, lots: number): void {
    const before = this.#book.side(side).set(tick, lots);
    this.#book.version++;
    this.#history?.change(side, tick, before);
    this.#digest?.change(side, tick, before, lots);
    for (let i = 0; i < this.#listeners.length; i++) this.#listeners[i]!.levelChanged(side, tick);
  }

  /** Moves the price's goal and says where it lies from the middle of the book: up (1) or down (-1). */
  #walk(): 1 | -1 {
    const middle = (this.#book.bids.tickAt(0) + this.#book.asks.tickAt(0)) / 2;
    const step = Math.max(0.4, this.#startTick * STEP);
    // A weak pull back to the opening price keeps a simulator that runs for weeks in sensible regions.
    this.#anchor += step * this.#random.normal() + (this.#startTick - this.#anchor) * 0.0002;
    this.#anchor = Math.min(Math.max(this.#anchor, middle - 12 * step, 5), middle + 12 * step);
    if (Math.abs(this.#anchor - middle) < 0.5) return this.#random.next() < 0.5 ? 1 : -1;
    return this.#anchor > middle ? 1 : -1;
  }

  /** A market maker moves a stretch of near-equal orders by a tick or two: every old level is deleted and its neighbour set. */
  #shiftLadders(direction: 1 | -1): void {
    const distance = this.#random.next() < 0.8 ? 1 : 2;
    // The side that moves away goes first, so that the other one has room.
    const first: Side = direction === 1 ? ASK : BID;
    const both = this.#random.next() < 0.6;
    if (both || this.#random.next() < 0.5) this.#shiftSide(first, direction * distance);
    if (both || this.#random.next() < 0.5) this.#shiftSide(first === ASK ? BID : ASK, direction * distance);
  }

  #shiftSide(side: Side, distance: number): void {
    const levels = this.#book.side(side);
    const length = Math.min(2 + Math.floor(this.#random.exponential() * (this.listing.levels > 300 ? 8 : 4)), levels.size - 1);
    const start = this.#nearRank(levels.size - length);
    const ticks: number[] = [];
    for (let i = 0; i < length; i++) ticks.push(levels.tickAt(start + i));
    for (const tick of ticks) {
      const target = tick + distance;
      // A level that has no free place stays.
      if (target < 1 || levels.lotsOf(target) > 0 || this.#crosses(side, target)) continue;
      this.#change(side, tick, 0);
      this.#change(side, target, this.#makerLots());
    }
  }

  /** A taker hits the best level, or a few. */
  #trade(direction: 1 | -1, nowMs: number): void {
    const buy = this.#random.next() < 0.8 ? direction === 1 : direction !== 1;
    const side: Side = buy ? ASK : BID;
    const levels = this.#book.side(side);
    const fills = 1 + Math.min(this.#random.below(4), this.#random.below(4));
    for (let fill = 0; fill < fills && levels.size > 8; fill++) {
      const tick = levels.tickAt(0);
      const resting = levels.lotsAt(0);
      const whole = fill < fills - 1 || this.#random.next() < 0.5;
      const lots = whole ? resting : Math.max(1, Math.floor(resting * this.#random.next()));
      this.#change(side, tick, resting - lots);
      this.#trades.add({ timeMs: nowMs, tick, lots, buy });
    }
  }

  /** Orders near the touch get another size. */
  #resize(): void {
    const side: Side = this.#random.next() < 0.5 ? BID : ASK;
    const levels = this.#book.side(side);
    for (let count = 1 + this.#random.below(5); count > 0; count--) {
      this.#change(side, levels.tickAt(this.#nearRank(levels.size)), this.#orderLots());
    }
  }

  /** Orders come and go one by one; more come while the side is thin, more go while it is thick. */
  #churn(): void {
    const side: Side = this.#random.next() < 0.5 ? BID : ASK;
    const levels = this.#book.side(side);
    for (let count = 2 + this.#random.below(8); count > 0; count--) {
      const wanting = (this.listing.levels - levels.size) / this.listing.levels;
      if (this.#random.next() < 0.5 + 3 * wanting) this.#insertNear(side, levels.tickAt(this.#nearRank(levels.size)));
      else if (levels.size > 8) this.#change(side, levels.tickAt(this.#nearRank(levels.size)), 0);
    }
  }

  /** Far from the price someone moves a resting order. */
  #changeFar(): void {
    const side: Side = this.#random.next() < 0.5 ? BID : ASK;
    const levels = this.#book.side(side);
    if (levels.size > 8) this.#change(side, levels.tickAt(levels.size - 1 - this.#random.below(levels.size >> 2)), 0);
    const tick = this.#farTick(side);
    // The price may have wandered to where "far" once was.
    if (!this.#crosses(side, tick)) this.#change(side, tick, this.#orderLots() * 5);
  }

  /** Fills a spread that trades have torn open, from the side the price moves away from. */
  #closeSpread(direction: 1 | -1): void {
    const { bids, asks } = this.#book;
    const usual = 1 + Math.floor(this.#startTick * 0.00002);
    for (let spread = asks.tickAt(0) - bids.tickAt(0); spread > 3 * usual; spread = asks.tickAt(0) - bids.tickAt(0)) {
      const inward = 1 + this.#random.below(spread - usual);
      if (direction === 1) this.#change(BID, bids.tickAt(0) + inward, this.#makerLots());
      else this.#change(ASK, asks.tickAt(0) - inward, this.#makerLots());
    }
  }

  /** Sets a level at the first free place behind `tick`. */
  #insertNear(side: Side, tick: number): void {
    const outward = side === BID ? -1 : 1;
    const levels = this.#book.side(side);
    let place = tick;
    while (levels.lotsOf(place) > 0 && place > 1) place += outward;
    this.#change(side, place, this.#orderLots());
  }

  #crosses(side: Side, tick: number): boolean {
    return side === BID ? tick >= this.#book.asks.tickAt(0) : tick <= this.#book.bids.tickAt(0);
  }

  /** A rank below `size`, most often near the touch. */
  #nearRank(size: number): number {
    const uniform = this.#random.next();
    return Math.floor(uniform * uniform * uniform * size);
  }

  #makerLots(): number {
    return Math.max(1, Math.round(this.#usualLots * (0.99 + 0.02 * this.#random.next())));
  }

  #orderLots(): number {
    return Math.max(1, Math.round(this.#usualLots * (0.05 + this.#random.exponential() ** 2)));
  }

  #farTick(side: Side): number {
    const distance = 0.08 + 0.1 * this.#random.exponential();
    const factor = side === BID ? Math.max(0.05, 1 - distance) : 1 + distance;
    // Far orders stand on round prices.
    const grain = 10 ** Math.max(0, Math.floor(Math.log10(this.#startTick)) - 2);
    return Math.max(1, Math.round((this.#startTick * factor) / grain) * grain);
  }

  #openBook(): void {
    const far = Math.round(this.listing.levels * 0.08);
    for (const side of [BID, ASK] as const) {
      const outward = side === BID ? -1 : 1;
      let tick = this.#startTick + (side === BID ? 0 : 1 + Math.floor(this.#startTick * 0.00001));
      for (let rank = 0; rank < this.listing.levels - far && tick >= 1; rank++) {
        this.#book.side(side).set(tick, this.#random.next() < 0.6 ? this.#makerLots() : this.#orderLots());
        // The further out, the wider the gaps.
        tick += outward * (1 + Math.floor(this.#random.exponential() * (1 + rank / 60)));
      }
      for (let i = 0; i < far; i++) this.#book.side(side).set(this.#farTick(side), this.#orderLots() * 5);
    }
  }

  /** A few trades from just before the opening minute, whose candle is made of what follows, so that the list is never empty. */
  #openTape(startMs: number): void {
    const endMs = startMs - (startMs % MINUTE_MS);
    for (let i = 10; i > 0; i--) {
      const buy = this.#random.next() < 0.5;
      const tick = buy ? this.#book.asks.tickAt(0) : this.#book.bids.tickAt(0);
      this.#trades.remember({ timeMs: endMs - i * 1_700, tick, lots: this.#orderLots(), buy });
    }
  }
}
