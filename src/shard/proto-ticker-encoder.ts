import type { OrderBooks } from '../book/order-books.js';
import type { Ticker } from '../model/ticker.js';
import { PROTO_STATE_OFFSET, writeTime } from './proto-book.js';
import { TICKER_UPDATE_TICKER, TickerField, writeTicker } from './proto-ticker.js';
import type { ProtoWriter } from './proto-writer.js';
import type { PublicationParts } from './publication.js';

/** Ticker messages of gRPC: one `TickerUpdate` each. State, epoch and seq are those of the book bid and ask were taken from. */
export class ProtoTickerEncoder {
  readonly #slot: number;
  readonly #books: OrderBooks;
  readonly #writer: ProtoWriter;
  readonly #clock: () => number;

  constructor({ slot, books, protoWriter, clock }: PublicationParts) {
    this.#slot = slot;
    this.#books = books;
    this.#writer = protoWriter;
    this.#clock = clock;
  }

  /** Valid until the next message is written. */
  message(ticker: Ticker): Uint8Array {
    const books = this.#books;
    const writer = this.#writer;
    writer.begin();
    const mark = writer.open(TICKER_UPDATE_TICKER);
    writeTicker(writer, ticker);
    writer.uint(TickerField.STATE, books.state(this.#slot) + PROTO_STATE_OFFSET);
    writer.uint(TickerField.EPOCH, books.epoch(this.#slot));
    writer.uint(TickerField.SEQ, books.seq(this.#slot));
    writeTime(writer, TickerField.PUBLISHED_AT, this.#clock());
    writer.close(mark);
    return writer.take();
  }
}
