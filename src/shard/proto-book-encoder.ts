import { PROVEN_ASKS, PROVEN_BIDS, SINCE } from '../book/book-layout.js';
import { ASK_DIRECTION, BID_DIRECTION, type OrderBooks } from '../book/order-books.js';
import { provenLevels } from '../book/proof.js';
import { stateReasonNames } from '../model/book-state.js';
import { Channel, Format, type PublicationSpec } from '../model/publication.js';
import { assert } from '../support/assert.js';
import type { BookEncoder } from './book-encoder.js';
import { BookField, PROTO_STATE_OFFSET, StatusField, UpdateField, writeLevels, writeTime } from './proto-book.js';
import type { ProtoWriter } from './proto-writer.js';
import type { PublicationParts, SnapshotReason } from './publication.js';

const encoder = new TextEncoder();
const NO_BYTES = new Uint8Array(0);
const reasonBytes = stateReasonNames.map((name) => encoder.encode(name));

/** Book messages of gRPC: one `OrderBookUpdate` each. */
export class ProtoBookEncoder implements BookEncoder {
  readonly #slot: number;
  readonly #books: OrderBooks;
  readonly #writer: ProtoWriter;
  readonly #clock: () => number;
  readonly #symbol: Uint8Array;
  readonly #exact: boolean;
  readonly #withReason: boolean;
  /** The open `order_book`. */
  #mark = 0;
  /** Whole books say how far they are proven, what changed does not. */
  #isWhole = false;

  constructor(spec: PublicationSpec, { symbol, slot, books, protoWriter, clock }: PublicationParts) {
    assert(spec.channel === Channel.BOOK || spec.channel === Channel.BOOK_TOP, `channel ${spec.channel} has no protobuf message`);
    this.#slot = slot;
    this.#books = books;
    this.#writer = protoWriter;
    this.#clock = clock;
    this.#symbol = encoder.encode(symbol);
    this.#exact = spec.format === Format.PROTOBUF_EXACT;
    this.#withReason = spec.channel === Channel.BOOK;
  }

  beginSnapshot(reason: SnapshotReason): void {
    const writer = this.#writer;
    this.#isWhole = true;
    this.#begin();
    writer.bool(UpdateField.IS_SNAPSHOT, true);
    writer.bytes(UpdateField.REASON, this.#withReason ? encoder.encode(reason) : NO_BYTES);
    this.#beginBook();
  }

  beginDelta(prev: number, prevVersion: number): void {
    const writer = this.#writer;
    this.#isWhole = false;
    this.#begin();
    writer.presentUint(UpdateField.PREV, prev);
    writer.uint(UpdateField.FIRST_UPDATE_ID, Math.min(prevVersion + 1, this.#books.version(this.#slot)));
    this.#beginBook();
  }

  bids(ticks: Float64Array, lots: Float64Array, count: number): void {
    this.#writeSide(BookField.BIDS, ticks, lots, count);
    if (this.#isWhole)
      this.#writer.presentUint(BookField.VERIFIED_BIDS, provenLevels(ticks, count, BID_DIRECTION, this.#reach(PROVEN_BIDS)));
  }

  asks(ticks: Float64Array, lots: Float64Array, count: number): void {
    this.#writeSide(BookField.ASKS, ticks, lots, count);
    if (this.#isWhole)
      this.#writer.presentUint(BookField.VERIFIED_ASKS, provenLevels(ticks, count, ASK_DIRECTION, this.#reach(PROVEN_ASKS)));
  }

  end(): Uint8Array {
    this.#writer.close(this.#mark);
    return this.#writer.take();
  }

  status(): Uint8Array {
    const books = this.#books;
    const slot = this.#slot;
    const writer = this.#writer;
    this.#begin();
    const mark = writer.open(UpdateField.STATUS);
    writer.uint(StatusField.STATE, books.state(slot) + PROTO_STATE_OFFSET);
    writer.bytes(StatusField.REASON, reasonBytes[books.reason(slot)]!);
    writer.uint(StatusField.EPOCH, books.epoch(slot));
    writer.uint(StatusField.SEQ, books.seq(slot));
    writer.uint(StatusField.LAST_UPDATE_ID, books.version(slot));
    writeTime(writer, StatusField.SINCE, books.field(slot, SINCE));
    writeTime(writer, StatusField.PUBLISHED_AT, this.#clock());
    writer.close(mark);
    return writer.take();
  }

  #begin(): void {
    this.#writer.begin();
    this.#writer.bytes(UpdateField.SYMBOL, this.#symbol);
  }

  #beginBook(): void {
    const books = this.#books;
    const slot = this.#slot;
    const writer = this.#writer;
    this.#mark = writer.open(UpdateField.ORDER_BOOK);
    writer.bytes(BookField.SYMBOL, this.#symbol);
    writer.uint(BookField.LAST_UPDATE_ID, books.version(slot));
    writeTime(writer, BookField.TIMESTAMP, books.exchangeTimeMs(slot));
    writer.uint(BookField.STATE, books.state(slot) + PROTO_STATE_OFFSET);
    writer.uint(BookField.EPOCH, books.epoch(slot));
    writer.uint(BookField.SEQ, books.seq(slot));
    writeTime(writer, BookField.RECEIVED_AT, books.receiveTimeMs(slot));
    writeTime(writer, BookField.PUBLISHED_AT, this.#clock());
    writer.uint(BookField.PRICE_SCALE, books.priceScale(slot));
    writer.uint(BookField.QUANTITY_SCALE, books.quantityScale(slot));
  }

  /** PROVEN_BIDS or PROVEN_ASKS. */
  #reach(field: number): number {
    return this.#books.field(this.#slot, field);
  }

  #writeSide(field: number, ticks: Float64Array, lots: Float64Array, count: number): void {
    const books = this.#books;
    const slot = this.#slot;
    writeLevels(this.#writer, field, ticks, lots, count, books.priceScale(slot), books.quantityScale(slot), this.#exact);
  }
}
