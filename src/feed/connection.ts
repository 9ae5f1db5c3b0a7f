import type { Logger } from 'pino';
import { WebSocket } from 'ws';
import { parseControl } from '../mexc/acks.js';
import { peekTextFrame } from '../mexc/legacy-json/peek.js';
import type { ConnectionStatus } from '../model/market-data.js';
import { Backoff } from './backoff.js';
import type { ConnectRank, ConnectTurns } from './connect-turns.js';
import type { Clock, Random } from '../support/clock.js';
import { openExchangeSocket } from './exchange-socket.js';
import { Heartbeat } from './heartbeat.js';
import type { HeartbeatTimings } from './heartbeat.js';
import { Pacer } from './pacer.js';
import { ReadingRest } from './reading-rest.js';
import type { ReadingRestTimings } from './reading-rest.js';
import { SubscriptionDesk } from './subscription-desk.js';

/** What a connection tells its owner; called on the main thread, never before `open()` returned. */
export interface ConnectionHandlers {
  /** One binary push: `bytes[start, end)`, to be copied by whoever keeps it. */
  frame(connection: Connection, bytes: Buffer, start: number, end: number, receiveTimeMs: number): void;
  /** A text frame that is no answer to anything: a push of the JSON streams, or nonsense. */
  text(connection: Connection, bytes: Buffer, receiveTimeMs: number): void;
  opened(connection: Connection): void;
  /** It was open and is no more: everything subscribed is gone. */
  lost(connection: Connection, reason: string): void;
  accepted(connection: Connection, channel: string): void;
  refused(connection: Connection, channel: string, reason: string): void;
  /** Whether pushes of the channel came since it was subscribed. */
  isFlowing(connection: Connection, channel: string): boolean;
}

export interface ConnectionTimings extends HeartbeatTimings, ReadingRestTimings {
  readonly handshakeTimeoutMs: number;
  readonly ackTimeoutMs: number;
  readonly reconnectMs: number;
  readonly reconnectMaxMs: number;
  /** A connection that lasted as long starts over with the shortest reconnect delay. */
  readonly stableMs: number;
  /** Own messages; MEXC drops a connection that sends more than 100 per second. */
  readonly messagesPerSecond: number;
}

/**
 * MEXC closes at 60 s without PING; frames were at most some kilobytes. A half-open connection is found within 20 s: after at most
 * 12 s a PING goes out, whose PONG is overdue after 5 s; or nothing came for 18 s, looked at 20 times in that time.
 */
export const defaultConnectionTimings: ConnectionTimings = {
  handshakeTimeoutMs: 10_000,
  pingIntervalMs: 12_000,
  pongTimeoutMs: 5000,
  silenceMs: 18_000,
  ackTimeoutMs: 5000,
  reconnectMs: 500,
  reconnectMaxMs: 30_000,
  stableMs: 10_000,
  messagesPerSecond: 40,
  restMs: 5,
  restStretchMs: 250,
  restFreeMs: 1000,
};

/** The part of a `ws` WebSocket that is used here. */
export type ExchangeSocket = Pick<WebSocket, 'on' | 'once' | 'send' | 'close' | 'terminate' | 'pause' | 'resume' | 'readyState'>;

export interface ConnectionOptions {
  readonly number: number;
  readonly wsUrl: string;
  /** Default: a WebSocket to `wsUrl`. */
  readonly openSocket?: ((wsUrl: string) => ExchangeSocket) | undefined;
  readonly timings: ConnectionTimings;
  /** Paces new connections of the whole host. */
  readonly connectTurns: ConnectTurns;
  readonly connectRank: ConnectRank;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

const PAYLOAD_BYTES_MAX = 4 * 1024 * 1024;
const MESSAGE_BURST = 5;
/** Of a text frame nobody understands, in a log line. */
const LOGGED_TEXT_MAX = 200;
const CLOSE_GRACE_MS = 1000;

/**
 * One WebSocket to MEXC: opens on demand and again by itself while it cannot be reached, keeps alive by the JSON PING,
 * notices silence, and paces what it sends. It remembers no subscription beyond a loss; its owner subscribes anew.
 */
export class Connection {
  readonly number: number;
  /** Which of two lines it belongs to, 0 or 1. */
  line = 0;
  /** Replaced when the connection changes hands. */
  handlers: ConnectionHandlers;
  readonly #options: ConnectionOptions;
  readonly #timings: ConnectionTimings;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #backoff: Backoff;
  #state: ConnectionStatus['state'] = 'closed';
  #socket: ExchangeSocket | undefined;
  #desk: SubscriptionDesk | undefined;
  #heartbeat: Heartbeat | undefined;
  #reading: ReadingRest | undefined;
  #closing = false;
  #subscribed = 0;
  #opens = 0;
  #openedAt = 0;
  /** Not to be opened again before. */
  #earliestOpen = 0;
  #frames = 0;
  #lastReceived = 0;
  #lastCloseCode: number | null = null;
  #lastError: string | undefined;
  /** Of the back-off. */
  #openTimer: NodeJS.Timeout | undefined;
  /** While it waits for its turn to connect. */
  #leaveLine: (() => void) | undefined;
  /** When the piece of the stream at hand was read; 0 = none is. Its frames all came then, however long it takes to hand them on. */
  #readAt = 0;
  readonly #pieceDone = (): void => {
    this.#readAt = 0;
  };

