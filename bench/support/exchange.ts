import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { FrameBlock } from './frame-block.js';
import { nowMs } from './now.js';
import { FIRST_VERSION, type MarketShape, PRICE_SCALE, QUANTITY_SCALE, SymbolStream, type TextSides } from './symbol-stream.js';

/** A client of `/bare` is sent everything without asking; one of `/ws` what it subscribed. */
export type Path = 'ws' | 'bare';

interface Line {
  readonly path: Path;
  readonly socket: Socket;
  readonly symbols: Set<string>;
  block: FrameBlock | undefined;
}

/** Pieces a flood is written in, and how many may be on their way at once. */
const PIECE_BYTES = 256 * 1024;
const PIECES_MAX = 4;

/**
 * The exchange's end of a bench: lists symbols, answers snapshots and subscriptions, and sends prepared pushes as fast as they are taken, or
 * at a pace. It costs as little as it can: a push is a copy of bytes made beforehand, with its version replaced.
 */
export class BenchExchange {
  readonly #streams: ReadonlyMap<string, SymbolStream>;
  /** Names of those that move. */
  readonly #busy: ReadonlySet<string>;
  readonly #server: Server;
  readonly #sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  readonly #lines = new Set<Line>();

  constructor(shape: MarketShape) {
    const streams = Array.from({ length: shape.symbols + (shape.quietSymbols ?? 0) }, (_, index) => new SymbolStream(index, shape));
    this.#streams = new Map(streams.map((stream) => [stream.name, stream]));
    this.#busy = new Set(streams.slice(0, shape.symbols).map(({ name }) => name));
    this.#server = createServer((request, response) => this.#answer(request, response));
    this.#server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
      this.#sockets.handleUpgrade(request, socket, head, (client) =>
        this.#connected(client, socket, request.url === '/bare' ? 'bare' : 'ws'),
      );
    });
  }

  /** Returns the port. */
  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const { socket } of this.#lines) socket.destroy();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** What every book holds when whole passes were sent. */
  books(): Record<string, TextSides> {
    return Object.fromEntries([...this.#streams.values()].map(({ name, book }) => [name, book]));
  }

  /** Frames of one pass over everything the lines of a path carry. */
  prepare(path: Path): number {
    return this.#linesOf(path).reduce((sum, line) => sum + this.#blockOf(line).length, 0);
  }

  /** Sends whole passes as fast as the readers take them; returns when it began. */
  async flood(path: Path, passes: number): Promise<number> {
    const startedMs = nowMs();
    await Promise.all(this.#linesOf(path).map((line) => flood(line.socket, this.#blockOf(line), passes)));
    return startedMs;
  }

  /**
   * Sends `frames` frames at `perSecond`, spread over the lines: what falls due within a millisecond leaves in one piece a line. With `sent`, which
   * hears of each frame just before it is written, every frame leaves alone.
   */
  async pace(path: Path, perSecond: number, frames: number, sent?: (frame: number) => void): Promise<void> {
    const senders = this.#linesOf(path).map((line) => ({ socket: line.socket, block: this.#blockOf(line), sent: 0 }));
    const startedMs = nowMs();
    let done = 0;
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        const due = Math.min(frames, Math.floor(((nowMs() - startedMs) * perSecond) / 1000));
        if (sent !== undefined) {
          for (; done < due; done++) {
            const { socket, block } = senders[done % senders.length]!;
            sent(done);
            socket.write(block.take(1));
          }
        } else {
          for (const [i, sender] of senders.entries()) {
            const share = Math.floor((due + i) / senders.length);
            while (sender.sent < share) {
              const count = Math.min(share - sender.sent, sender.block.left);
              sender.socket.write(sender.block.take(count));
              sender.sent += count;
            }
          }
        }
        done = due;
        if (done < frames) return;
        clearInterval(timer);
        resolve();
      }, 1);
    });
  }

  #linesOf(path: Path): Line[] {
    return [...this.#lines].filter(({ path: its, symbols }) => its === path && [...symbols].some((name) => this.#busy.has(name)));
  }

  #blockOf(line: Line): FrameBlock {
    const names = [...line.symbols].filter((name) => this.#busy.has(name)).sort();
    return (line.block ??= new FrameBlock(names.map((name) => this.#streams.get(name)!)));
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url!, 'http://exchange');
    const body = this.#body(url);
    if (body === undefined) response.writeHead(404).end();
    else response.writeHead(200, { 'content-type': 'application/json', 'x-simulated-exchange': 'bench' }).end(body);
  }

  #body(url: URL): string | undefined {
    if (url.pathname === '/api/v3/exchangeInfo') {
      const scales = { quotePrecision: PRICE_SCALE, baseAssetPrecision: QUANTITY_SCALE };
      const names = [...this.#streams.keys()];
      const symbols = names.map((symbol) => ({ symbol, status: '1', baseAsset: symbol.slice(0, -4), quoteAsset: 'USDT', ...scales }));
      return JSON.stringify({ symbols });
    }
    if (url.pathname === '/api/v3/time') return JSON.stringify({ serverTime: Date.now() });
    if (url.pathname === '/api/v3/ticker/24hr' || url.pathname === '/api/v3/trades') return '[]';
    const stream = this.#streams.get(url.searchParams.get('symbol') ?? '');
    if (url.pathname !== '/api/v3/depth' || stream === undefined) return undefined;
    return JSON.stringify({ lastUpdateId: this.#version(stream.name), ...stream.book });
  }

  #version(symbol: string): number {
    const line = [...this.#lines].find(({ path, symbols }) => path === 'ws' && symbols.has(symbol));
    return line?.block?.versions.get(symbol) ?? FIRST_VERSION;
  }

  #connected(client: WebSocket, socket: Socket, path: Path): void {
    const line: Line = { path, socket, symbols: new Set(path === 'bare' ? this.#streams.keys() : []), block: undefined };
    this.#lines.add(line);
    client.on('close', () => this.#lines.delete(line));
    client.on('error', () => client.terminate());
    client.on('message', (data: Buffer) => client.send(reply(line, data.toString())));
  }
}

/** Acknowledges subscriptions and answers PINGs. */
function reply({ symbols }: Line, text: string): string {
  const { method, params = [], id = 0 } = JSON.parse(text) as { method: string; params?: readonly string[]; id?: number };
  // Trades and tickers are quiet here.
  const channels = method === 'SUBSCRIPTION' ? params.filter((channel) => channel.includes('.depth.')) : [];
  for (const channel of channels) symbols.add(channel.slice(channel.lastIndexOf('@') + 1));
  return JSON.stringify({ id, code: 0, msg: method === 'PING' ? 'PONG' : params.join(',') });
}

/** A few pieces are always on their way, so that the reader never waits for the writer; none is changed before it was taken. */
async function flood(socket: Socket, block: FrameBlock, passes: number): Promise<void> {
  const onTheWay: Promise<void>[] = [];
  for (let left = passes * block.length; left > 0; ) {
    const count = block.countWithin(PIECE_BYTES);
    left -= count;
    const piece = block.take(count);
    onTheWay.push(
      new Promise((resolve, reject) => {
        socket.write(piece, (error) => (error ? reject(error) : resolve()));
      }),
    );
    if (onTheWay.length >= PIECES_MAX) await onTheWay.shift();
  }
  await Promise.all(onTheWay);
}
