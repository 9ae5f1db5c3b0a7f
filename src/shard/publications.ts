import type { DeltaBuffer } from '../book/delta-buffer.js';
import { BookState } from '../model/book-state.js';
import { Channel, type MessageKind } from '../model/publication.js';
import { MessageWriter } from './message-writer.js';
import { openPublication } from './open-publication.js';
import type { Outbox } from './outbox.js';
import { ProtoWriter } from './proto-writer.js';
import type { Emit, EmitTrades, Publication, PublicationParts, SnapshotReason } from './publication.js';
import { decodeSpec, encodeTradesMessage, KIND_BITS, Outbound } from './records.js';
import type { ShardBook } from './shard-book.js';

/** A snapshot for one subscriber that found no room. */
interface DeferredSnapshot {
  readonly publicationId: number;
  readonly token: number;
  readonly reason: SnapshotReason;
}

/** What a shard publishes, and the way its messages take. */
export class Publications {
  readonly #shared: Omit<PublicationParts, 'symbol' | 'slot' | 'emit'>;
  readonly #outbox: Outbox;
  readonly #open = new Map<number, { readonly book: ShardBook; readonly publication: Publication }>();
  readonly #deferred: DeferredSnapshot[] = [];
  /** Receipt of the update that is being published, Unix ms; 0 while what is sent answers a request or a change of state. */
  #newsMs = 0;

  constructor(parts: Pick<PublicationParts, 'books' | 'candles' | 'tickers' | 'tapes' | 'clock'>, outbox: Outbox) {
    this.#shared = { ...parts, writer: new MessageWriter(), protoWriter: new ProtoWriter(), emitTrades: this.#emitTrades };
    this.#outbox = outbox;
  }

  /** `payload`: an encoded `PublicationSpec`. */
  open(book: ShardBook, id: number, payload: Uint8Array): void {
    const spec = decodeSpec(payload);
    const { symbol, slot } = book;
    const emit = isOfBook(spec.channel) ? this.#emitNews : this.#emit;
    const publication = openPublication(id, spec, { ...this.#shared, symbol, slot, emit });
    book.publications.push(publication);
    this.#open.set(id, { book, publication });
    if (this.#isLive(book)) publication.restarted('subscribe');
    else publication.stateChanged();
  }

  close(book: ShardBook, id: number): void {
    this.#open.delete(id);
    const index = book.publications.findIndex((publication) => publication.id === id);
    if (index >= 0) book.publications.splice(index, 1);
  }

  /** The symbol is not tracked any more. */
  forget(book: ShardBook): void {
    for (const publication of book.publications) this.#open.delete(publication.id);
  }

  /** A live book took an update, received at `newsMs` (0: from nobody's push). On the path of every push. */
  updated(book: ShardBook, delta: DeltaBuffer, newsMs: number): void {
    const publications = book.publications;
    this.#newsMs = newsMs;
    for (let i = 0; i < publications.length; i++) publications[i]!.updated(delta);
    this.#newsMs = 0;
  }

  /** Everybody starts from a whole state. */
  restart(book: ShardBook, reason: SnapshotReason): void {
    for (const publication of book.publications) publication.restarted(reason);
  }

  stateChanged(book: ShardBook, state: BookState): void {
    for (const publication of book.publications) {
      if (state !== BookState.LIVE || publication.spec.channel === Channel.STATUS) publication.stateChanged();
    }
  }

  /** Sends what is due. */
  tick(timeMs: number): void {
    for (const { book, publication } of this.#open.values()) {
      if (this.#isLive(book)) {
        this.#newsMs = this.#shared.books.receiveTimeMs(book.slot);
        publication.tick(timeMs);
        this.#newsMs = 0;
      } else publication.retryState();
    }
  }

  /** One subscriber asks for a whole state; made when there is room. */
  snapshotFor(publicationId: number, token: number, reason: SnapshotReason): void {
    const open = this.#open.get(publicationId);
    if (open !== undefined && !open.publication.snapshotFor(token, reason)) this.#deferred.push({ publicationId, token, reason });
  }

  /** Tries what found no room before. Returns at once when there is nothing. */
  retry(): void {
    if (this.#deferred.length === 0) return;
    for (const { publicationId, token, reason } of this.#deferred.splice(0)) this.snapshotFor(publicationId, token, reason);
  }

  #isLive(book: ShardBook): boolean {
    return this.#shared.books.state(book.slot) === BookState.LIVE;
  }

  readonly #emitTrades: EmitTrades = (publicationId, frame, head) =>
    this.#outbox.offerMessage(Outbound.TRADES, publicationId, head.count, head.seq, encodeTradesMessage(frame, head));
  readonly #emit: Emit = (publicationId, kind, token, frame) => this.#message(publicationId, kind, token, frame, 0);
  readonly #emitNews: Emit = (publicationId, kind, token, frame) => this.#message(publicationId, kind, token, frame, this.#newsMs);

  /** `newsMs`: receipt of what the message is about, so that the main thread can say how long it took; 0 = not to be measured. */
  #message(publicationId: number, kind: MessageKind, token: number, frame: Uint8Array, newsMs: number): boolean {
    return this.#outbox.offerMessage(Outbound.MESSAGE, publicationId, kind | (token << KIND_BITS), newsMs, frame);
  }
}

/** Whether a channel's messages are about the book, and so about its last push. */
function isOfBook(channel: Channel): boolean {
  return channel === Channel.BOOK || channel === Channel.BOOK_TOP || channel === Channel.BBO || channel === Channel.ANALYTICS;
}
