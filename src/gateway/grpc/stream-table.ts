import { CodedError, ErrorCode } from '../../support/errors.js';
import type { GatewayLimits } from '../limits.js';
import { Problem } from '../problem.js';
import type { Stream } from './stream.js';

/** All open server streams, within the limits on them. A stream counts until its call is over, whoever ended it. */
export class StreamTable {
  readonly #limits: GatewayLimits;
  readonly #streams = new Set<Stream>();
  readonly #ofPeer = new Map<string, number>();

  constructor(limits: GatewayLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#streams.size;
  }

  [Symbol.iterator](): Iterator<Stream> {
    return this.#streams.values();
  }

  /**
   * Opens a stream for a connection (`peer`) when there is room; `open` makes it, and is given what to call when its call is over.
   * Throws TOO_MANY_CLIENTS, SUBSCRIPTION_LIMIT.
   */
  add(peer: string, open: (done: () => void) => Stream): void {
    const { grpcStreams, grpcStreamsPerConnection } = this.#limits;
    const ofPeer = this.#ofPeer.get(peer) ?? 0;
    if (this.#streams.size >= grpcStreams) throw new Problem('TOO_MANY_CLIENTS', `${grpcStreams} streams are open`);
    if (ofPeer >= grpcStreamsPerConnection)
      throw new CodedError(ErrorCode.SUBSCRIPTION_LIMIT, `a connection may have ${grpcStreamsPerConnection} streams`);
    const stream = open(() => this.#remove(peer, stream));
    this.#streams.add(stream);
    this.#ofPeer.set(peer, ofPeer + 1);
  }

  #remove(peer: string, stream: Stream): void {
    this.#streams.delete(stream);
    const left = this.#ofPeer.get(peer)! - 1;
    if (left === 0) this.#ofPeer.delete(peer);
    else this.#ofPeer.set(peer, left);
  }
}
