import type { Socket } from 'node:net';
import type { RawData, WebSocket } from 'ws';
import { malformedText, parseControlRequest, pongText, subscriptionText, unsubscriptionText } from './control-protocol.js';
import type { SimulatorLimits } from './limits.js';
import type { StreamHub, Topic } from './stream-hub.js';

export interface ConnectionOptions {
  readonly limits: SimulatorLimits;
  /** What nonsense gets: the real exchange's answer is not known, so it gets none by default. */
  readonly malformedRequests: 'ignore' | 'refuse';
}

const nothing = Buffer.alloc(0);

/**
 * One client of the stream. Control messages are answered through the WebSocket library; pushes are whole frames made elsewhere, collected
 * during a tick and written to the socket at once.
 */
export class StreamConnection {
  readonly #socket: WebSocket;
  readonly #wire: Socket;
  readonly #hub: StreamHub;
  readonly #options: ConnectionOptions;
  readonly #topics = new Map<string, Topic>();
  readonly #openedMs: number;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #frozen = false;
  #over = false;
  /** Since when the connection holds no subscription; `undefined` while it holds some. */
  #unsubscribedSinceMs: number | undefined;
  #subscriptionsEver = 0;
  #lastActiveMs: number;
  #secondStartMs = 0;
  #messagesInSecond = 0;

  /** `wire` is the TCP socket under `socket`. */
  constructor(socket: WebSocket, wire: Socket, hub: StreamHub, options: ConnectionOptions) {
    this.#socket = socket;
    this.#wire = wire;
    this.#hub = hub;
    this.#options = options;
    this.#openedMs = Date.now();
    this.#unsubscribedSinceMs = this.#openedMs;
    this.#lastActiveMs = this.#openedMs;
    socket.on('message', (data, isBinary) => this.#received(data, isBinary));
    // A broken connection reports its error and then its close; the close is what counts.
    socket.on('error', () => {});
    socket.on('close', () => this.#ended());
  }

  get topics(): ReadonlyMap<string, Topic> {
    return this.#topics;
  }

  /** Bytes the operating system has not taken yet. */
  get backlogBytes(): number {
    return this.#over || this.#frozen ? 0 : this.#wire.writableLength + this.#pendingBytes;
  }

  /** Adds a frame to what the next `flush` writes. Returns false when there is nothing to flush for. */
  enqueue(frame: Buffer): boolean {
    if (this.#frozen || this.#over) return false;
    this.#pending.push(frame);
    this.#pendingBytes += frame.length;
    return true;
  }

  /** Writes what was enqueued. With `bounded` a client that is too slow is dropped. Returns the bytes written. */
  flush(nowMs: number, bounded: boolean): number {
    const bytes = this.#pendingBytes;
    if (bytes === 0) return 0;
    const frames = this.#pending;
    this.#pending = [];
    this.#pendingBytes = 0;
    if (this.#over || this.#frozen) return 0;
    this.#lastActiveMs = nowMs;
    this.#wire.write(frames.length === 1 ? frames[0]! : Buffer.concat(frames, bytes));
    if (bounded && this.#wire.writableLength > this.#options.limits.backlogBytesMax) this.drop(undefined);
    return bytes;
  }

  /** Resolves when the socket has taken everything, or the connection has ended. */
  drained(): Promise<void> {
    if (this.backlogBytes === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const settle = (): void => {
        this.#wire.off('close', settle);
        resolve();
      };
      this.#wire.on('close', settle);
      // Its turn comes behind everything written before; `drain` would not come at all for a small backlog.
      this.#wire.write(nothing, settle);
    });
  }

  /** Ends the connection: with a close frame, or abruptly when no code is given. */
  drop(closeCode: number | undefined): void {
    if (closeCode === undefined || this.#frozen) this.#wire.destroy();
    else this.#socket.close(closeCode);
    this.#ended();
  }

  /** Leaves the connection open but dead. */
  freeze(): void {
    this.#frozen = true;
    this.#wire.pause();
  }

  /** Applies the exchange's time limits. */
  checkTimes(nowMs: number): void {
    const { limits } = this.#options;
    // The close codes of the real exchange are not known.
    if (nowMs - this.#openedMs >= limits.connectionLifetimeMs) this.drop(1000);
    else if (this.#frozen) return;
    else if (this.#unsubscribedSinceMs !== undefined && nowMs - this.#unsubscribedSinceMs >= limits.noSubscriptionCloseMs) this.drop(1000);
    else if (nowMs - this.#lastActiveMs >= limits.idleDropMs) this.drop(undefined);
  }

  #received(data: RawData, isBinary: boolean): void {
    if (this.#over || this.#frozen) return;
    const nowMs = Date.now();
    if (nowMs - this.#secondStartMs >= 1_000) {
      this.#secondStartMs = nowMs;
      this.#messagesInSecond = 0;
    }
    if (++this.#messagesInSecond > this.#options.limits.messagesPerSecond) {
      this.drop(undefined);
      return;
    }
    // The library hands over Buffers unless told otherwise.
    const request = isBinary ? undefined : parseControlRequest((data as Buffer).toString('utf8'));
    if (request === undefined) {
      if (this.#options.malformedRequests === 'refuse') this.#socket.send(malformedText());
      return;
    }
    switch (request.method) {
      case 'PING':
        this.#lastActiveMs = nowMs;
        this.#socket.send(pongText(request.id));
        return;
      case 'SUBSCRIPTION':
        this.#subscribe(request.id, request.channels, nowMs);
        return;
      case 'UNSUBSCRIPTION':
        this.#unsubscribe(request.id, request.channels, nowMs);
        return;
      default:
        request satisfies never;
    }
  }

  #subscribe(id: number, channels: readonly string[], nowMs: number): void {
    const accepted: string[] = [];
    const refused: string[] = [];
    for (const channel of channels) (this.#open(channel) ? accepted : refused).push(channel);
    if (accepted.length > 0) {
      this.#unsubscribedSinceMs = undefined;
      this.#lastActiveMs = nowMs;
    }
    this.#socket.send(subscriptionText(id, accepted, refused));
  }

  #open(channel: string): boolean {
    if (this.#topics.has(channel)) return true;
    const { limits } = this.#options;
    const used = limits.unsubscribeFreesSlot ? this.#topics.size : this.#subscriptionsEver;
    if (used >= limits.subscriptionsPerConnection) return false;
    const topic = this.#hub.subscribe(this, channel);
    if (topic === undefined) return false;
    this.#topics.set(channel, topic);
    this.#subscriptionsEver++;
    return true;
  }

  #unsubscribe(id: number, channels: readonly string[], nowMs: number): void {
    const removed: string[] = [];
    for (const channel of channels) {
      const topic = this.#topics.get(channel);
      if (topic === undefined) continue;
      this.#topics.delete(channel);
      this.#hub.unsubscribe(this, topic);
      removed.push(channel);
    }
    if (removed.length > 0 && this.#topics.size === 0) this.#unsubscribedSinceMs = nowMs;
    this.#socket.send(unsubscriptionText(id, removed));
  }

  #ended(): void {
    if (this.#over) return;
    this.#over = true;
    this.#pending = [];
    this.#pendingBytes = 0;
    for (const topic of this.#topics.values()) this.#hub.unsubscribe(this, topic);
    this.#topics.clear();
    this.#hub.disconnected(this);
  }
}
