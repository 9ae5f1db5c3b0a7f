import { StreamKind } from '../model/feed.js';
import { assert } from '../support/assert.js';
import type { ConnectionStatus } from '../model/market-data.js';
import type { Connection } from './connection.js';
import type { StreamLine } from './stream-line.js';

interface Place {
  connection: Connection;
  /** Carries depth alone: what comes and goes elsewhere does not touch the books. */
  readonly forBooks: boolean;
  readonly lines: Map<string, StreamLine>;
  /**
   * Subscriptions this connection has used since it opened, and those it is to make. A freed one is not used again before it
   * reconnects: the exchange counts over all SUBSCRIPTION messages of a connection, and whether it counts back is unknown.
   */
  slotsTaken: number;
  /** Being replaced: takes no new lines. */
  retiring: boolean;
}

/** Which stream lives on which connection, at most `slots` subscriptions each over the connection's life. */
export class ConnectionPool {
  readonly #slots: number;
  readonly #create: (number: number, forBooks: boolean) => Connection;
  readonly #places = new Map<Connection, Place>();
  /** Stand by to replace one of the pool. */
  readonly #replacements = new Set<Connection>();

  constructor(slots: number, create: (number: number, forBooks: boolean) => Connection) {
    assert(slots >= 1, `a connection must take at least one subscription, got ${slots}`);
    this.#slots = slots;
    this.#create = create;
  }

  get size(): number {
    return this.#places.size;
  }

  connections(): Iterable<Connection> {
    return this.#places.keys();
  }

  has(connection: Connection): boolean {
    return this.#places.has(connection);
  }

  /** In the order of assignment. */
  lines(connection: Connection): Iterable<StreamLine> {
    return this.#places.get(connection)?.lines.values() ?? [];
  }

  find(connection: Connection, channel: string): StreamLine | undefined {
    return this.#places.get(connection)?.lines.get(channel);
  }

  /** Gives the line a slot: on the first connection of its sort with a free one, or on a new one. */
  assign(line: StreamLine): Connection {
    assert(line.connection === undefined, `${line.channel} has a connection`);
    const forBooks = line.kind === StreamKind.DEPTH;
    const place = this.#vacancy(forBooks) ?? this.#add(forBooks);
    place.slotsTaken++;
    place.lines.set(line.channel, line);
    line.connection = place.connection;
    return place.connection;
  }

  /** One more subscription of a line that has its slot; false when the connection has none left. */
  takeAnother(connection: Connection): boolean {
    const place = this.#place(connection);
    if (place.slotsTaken >= this.#slots) return false;
    place.slotsTaken++;
    return true;
  }

  /** Takes the line off its connection. Returns the connection when it was the last one there: it left the pool, close it. */
  release(line: StreamLine): Connection | undefined {
    const connection = line.connection;
    if (connection === undefined) return undefined;
    line.connection = undefined;
    const place = this.#place(connection);
    place.lines.delete(line.channel);
    // Not sent in this life of the connection, so not counted by the exchange.
    if (!connection.isOpen) place.slotsTaken = place.lines.size;
    if (place.lines.size > 0) return undefined;
    this.#places.delete(connection);
    return connection;
  }

  /** A lost connection begins to count anew. */
  restart(connection: Connection): void {
    const place = this.#place(connection);
    place.slotsTaken = place.lines.size;
  }

  retire(connection: Connection, retiring: boolean): void {
    const place = this.#places.get(connection);
    if (place !== undefined) place.retiring = retiring;
  }

  /** A connection that stands by to take the place of `connection`; it is in the pool only once it did. */
  createReplacement(connection: Connection): Connection {
    const replacement = this.#create(this.#freeNumber(), this.#place(connection).forBooks);
    this.#replacements.add(replacement);
    return replacement;
  }

  /** The replacement is not needed after all; its owner closes it. */
  discard(replacement: Connection): void {
    this.#replacements.delete(replacement);
  }

  /** `replacement` made `subscriptions` and takes over all lines of `connection`. */
  replace(connection: Connection, replacement: Connection, subscriptions: number): void {
    const place = this.#place(connection);
    this.#places.delete(connection);
    this.#replacements.delete(replacement);
    place.connection = replacement;
    place.slotsTaken = Math.max(subscriptions, place.lines.size);
    place.retiring = false;
    for (const line of place.lines.values()) line.connection = replacement;
    this.#places.set(replacement, place);
  }

  /** The other line's connection, which used `subscriptions` so far, takes over all lines of a lost one; that stands by from here on. */
  takeOver(lost: Connection, by: Connection, subscriptions: number): void {
    this.replace(lost, by, 0);
    this.#place(by).slotsTaken = subscriptions;
    this.#replacements.add(lost);
  }

  status(): ConnectionStatus[] {
    return [...this.#places.keys()].map((connection) => connection.status()).sort((a, b) => a.connection - b.connection);
  }

  #vacancy(forBooks: boolean): Place | undefined {
    for (const place of this.#places.values()) {
      if (place.forBooks === forBooks && !place.retiring && place.slotsTaken < this.#slots) return place;
    }
    return undefined;
  }

  #add(forBooks: boolean): Place {
    const connection = this.#create(this.#freeNumber(), forBooks);
    const place: Place = { connection, forBooks, lines: new Map(), slotsTaken: 0, retiring: false };
    this.#places.set(connection, place);
    return place;
  }

  #place(connection: Connection): Place {
    const place = this.#places.get(connection);
    assert(place !== undefined, `connection ${connection.number} is not in the pool`);
    return place;
  }

  #freeNumber(): number {
    const taken = new Set([...this.#places.keys(), ...this.#replacements].map((connection) => connection.number));
    let number = 0;
    while (taken.has(number)) number++;
    return number;
  }
}
