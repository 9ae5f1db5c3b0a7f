import { DealsDecode, decodeDeals } from '../mexc/decode-deals.js';
import { decodeTrades } from '../mexc/decode-trades.js';
import { fillDeals } from '../mexc/legacy-json/columns.js';
import type { LegacyTrades } from '../mexc/legacy-json/events.js';
import { BookState } from '../model/book-state.js';
import { POWERS_OF_TEN } from '../model/decimal.js';
import { CodedError } from '../support/errors.js';
import { DealsBuffer } from '../tape/deals-buffer.js';
import { FilledTrades, mergeTrades } from '../tape/merge-trades.js';
import {
  MARK_HOLE,
  TAPE_COUNT_FILLED,
  TAPE_COUNT_INEXACT,
  TAPE_COUNT_PUSHED,
  TAPE_COUNT_REFUSED,
  TAPE_COUNT_REPEATED,
  TAPE_PRICE_SCALE,
  TAPE_QUANTITY_SCALE,
} from '../tape/tape-layout.js';
import { SeenTrades } from '../tape/seen-trades.js';
import type { Tapes } from '../tape/tapes.js';
import { REFUSED_TRADES } from './records.js';

/** Pushes wait for the last trades no longer than this, counted from the first, and no more than so many. */
const HELD_MS_MAX = 60_000;
const HELD_TRADES_MAX = 10_000;
/** A connection that repeats what is older took another's place long ago. */
const TOLD_MS = 60_000;

export interface SymbolTapeParts {
  readonly slot: number;
  readonly tapes: Tapes;
  /** Trades come on two lines, the second copy of each at any time. */
  readonly twoLines: boolean;
  /** Reused by all tapes of the shard. */
  readonly deals: DealsBuffer;
  /** Asks for the symbol's last trades. */
  readonly want: () => void;
  /** Input that could not be read; `what` is a DealsDecode or REFUSED_TRADES. */
  readonly refused: (what: number) => void;
  /** The tape took these trades; good during the call only. */
  readonly appended: (trades: DealsBuffer) => void;
  /** The tape took trades, or its state changed. */
  readonly changed: () => void;
}

/**
 * How one symbol's tape is kept whole. While its stream stands and the last trades are known (`live`), each push goes on the tape. After
 * anything was missed, pushes are held until the exchange's last trades are in, and both are joined (`mergeTrades`). When those do not come in
 * time, or do not reach back far enough, the tape goes on with a mark where trades are missing.
 */
export class SymbolTape {
  readonly #parts: SymbolTapeParts;
  /** Pushes that wait for the last trades; none while live. */
  #held = new DealsBuffer(0);
  /** Places in `#held` before which more was missed. */
  #breaks: number[] = [];
  #heldSinceMs = 0;
  /** Trades that were fetched and may still be pushed; `undefined` = none. */
  #filled: FilledTrades | undefined;
  /** Pushes of trades that were fetched, and have no id on the tape: a second one is a repeat. */
  #told: DealsBuffer | undefined;
  /** The stream stands. */
  #up = false;
  /** `undefined` with one line. */
  readonly #seen: SeenTrades | undefined;
  /** Trades are missing behind the newest one on the tape, for certain. */
  #holeNext = false;

  constructor(parts: SymbolTapeParts) {
    this.#parts = parts;
    if (parts.twoLines) this.#seen = new SeenTrades();
  }

  /** No trade is missing up to now, as far as can be known. */
  get isWhole(): boolean {
    return this.#live && !this.#holeNext;
  }

