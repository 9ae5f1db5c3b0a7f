import { type MexcChannel, parseChannel } from '../mexc/channels.js';
import { CodedError } from '../support/errors.js';
import type { FaultInjector } from './fault-injector.js';
import type { Market } from './market.js';
import { frameBinary, framePayload } from './push-frame.js';
import type { StreamConnection } from './stream-connection.js';

/** A channel somebody subscribes to. */
export interface Topic {
  /** The full channel name. */
  readonly text: string;
  readonly channel: MexcChannel;
  /** `null` for a channel over all symbols. */
  readonly symbol: string | null;
  readonly subscribers: ReadonlySet<StreamConnection>;
}

interface OpenTopic extends Topic {
  readonly subscribers: Set<StreamConnection>;
}

/** Backlog of one connection at which playback at top speed waits. */
const CONGESTED_BYTES = 1024 * 1024;

/** Who subscribes to what. A push is framed once and the same bytes go to all its subscribers. */
export class StreamHub {
  readonly #faults: FaultInjector;
  readonly #topics = new Map<string, OpenTopic>();
  readonly #connections = new Set<StreamConnection>();
  readonly #unflushed = new Set<StreamConnection>();
  #market: Market | undefined;
  #pushes = 0;
  #bytes = 0;

  constructor(faults: FaultInjector) {
    this.#faults = faults;
  }

  get connections(): ReadonlySet<StreamConnection> {
    return this.#connections;
  }

  get topicCount(): number {
    return this.#topics.size;
  }

  /** Pushes made so far, each counted once whatever the number of its subscribers. */
  get pushes(): number {
    return this.#pushes;
  }

  /** Bytes of pushes written to all clients. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The market whose channels are offered. */
  attach(market: Market): void {
    this.#market = market;
  }

  connected(connection: StreamConnection): void {
    this.#connections.add(connection);
  }

  disconnected(connection: StreamConnection): void {
    this.#connections.delete(connection);
    this.#unflushed.delete(connection);
  }

  topic(text: string): Topic | undefined {
    return this.#topics.get(text);
  }

  /** `undefined` = refused. */
  subscribe(connection: StreamConnection, text: string): Topic | undefined {
    const known = this.#topics.get(text);
    const channel = known?.channel ?? parseOrRefuse(text);
    if (channel === undefined || this.#market === undefined || !this.#market.accepts(channel)) return undefined;
    const symbol = 'symbol' in channel ? channel.symbol : null;
    if (this.#faults.refuses(symbol)) return undefined;
    if (known !== undefined) {
      known.subscribers.add(connection);
      return known;
    }
    const topic: OpenTopic = { text, channel, symbol, subscribers: new Set([connection]) };
    this.#topics.set(text, topic);
    this.#market.opened(topic);
    return topic;
  }

  unsubscribe(connection: StreamConnection, topic: Topic): void {
    const open = this.#topics.get(topic.text);
    if (open === undefined || !open.subscribers.delete(connection) || open.subscribers.size > 0) return;
    this.#topics.delete(topic.text);
    this.#faults.channelClosed(topic.text);
    this.#market?.closed(topic);
  }

  /** What happens to the pushes of a symbol now: sent, kept for later, or lost. */
  stalled(symbol: string | null): 'merge' | 'gap' | undefined {
    return symbol === null || this.#faults.idle ? undefined : this.#faults.stalled(symbol);
  }

  /** Sends a push to the topic's subscribers with the next `flush`, unless a fault wants otherwise. */
  publish(topic: Topic, payload: Uint8Array): void {
    if (!this.#faultsConcern(topic)) this.#broadcast(topic, frameBinary(payload));
    else this.#publishSpoiled(topic, payload);
  }

  /** The same for a push that was framed before. */
  publishFrame(topic: Topic, frame: Buffer): void {
    if (!this.#faultsConcern(topic)) this.#broadcast(topic, frame);
    else this.#publishSpoiled(topic, framePayload(frame));
  }

  /** Writes everything published to the sockets. With `bounded` clients with too large a backlog are dropped. */
  flush(nowMs: number, bounded = true): void {
    if (this.#unflushed.size === 0) return;
    for (const connection of this.#unflushed) this.#bytes += connection.flush(nowMs, bounded);
    this.#unflushed.clear();
  }

  /** Resolves once no connection has a large backlog; `undefined` when none has. */
  congestion(): Promise<unknown> | undefined {
    const slow = [...this.#connections].filter((connection) => connection.backlogBytes > CONGESTED_BYTES);
    return slow.length === 0 ? undefined : Promise.all(slow.map((connection) => connection.drained()));
  }

  /** Resolves once every socket has taken all that was written to it. */
  async drained(): Promise<void> {
    await Promise.all([...this.#connections].map((connection) => connection.drained()));
  }

  /** The connections that carry a symbol (`null` = all). */
  carrying(symbol: string | null): StreamConnection[] {
    if (symbol === null) return [...this.#connections];
    return [...this.#connections].filter((connection) => [...connection.topics.values()].some((topic) => topic.symbol === symbol));
  }

  #faultsConcern(topic: Topic): boolean {
    return topic.channel.kind === 'depth' && !this.#faults.idle;
  }

  #publishSpoiled(topic: Topic, payload: Uint8Array): void {
    for (const bytes of this.#faults.depthPush(topic.symbol ?? '', topic.text, payload)) this.#broadcast(topic, frameBinary(bytes));
  }

  #broadcast(topic: Topic, frame: Buffer): void {
    this.#pushes++;
    for (const connection of topic.subscribers) {
      if (connection.enqueue(frame)) this.#unflushed.add(connection);
    }
  }
}

function parseOrRefuse(text: string): MexcChannel | undefined {
  try {
    return parseChannel(text);
  } catch (error) {
    if (error instanceof CodedError) return undefined;
    throw error;
  }
}
