import type { Logger } from 'pino';
import type { FeedSink } from '../model/feed.js';
import type { Clock } from '../support/clock.js';
import type { Connection } from './connection.js';
import { LogGate } from './log-gate.js';
import { MALFORMED_FRAME, SymbolIndex } from './symbol-index.js';

export interface FrameCounters {
  /** Pushes handed to the sink. */
  readonly frames: number;
  readonly bytes: number;
  /** Pushes of symbols that are not tracked, or that came on a connection that does not carry them (any more). */
  readonly framesUnknownSymbol: number;
  /** Binary frames that are no push. */
  readonly framesMalformed: number;
}

const NO_CONNECTION = -1;
const INITIAL_IDS = 64;
const LOG_INTERVAL_MS = 10_000;
const LOGGED_BYTES = 32;

/** From a connection's bytes to the sink: every frame of the process passes `route`, and nothing else is done for it here. */
export class FrameRouter {
  readonly #sink: FeedSink;
  readonly #firstFrame: (symbolId: number) => void;
  readonly #logger: Logger;
  readonly #index = new SymbolIndex();
  readonly #badFrames: LogGate;
  /** By symbol id: the number of the connection whose pushes count. */
  #owners = new Int32Array(INITIAL_IDS).fill(NO_CONNECTION);
  /** By symbol id: 1 = a push came since it was cleared. */
  #heard = new Uint8Array(INITIAL_IDS);
  #frames = 0;
  #bytes = 0;
  #framesUnknownSymbol = 0;
  #framesMalformed = 0;

  /** `firstFrame` hears of the first push of a symbol after `listen`. */
  constructor(sink: FeedSink, firstFrame: (symbolId: number) => void, clock: Clock, logger: Logger) {
    this.#sink = sink;
    this.#firstFrame = firstFrame;
    this.#logger = logger;
    this.#badFrames = new LogGate(LOG_INTERVAL_MS, clock);
  }

  get counters(): FrameCounters {
    return {
      frames: this.#frames,
      bytes: this.#bytes,
      framesUnknownSymbol: this.#framesUnknownSymbol,
      framesMalformed: this.#framesMalformed,
    };
  }

  /** Hot path: no allocation, no closures. */
  route(connection: Connection, bytes: Buffer, receiveTimeMs: number): void {
    const id = this.#index.peek(bytes);
    if (id < 0 || this.#owners[id] !== connection.number) return this.#stray(connection, id, bytes);
    this.#frames++;
    this.#bytes += bytes.length;
    if (!this.#sink.frame(id, bytes, receiveTimeMs)) connection.rest();
    if (this.#heard[id] === 0) {
      this.#heard[id] = 1;
      this.#firstFrame(id);
    }
  }

  add(symbol: string, id: number): void {
    this.#index.add(symbol, id);
    if (id >= this.#owners.length) this.#grow(id + 1);
    this.#owners[id] = NO_CONNECTION;
    this.#heard[id] = 0;
  }

  remove(id: number): void {
    this.#index.remove(id);
    this.#owners[id] = NO_CONNECTION;
  }

  /** From here on the symbol's pushes come on this connection; `null`: on none. */
  setOwner(id: number, connection: Connection | null): void {
    this.#owners[id] = connection === null ? NO_CONNECTION : connection.number;
  }

  /** Begins to listen for the symbol's next push. */
  listen(id: number): void {
    this.#heard[id] = 0;
  }

  /** Whether a push came since `listen`. */
  hasHeard(id: number): boolean {
    return this.#heard[id] === 1;
  }

  #stray(connection: Connection, id: number, bytes: Buffer): void {
    if (id !== MALFORMED_FRAME) {
      this.#framesUnknownSymbol++;
      return;
    }
    this.#framesMalformed++;
    const suppressed = this.#badFrames.pass();
    if (suppressed < 0) return;
    const head = bytes.subarray(0, LOGGED_BYTES).toString('hex');
    this.#logger.warn({ connection: connection.number, bytes: bytes.length, head, suppressed }, 'a binary frame that is no push');
  }

  #grow(count: number): void {
    const size = Math.max(count, this.#owners.length * 2);
    const owners = new Int32Array(size).fill(NO_CONNECTION);
    owners.set(this.#owners);
    this.#owners = owners;
    const heard = new Uint8Array(size);
    heard.set(this.#heard);
    this.#heard = heard;
  }
}
