import type { Logger } from 'pino';
import { NO_SYMBOL, STREAM_KINDS, StreamKind } from '../model/feed.js';
import type { FeedSink } from '../model/feed.js';
import type { Clock } from '../support/clock.js';
import type { Connection } from './connection.js';
import { LogGate } from './log-gate.js';
import type { StreamLine } from './stream-line.js';
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
/** What is noted of a stream: a push came; a text frame came. */
const HEARD = 1;
const HEARD_TEXT = 2;
const LOGGED_BYTES = 32;

/**
 * From a connection's bytes to the sink: every frame of the process passes `route`, and nothing else is done for it here. Each stream of each
 * symbol has a place of its own (`placeOf`); those of no symbol lie before the first symbol's.
 */
export class FrameRouter {
  readonly #sink: FeedSink;
  readonly #firstFrame: (symbolId: number) => void;
  readonly #logger: Logger;
  readonly #index = new SymbolIndex();
  readonly #badFrames: LogGate;
  /** By place: the number of the connection whose pushes count. */
  #owners = new Int32Array(INITIAL_IDS * STREAM_KINDS).fill(NO_CONNECTION);
  /** By place: with two lines, the connection of the other one whose pushes count as well. */
  #twins = new Int32Array(INITIAL_IDS * STREAM_KINDS).fill(NO_CONNECTION);
  /** By place: whether a push came since it was cleared, see below. */
  #heard = new Uint8Array(INITIAL_IDS * STREAM_KINDS);
  #frames = 0;
  #bytes = 0;
  #framesUnknownSymbol = 0;
  #framesMalformed = 0;

  /** `firstFrame` hears of the first push of a symbol's depth after `listen`. */
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

  /** A push: `bytes[start, end)`. Hot path: no allocation, no closures. */
  route(connection: Connection, bytes: Buffer, start: number, end: number, receiveTimeMs: number): void {
    const id = this.#index.peek(bytes, start, end);
    const { kind } = this.#index;
    if (id < NO_SYMBOL || kind < 0) return this.#stray(connection, id, bytes, start, end);
    const place = placeOf(id, kind as StreamKind);
    if (this.#owners[place] !== connection.number && this.#twins[place] !== connection.number) {
      return this.#stray(connection, id, bytes, start, end);
    }
    this.#frames++;
    this.#bytes += end - start;
    if (!this.#hand(id, kind as StreamKind, bytes, start, end, receiveTimeMs, connection.line)) connection.rest();
    if (this.#heard[place] === 0) {
      this.#heard[place] = HEARD;
      if (kind === StreamKind.DEPTH) this.#firstFrame(id);
    }
  }

  /** A push that may come after all, on a connection that does not count: of depth, whose versions tell whether it is of use. */
  routeDepth(connection: Connection, bytes: Buffer, receiveTimeMs: number): void {
    if (this.#index.peek(bytes, 0, bytes.length) >= 0 && this.#index.kind === StreamKind.DEPTH)
      this.route(connection, bytes, 0, bytes.length, receiveTimeMs);
  }

  /** A text frame about the symbol named by `name[start, end)`. All of a symbol's text belongs to the connection that carries its depth. */
  routeText(connection: Connection, bytes: Buffer, start: number, end: number, receiveTimeMs: number, name: Uint8Array = bytes): void {
    const id = this.#index.find(name, start, end);
    if (id < 0) return this.#stray(connection, id, bytes, 0, bytes.length);
    const place = placeOf(id, StreamKind.DEPTH);
    const carries = this.#owners[place] === connection.number || this.#owners[placeOf(id, StreamKind.DEALS)] === connection.number;
    if (!carries) return this.#stray(connection, id, bytes, 0, bytes.length);
    this.#frames++;
    this.#bytes += bytes.length;
    if (!this.#sink.text(id, bytes, receiveTimeMs)) connection.rest();
    const isFirst = this.#heard[place] === 0;
    this.#heard[place] = HEARD_TEXT;
    if (isFirst) this.#firstFrame(id);
  }

  add(symbol: string, id: number): void {
    this.#index.add(symbol, id);
    this.#grow(placeOf(id + 1, 0));
    this.#vacate(id);
  }

  remove(id: number): void {
    this.#index.remove(id);
    this.#vacate(id);
  }

  /** From here on the stream's pushes come on this connection; `null`: on none. */
  setOwner({ symbolId, kind }: StreamLine, connection: Connection | null): void {
    this.#owners[placeOf(symbolId, kind)] = connection === null ? NO_CONNECTION : connection.number;
  }

  /** The stream's pushes come on this connection, too; `null`: on no other. */
  setTwin({ symbolId, kind }: StreamLine, connection: Connection | null): void {
    this.#twins[placeOf(symbolId, kind)] = connection === null ? NO_CONNECTION : connection.number;
  }

  /** Begins to listen for the stream's next push. */
  listen({ symbolId, kind }: StreamLine): void {
    this.#heard[placeOf(symbolId, kind)] = 0;
  }

  /** Whether a push came since `listen`. */
  hasHeard({ symbolId, kind }: StreamLine): boolean {
    return this.#heard[placeOf(symbolId, kind)] !== 0;
  }

  /** Whether a text frame about the symbol came since `listen`. */
  hasHeardText({ symbolId, kind }: StreamLine): boolean {
    return this.#heard[placeOf(symbolId, kind)] === HEARD_TEXT;
  }

  #hand(id: number, kind: StreamKind, bytes: Buffer, start: number, end: number, receiveTimeMs: number, line: number): boolean {
    if (kind === StreamKind.DEPTH) return this.#sink.frame(id, bytes, start, end, receiveTimeMs, line);
    if (kind === StreamKind.DEALS) return this.#sink.deals(id, bytes, start, end, receiveTimeMs, line);
    if (kind === StreamKind.KLINE) return this.#sink.kline(id, bytes, start, end, receiveTimeMs);
    return this.#sink.miniTickers(bytes, start, end, receiveTimeMs);
  }

  #stray(connection: Connection, id: number, bytes: Buffer, start: number, end: number): void {
    if (id !== MALFORMED_FRAME) {
      this.#framesUnknownSymbol++;
      return;
    }
    this.#framesMalformed++;
    const suppressed = this.#badFrames.pass();
    if (suppressed < 0) return;
    const head = bytes.toString('hex', start, Math.min(end, start + LOGGED_BYTES));
    this.#logger.warn({ connection: connection.number, bytes: end - start, head, suppressed }, 'a binary frame that is no push');
  }

  #vacate(id: number): void {
    this.#owners.fill(NO_CONNECTION, placeOf(id, 0), placeOf(id + 1, 0));
    this.#twins.fill(NO_CONNECTION, placeOf(id, 0), placeOf(id + 1, 0));
    this.#heard.fill(0, placeOf(id, 0), placeOf(id + 1, 0));
  }

  #grow(places: number): void {
    if (places <= this.#owners.length) return;
    const size = Math.max(places, this.#owners.length * 2);
    const owners = new Int32Array(size).fill(NO_CONNECTION);
    owners.set(this.#owners);
    this.#owners = owners;
    const twins = new Int32Array(size).fill(NO_CONNECTION);
    twins.set(this.#twins);
    this.#twins = twins;
    const heard = new Uint8Array(size);
    heard.set(this.#heard);
    this.#heard = heard;
  }
}

function placeOf(id: number, kind: StreamKind): number {
  return (id + 1) * STREAM_KINDS + kind;
}