  constructor(options: ConnectionOptions, handlers: ConnectionHandlers) {
    this.number = options.number;
    this.handlers = handlers;
    this.#options = options;
    this.#timings = options.timings;
    this.#clock = options.clock;
    // Not a child of it: a child keeps the level it was made with.
    this.#logger = options.logger;
    this.#backoff = new Backoff({ baseMs: options.timings.reconnectMs, maxMs: options.timings.reconnectMaxMs, random: options.random });
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  /** Unix ms of the last frame of any kind. */
  get lastReceived(): number {
    return this.#lastReceived;
  }

  /** Asks the exchange for an answer, and returns what says whether it is there; everything sent before it is there then, too. */
  probe(): () => boolean {
    return this.#heartbeat?.probe() ?? (() => false);
  }

  /** Unix ms since when it is open. */
  get openedAt(): number {
    return this.#openedAt;
  }

  status(): ConnectionStatus {
    return {
      connection: this.number,
      line: this.line,
      state: this.#state,
      subscriptions: this.#subscribed,
      reconnects: Math.max(0, this.#opens - 1),
      frames: this.#frames,
      lastReceived: this.#lastReceived === 0 ? null : this.#lastReceived,
      lastCloseCode: this.#lastCloseCode,
    };
  }

  /** Connects as soon as pace and back-off allow, and keeps trying; does nothing when it is open or on its way. */
  open(): void {
    if (this.#closing || this.#state !== 'closed') return;
    this.#state = 'waiting';
    const delayMs = Math.max(0, this.#earliestOpen - this.#clock());
    const { connectTurns, connectRank } = this.#options;
    this.#openTimer = setTimeout(() => {
      this.#leaveLine = connectTurns.wait(connectRank, () => this.#connect());
    }, delayMs);
  }

  /** Only while open. */
  subscribe(channel: string): void {
    this.#subscribed++;
    this.#desk?.subscribe(channel);
  }

  /** Nothing to do when it is not open: a lost connection subscribes nothing. */
  unsubscribe(channel: string): void {
    if (this.#desk === undefined) return;
    this.#subscribed--;
    this.#desk.unsubscribe(channel);
  }

  /** Stops reading for a moment, within the limits of the timings. */
  rest(): void {
    this.#reading?.begin();
  }

  /** Ends a rest early. */
  resume(): void {
    this.#reading?.end();
  }

  /** Cuts the connection without a farewell; it counts as lost and may be opened again. */
  terminate(why: string): void {
    this.#lastError = why;
    this.#socket?.terminate();
  }

  /** Closes for good and resolves when the socket is gone; the owner hears nothing more. */
  async close(): Promise<void> {
    this.#closing = true;
    clearTimeout(this.#openTimer);
    this.#leaveLine?.();
    const socket = this.#socket;
    this.#stop();
    this.#state = 'closed';
    if (socket === undefined || socket.readyState === WebSocket.CLOSED) return;
    await new Promise<void>((resolve) => {
      const grace = setTimeout(() => socket.terminate(), CLOSE_GRACE_MS);
      socket.once('close', () => {
        clearTimeout(grace);
        resolve();
      });
      socket.close(1000);
    });
  }

  #connect(): void {
    this.#state = 'connecting';
    this.#lastError = undefined;
    const { wsUrl, openSocket } = this.#options;
    const socket = openSocket?.(wsUrl) ?? this.#openWebSocket(wsUrl);
    this.#socket = socket;
    socket.on('open', () => this.#opened(socket));
    socket.on('message', (data, isBinary) => {
      // `binaryType` is left at its default, so data is one Buffer.
      if (isBinary) this.#message(socket, data as Buffer, 0, (data as Buffer).length);
      else if (this.#received(socket)) this.#text(data as Buffer);
    });
    socket.on('ping', () => this.#sign(socket));
    socket.on('pong', () => this.#sign(socket));
    socket.on('error', (error) => {
      this.#lastError = error.message;
    });
    socket.on('close', (code) => this.#closed(socket, code));
  }

  #openWebSocket(wsUrl: string): WebSocket {
    const { handshakeTimeoutMs } = this.#timings;
    const options = { perMessageDeflate: false, maxPayload: PAYLOAD_BYTES_MAX, handshakeTimeout: handshakeTimeoutMs };
    const socket = openExchangeSocket(wsUrl, options, (bytes, start, end) => this.#message(socket, bytes, start, end));
    return socket;
  }

  /** Notes that a frame came; false when the socket is not ours any more, and its frames are nobody's. Hot, as `#message`. */
  #received(socket: ExchangeSocket): boolean {
    if (this.#socket !== socket) return false;
    this.#frames++;
    if (this.#readAt === 0) {
      this.#readAt = this.#clock();
      this.#lastReceived = this.#readAt;
      queueMicrotask(this.#pieceDone);
    }
    return true;
  }

  #message(socket: ExchangeSocket, bytes: Buffer, start: number, end: number): void {
    if (this.#received(socket)) this.handlers.frame(this, bytes, start, end, this.#readAt);
  }

  /** A protocol-level ping or pong: a sign of life, and nothing else. */
  #sign(socket: ExchangeSocket): void {
    if (this.#socket === socket) this.#lastReceived = this.#clock();
  }

  #opened(socket: ExchangeSocket): void {
    if (this.#socket !== socket) return;
    const now = this.#clock();
    this.#state = 'open';
    this.#opens++;
    this.#openedAt = now;
    this.#lastReceived = now;
    this.#subscribed = 0;
    this.#desk = new SubscriptionDesk({
      send: (text) => socket.send(text),
      pacer: new Pacer(this.#timings.messagesPerSecond, MESSAGE_BURST, this.#clock),
      ackTimeoutMs: this.#timings.ackTimeoutMs,
      logger: this.#logger,
      connection: this.number,
      accepted: (channel) => this.handlers.accepted(this, channel),
      refused: (channel, reason) => {
        this.#subscribed--;
        this.handlers.refused(this, channel, reason);
      },
      isFlowing: (channel) => this.handlers.isFlowing(this, channel),
      unanswered: (channels) => this.terminate(`no answer to the subscription of ${channels.length} channels`),
    });
    this.#heartbeat = new Heartbeat({
      timings: this.#timings,
      clock: this.#clock,
      sendPing: () => socket.send('{"method":"PING"}'),
      lastReceived: () => this.#lastReceived,
      dead: (why) => this.terminate(why),
    });
    this.#reading = new ReadingRest(socket, this.#timings, this.#clock);
    this.#logger.debug({ connection: this.number }, 'connected');
    this.handlers.opened(this);
  }

  #text(bytes: Buffer): void {
    if (peekTextFrame(bytes).isPush) return this.handlers.text(this, bytes, this.#readAt);
    const frame = parseControl(bytes.toString('utf8'));
    switch (frame.kind) {
      case 'pong':
        return this.#heartbeat?.pong();
      case 'ack':
        return this.#desk?.acknowledge(frame);
      case 'error':
        this.#logger.warn(
          { connection: this.number, id: frame.id, code: frame.code, msg: frame.msg.slice(0, LOGGED_TEXT_MAX) },
          'the exchange reports an error',
        );
        return this.#desk?.reject(frame.id, `${frame.code} ${frame.msg}`);
      case 'unknown':
        return this.handlers.text(this, bytes, this.#readAt);
      default:
        frame satisfies never;
    }
  }

  #closed(socket: ExchangeSocket, code: number): void {
    if (this.#socket !== socket) return;
    const wasOpen = this.#state === 'open';
    const now = this.#clock();
    this.#stop();
    this.#state = 'closed';
    this.#lastCloseCode = code;
    if (wasOpen && now - this.#openedAt >= this.#timings.stableMs) this.#backoff.reset();
    const delayMs = this.#backoff.next();
    this.#earliestOpen = now + delayMs;
    const reason = this.#lastError ?? `closed with ${code}`;
    this.#logger.warn(
      { connection: this.number, code, reason, wasOpen, retryInMs: Math.round(delayMs) },
      wasOpen ? 'connection lost' : 'connection failed',
    );
    if (wasOpen) this.handlers.lost(this, reason);
    else this.open();
  }

  /** Lets go of the socket and of everything that belongs to it. */
  #stop(): void {
    this.#heartbeat?.stop();
    this.#heartbeat = undefined;
    // A socket that is not read would never see the other side's farewell.
    this.#reading?.end();
    this.#reading = undefined;
    this.#desk?.close();
    this.#desk = undefined;
    this.#subscribed = 0;
    this.#socket = undefined;
  }
}
