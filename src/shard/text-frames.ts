import type { OrderBooks } from '../book/order-books.js';
import * as meters from '../memory/shard-meter.js';
import { decodeLegacyBytes, fillDelta } from '../mexc/legacy-json/columns.js';
import type { LegacyEvent } from '../mexc/legacy-json/events.js';
import { assert } from '../support/assert.js';
import { CodedError } from '../support/errors.js';
import type { BookKeeper } from './book-keeper.js';
import type { Outbox } from './outbox.js';
import { Outbound, REFUSED_TEXT, textRefusals } from './records.js';
import type { ShardBook } from './shard-book.js';
import type { TickerIntake } from './ticker-intake.js';

const OPEN_BRACE = 0x7b;
/** The channel of a text frame of trades, whatever is wrong with the rest. */
const TEXT_DEALS = /"c"\s*:\s*"[^"]*deals/;
const textDecoder = new TextDecoder();

/** Text frames of the JSON streams: each to the part of the shard that it is about. */
export class TextFrames {
  readonly #books: OrderBooks;
  readonly #keeper: BookKeeper;
  readonly #tickerIntake: TickerIntake;
  readonly #outbox: Outbox;
  readonly #meter: meters.ShardMeter;

  constructor(books: OrderBooks, keeper: BookKeeper, tickerIntake: TickerIntake, outbox: Outbox, meter: meters.ShardMeter) {
    this.#books = books;
    this.#keeper = keeper;
    this.#tickerIntake = tickerIntake;
    this.#outbox = outbox;
    this.#meter = meter;
  }

  /** The frame at `bytes[start, end)`; `slot` and `book` are -1 and `undefined` when it names no symbol. */
  take(book: ShardBook | undefined, slot: number, bytes: Uint8Array, view: DataView, start: number, end: number, timeMs: number): void {
    let event: LegacyEvent;
    try {
      event = decodeLegacyBytes(bytes, start, end);
      if (event.kind !== 'tickers' && event.symbol !== book?.symbol) return;
      // A number no book takes is refused here: further on it would be a push that was lost.
      if (event.kind === 'book') fillDelta(event, this.#books.priceScale(slot), this.#books.quantityScale(slot), this.#books.delta);
      if (event.kind === 'trades') book!.tape.pushText(event, timeMs);
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      if (TEXT_DEALS.test(textDecoder.decode(bytes.slice(start, end)))) book?.tape.lost(timeMs);
      return this.#refuse(slot, error, timeMs);
    }
    this.#meter.add(meters.METER_TEXT_FRAMES, 1);
    if (event.kind === 'tickers') return this.#tickerIntake.text(event, timeMs);
    if (event.kind !== 'book') return;
    if (event.effect === 'replace' || event.effect === 'replace_newer') return this.#keeper.textSnapshot(book!, event, timeMs);
    let object = start;
    while (bytes[object] !== OPEN_BRACE) object++;
    this.#keeper.push(book!, bytes, view, object, end, timeMs, 0);
  }

  /** Not a byte of it was applied. What it may have meant for the book shows in the versions of the next one, where the dialect has such. */
  #refuse(slot: number, { code }: CodedError, timeMs: number): void {
    const kind = textRefusals.findIndex((each) => each === code);
    assert(kind >= 0, `a text frame is refused as ${code}`);
    this.#meter.add(meters.METER_TEXT_REFUSED + kind, 1);
    this.#outbox.send(Outbound.REFUSED, slot, REFUSED_TEXT + kind, timeMs);
  }
}
