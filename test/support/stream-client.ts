import { once } from 'node:events';
import { WebSocket } from 'ws';
import type { Speed } from '../../src/mexc/channels.js';
import { depthChannel } from '../../src/mexc/channels.js';
import { decodePush, type PushMessage } from '../../src/simulator/push-codec.js';
import { BookFollower } from './follow-book.js';
import type { DepthAnswer } from './recorded.js';
import { until } from './until.js';

/** A bare client of the exchange's stream: keeps every text and every push, and answers nothing by itself. */
export class StreamClient {
  readonly socket: WebSocket;
  readonly texts: string[] = [];
  readonly frames: Buffer[] = [];
  /** Of pushes that could be decoded. */
  readonly pushes: PushMessage[] = [];
  closeCode: number | undefined;
  onPush: (push: PushMessage) => void = () => {};

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data: Buffer, isBinary: boolean) => this.#received(data, isBinary));
    socket.on('close', (code) => {
      this.closeCode = code;
    });
    socket.on('error', () => {});
  }

  static async connect(url: string): Promise<StreamClient> {
    const client = new StreamClient(new WebSocket(url, { perMessageDeflate: false }));
    await once(client.socket, 'open');
    return client;
  }

  /** Sends a text (or anything else as JSON) and waits for the next text from the exchange. */
  async ask(message: unknown): Promise<string> {
    const count = this.texts.length;
    this.send(message);
    return until(() => this.texts[count], { what: 'an answer' });
  }

  send(message: unknown): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  subscribe(...channels: readonly string[]): Promise<string> {
    return this.ask({ method: 'SUBSCRIPTION', params: channels });
  }

  of(channel: string): PushMessage[] {
    return this.pushes.filter((push) => push.channel === channel);
  }

  async closed(): Promise<number> {
    await until(() => this.closeCode !== undefined, { what: 'the close' });
    return this.closeCode!;
  }

  terminate(): void {
    this.socket.terminate();
  }

  #received(data: Buffer, isBinary: boolean): void {
    if (!isBinary) {
      this.texts.push(data.toString());
      return;
    }
    this.frames.push(data);
    let push: PushMessage;
    try {
      push = decodePush(data);
    } catch {
      return;
    }
    this.pushes.push(push);
    this.onPush(push);
  }
}

/** Keeps a book of one symbol by the published rules. Feed it pushes; it takes only its own channel's. */
export class DepthFollower extends BookFollower {
  readonly channel: string;
  readonly #symbol: string;

  constructor(symbol: string, speed: Speed = '100ms') {
    super();
    this.#symbol = symbol;
    this.channel = depthChannel(symbol, speed);
  }

  take(push: PushMessage): void {
    const body = push.publicAggreDepths;
    if (push.channel === this.channel && body !== undefined) this.push({ ...body, asks: body.asks ?? [], bids: body.bids ?? [] });
  }

  /** Asks the exchange for a snapshot and applies it. */
  async fetchSnapshot(restUrl: string): Promise<void> {
    const response = await fetch(`${restUrl}/api/v3/depth?symbol=${encodeURIComponent(this.#symbol)}&limit=5000`);
    this.snapshot((await response.json()) as DepthAnswer);
  }
}
