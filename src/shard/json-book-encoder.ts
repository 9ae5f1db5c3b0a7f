import { PROVEN_ASKS, PROVEN_BIDS, SINCE } from '../book/book-layout.js';
import { ASK_DIRECTION, BID_DIRECTION, type OrderBooks } from '../book/order-books.js';
import { provenLevels } from '../book/proof.js';
import { bookStateNames, stateReasonNames } from '../model/book-state.js';
import { Channel, channelName, hasDepth, type PublicationSpec } from '../model/publication.js';
import type { BookEncoder } from './book-encoder.js';
import { jsonBytes, type MessageWriter } from './message-writer.js';
import type { PublicationParts, SnapshotReason } from './publication.js';

/** Book messages of `/ws`: JSON, framed for the socket. */
export class JsonBookEncoder implements BookEncoder {
  readonly #channel: Channel;
  readonly #slot: number;
  readonly #books: OrderBooks;
  readonly #writer: MessageWriter;
  readonly #clock: () => number;
  /** The message up to its `type`. */
  readonly #head: Uint8Array;
  /** Whole books say how far they are proven; a quote, and what changed, do not. */
  readonly #saysProof: boolean;
  #isWhole = false;
  #provenBids = 0;

  constructor(spec: PublicationSpec, { symbol, slot, books, writer, clock }: PublicationParts) {
    this.#channel = spec.channel;
    this.#slot = slot;
    this.#books = books;
    this.#writer = writer;
    this.#clock = clock;
    this.#head = encodeHead(writer, spec, symbol);
    this.#saysProof = spec.channel === Channel.BOOK || spec.channel === Channel.BOOK_TOP;
  }

  beginSnapshot(reason: SnapshotReason): void {
    this.#begin('"snapshot"');
    this.#isWhole = this.#saysProof;
    const version = this.#books.version(this.#slot);
    this.#writeEnvelope(-1, version);
    if (this.#channel === Channel.BOOK) this.#writer.text(`,"reason":"${reason}"`);
  }

  beginDelta(prev: number, prevVersion: number): void {
    this.#begin('"delta"');
    this.#isWhole = false;
    this.#writeEnvelope(prev, Math.min(prevVersion + 1, this.#books.version(this.#slot)));
  }

  bids(ticks: Float64Array, lots: Float64Array, count: number): void {
    this.#writer.text(',"b":');
    this.#writeSide(ticks, lots, count);
    if (this.#isWhole) this.#provenBids = provenLevels(ticks, count, BID_DIRECTION, this.#books.field(this.#slot, PROVEN_BIDS));
  }

  asks(ticks: Float64Array, lots: Float64Array, count: number): void {
    const writer = this.#writer;
    writer.text(',"a":');
    this.#writeSide(ticks, lots, count);
    if (!this.#isWhole) return;
    writer.text(',"verifiedDepth":{"bids":');
    writer.integer(this.#provenBids);
    writer.text(',"asks":');
    writer.integer(provenLevels(ticks, count, ASK_DIRECTION, this.#books.field(this.#slot, PROVEN_ASKS)));
    writer.text('}');
  }

  end(): Uint8Array {
    this.#writer.text('}');
    return this.#writer.frame();
  }

  status(): Uint8Array {
    const books = this.#books;
    const slot = this.#slot;
    const writer = this.#writer;
    const state = bookStateNames[books.state(slot)];
    const reason = stateReasonNames[books.reason(slot)];
    this.#begin('"state"');
    writer.text(
      `,"state":"${state}","reason":"${reason}","epoch":${books.epoch(slot)},"seq":${books.seq(slot)},"version":${books.version(slot)},"since":`,
    );
    writer.time(books.field(slot, SINCE));
    writer.text(',"tp":');
    writer.time(this.#clock());
    return this.end();
  }

  #begin(type: string): void {
    this.#writer.begin();
    this.#writer.raw(this.#head);
    this.#writer.text(type);
  }

  /** Levels in brackets; of a quote the one level there is, or `null`. */
  #writeSide(ticks: Float64Array, lots: Float64Array, count: number): void {
    const writer = this.#writer;
    const priceScale = this.#books.priceScale(this.#slot);
    const quantityScale = this.#books.quantityScale(this.#slot);
    if (this.#channel !== Channel.BBO) writer.levels(ticks, lots, count, priceScale, quantityScale);
    else if (count === 0) writer.text('null');
    else writer.level(ticks[0]!, lots[0]!, priceScale, quantityScale);
  }

  /** Epoch to state; `prev` < 0 = null. Deltas carry the exchange's versions they cover, whole books the one they stand at. */
  #writeEnvelope(prev: number, fromVersion: number): void {
    const books = this.#books;
    const slot = this.#slot;
    const writer = this.#writer;
    writer.text(',"epoch":');
    writer.integer(books.epoch(slot));
    writer.text(',"seq":');
    writer.integer(books.seq(slot));
    writer.text(',"prev":');
    if (prev < 0) writer.text('null');
    else writer.integer(prev);
    writer.text(',"xv":[');
    writer.integer(fromVersion);
    writer.text(',');
    writer.integer(books.version(slot));
    writer.text('],"te":');
    writer.time(books.exchangeTimeMs(slot));
    writer.text(',"tr":');
    writer.time(books.receiveTimeMs(slot));
    writer.text(',"tp":');
    writer.time(this.#clock());
    writer.text(',"state":"live"');
  }
}

function encodeHead(writer: MessageWriter, { channel, depth, intervalMs }: PublicationSpec, symbol: string): Uint8Array {
  writer.begin();
  writer.text(`{"ch":"${channelName(channel)}","sym":`);
  writer.raw(jsonBytes(symbol));
  if (hasDepth(channel)) writer.text(`,"depth":${depth === 0 ? '"full"' : depth}`);
  if (channel !== Channel.STATUS) writer.text(`,"interval":${intervalMs}`);
  writer.text(',"type":');
  const frame = writer.frame();
  return frame.slice(frame[1]! < 126 ? 2 : 4);
}
