import {
  Format,
  MessageKind,
  TOKEN_MAX,
  type PublicationPort,
  type PublicationSink,
  type PublicationSpec,
  type TradesMessage,
} from '../model/publication.js';
import type { TrackedSymbol } from '../model/symbol.js';
import { assert } from '../support/assert.js';
import { Rounds } from '../support/rounds.js';
import type { ClientConnection } from './client-connection.js';
import { defaultSubscriberLimits, type FanOutCounters, type SnapshotRequester, Subscriber, type SubscriberLimits } from './subscriber.js';
import { createPublication, type Publication, publicationKey, type SnapshotReason, Subscription } from './subscription.js';

/** Ids travel through a ring as positive 32-bit integers; tokens share theirs with the kind of the message. */
const ID_MAX = 2 ** 31 - 1;
/** A snapshot request without an answer for so long is taken for lost and made again. */
const LOST_REQUEST_MS = 10_000;
/** About the most that several quotes, trades and deltas of one turn come to. */
const SMALL_TURN_BYTES = 4096;
/** Clients written to in one turn beside those that were given little, which takes about a millisecond. */
const LARGE_TURNS_MAX = 64;
/** Clients closed or dropped by one check. */
const SENT_AWAY_AT_ONCE_MAX = 4;

export interface FanOutStatus extends Readonly<FanOutCounters> {
  readonly clients: number;
  readonly slowClients: number;
  readonly publications: number;
  readonly subscriptions: number;
}

/**
 * Hands every encoded message to the clients subscribed to it. Main thread only.
 *
 * Publications are reference-counted: the first subscriber opens one at the port, the last one to go closes it. Ids are
 * not reused before 2^31 others were given out, so a late message of a closed publication finds nobody.
 *
 * The port must not deliver from inside `open` or `requestSnapshot`.
 */
