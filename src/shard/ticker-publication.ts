import { ASKS, BEST_ASK_LOTS, BEST_ASK_TICK, BEST_BID_LOTS, BEST_BID_TICK, BIDS } from '../book/book-layout.js';
import type { OrderBooks } from '../book/order-books.js';
import { type BookCopy, createBookCopy } from '../model/book-copy.js';
import { Format, MessageKind, type PublicationSpec } from '../model/publication.js';
import type { Ticker } from '../model/ticker.js';
import type { Tapes } from '../tape/tapes.js';
import { composeTicker } from '../ticker/compose-ticker.js';
import type { TickerStore } from '../ticker/ticker-store.js';
import { JsonTickerEncoder } from './json-ticker-encoder.js';
import { ProtoTickerEncoder } from './proto-ticker-encoder.js';
import type { Emit, Publication, PublicationParts } from './publication.js';

/** A ticker as one whole message, valid until the next one is written. */
interface TickerEncoder {
  message(ticker: Ticker): Uint8Array;
}

// One publication at a time looks at its book.
const touch: BookCopy = createBookCopy(1);

/**
 * The channel `ticker`: what `GET /ticker/:symbol` says, whole in each message, when any of it changed. It does not wait for a live book:
 * without one, bid and ask are `null`, and the message says which state the book is in.
 */
export class TickerPublication implements Publication {
  readonly id: number;
  readonly spec: PublicationSpec;
  readonly #symbol: string;
  readonly #slot: number;
  readonly #books: OrderBooks;
  readonly #tickers: TickerStore;
  readonly #tapes: Tapes;
  readonly #encoder: TickerEncoder;
  readonly #emit: Emit;
  readonly #clock: () => number;
  /** As it was sent last, and with which state of the book; `null` = nothing was sent, or it found no room. */
  #sent: Ticker | null = null;
  #sentState = -1;
  #sentMs = -Infinity;
  /** Something may have changed since. */
  #dirty = false;
  /** The best levels at the last look, so that updates behind them cost next to nothing. */
  readonly #best = new Float64Array(4);

  constructor(id: number, spec: PublicationSpec, parts: PublicationParts) {
    this.id = id;
    this.spec = spec;
    this.#symbol = parts.symbol;
    this.#slot = parts.slot;
    this.#books = parts.books;
    this.#tickers = parts.tickers;
    this.#tapes = parts.tapes;
    this.#encoder = spec.format === Format.JSON ? new JsonTickerEncoder(spec, parts) : new ProtoTickerEncoder(parts);
    this.#emit = parts.emit;
    this.#clock = parts.clock;
  }

  updated(): void {
    if (this.#bestChanged()) this.#changed();
  }

  tapeChanged(): void {
    this.#changed();
  }

  tickerChanged(): void {
    this.#changed();
  }

  tick(nowMs: number): void {
    if (this.#sent === null || (this.#dirty && nowMs - this.#sentMs >= this.spec.intervalMs)) this.#publish();
  }

  restarted(): void {
    this.#publish();
  }

  stateChanged(): void {
    this.#publish();
  }

  retryState(): void {
    this.tick(this.#clock());
  }

  snapshotFor(token: number): boolean {
    // The others first, so that what was sent last holds for all subscribers.
    this.#publish();
    return this.#emit(this.id, MessageKind.SNAPSHOT_FOR, token, this.#encoder.message(this.#compose()));
  }

  #changed(): void {
    this.#dirty = true;
    if (this.spec.intervalMs === 0) this.#publish();
  }

  #publish(): void {
    this.#dirty = false;
    const state = this.#books.state(this.#slot);
    const ticker = this.#compose();
    if (this.#sent !== null && state === this.#sentState && isSame(ticker, this.#sent)) return;
    const sent = this.#emit(this.id, MessageKind.SNAPSHOT, 0, this.#encoder.message(ticker));
    this.#sent = sent ? ticker : null;
    this.#sentState = state;
    if (sent) this.#sentMs = this.#clock();
  }

  #compose(): Ticker {
    const books = this.#books;
    const slot = this.#slot;
    this.#bestChanged();
    touch.state = books.state(slot);
    touch.priceScale = books.priceScale(slot);
    touch.quantityScale = books.quantityScale(slot);
    touch.bidCount = books.collect(slot, BIDS, 1, touch.bidTicks, touch.bidLots);
    touch.askCount = books.collect(slot, ASKS, 1, touch.askTicks, touch.askLots);
    return composeTicker(this.#symbol, this.#tickers.held(slot), touch, this.#tapes.newest(slot));
  }

  #bestChanged(): boolean {
    const best = this.#best;
    let changed = false;
    for (let i = 0; i < BEST_FIELDS.length; i++) {
      const value = this.#books.field(this.#slot, BEST_FIELDS[i]!);
      if (value === best[i]) continue;
      best[i] = value;
      changed = true;
    }
    return changed;
  }
}

const BEST_FIELDS = [BEST_BID_TICK, BEST_BID_LOTS, BEST_ASK_TICK, BEST_ASK_LOTS] as const;

function isSame(a: Ticker, b: Ticker): boolean {
  for (const field of Object.keys(a) as (keyof Ticker)[]) if (a[field] !== b[field]) return false;
  return true;
}
