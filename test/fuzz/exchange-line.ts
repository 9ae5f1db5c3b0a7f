import { EventEmitter } from 'node:events';
import { pino } from 'pino';
import { Connection, type ConnectionHandlers, defaultConnectionTimings } from '../../src/feed/connection.js';
import { ConnectRank, ConnectTurns } from '../../src/feed/connect-turns.js';
import { FrameRouter } from '../../src/feed/frame-router.js';
import { Backoff } from '../../src/feed/backoff.js';
import { StreamLine } from '../../src/feed/stream-line.js';
import { TextRouter } from '../../src/feed/text-router.js';
import { type FeedSink, NO_SYMBOL, StreamKind } from '../../src/model/feed.js';
import { nextTurn } from '../support/next-turn.js';
import { place } from '../support/pushes-in-a-buffer.js';

/** What is subscribed for acks to be about; a few messages of them. */
const CHANNELS = 60;
/** No timer of the connection rings in a run. */
const NEVER_MS = 2 ** 31 - 1;
const timings = {
  ...defaultConnectionTimings,
  pingIntervalMs: NEVER_MS,
  pongTimeoutMs: NEVER_MS,
  silenceMs: NEVER_MS,
  ackTimeoutMs: NEVER_MS,
};

/** A request of the engine, as the exchange would answer it. */
export interface SentRequest {
  readonly id: number;
  readonly params: readonly string[];
}

/** The exchange's end of a connection, without a network. */
class Socket extends EventEmitter {
  readyState = 1;
  readonly sent: SentRequest[] = [];

  send(text: string): void {
    this.sent.push(JSON.parse(text) as SentRequest);
  }

  close(): void {
    this.readyState = 3;
    this.emit('close', 1000);
  }

  terminate(): void {
    this.close();
  }

  pause(): void {}

  resume(): void {}
}

/**
 * All that the main thread does with a message of the exchange, from the connection on: acks are read, pushes are routed to their symbols and go on into
 * the sink. Only the socket is not there.
 */
export class ExchangeLine {
  /** Channels that an ack accepted or refused. */
  judged = 0;
  readonly router: FrameRouter;
  readonly texts: TextRouter;
  readonly #socket = new Socket();
  readonly #connection: Connection;

  private constructor(sink: FeedSink, symbols: ReadonlyMap<number, string>, clock: () => number) {
    const logger = pino({ level: 'silent' });
    this.router = new FrameRouter(sink, () => undefined, clock, logger);
    this.texts = new TextRouter(sink, this.router, clock, logger);
    this.#connection = new Connection(
      {
        number: 1,
        wsUrl: 'ws://nowhere',
        openSocket: () => {
          setImmediate(() => this.#socket.emit('open'));
          // As much of a WebSocket as a connection uses.
          return this.#socket as never;
        },
        timings: { ...timings, messagesPerSecond: 1e9 },
        connectTurns: new ConnectTurns(1e9, clock),
        connectRank: ConnectRank.BOOKS,
        clock,
        random: () => 0,
        logger,
      },
      this.#handlers(),
    );
    for (const [id, symbol] of symbols) {
      this.router.add(symbol, id);
      for (const kind of [StreamKind.DEPTH, StreamKind.DEALS, StreamKind.KLINE]) this.#own(kind, id);
    }
    this.#own(StreamKind.MINI_TICKERS, NO_SYMBOL);
  }

  /** An open connection that carries all streams of the symbols (by id), with subscriptions that wait for their acks. */
  static async open(sink: FeedSink, symbols: ReadonlyMap<number, string>, clock: () => number): Promise<ExchangeLine> {
    const line = new ExchangeLine(sink, symbols, clock);
    const connection = line.#connection;
    connection.open();
    while (!connection.isOpen) await nextTurn();
    for (let i = 0; i < CHANNELS; i++) connection.subscribe(`spot@public.aggre.depth.v3.api.pb@100ms@X${i}USDT`);
    while (line.requests.reduce((sum, { params }) => sum + params.length, 0) < CHANNELS) await nextTurn();
    return line;
  }

  /** What the engine asked for, in order. */
  get requests(): readonly SentRequest[] {
    return this.#socket.sent;
  }

  get isOpen(): boolean {
    return this.#connection.isOpen;
  }

  /** A binary message: a part of a buffer that is used again, as the reader of the real socket hands it on. */
  binary(bytes: Uint8Array, timeMs: number): void {
    this.router.route(this.#connection, ...place(bytes), timeMs);
  }

  /** A text message. Resolves when the next one counts as read later. */
  async text(bytes: Uint8Array): Promise<void> {
    this.#socket.emit('message', Buffer.from(bytes), false);
    await Promise.resolve();
  }

  /** Text frames the main thread refused. */
  get textsRefused(): number {
    return [...this.texts.refusals.values()].reduce((sum, count) => sum + count, 0);
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }

  #own(kind: StreamKind, id: number): void {
    const backoff = new Backoff({ baseMs: 1, maxMs: 1, random: () => 0 });
    this.router.setOwner(new StreamLine(kind, id, '', backoff), this.#connection);
  }

  #handlers(): ConnectionHandlers {
    const judge = (): void => void this.judged++;
    return {
      frame: (connection, bytes, start, end, timeMs) => this.router.route(connection, bytes, start, end, timeMs),
      text: (connection, bytes, timeMs) => this.texts.route(connection, bytes, timeMs),
      opened: () => undefined,
      lost: () => undefined,
      accepted: judge,
      refused: judge,
      isFlowing: () => false,
    };
  }
}
