import { once } from 'node:events';
import { WebSocket } from 'ws';
import type { ChannelName } from '../../src/model/publication.js';
import { type BookMessage, PushFollower } from './push-follower.js';

/** What the engine answers to a request. */
export interface Answer {
  readonly op: string;
  readonly id?: number;
  readonly code?: string;
  readonly ok?: readonly string[];
  readonly failed?: readonly { readonly symbol: string; readonly code: string }[];
}

/** A message of the `status` channel. */
export interface StatusMessage {
  readonly ch: 'status';
  readonly sym: string;
  readonly state: string;
  readonly reason: string;
  readonly epoch: number;
  readonly seq: number;
}

/** A message of a channel nobody follows here. */
export interface OtherMessage {
  readonly ch: Exclude<ChannelName, 'book' | 'status'>;
  readonly sym: string;
}

type DataMessage = BookMessage | StatusMessage | OtherMessage;

/** A client of `/ws`: followers for its `book` subscriptions, and every state its symbols were in. */
export class PushClient {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  readonly #followers = new Map<string, PushFollower>();
  readonly #states = new Map<string, StatusMessage[]>();
  readonly #heard = new Map<string, OtherMessage[]>();
  /** Answers nobody asked for, errors included. */
  readonly told: Answer[] = [];
  #lastId = 0;
  closeCode: number | undefined;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data: Buffer) => this.#received(JSON.parse(data.toString()) as DataMessage | Answer));
    socket.on('close', (code) => {
      this.closeCode = code;
    });
    socket.on('error', () => {});
  }

  static async connect(wsUrl: string): Promise<PushClient> {
    const socket = new WebSocket(wsUrl, { perMessageDeflate: false });
    const client = new PushClient(socket);
    await once(socket, 'open');
    return client;
  }

  /** Sends a request and waits for the answer to it. */
  async request(request: object): Promise<Answer> {
    const id = ++this.#lastId;
    const answer = new Promise<Answer>((resolve) => this.#waiting.set(id, resolve));
    this.#socket.send(JSON.stringify({ ...request, id }));
    return answer;
  }

  /** Subscribes to the books and returns who follows them; throws when one is refused. */
  async follow(symbols: readonly string[], depth: number | 'full', interval: number): Promise<PushFollower[]> {
    const followers = this.#expect(symbols, depth, interval);
    await this.#subscribe({ channel: 'book', symbols, depth, interval });
    return followers;
  }

  /** The same without waiting for the answer, for a client that does not read. */
  followUnheard(symbols: readonly string[], depth: number | 'full', interval: number): PushFollower[] {
    const followers = this.#expect(symbols, depth, interval);
    this.#socket.send(JSON.stringify({ op: 'subscribe', channel: 'book', symbols, depth, interval }));
    return followers;
  }

  /** Subscribes to the states of books. */
  async watch(symbols: readonly string[]): Promise<void> {
    for (const symbol of symbols) this.#states.set(symbol, []);
    await this.#subscribe({ channel: 'status', symbols });
  }

  /** Subscribes to any other channel; what comes is added to the list returned. One subscription a channel. */
  async listen<T extends OtherMessage>(channel: T['ch'], symbols: readonly string[], parameters: object = {}): Promise<readonly T[]> {
    const heard: T[] = [];
    this.#heard.set(channel, heard);
    await this.#subscribe({ channel, symbols, ...parameters });
    return heard;
  }

  /** Every state a watched book was in since then, in order, the one at the start included. */
  states(symbol: string): readonly StatusMessage[] {
    return this.#states.get(symbol)!;
  }

  /** Symbols watched that are live as far as was told. */
  live(): string[] {
    return [...this.#states].filter(([, states]) => states.at(-1)?.state === 'live').map(([symbol]) => symbol);
  }

  /** Forgets what was told so far, except for the state each book is in. */
  forgetStates(): void {
    for (const states of this.#states.values()) states.splice(0, states.length - 1);
  }

  /** Symbols watched that were in a state other than live. */
  disturbed(): string[] {
    return [...this.#states].filter(([, states]) => states.some(({ state }) => state !== 'live')).map(([symbol]) => symbol);
  }

  /** Stops reading: what the engine sends piles up. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Sends anything, of any kind; answers to it are in `told`. */
  sendRaw(data: string | Buffer): void {
    this.#socket.send(data);
  }

  close(): void {
    this.#socket.terminate();
  }

  #expect(symbols: readonly string[], depth: number | 'full', interval: number): PushFollower[] {
    const followers = symbols.map((symbol) => new PushFollower(symbol, depth));
    for (const follower of followers) this.#followers.set(keyOf(follower.symbol, depth, interval), follower);
    return followers;
  }

  async #subscribe(what: { readonly symbols: readonly string[] } & Record<string, unknown>): Promise<void> {
    const { ok, failed } = await this.request({ op: 'subscribe', ...what });
    if (ok?.length !== what.symbols.length) throw new Error(`not subscribed: ${JSON.stringify(failed)}`);
  }

  #received(message: DataMessage | Answer): void {
    if ('op' in message) {
      const answered = message.id === undefined ? undefined : this.#waiting.get(message.id);
      if (answered === undefined) this.told.push(message);
      else answered(message);
      return;
    }
    if (message.ch === 'status') this.#states.get(message.sym)?.push(message);
    else if (message.ch === 'book') this.#followers.get(keyOf(message.sym, message.depth, message.interval))?.take(message);
    else this.#heard.get(message.ch)?.push(message);
  }
}

function keyOf(symbol: string, depth: number | 'full', interval: number): string {
  return `${symbol} ${depth} ${interval}`;
}
