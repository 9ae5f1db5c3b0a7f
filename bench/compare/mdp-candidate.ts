import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { WebSocket } from 'ws';
import { packageRoot } from '../../src/support/config/index.js';
import type { Candidate, Level, ShownBook, Told } from './candidate.js';

type TextLevel = readonly [price: string, quantity: string];

/** What is used of a message of `/ws`. */
interface Message {
  readonly ch?: string;
  readonly sym: string;
  readonly type: 'snapshot' | 'delta' | 'state';
  readonly epoch: number;
  readonly seq: number;
  readonly prev: number | null;
  readonly state: string;
  readonly reason?: string;
  readonly b: readonly TextLevel[];
  readonly a: readonly TextLevel[];
}

interface Book {
  live: boolean;
  epoch: number;
  seq: number;
  readonly bids: Map<string, string>;
  readonly asks: Map<string, string>;
}

/** `mdp start` as a process of its own, and a client that follows its books by the rules of the push protocol. */
export class MdpCandidate implements Candidate {
  readonly name = 'mdp';
  readonly told: Told[] = [];
  readonly #child: ChildProcess;
  readonly #socket: WebSocket;
  readonly #url: string;
  readonly #books = new Map<string, Book>();

  private constructor(child: ChildProcess, socket: WebSocket, url: string) {
    this.#child = child;
    this.#socket = socket;
    this.#url = url;
    socket.on('message', (data: Buffer) => this.#take(JSON.parse(data.toString()) as Message));
  }

  /** Starts it with its defaults but for the addresses and `flags`, tracking `symbols`. */
  static async start(wsUrl: string, restUrl: string, symbols: readonly string[], flags: readonly string[]): Promise<MdpCandidate> {
    const main = join(packageRoot(), 'dist/src/main.js');
    const addresses = ['--ws-url', wsUrl, '--rest-url', restUrl, '--port', '0', '--grpc-port', 'off'];
    const child = spawn(process.execPath, [main, 'start', ...addresses, '--symbols', symbols.join(','), ...flags], {
      env: { PATH: process.env['PATH'] },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    // Whatever happens here, it does not stay behind.
    const kill = (): void => void child.kill('SIGKILL');
    process.once('exit', kill);
    child.once('exit', () => process.off('exit', kill));
    try {
      const url = await listening(child);
      const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`, { perMessageDeflate: false });
      await once(socket, 'open');
      return new MdpCandidate(child, socket, url);
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
  }

  async follow(symbols: readonly string[]): Promise<void> {
    for (const symbol of symbols) {
      const response = await fetch(`${this.#url}/symbols/${encodeURIComponent(symbol)}`, { method: 'POST' });
      if (!response.ok) throw new Error(`mdp does not track ${symbol}: ${await response.text()}`);
      this.#books.set(symbol, { live: false, epoch: -1, seq: -1, bids: new Map(), asks: new Map() });
    }
    this.#socket.send(JSON.stringify({ op: 'subscribe', channel: 'book', symbols, depth: 'full', interval: 0 }));
  }

  shown(symbol: string): ShownBook | undefined {
    const book = this.#books.get(symbol);
    return book?.live === true ? { bids: levels(book.bids), asks: levels(book.asks) } : undefined;
  }

  async close(): Promise<void> {
    this.#socket.terminate();
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await ended;
  }

  #take(message: Message): void {
    if (message.ch !== 'book') return;
    const book = this.#books.get(message.sym)!;
    if (message.type === 'state') {
      if (book.live) this.#tell(message.sym, `${message.state} (${message.reason ?? ''})`);
      book.live = false;
      return;
    }
    if (message.type === 'snapshot') {
      if (book.live && message.epoch !== book.epoch) this.#tell(message.sym, `snapshot (${message.reason ?? ''})`);
      book.bids.clear();
      book.asks.clear();
      book.live = true;
    } else if (message.epoch !== book.epoch || message.prev !== book.seq) {
      throw new Error(`mdp broke its own protocol at ${message.sym}: ${JSON.stringify(message)}`);
    }
    for (const [side, changes] of [
      [book.bids, message.b],
      [book.asks, message.a],
    ] as const) {
      for (const [price, quantity] of changes) {
        if (quantity === '0') side.delete(price);
        else side.set(price, quantity);
      }
    }
    book.epoch = message.epoch;
    book.seq = message.seq;
  }

  #tell(symbol: string, what: string): void {
    this.told.push({ symbol, atMs: performance.now(), what });
  }
}

function* levels(side: ReadonlyMap<string, string>): Iterable<Level> {
  for (const [price, quantity] of side) yield [Number(price), Number(quantity)];
}

/** Its address, from what it logs. */
function listening(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    createInterface({ input: child.stdout! }).on('line', (line) => {
      const url = /"url":"(http:[^"]+)"/.exec(line)?.[1];
      if (url !== undefined) resolve(url);
    });
    child.once('exit', (code) => reject(new Error(`mdp start ended with ${code}`)));
  });
}
