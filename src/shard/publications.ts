import type { DeltaBuffer } from '../book/delta-buffer.js';
import { BookState } from '../model/book-state.js';
import { Channel, type MessageKind } from '../model/publication.js';
import { Rounds } from '../support/rounds.js';
import { MessageWriter } from './message-writer.js';
import { openPublication } from './open-publication.js';
import type { Outbox } from './outbox.js';
import { ProtoWriter } from './proto-writer.js';
import type { Emit, EmitTrades, Publication, PublicationParts, SnapshotReason } from './publication.js';
import { decodeSpec, encodeTradesMessage, KIND_BITS, Outbound } from './records.js';
import type { ShardBook } from './shard-book.js';

/** First messages made in one go: a whole book takes about a millisecond, and pushes wait meanwhile. */
const FIRST_AT_ONCE = 4;
/** Snapshots for one subscriber each that may wait for room. One more is dropped: the fan-out asks again for what does not come. */
export const SNAPSHOTS_WAITING_MAX = 10_000;

interface Open {
  readonly book: ShardBook;
  readonly publication: Publication;
}

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
  readonly #open = new Map<number, Open>();
  readonly #rounds = new Rounds<Open>(this.#open);
  /** Those of the open ones that were sent nothing yet, in the order in which they were opened. */
  readonly #unbegun = new Set<Open>();
  /** At most SNAPSHOTS_WAITING_MAX. */
  readonly #deferred: DeferredSnapshot[] = [];
  /** Receipt of the update that is being published, Unix ms; 0 while what is sent answers a request or a change of state. */
  #newsMs = 0;

  constructor(parts: Pick<PublicationParts, 'books' | 'candles' | 'tickers' | 'tapes' | 'clock'>, outbox: Outbox) {
    this.#shared = { ...parts, writer: new MessageWriter(), protoWriter: new ProtoWriter(), emitTrades: this.#emitTrades };
    this.#outbox = outbox;
  }

  /** Publications that are open. */
  get count(): number {
    return this.#open.size;
  }

  /** Snapshots that wait for room. */
  get waiting(): number {
    return this.#deferred.length;
  }

  /**
   * `payload`: an encoded `PublicationSpec`. The first message of a live book is left to `begin`: one that is closed before then costs next to nothing. That
   * a book is not live is said at once, lest nobody hear of it where a snapshot is faster.
   */
  open(book: ShardBook, id: number, payload: Uint8Array): void {
    const spec = decodeSpec(payload);
    const { symbol, slot } = book;
    const emit = isOfBook(spec.channel) ? this.#emitNews : this.#emit;
    const publication = openPublication(id, spec, { ...this.#shared, symbol, slot, emit });
    book.publications.push(publication);
    const open = { book, publication };
    this.#open.set(id, open);
    if (this.#isLive(book)) this.#unbegun.add(open);
    else publication.stateChanged();
  }

  close(book: ShardBook, id: number): void {
    this.#drop(id);
    const index = book.publications.findIndex((publication) => publication.id === id);
    if (index >= 0) book.publications.splice(index, 1);
  }

  /** Makes the first message of some publications, as far as there is room; returns how many. */
  begin(): number {
    let begun = 0;
    for (const open of this.#unbegun) {
      if (begun === FIRST_AT_ONCE || !this.#outbox.hasRoom()) break;
      this.#unbegun.delete(open);
      if (this.#isLive(open.book)) open.publication.restarted('subscribe');
      else open.publication.stateChanged();
      begun++;
    }
    return begun;
  }

  /** The symbol is not tracked any more. */
  forget(book: ShardBook): void {
    for (const publication of book.publications) this.#drop(publication.id);
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
    for (const publication of book.publications) publication.restarted(this.#begins(publication.id) ? 'subscribe' : reason);
  }

  stateChanged(book: ShardBook, state: BookState): void {
    for (const publication of book.publications) {
      if (state === BookState.LIVE && publication.spec.channel !== Channel.STATUS) continue;
      this.#begins(publication.id);
      publication.stateChanged();
    }
  }

  /**
   * Sends what is due, until there is no more room: the next tick goes on behind where this one ended. To encode what finds no room again and again
   * would take longer than a worker may take.
   */
  tick(timeMs: number): void {
    this.#rounds.next(1, ({ book, publication }) => {
      if (this.#isLive(book)) {
        this.#newsMs = this.#shared.books.receiveTimeMs(book.slot);
        publication.tick(timeMs);
        this.#newsMs = 0;
      } else publication.retryState();
      return this.#outbox.hasRoom();
    });
    // Also where records never end.
    this.begin();
  }

  /** One subscriber asks for a whole state; made when there is room. */
  snapshotFor(publicationId: number, token: number, reason: SnapshotReason): void {
    const wanted = { publicationId, token, reason };
    if (this.#outbox.hasRoom() && this.#answer(wanted)) return;
    if (this.#deferred.length < SNAPSHOTS_WAITING_MAX) this.#deferred.push(wanted);
  }

  /** Tries what found no room before, as far as there is some now. Returns at once when there is nothing. */
  retry(): void {
    const deferred = this.#deferred;
    if (deferred.length === 0) return;
    const again: DeferredSnapshot[] = [];
    let tried = 0;
    while (tried < deferred.length && this.#outbox.hasRoom()) {
      const wanted = deferred[tried++]!;
      if (!this.#answer(wanted)) again.push(wanted);
    }
    deferred.splice(0, tried, ...again);
  }

  /** False when it has to be tried again. */
  #answer({ publicationId, token, reason }: DeferredSnapshot): boolean {
    return this.#open.get(publicationId)?.publication.snapshotFor(token, reason) ?? true;
  }

  #drop(id: number): void {
    this.#begins(id);
    this.#open.delete(id);
  }

  /** Whatever it is sent now is sent: true when that is its first message. */
  #begins(id: number): boolean {
    return this.#unbegun.delete(this.#open.get(id)!);
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