export class PublicationHub implements PublicationSink {
  readonly limits: SubscriberLimits;
  readonly #port: PublicationPort;
  readonly #publications = new Map<string, Publication>();
  readonly #publicationsById = new Map<number, Publication>();
  readonly #publicationsBySymbol = new Map<number, Set<Publication>>();
  readonly #subscribers = new Set<Subscriber>();
  readonly #rounds = new Rounds(this.#subscribers);
  readonly #requests = new Map<number, Subscription>();
  /** Subscribers in their turn, in the order in which it began. */
  readonly #touched: Subscriber[] = [];
  readonly #counters: FanOutCounters = {
    framesSent: 0,
    bytesSent: 0,
    deltasSkipped: 0,
    tradesSkipped: 0,
    conflated: 0,
    slowdowns: 0,
    slowClosed: 0,
  };
  readonly #requester: SnapshotRequester = {
    request: (subscription, reason) => this.#request(subscription, reason),
    settle: (subscription) => this.#settle(subscription),
  };
  #subscriptionCount = 0;
  #lastId = 0;
  #lastToken = 0;

  constructor(port: PublicationPort, limits: Partial<SubscriberLimits> = {}) {
    this.#port = port;
    this.limits = { ...defaultSubscriberLimits, ...limits };
  }

  /**
   * Registers a connected client, with `limits` of its own where given. Whoever calls this calls `drained` of the subscriber on 'drain', and
   * `removeClient` when it is gone.
   */
  addClient(connection: ClientConnection, limits: Partial<SubscriberLimits> = {}): Subscriber {
    const subscriber = new Subscriber(connection, { ...this.limits, ...limits }, this.#requester, this.#counters);
    this.#subscribers.add(subscriber);
    return subscriber;
  }

  /** Ends all subscriptions of a client that is gone. */
  removeClient(subscriber: Subscriber): void {
    for (const subscription of subscriber.subscriptions.values()) this.#end(subscription);
    this.#subscribers.delete(subscriber);
  }

  /** Subscribes a client; false when it has this subscription already. Its first message is a snapshot or the book's state. */
  subscribe(subscriber: Subscriber, symbol: TrackedSymbol, spec: PublicationSpec): boolean {
    const key = publicationKey(symbol.id, spec);
    if (subscriber.subscriptions.has(key)) return false;
    const existing = this.#publications.get(key);
    const publication = existing ?? this.#addPublication(key, symbol, spec);
    const subscription = new Subscription(publication, subscriber, publication.subscriptions.length);
    publication.subscriptions.push(subscription);
    subscriber.subscriptions.set(key, subscription);
    this.#subscriptionCount++;
    if (existing === undefined) {
      this.#port.open(symbol.id, publication.id, spec);
    } else if (publication.answered) {
      subscriber.owe(subscription, 'subscribe');
      subscriber.requestOwed();
    }
    return true;
  }

  /** Publications of the symbol in formats that are not JSON; 0 when this is one of them. */
  otherVariants(symbol: TrackedSymbol, spec: PublicationSpec): number {
    if (this.#publications.has(publicationKey(symbol.id, spec))) return 0;
    let count = 0;
    for (const { spec: existing } of this.#publicationsBySymbol.get(symbol.id) ?? []) if (existing.format !== Format.JSON) count++;
    return count;
  }

  unsubscribe(subscription: Subscription): void {
    this.#end(subscription);
    // What it had asked for no longer takes up room.
    subscription.subscriber.requestOwed();
  }

  /** A worker was replaced: its publications are opened anew, and their subscribers wait for the snapshot that follows. */
  reopen(symbolIds: Iterable<number>): void {
    for (const symbolId of symbolIds) {
      for (const publication of this.#publicationsBySymbol.get(symbolId) ?? []) {
        publication.answered = false;
        for (const subscription of publication.subscriptions) {
          this.#settle(subscription);
          subscription.subscriber.restart(subscription);
        }
        this.#port.open(symbolId, publication.id, publication.spec);
      }
    }
  }

  /** Ends every subscription of a symbol and tells the clients. To be called before the symbol's id can be given to another one. */
  symbolUntracked(symbolId: number): void {
    for (const publication of this.#publicationsBySymbol.get(symbolId) ?? []) {
      for (const subscription of [...publication.subscriptions]) {
        this.#end(subscription);
        if (subscription.subscriber.connection.isOpen()) subscription.subscriber.connection.publicationEnded(publication);
      }
    }
  }

  wants(publicationId: number): boolean {
    return this.#publicationsById.has(publicationId);
  }

  deliver(publicationId: number, kind: MessageKind, token: number, frame: Buffer): void {
    if (kind === MessageKind.SNAPSHOT_FOR || kind === MessageKind.STATE_FOR) {
      // No such request: the client left, or a broadcast came first.
      const subscription = this.#requests.get(token);
      if (subscription === undefined || subscription.publication.id !== publicationId) return;
      if (kind === MessageKind.SNAPSHOT_FOR) subscription.publication.snapshotBytes = frame.length;
      this.#hand(subscription, kind, frame);
      return;
    }
    const publication = this.#publicationsById.get(publicationId);
    if (publication === undefined) return;
    publication.answered = true;
    if (kind === MessageKind.SNAPSHOT) publication.snapshotBytes = frame.length;
    for (const subscription of publication.subscriptions) this.#hand(subscription, kind, frame);
  }

  deliverTrades(publicationId: number, message: TradesMessage): void {
    const publication = this.#publicationsById.get(publicationId);
    if (publication === undefined) return;
    for (const subscription of publication.subscriptions) this.#turn(subscription).acceptTrades(subscription, message);
  }

  /**
   * Clients that were given little go first, and the turn of many others goes on until the next call: a quote does not wait until whole books are
   * written to hundreds of others.
   */
  flush(): boolean {
    const touched = this.#touched;
    let large = 0;
    for (const subscriber of touched) {
      if (subscriber.turnBytes <= SMALL_TURN_BYTES) subscriber.endTurn();
      else touched[large++] = subscriber;
    }
    const ended = Math.min(large, LARGE_TURNS_MAX);
    for (let i = 0; i < ended; i++) touched[i]!.endTurn();
    touched.copyWithin(0, ended, large);
    touched.length = large - ended;
    return touched.length > 0;
  }

  /**
   * Looks at the next `share` of the clients, so that each is seen about once a second: closes those that are far behind (`Subscriber.check`), a few
   * at a time, since each takes a while and hundreds may have come together. Repeats lost snapshot requests once a round.
   */
  check(nowMs: number, share = 1): void {
    let left = SENT_AWAY_AT_ONCE_MAX;
    const ended = this.#rounds.next(share, (subscriber) => !subscriber.check(nowMs) || --left > 0);
    if (ended || share === 1) this.#repeatLostRequests(nowMs);
  }

  status(): FanOutStatus {
    let slowClients = 0;
    for (const subscriber of this.#subscribers) if (subscriber.slow) slowClients++;
    return {
      ...this.#counters,
      clients: this.#subscribers.size,
      slowClients,
      publications: this.#publications.size,
      subscriptions: this.#subscriptionCount,
    };
  }

  get clientCount(): number {
    return this.#subscribers.size;
  }

  /** Snapshot requests without an answer yet. */
  get requestCount(): number {
    return this.#requests.size;
  }

  #hand(subscription: Subscription, kind: MessageKind, frame: Buffer): void {
    this.#turn(subscription).accept(subscription, kind, frame);
  }

  /** The subscriber, in its turn. One that is slow needs none: nothing is written to it. */
  #turn({ subscriber }: Subscription): Subscriber {
    if (!subscriber.inTurn && !subscriber.slow) {
      subscriber.beginTurn();
      this.#touched.push(subscriber);
    }
    return subscriber;
  }

  #addPublication(key: string, symbol: TrackedSymbol, spec: PublicationSpec): Publication {
    const publication = createPublication(this.#nextId(), key, symbol, spec);
    this.#publications.set(key, publication);
    this.#publicationsById.set(publication.id, publication);
    const ofSymbol = this.#publicationsBySymbol.get(symbol.id);
    if (ofSymbol === undefined) this.#publicationsBySymbol.set(symbol.id, new Set([publication]));
    else ofSymbol.add(publication);
    return publication;
  }

  #end(subscription: Subscription): void {
    const { publication, subscriber } = subscription;
    const { subscriptions } = publication;
    assert(subscriptions[subscription.index] === subscription, 'a subscription knows its place');
    this.#settle(subscription);
    subscriber.remove(subscription);
    const last = subscriptions.pop()!;
    if (last !== subscription) {
      subscriptions[subscription.index] = last;
      last.index = subscription.index;
    }
    this.#subscriptionCount--;
    if (subscriptions.length === 0) this.#removePublication(publication);
  }

  #removePublication(publication: Publication): void {
    const symbolId = publication.symbol.id;
    this.#publications.delete(publication.key);
    this.#publicationsById.delete(publication.id);
    const ofSymbol = this.#publicationsBySymbol.get(symbolId);
    ofSymbol?.delete(publication);
    if (ofSymbol?.size === 0) this.#publicationsBySymbol.delete(symbolId);
    this.#port.close(symbolId, publication.id);
  }

  #repeatLostRequests(nowMs: number): void {
    for (const subscription of this.#requests.values()) {
      if (subscription.requestSeenAtMs < 0) subscription.requestSeenAtMs = nowMs;
      if (nowMs - subscription.requestSeenAtMs < LOST_REQUEST_MS) continue;
      this.#settle(subscription);
      subscription.subscriber.owe(subscription, subscription.reason);
      subscription.subscriber.requestOwed();
    }
  }

  #request(subscription: Subscription, reason: SnapshotReason): void {
    const { publication } = subscription;
    const token = this.#nextToken();
    subscription.token = token;
    subscription.requestSeenAtMs = -1;
    this.#requests.set(token, subscription);
    this.#port.requestSnapshot(publication.symbol.id, publication.id, token, reason);
  }

  #settle(subscription: Subscription): void {
    if (subscription.token === 0) return;
    this.#requests.delete(subscription.token);
    subscription.token = 0;
    subscription.subscriber.requestSettled(subscription);
  }

  #nextId(): number {
    do this.#lastId = this.#lastId === ID_MAX ? 1 : this.#lastId + 1;
    while (this.#publicationsById.has(this.#lastId));
    return this.#lastId;
  }

  #nextToken(): number {
    do this.#lastToken = this.#lastToken === TOKEN_MAX ? 1 : this.#lastToken + 1;
    while (this.#requests.has(this.#lastToken));
    return this.#lastToken;
  }
}
