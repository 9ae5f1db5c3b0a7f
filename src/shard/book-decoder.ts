import { COUNT_REFUSED } from '../book/book-layout.js';
import type { DeltaBuffer } from '../book/delta-buffer.js';
import { TICK_LIMIT } from '../book/ladder-layout.js';
import type { OrderBooks } from '../book/order-books.js';
import * as meters from '../memory/shard-meter.js';
import { createDepthDecoder, type DecodeDepth, DepthDecode } from '../mexc/decode-depth.js';
import { decodeLegacyDepth } from '../mexc/legacy-json/columns.js';
import { BookState, StateReason } from '../model/book-state.js';
import { POWERS_OF_TEN } from '../model/decimal.js';
import { CodedError, ErrorCode } from '../support/errors.js';
import type { BookTrust, ShardParts } from './book-trust.js';
import type { Outbox } from './outbox.js';
import type { PendingUpdates } from './pending-updates.js';
import type { Publications } from './publications.js';
import { Outbound, REFUSED_SNAPSHOT } from './records.js';
import type { ShardBook } from './shard-book.js';

const OPEN_BRACE = 0x7b;

/** Reads a snapshot into the delta buffer at these scales; false when it needs larger ones. Throws CodedError. */
export type ReadSnapshot = (priceScale: number, quantityScale: number) => boolean;

/** Reads pushes and snapshots into the delta buffer, at the scales of their book or, where they need more decimals, at the book's new ones. */
export class BookDecoder {
  readonly #books: OrderBooks;
  readonly #outbox: Outbox;
  readonly #publications: Publications;
  readonly #meter: meters.ShardMeter;
  readonly #trust: BookTrust;
  readonly #delta: DeltaBuffer;
  readonly #decodeDepth: DecodeDepth;
  readonly #decodeText: DecodeDepth = (bytes, _view, start, end, priceScale, quantityScale) =>
    decodeLegacyDepth(bytes, start, end, priceScale, quantityScale, this.#delta);
  /** Highest price of the snapshot at hand, while the pushes that wait for it are examined. */
  snapshotPrice = 0;

  constructor({ books, outbox, publications, meter }: ShardParts, trust: BookTrust) {
    this.#books = books;
    this.#outbox = outbox;
    this.#publications = publications;
    this.#meter = meter;
    this.#trust = trust;
    this.#delta = books.delta;
    this.#decodeDepth = createDepthDecoder(this.#delta);
  }

  /** Decodes into the delta buffer, rescaling the book when a number has more decimals than expected. */
  decode(book: ShardBook, bytes: Uint8Array, view: DataView, start: number, end: number, timeMs: number): DepthDecode {
    const books = this.#books;
    const slot = book.slot;
    const delta = this.#delta;
    // No push begins like this: it would be a field of a kind that does not exist any more.
    const decode = bytes[start] === OPEN_BRACE ? this.#decodeText : this.#decodeDepth;
    let outcome = decode(bytes, view, start, end, books.priceScale(slot), books.quantityScale(slot));
    if (outcome === DepthDecode.RESCALE) {
      const { priceScaleNeeded, quantityScaleNeeded } = delta;
      // The frame first: one that is refused after all leaves the book as it is.
      outcome = decode(bytes, view, start, end, priceScaleNeeded, quantityScaleNeeded);
      if (outcome === DepthDecode.OK) {
        if (!this.fitsScale(book, priceScaleNeeded)) outcome = DepthDecode.BAD_NUMBER;
        else if (!this.rescale(book, priceScaleNeeded, quantityScaleNeeded, timeMs)) {
          this.#trust.mustReach(book, delta.toVersion);
          return DepthDecode.NOT_DEPTH;
        }
        // The book went through the delta buffer.
        else outcome = decode(bytes, view, start, end, priceScaleNeeded, quantityScaleNeeded);
      }
    }
    if (outcome !== DepthDecode.OK) {
      books.count(slot, COUNT_REFUSED);
      this.#meter.add(meters.METER_REFUSED, 1);
      this.#outbox.send(Outbound.REFUSED, slot, outcome, timeMs);
    }
    return outcome;
  }

  /** The same for push `i` of those that were kept. */
  decodeKept(book: ShardBook, kept: PendingUpdates, i: number, timeMs: number): DepthDecode {
    return this.decode(book, kept.bytes, kept.view, kept.start(i), kept.end(i), timeMs);
  }

  /** The same for a push that came too early. */
  decodeEarly(book: ShardBook, frame: Uint8Array, timeMs: number): DepthDecode {
    return this.decode(book, frame, new DataView(frame.buffer), 0, frame.length, timeMs);
  }

  /** Into the delta buffer, at the book's scales; false when it cannot be read (said and asked for again). */
  readSnapshot(book: ShardBook, read: ReadSnapshot, timeMs: number): boolean {
    const books = this.#books;
    const slot = book.slot;
    try {
      if (read(books.priceScale(slot), books.quantityScale(slot))) return true;
      const { priceScaleNeeded, quantityScaleNeeded } = this.#delta;
      read(priceScaleNeeded, quantityScaleNeeded);
      if (!this.fitsScale(book, priceScaleNeeded))
        throw new CodedError(ErrorCode.SNAPSHOT_MALFORMED, `prices with ${priceScaleNeeded} decimals`);
      // The book goes through the delta buffer.
      return this.rescale(book, priceScaleNeeded, quantityScaleNeeded, timeMs) && read(priceScaleNeeded, quantityScaleNeeded);
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      books.count(slot, COUNT_REFUSED);
      this.#meter.add(meters.METER_REFUSED, 1);
      this.#outbox.send(Outbound.REFUSED, slot, REFUSED_SNAPSHOT, timeMs);
      this.#trust.requestResync(book, StateReason.SNAPSHOT_MALFORMED, timeMs);
      return false;
    }
  }

  /** Whether the book's prices, and those of a snapshot that is about to replace it, would be ticks at this scale that a ladder takes. */
  fitsScale(book: ShardBook, priceScale: number): boolean {
    const price = Math.max(this.#books.highestPrice(book.slot), this.snapshotPrice);
    return price * POWERS_OF_TEN[priceScale]! < TICK_LIMIT / 2;
  }

  /** Gives the book more decimals; false when its memory is full, and the book lost. Goes through the delta buffer. */
  rescale(book: ShardBook, priceScale: number, quantityScale: number, timeMs: number): boolean {
    const live = this.#books.state(book.slot) === BookState.LIVE;
    const fits = this.#trust.guardMemory(book, timeMs, () => this.#books.rescale(book.slot, priceScale, quantityScale));
    if (fits && live) this.#publications.restart(book, 'rescale');
    return fits;
  }
}
