import type { PublicationHub } from '../../src/publish/publication-hub.js';
import type { ClientConnection } from '../../src/publish/client-connection.js';
import type { Subscriber } from '../../src/publish/subscriber.js';
import { Channel, Format } from '../../src/model/publication.js';
import type { TrackedSymbol } from '../../src/model/symbol.js';
import { type BookMessage, PushFollower } from '../support/push-follower.js';
import type { VirtualTime } from './virtual-time.js';

/** A subscription a client knows of, and what it made of it. */
export interface Following {
  readonly symbol: string;
  readonly follower: PushFollower;
  readonly interval: number;
}

const READ_EVERY_MS = 40;
const HIGH_WATER_MARK = 16 * 1024;

/** A client of the fan-out: reads its frames a moment after they were written, unless it stands still. Follows books by the published rules. */
export class Client implements ClientConnection {
  readonly following = new Map<string, Following>();
  stalled = false;
  closeReason: string | undefined;
  readonly outlet = new ClientBuffer();
  readonly #hub: PublicationHub;
  readonly #subscriber: Subscriber;
  readonly #changed: (following: Following) => void;
  #gone = false;

  /** `changed` is called after every message that changed a followed book. */
  constructor(hub: PublicationHub, time: VirtualTime, changed: (following: Following) => void) {
    this.#hub = hub;
    this.#changed = changed;
    this.#subscriber = hub.addClient(this);
    const read = (): void => {
      if (this.#gone) return;
      if (!this.stalled) this.#read();
      time.after(READ_EVERY_MS, read);
    };
    time.after(READ_EVERY_MS, read);
  }

  follow(symbol: TrackedSymbol, depth: number | 'full', interval: number): void {
    const spec = { channel: Channel.BOOK, format: Format.JSON, depth: depth === 'full' ? 0 : depth, intervalMs: interval };
    const follower = new PushFollower(symbol.symbol, depth);
    const following = { symbol: symbol.symbol, follower, interval };
    follower.onChange = () => this.#changed(following);
    // The acknowledgement travels in the stream, before the first message and behind those of an earlier subscription.
    this.outlet.tell(() => this.following.set(keyOf(symbol.symbol, depth, interval), following));
    this.#hub.subscribe(this.#subscriber, symbol, spec);
  }

  /** Ends the subscriptions of a symbol. */
  unfollow(symbol: string): void {
    for (const subscription of [...this.#subscriber.subscriptions.values()]) {
      if (subscription.publication.symbol.symbol === symbol) this.#hub.unsubscribe(subscription);
    }
    this.outlet.tell(() => this.#forget(symbol));
  }

  /** Leaves without a word. */
  vanish(): void {
    this.#gone = true;
    this.following.clear();
    this.#hub.removeClient(this.#subscriber);
  }

  get subscriptions(): number {
    return this.#subscriber.subscriptions.size;
  }

  /** Newest messages kept for it while it is slow. */
  get pendingBytes(): number {
    return this.#subscriber.pendingBytes;
  }

  get gone(): boolean {
    return this.#gone;
  }

  // ---- ClientConnection

  isOpen(): boolean {
    return !this.#gone && this.closeReason === undefined;
  }

  takesState(): boolean {
    return true;
  }

  close(reason: string): void {
    this.closeReason = reason;
  }

  terminate(): void {
    this.vanish();
  }

  publicationEnded(publication: { readonly symbol: TrackedSymbol }): void {
    this.outlet.tell(() => this.#forget(publication.symbol.symbol));
  }

  /** Nobody follows trades here. */
  tradesSkipped(): void {
    throw new Error('trades were skipped, and nobody asked for them');
  }

  #forget(symbol: string): void {
    for (const [key, following] of this.following) if (following.symbol === symbol) this.following.delete(key);
  }

  #read(): void {
    for (const frame of this.outlet.take()) {
      if (typeof frame === 'function') {
        frame();
        continue;
      }
      const length = frame[1]!;
      const offset = length < 126 ? 2 : length === 126 ? 4 : 10;
      const message = JSON.parse(frame.subarray(offset).toString()) as BookMessage;
      this.following.get(keyOf(message.sym, message.depth, message.interval))?.follower.take(message);
    }
    if (this.outlet.emptied()) this.#subscriber.drained();
  }
}

function keyOf(symbol: string, depth: number | 'full', interval: number): string {
  return `${symbol} ${depth} ${interval}`;
}

/** A socket's buffer, as Node keeps it. */
class ClientBuffer {
  writableLength = 0;
  writableNeedDrain = false;
  #frames: (Buffer | (() => void))[] = [];

  cork(): void {}

  uncork(): void {}

  write(frame: Uint8Array | string): boolean {
    this.#frames.push(frame as Buffer);
    this.writableLength += frame.length;
    if (this.writableLength >= HIGH_WATER_MARK) this.writableNeedDrain = true;
    return !this.writableNeedDrain;
  }

  /** What the client learns when it has read all before it. */
  tell(learn: () => void): void {
    this.#frames.push(learn);
  }

  take(): (Buffer | (() => void))[] {
    const frames = this.#frames;
    this.#frames = [];
    this.writableLength = 0;
    return frames;
  }

  /** True once after a time in which a writer had to wait. */
  emptied(): boolean {
    const needed = this.writableNeedDrain;
    this.writableNeedDrain = false;
    return needed;
  }
}
