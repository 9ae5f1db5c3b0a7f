import type { OrderBooks } from '../book/order-books.js';
import { bookStateNames } from '../model/book-state.js';
import { channelName, type PublicationSpec } from '../model/publication.js';
import type { Ticker } from '../model/ticker.js';
import { jsonBytes, type MessageWriter } from './message-writer.js';
import type { PublicationParts } from './publication.js';

/** Ticker messages of `/ws`: JSON, framed for the socket. The envelope is that of the book bid and ask were taken from. */
export class JsonTickerEncoder {
  readonly #slot: number;
  readonly #books: OrderBooks;
  readonly #writer: MessageWriter;
  readonly #clock: () => number;
  /** The message up to its epoch. */
  readonly #head: Uint8Array;

  constructor({ channel, intervalMs }: PublicationSpec, { symbol, slot, books, writer, clock }: PublicationParts) {
    this.#slot = slot;
    this.#books = books;
    this.#writer = writer;
    this.#clock = clock;
    writer.begin();
    writer.text(`{"ch":"${channelName(channel)}","sym":`);
    writer.raw(jsonBytes(symbol));
    writer.text(`,"interval":${intervalMs},"type":"snapshot","epoch":`);
    this.#head = writer.payload().slice();
  }

  /** Valid until the next message is written. */
  message(ticker: Ticker): Uint8Array {
    const { symbol: _, ...figures } = ticker;
    const books = this.#books;
    const slot = this.#slot;
    const writer = this.#writer;
    const receiveTimeMs = books.receiveTimeMs(slot);
    writer.begin();
    writer.raw(this.#head);
    writer.integer(books.epoch(slot));
    writer.text(',"seq":');
    writer.integer(books.seq(slot));
    writer.text(',"prev":null,"te":');
    writer.time(receiveTimeMs > 0 ? books.exchangeTimeMs(slot) : NaN);
    writer.text(',"tr":');
    writer.time(receiveTimeMs > 0 ? receiveTimeMs : NaN);
    writer.text(',"tp":');
    writer.time(this.#clock());
    writer.text(`,"state":"${bookStateNames[books.state(slot)]}",`);
    // Decimal text, whole numbers and null: nothing beyond ASCII.
    writer.text(JSON.stringify(figures).slice(1));
    return writer.frame();
  }
}
