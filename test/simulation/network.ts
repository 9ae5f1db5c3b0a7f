import { EventEmitter } from 'node:events';
import type { Prng } from '../../src/simulator/prng.js';
import type { VirtualTime } from './virtual-time.js';

/** What happens to the pushes of a connection on their way, each with its probability. */
export interface Weather {
  lose: number;
  duplicate: number;
  reorder: number;
  truncate: number;
  corrupt: number;
  /** A level with another figure, that reads as well as the true one. */
  falsify: number;
}

export const fairWeather: Readonly<Weather> = { lose: 0, duplicate: 0, reorder: 0, truncate: 0, corrupt: 0, falsify: 0 };

const LATENCY_MIN_MS = 5;
const LATENCY_SPREAD_MS = 60;
/** The channel and the symbol come first in a push; of one that breaks off before nobody knows which book has to miss it. */
const NAMED_BYTES = 64;

/** What becomes of a push on its way. */
export interface PushFate {
  /** What arrives may still be readable and say something else. */
  corrupted(): void;
  /** It arrived, whole or not; so much of it at least that one can tell whose it is. */
  delivered(isWhole: boolean): void;
}

/** The exchange's side of a connection. */
export interface ServerHandlers {
  received(line: Line, text: string): void;
  gone(line: Line): void;
}

/**
 * One WebSocket connection of a simulated world, both ends of it. What is sent arrives later, in order, as TCP has it; pushes may come to harm as the
 * weather has it. A half-open line delivers nothing any more and says nothing about it.
 */
export class Line {
  readonly channels = new Set<string>();
  /** Subscriptions ever accepted; the exchange counts over the life of a connection. */
  accepted = 0;
  halfOpen = false;
  readonly client: ClientSocket;
  readonly #time: VirtualTime;
  readonly #random: Prng;
  readonly #weather: Readonly<Weather>;
  readonly #handlers: ServerHandlers;
  #open = true;
  /** When the last message sent arrives; none overtakes it. */
  #lastArrivalMs = 0;
  #lastArrivalUpMs = 0;
  #held: (() => void) | undefined;

  constructor(time: VirtualTime, random: Prng, weather: Readonly<Weather>, handlers: ServerHandlers) {
    this.#time = time;
    this.#random = random;
    this.#weather = weather;
    this.#handlers = handlers;
    this.client = new ClientSocket(this);
  }

  get isOpen(): boolean {
    return this.#open;
  }

  /** A push, which may come to harm. */
  push(bytes: Buffer, fate: PushFate): void {
    const random = this.#random;
    const { lose, duplicate, reorder, truncate, corrupt, falsify } = this.#weather;
    if (random.next() < lose) return;
    if (random.next() < reorder && this.#held === undefined) {
      this.#held = () => this.#down(bytes, true, fate);
      return;
    }
    let sent = bytes;
    if (random.next() < truncate) sent = bytes.subarray(0, 1 + random.below(bytes.length - 1));
    else if (random.next() < corrupt) {
      sent = Buffer.from(bytes);
      sent[random.below(sent.length)]! ^= 1 << random.below(8);
      fate.corrupted();
    } else if (falsify > 0 && random.next() < falsify) {
      sent = falsified(bytes, random);
      fate.corrupted();
    }
    this.#down(sent, true, fate, sent === bytes);
    if (random.next() < duplicate) this.#down(sent, true);
    this.#held?.();
    this.#held = undefined;
  }

  /** A push of trades: nothing tells when one is missing, so none is harmed but by what befalls the connection. Draws no lots, as books have to. */
  pushTrades(bytes: Buffer): void {
    this.#time.after(LATENCY_MIN_MS, () => {
      if (this.#open && !this.halfOpen) this.client.receive(bytes, true);
    });
  }

  text(text: string): void {
    this.#down(Buffer.from(text), false);
  }

  /** The exchange ends the connection; without a farewell the client sees 1006. */
  close(code: number): void {
    if (!this.#open) return;
    this.#open = false;
    this.#handlers.gone(this);
    this.#time.after(this.#latency(), () => this.client.closed(code));
  }

  // ---- the client's side

  up(text: string): void {
    if (!this.#open || this.halfOpen) return;
    const arrivalMs = Math.max(this.#lastArrivalUpMs, this.#time.now + this.#latency());
    this.#lastArrivalUpMs = arrivalMs;
    this.#time.after(arrivalMs - this.#time.now, () => {
      if (this.#open && !this.halfOpen) this.#handlers.received(this, text);
    });
  }

  /** The client is gone. */
  hangUp(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#handlers.gone(this);
  }

  #down(bytes: Buffer, isBinary: boolean, fate?: PushFate, isWhole = true): void {
    const arrivalMs = Math.max(this.#lastArrivalMs, this.#time.now + this.#latency());
    this.#lastArrivalMs = arrivalMs;
    this.#time.after(arrivalMs - this.#time.now, () => {
      if (!this.#open || this.halfOpen) return;
      if (bytes.length >= NAMED_BYTES) fate?.delivered(isWhole);
      this.client.receive(bytes, isBinary);
    });
  }

  #latency(): number {
    return LATENCY_MIN_MS + this.#random.below(LATENCY_SPREAD_MS);
  }
}

/** The part of a `ws` WebSocket that the feed uses. */
export class ClientSocket extends EventEmitter {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSING = 2;
  static readonly CLOSED = 3;
  readyState: number = ClientSocket.CONNECTING;
  readonly #line: Line;
  #paused = false;
  readonly #unread: (readonly [bytes: Buffer, isBinary: boolean])[] = [];

  constructor(line: Line) {
    super();
    this.#line = line;
  }

  open(): void {
    if (this.readyState !== ClientSocket.CONNECTING) return;
    this.readyState = ClientSocket.OPEN;
    this.emit('open');
  }

  receive(bytes: Buffer, isBinary: boolean): void {
    if (this.readyState !== ClientSocket.OPEN) return;
    if (this.#paused) this.#unread.push([bytes, isBinary]);
    else this.emit('message', bytes, isBinary);
  }

  closed(code: number): void {
    if (this.readyState === ClientSocket.CLOSED) return;
    this.readyState = ClientSocket.CLOSED;
    this.emit('close', code, Buffer.alloc(0));
  }

  send(text: string): void {
    if (this.readyState === ClientSocket.OPEN) this.#line.up(text);
  }

  close(code = 1005): void {
    this.#line.hangUp();
    this.closed(code);
  }

  terminate(): void {
    this.#line.hangUp();
    this.closed(1006);
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    for (const [bytes, isBinary] of this.#unread.splice(0)) this.receive(bytes, isBinary);
  }
}

/** With another digit behind one of its decimal points. */
function falsified(bytes: Buffer, random: Prng): Buffer {
  const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= 0x30 && byte <= 0x39;
  const places = [...bytes.keys()].filter((i) => bytes[i] === 0x2e && isDigit(bytes[i + 1])).map((i) => i + 1);
  const copy = Buffer.from(bytes);
  if (places.length === 0) return copy;
  const place = places[random.below(places.length)]!;
  copy[place] = 0x30 + ((copy[place]! - 0x30 + 1 + random.below(9)) % 10);
  return copy;
}
