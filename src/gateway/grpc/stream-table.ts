import { CodedError, ErrorCode } from '../../support/errors.js';
import type { GatewayLimits } from '../limits.js';
import { Problem } from '../problem.js';

/** An open stream, as far as its limits go. */
export interface OpenStream {
  /** Bytes written whose end is not known yet. */
  readonly writableLength: number;
  /** To be called once in each check interval. */
  check(nowMs: number): void;
  closeAsSlow(): void;
  /** The server goes away. */
  shutDown(): void;
}

/** All open streams, within the limits on them. A stream counts until its call is over, whoever ended it. */
export class StreamTable {
  readonly #limits: GatewayLimits;
  readonly #streams = new Set<OpenStream>();
  /** By connection. */
  readonly #ofPeer = new Map<string, Set<OpenStream>>();

  constructor(limits: GatewayLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#streams.size;
  }

  [Symbol.iterator](): Iterator<OpenStream> {
    return this.#streams.values();
  }

  /**
   * Opens a stream for a connection (`peer`) when there is room; `open` makes it, and is given what to call when its call is over.
   * Throws TOO_MANY_CLIENTS, SUBSCRIPTION_LIMIT.
   */
  add<Opened extends OpenStream>(peer: string, open: (done: () => void) => Opened): Opened {
    const { grpcStreams, grpcStreamsPerConnection } = this.#limits;
    const ofPeer = this.#ofPeer.get(peer) ?? new Set<OpenStream>();
    if (this.#streams.size >= grpcStreams) throw new Problem('TOO_MANY_CLIENTS', `${grpcStreams} streams are open`);
    if (ofPeer.size >= grpcStreamsPerConnection)
      throw new CodedError(ErrorCode.SUBSCRIPTION_LIMIT, `a connection may have ${grpcStreamsPerConnection} streams`);
    const stream: Opened = open(() => this.#remove(peer, stream));
    this.#streams.add(stream);
    this.#ofPeer.set(peer, ofPeer.add(stream));
    return stream;
  }

  /** Closes streams of connections whose streams together hold more unread bytes than a connection may, those with the most first. */
  check(): void {
    for (const streams of this.#ofPeer.values()) {
      let unread = 0;
      for (const { writableLength } of streams) unread += writableLength;
      if (unread <= this.#limits.grpcUnreadBytes) continue;
      for (const stream of [...streams].sort((a, b) => b.writableLength - a.writableLength)) {
        if (unread <= this.#limits.grpcUnreadBytes) break;
        unread -= stream.writableLength;
        stream.closeAsSlow();
      }
    }
  }

  #remove(peer: string, stream: OpenStream): void {
    this.#streams.delete(stream);
    const streams = this.#ofPeer.get(peer)!;
    streams.delete(stream);
    if (streams.size === 0) this.#ofPeer.delete(peer);
  }
}