  get #live(): boolean {
    return this.#parts.tapes.state(this.#parts.slot) === BookState.LIVE;
  }

  /** A push, as it came, on line 0 or 1. Hot path: while live, nothing is allocated. */
  push(bytes: Uint8Array, start: number, end: number, timeMs: number, line = 0): void {
    const { tapes, slot } = this.#parts;
    const outcome = this.#decode(bytes, start, end);
    if (outcome !== DealsDecode.OK) {
      tapes.count(slot, TAPE_COUNT_REFUSED);
      this.#parts.refused(outcome);
      if (outcome !== DealsDecode.NOT_DEALS) this.lost(timeMs);
      return;
    }
    if (this.#seen !== undefined) this.#leaveOutSeen(this.#seen, line, timeMs);
    this.#take(timeMs);
  }

  /** A text frame of trades. Throws CodedError LEGACY_INVALID_FORMAT, and nothing was taken. */
  pushText(event: LegacyTrades, timeMs: number): void {
    const { deals } = this.#parts;
    if (!fillDeals(event, this.#priceScale, this.#quantityScale, deals)) {
      this.#rescale(deals.priceScaleNeeded, deals.quantityScaleNeeded);
      fillDeals(event, this.#priceScale, this.#quantityScale, deals);
    }
    this.#take(timeMs);
  }

  /** What was decoded. */
  #take(timeMs: number): void {
    const { tapes, slot, deals } = this.#parts;
    if (deals.inexactCount > 0) tapes.count(slot, TAPE_COUNT_INEXACT, deals.inexactCount);
    if (this.#filled !== undefined) this.#leaveOutFilled(this.#filled);
    if (!this.#live) return this.#hold(timeMs);
    this.#leaveOutRepeats();
    if (deals.count === 0) return;
    if (this.#holeNext) this.#markHole(deals);
    tapes.append(slot, deals, timeMs);
    this.#parts.appended(deals);
    tapes.count(slot, TAPE_COUNT_PUSHED, deals.count);
    this.#parts.changed();
  }

  /** The exchange's last trades, as the REST API says them. */
  fill(body: Uint8Array, timeMs: number): void {
    const { tapes, slot } = this.#parts;
    // Given up meanwhile, or asked for in a life before this one.
    if (!this.#up || this.#live) return;
    const fill = this.#read(body);
    if (fill === undefined) {
      tapes.count(slot, TAPE_COUNT_REFUSED);
      this.#parts.refused(REFUSED_TRADES);
      this.#parts.want();
      return;
    }
    this.#join(fill, timeMs);
  }

  /** The stream stands: what happened before is in the last trades. */
  streamUp(timeMs: number): void {
    const { tapes, slot, want, changed } = this.#parts;
    this.#up = true;
    if (this.#live) return;
    tapes.setState(slot, BookState.SYNCING, timeMs);
    changed();
    want();
  }

  streamDown(timeMs: number): void {
    this.#up = false;
    this.#miss(BookState.STALE, timeMs);
  }

  /** Pushes were missed although the stream stands. */
  lost(timeMs: number): void {
    if (!this.#up) return;
    this.#miss(BookState.SYNCING, timeMs);
    this.#parts.want();
  }

  /** Gives up waiting for the last trades. */
  tick(nowMs: number): void {
    if (this.#held.count > 0 && this.#up && nowMs - this.#heldSinceMs >= HELD_MS_MAX) this.#join(new DealsBuffer(0), nowMs);
  }

  #miss(state: BookState, timeMs: number): void {
    const { tapes, slot, changed } = this.#parts;
    if (this.#held.count > 0 && this.#breaks.at(-1) !== this.#held.count) this.#breaks.push(this.#held.count);
    if (tapes.state(slot) === state) return;
    tapes.setState(slot, state, timeMs);
    changed();
  }

  #hold(timeMs: number): void {
    const { tapes, slot, deals } = this.#parts;
    if (this.#held.count === 0) this.#heldSinceMs = timeMs;
    // A connection that takes another's place, and the other line, repeat what waits or is on the tape.
    for (let i = 0; i < deals.count; i++) if (!this.#held.has(deals, i) && !tapes.has(slot, deals, i)) this.#held.take(deals, i);
    if (this.#up && this.#held.count > HELD_TRADES_MAX) this.#join(new DealsBuffer(0), timeMs);
  }

  /** Puts what waited on the tape, with what `fill` adds, and goes on from there. */
  #join(fill: DealsBuffer, timeMs: number): void {
    const { tapes, slot, deals, changed } = this.#parts;
    const held = this.#held;
    const breaks = this.#breaks;
    this.#held = new DealsBuffer(0);
    this.#breaks = [];
    const knownFromMs = tapes.copyTail(slot, deals);
    const merged = mergeTrades({ known: deals, knownFromMs, fill, held, breaks });
    if (merged.trades.count > 0) {
      if (this.#holeNext) this.#markHole(merged.trades);
      tapes.append(slot, merged.trades, timeMs);
      this.#parts.appended(merged.trades);
      tapes.count(slot, TAPE_COUNT_FILLED, merged.filled.count);
      tapes.count(slot, TAPE_COUNT_PUSHED, merged.trades.count - merged.filled.count);
      if (merged.filled.count > 0) {
        this.#filled ??= new FilledTrades();
        this.#filled.addAll(merged.filled);
      }
    }
    if (merged.holeBehind) this.#holeNext = true;
    tapes.setState(slot, BookState.LIVE, timeMs);
    changed();
  }

  #markHole(trades: DealsBuffer): void {
    this.#holeNext = false;
    trades.marks[0] = trades.marks[0]! | MARK_HOLE;
  }

  /** The answer to a request may know trades that are pushed only afterwards. */
  #leaveOutFilled(filled: FilledTrades): void {
    const { tapes, slot, deals } = this.#parts;
    const firstMs = deals.count === 0 ? -Infinity : deals.times[0]!;
    let kept = 0;
    for (let i = 0; i < deals.count; i++) {
      if (this.#told?.has(deals, i) === true) continue;
      // One that is on the tape by its id is not the fetched one that equals it.
      if (!tapes.has(slot, deals, i) && filled.take(deals, i)) (this.#told ??= new DealsBuffer(0)).take(deals, i);
      else deals.move(i, kept++);
    }
    if (filled.isPast(firstMs)) this.#filled = undefined;
    deals.count = kept;
  }

  /** The other line brought it before. */
  #leaveOutSeen(seen: SeenTrades, line: number, timeMs: number): void {
    const { tapes, slot, deals } = this.#parts;
    const scales = [this.#priceScale, this.#quantityScale] as const;
    let kept = 0;
    for (let i = 0; i < deals.count; i++) {
      if (seen.isRepeat(deals, i, scales, line, timeMs)) tapes.count(slot, TAPE_COUNT_REPEATED);
      else deals.move(i, kept++);
    }
    deals.count = kept;
  }

  /** A connection that takes another's place repeats its last pushes; they are known by their ids. */
  #leaveOutRepeats(): void {
    const { tapes, slot, deals, twoLines } = this.#parts;
    // Older than all a full tape holds: whether it is a repeat cannot be told any more, and it would come last.
    const knownFromMs = twoLines ? tapes.fullFromMs(slot) : -Infinity;
    const told = this.#told;
    if (told !== undefined && deals.count > 0 && deals.times[0]! > told.times[told.count - 1]! + TOLD_MS) this.#told = undefined;
    let kept = 0;
    for (let i = 0; i < deals.count; i++) {
      if (deals.times[i]! < knownFromMs || tapes.has(slot, deals, i) || told?.has(deals, i) === true)
        tapes.count(slot, TAPE_COUNT_REPEATED);
      else deals.move(i, kept++);
    }
    deals.count = kept;
  }

  #decode(bytes: Uint8Array, start: number, end: number): DealsDecode {
    const { deals } = this.#parts;
    const outcome = decodeDeals(bytes, start, end, this.#priceScale, this.#quantityScale, deals);
    if (outcome !== DealsDecode.RESCALE) return outcome;
    this.#rescale(deals.priceScaleNeeded, deals.quantityScaleNeeded);
    return decodeDeals(bytes, start, end, this.#priceScale, this.#quantityScale, deals);
  }

  #read(body: Uint8Array): DealsBuffer | undefined {
    const fill = new DealsBuffer(0);
    try {
      if (!decodeTrades(body, this.#priceScale, this.#quantityScale, fill)) {
        this.#rescale(fill.priceScaleNeeded, fill.quantityScaleNeeded);
        decodeTrades(body, this.#priceScale, this.#quantityScale, fill);
      }
      return fill;
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      return undefined;
    }
  }

  get #priceScale(): number {
    return this.#parts.tapes.int(this.#parts.slot, TAPE_PRICE_SCALE);
  }

  get #quantityScale(): number {
    return this.#parts.tapes.int(this.#parts.slot, TAPE_QUANTITY_SCALE);
  }

  #rescale(priceScale: number, quantityScale: number): void {
    this.#filled?.scaleUp(POWERS_OF_TEN[priceScale - this.#priceScale]!, POWERS_OF_TEN[quantityScale - this.#quantityScale]!);
    this.#held.scaleUp(POWERS_OF_TEN[priceScale - this.#priceScale]!, POWERS_OF_TEN[quantityScale - this.#quantityScale]!);
    this.#parts.tapes.rescale(this.#parts.slot, priceScale, quantityScale);
  }
}
