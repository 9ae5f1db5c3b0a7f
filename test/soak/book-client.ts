import { WebSocket } from 'ws';
import type { BookMessage } from '../support/push-follower.js';
import { KeptBook, type Listed, TOP_LEVELS, type Truth } from './truth.js';

export interface Wish {
  readonly listed: Listed;
  readonly whole: boolean;
  /** ms */
  readonly interval: number;
}

/** What all clients met. */
export interface ClientTally {
  messages: number;
  snapshots: Map<string, number>;
  /** Times a book followed went out of service. */
  states: Map<string, number>;
  /** Rules of the protocol that were broken. */
  readonly wrong: (text: string) => void;
}

interface Followed extends Wish {
  readonly book: KeptBook;
  live: boolean;
  epoch: number;
  seq: number;
  version: number;
}

const SYMBOLS_A_MESSAGE = 1_000;

/** A client that follows books by the published rules, and claims after every message what it holds. */
export class BookClient {
  readonly #socket: WebSocket;
  readonly #name: string;
  readonly #truth: Truth;
  readonly #tally: ClientTally;
  readonly #followed = new Map<string, Followed>();
  #awake: NodeJS.Timeout | undefined;
  #asleep = false;
  isOpen = false;

  /** `closed` gets the close code, once; a connection that fails has 1006. */
  constructor(
    wsUrl: string,
    parts: { name: string; truth: Truth; tally: ClientTally; wishes: readonly Wish[]; closed: (code: number) => void },
  ) {
    const { name, truth, tally, wishes, closed } = parts;
    this.#name = name;
    this.#truth = truth;
    this.#tally = tally;
    for (const wish of wishes) {
      const followed = { ...wish, book: new KeptBook(wish.listed), live: false, epoch: 0, seq: 0, version: 0 };
      this.#followed.set(keyOf(wish.listed.symbol, wish.whole ? 'full' : TOP_LEVELS, wish.interval), followed);
    }
    const socket = new WebSocket(wsUrl, { perMessageDeflate: false, maxPayload: 64 * 1024 * 1024 });
    this.#socket = socket;
    socket.on('open', () => {
      this.isOpen = true;
      this.#subscribe(wishes);
    });
    socket.on('message', (data: Buffer) => this.#received(data));
    // A socket that is not read does not notice its end by itself.
    socket.on('error', () => socket.terminate());
    socket.on('close', (code) => {
      this.isOpen = false;
      clearInterval(this.#awake);
      closed(code);
    });
  }

  /** Stops reading once it has subscribed; with `nibbleMs` it reads what one look at the socket gives, every so often. */
  doze(nibbleMs: number | undefined): void {
    const socket = this.#socket;
    socket.on('open', () => {
      this.#asleep = true;
      socket.pause();
      this.#awake = setInterval(() => {
        if (socket.readyState !== WebSocket.OPEN) return;
        // What is written to a connection that ended tells of its end.
        socket.ping();
        if (nibbleMs !== undefined) socket.resume();
      }, nibbleMs ?? 1000);
    });
  }

  /** Books it follows that are not live for it, or are older than that. */
  behind(versions: ReadonlyMap<string, number>): string[] {
    return [...this.#followed.values()].flatMap(({ listed: { symbol }, whole, live, version }) => {
      const least = versions.get(symbol) ?? 0;
      if (live && version >= least) return [];
      return [
        `${this.#name}, ${symbol}, ${whole ? 'whole' : `best ${TOP_LEVELS}`}: ${live ? `version ${version} of ${least}` : 'not live'}`,
      ];
    });
  }

  close(): void {
    this.#socket.removeAllListeners('close');
    clearInterval(this.#awake);
    this.#socket.terminate();
  }

  #subscribe(wishes: readonly Wish[]): void {
    const kinds = new Map<string, string[]>();
    for (const { listed, whole, interval } of wishes) {
      const kind = `${whole ? '"full"' : TOP_LEVELS},"interval":${interval}`;
      const names = kinds.get(kind) ?? [];
      if (names.length === 0) kinds.set(kind, names);
      names.push(listed.symbol);
    }
    for (const [kind, names] of kinds) {
      for (let from = 0; from < names.length; from += SYMBOLS_A_MESSAGE) {
        const symbols = JSON.stringify(names.slice(from, from + SYMBOLS_A_MESSAGE));
        this.#socket.send(`{"op":"subscribe","channel":"book","symbols":${symbols},"depth":${kind}}`);
      }
    }
  }

  #received(data: Buffer): void {
    if (this.#asleep) this.#socket.pause();
    this.#tally.messages++;
    const message = JSON.parse(data.toString()) as BookMessage | { readonly op: string; readonly failed?: readonly unknown[] };
    if ('op' in message) {
      if (message.op !== 'subscribed' || message.failed?.length !== 0)
        this.#tally.wrong(`${this.#name} was told ${data.toString().slice(0, 300)}`);
      return;
    }
    const followed = this.#followed.get(keyOf(message.sym, message.depth, message.interval));
    if (followed === undefined) return this.#tally.wrong(`${this.#name} got what it did not ask for: ${data.toString().slice(0, 300)}`);
    this.#take(followed, message);
  }

  #take(followed: Followed, message: BookMessage): void {
    const { book, listed, whole } = followed;
    if (message.type === 'state') {
      followed.live = false;
      count(this.#tally.states, message.reason);
      return;
    }
    const { epoch, seq, xv, b, a } = message;
    if (message.type === 'snapshot') {
      if (epoch < followed.epoch || seq < followed.seq) this.#broken(followed, `a snapshot went back to epoch ${epoch} seq ${seq}`);
      count(this.#tally.snapshots, message.reason);
      book.clear();
      followed.live = true;
    } else {
      if (!followed.live) return this.#broken(followed, `a delta (seq ${seq}) without a snapshot before it`);
      if (epoch !== followed.epoch || message.prev !== followed.seq || seq <= followed.seq) {
        return this.#broken(followed, `a delta of epoch ${epoch} from ${message.prev} to ${seq}`);
      }
      // An audit may set right what was not proven, at the same version.
      if (xv[0] !== followed.version + 1 && xv[1] !== followed.version) this.#broken(followed, `a delta from version ${xv[0]}`);
    }
    book.set(b, a);
    followed.epoch = epoch;
    followed.seq = seq;
    followed.version = xv[1];
    if (!whole && book.size > TOP_LEVELS) this.#broken(followed, `${book.size} levels`);
    this.#truth.claim(listed, xv[1], whole, book.digest, whole ? 'WebSocket, whole book' : 'WebSocket, best 20');
  }

  #broken(followed: Followed, text: string): void {
    const { listed, epoch, seq, version } = followed;
    this.#tally.wrong(`${this.#name}, ${listed.symbol} at epoch ${epoch} seq ${seq} version ${version}: ${text}`);
  }
}

export function count(map: Map<string, number>, key: string): void {
  map.set(key, (map.get(key) ?? 0) + 1);
}

function keyOf(symbol: string, depth: number | 'full', interval: number): string {
  return `${symbol} ${depth} ${interval}`;
}
