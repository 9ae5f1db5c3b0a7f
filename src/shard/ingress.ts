import type { Logger } from 'pino';
import { type CandleQuestion, encodeQuestion } from '../candle/query.js';
import { RingProducer } from '../memory/spsc-ring.js';
import { depthVersion } from '../mexc/depth-version.js';
import type { StateReason } from '../model/book-state.js';
import { type AuditSink, type FeedSink, type KlinesRange, NO_SYMBOL, type SideStream, StreamKind } from '../model/feed.js';
import type { PublicationPort, PublicationSpec } from '../model/publication.js';
import type { TrackedSymbol } from '../model/symbol.js';
import { encodeKlines, encodeSpec, encodeTrack, encodeVersion, Inbound } from './records.js';
import type { ShardBuffers } from './task.js';

const NO_PAYLOAD: Uint8Array = new Uint8Array(0);
/** Control records that may wait for room, per shard; each tracked symbol needs a few. */
const WAITING_MAX = 200_000;

interface WaitingRecord {
  readonly type: number;
  readonly key: number;
  readonly aux: number;
  readonly timeMs: number;
  readonly payload: Uint8Array;
}

interface LostPushes {
  /** The highest any of them led to; -1 = not known of any. */
  readonly version: number;
  /** Known of all of them. */
  readonly known: boolean;
  /** Of the last one. */
  readonly atMs: number;
}

/**
 * Everything the main thread tells the shards. Pushes that find a ring full are dropped and counted, and the shard is told which books
 * lost one; all other records wait for room. Main thread only.
 */
export class ShardIngress implements FeedSink, AuditSink, PublicationPort {
  /** Pushes dropped because a ring was full. */
  framesDropped = 0;
  readonly #producers: readonly RingProducer[];
  readonly #waiting: WaitingRecord[][];
  /** By shard: pushes dropped, pushes that found the ring more than half full, records that found no room. */
  readonly #lost: Float64Array;
  readonly #pressed: Float64Array;
  readonly #stalls: Float64Array;
  /** By symbol id: the book's shard and slot; -1 = not tracked. */
  #shards = new Int32Array(256).fill(-1);
  #slots = new Int32Array(256);
  /** Symbols that lost pushes of their depth since the last tick. */
  readonly #lossy = new Map<number, LostPushes>();
  readonly #lossyDeals = new Map<number, number>();
  readonly #logger: Logger;

  readonly #stuck: (shard: number) => void;

  /**
   * `stuck` is told of a shard that takes nothing any more, not even what must not be lost. `beforePushes` is called at the end of a turn with pushes, just
   * before a shard is shown them.
   */
  constructor(shards: readonly ShardBuffers[], logger: Logger, stuck: (shard: number) => void, beforePushes?: () => void) {
    this.#stuck = stuck;
    this.#producers = shards.map(({ inbound }) => new RingProducer(inbound, beforePushes));
    this.#waiting = shards.map(() => []);
    this.#lost = new Float64Array(shards.length);
    this.#pressed = new Float64Array(shards.length);
    this.#stalls = new Float64Array(shards.length);
    this.#logger = logger;
  }

  // ---- FeedSink

  frame(symbolId: number, bytes: Uint8Array, start: number, end: number, receiveTimeMs: number, line: number): boolean {
    const shard = this.#shards[symbolId]!;
    if (shard < 0) return true;
    if (!this.#push(shard, Inbound.FRAME, this.#slots[symbolId]!, bytes, start, end, receiveTimeMs, line)) {
      this.#lostDepth(symbolId, depthVersion(bytes, start, end), receiveTimeMs);
    }
    return this.#hasRoom(shard);
  }

  deals(symbolId: number, bytes: Uint8Array, start: number, end: number, receiveTimeMs: number, line: number): boolean {
    const shard = this.#shards[symbolId]!;
    if (shard < 0) return true;
    if (!this.#push(shard, Inbound.DEALS, this.#slots[symbolId]!, bytes, start, end, receiveTimeMs, line)) {
      this.#lossyDeals.set(symbolId, receiveTimeMs);
    }
    return this.#hasRoom(shard);
  }

  /** One that is dropped is made up for by the next, which says the same and more. */
  kline(symbolId: number, bytes: Uint8Array, start: number, end: number, receiveTimeMs: number): boolean {
    const shard = this.#shards[symbolId]!;
    if (shard < 0) return true;
    this.#push(shard, Inbound.KLINE, this.#slots[symbolId]!, bytes, start, end, receiveTimeMs, 0);
    return this.#hasRoom(shard);
  }

  /** As with candles, a dropped one is made up for by a later one. */
  miniTickers(bytes: Uint8Array, start: number, end: number, receiveTimeMs: number): boolean {
    let hasRoom = true;
    for (let shard = 0; shard < this.#producers.length; shard++) {
      this.#push(shard, Inbound.MINI_TICKERS, 0, bytes, start, end, receiveTimeMs, 0);
      hasRoom = this.#hasRoom(shard) && hasRoom;
    }
    return hasRoom;
  }

  text(symbolId: number, bytes: Uint8Array, receiveTimeMs: number): boolean {
    if (symbolId === NO_SYMBOL) {
      let hasRoom = true;
      for (let shard = 0; shard < this.#producers.length; shard++) {
        this.#push(shard, Inbound.TEXT_FRAME, -1, bytes, 0, bytes.length, receiveTimeMs, 0);
        hasRoom = this.#hasRoom(shard) && hasRoom;
      }
      return hasRoom;
    }
    const shard = this.#shards[symbolId]!;
    if (shard < 0) return true;
    // What it was about is not known here: the book and the tape go the safe way.
    if (!this.#push(shard, Inbound.TEXT_FRAME, this.#slots[symbolId]!, bytes, 0, bytes.length, receiveTimeMs, 0)) {
      this.#lostDepth(symbolId, -1, receiveTimeMs);
      this.#lossyDeals.set(symbolId, receiveTimeMs);
    }
    return this.#hasRoom(shard);
  }

  snapshot(symbolId: number, body: Uint8Array, receiveTimeMs: number): void {
    this.#answer(symbolId, Inbound.SNAPSHOT, body, receiveTimeMs, 'depth');
  }

  trades(symbolId: number, body: Uint8Array, receiveTimeMs: number): void {
    this.#answer(symbolId, Inbound.TRADES, body, receiveTimeMs, 'trades');
  }

  klines(symbolId: number, range: KlinesRange, body: Uint8Array, receiveTimeMs: number): void {
    this.#answer(symbolId, Inbound.KLINES, encodeKlines(range, body), receiveTimeMs, 'klines');
  }

  tickers(body: Uint8Array, receiveTimeMs: number): void {
    for (let shard = 0; shard < this.#producers.length; shard++) {
      this.#send(shard, Inbound.TICKERS, 0, 0, receiveTimeMs, this.#fitting(shard, body, 'tickers'));
    }
  }

  streamUp(symbolId: number, kind: SideStream, timeMs: number): void {
    this.#tell(symbolId, Inbound.STREAM_UP, kind, timeMs);
  }

  streamDown(symbolId: number, kind: SideStream, timeMs: number): void {
    this.#tell(symbolId, Inbound.STREAM_DOWN, kind, timeMs);
  }

  lineDown(symbolId: number, reason: StateReason, timeMs: number): void {
    this.#tell(symbolId, Inbound.LINE_DOWN, reason, timeMs);
  }

  lineUp(symbolId: number, timeMs: number): void {
    this.#tell(symbolId, Inbound.LINE_UP, 0, timeMs);
  }

  // ---- AuditSink

  auditBegun(symbolId: number, timeMs: number): void {
    this.#tell(symbolId, Inbound.AUDIT, 0, timeMs);
  }

  auditSnapshot(symbolId: number, body: Uint8Array, receiveTimeMs: number): void {
    this.#answer(symbolId, Inbound.AUDIT_SNAPSHOT, body, receiveTimeMs, 'depth');
  }

  auditCancelled(symbolId: number, timeMs: number): void {
    this.#tell(symbolId, Inbound.AUDIT_SNAPSHOT, 0, timeMs);
  }

  // ---- PublicationPort: one message of a client may come to a thousand of these, which are shown to a shard together.

  open(symbolId: number, publicationId: number, spec: PublicationSpec): void {
    this.#tellSoon(symbolId, Inbound.OPEN_PUBLICATION, publicationId, encodeSpec(spec));
  }

  close(symbolId: number, publicationId: number): void {
    this.#tellSoon(symbolId, Inbound.CLOSE_PUBLICATION, publicationId, NO_PAYLOAD);
  }

  requestSnapshot(symbolId: number, publicationId: number, token: number, reason: 'subscribe' | 'slow'): void {
    const payload = new Uint8Array(Int32Array.of(token, reason === 'slow' ? 1 : 0).buffer);
    this.#tellSoon(symbolId, Inbound.REQUEST_SNAPSHOT, publicationId, payload);
  }

  // ---- the engine

  track(symbol: TrackedSymbol, timeMs: number): void {
    if (symbol.id >= this.#shards.length) {
      const shards = new Int32Array(2 * symbol.id).fill(-1);
      shards.set(this.#shards);
      this.#shards = shards;
      const slots = new Int32Array(2 * symbol.id);
      slots.set(this.#slots);
      this.#slots = slots;
    }
    this.#shards[symbol.id] = symbol.shard;
    this.#slots[symbol.id] = symbol.slot;
    this.announce(symbol, timeMs);
  }

  /** Tells a (new) worker of a symbol it owns. */
  announce(symbol: TrackedSymbol, timeMs: number): void {
    const scales = symbol.priceScale | (symbol.quantityScale << 8);
    this.#tell(symbol.id, Inbound.TRACK, scales, timeMs, encodeTrack(symbol));
  }

  untrack(symbolId: number): void {
    this.#tell(symbolId, Inbound.UNTRACK, 0, 0);
    this.#shards[symbolId] = -1;
    this.#lossy.delete(symbolId);
    this.#lossyDeals.delete(symbolId);
  }

  /** The clock, for publications at an interval and for silence; also the moment when what waited for room goes out. */
  tick(timeMs: number): void {
    for (let shard = 0; shard < this.#producers.length; shard++) {
      this.#flush(shard);
      // A tick that finds no room may be lost: the next one says the same.
      if (this.#waiting[shard]!.length === 0) this.#producers[shard]!.write(Inbound.TICK, 0, 0, timeMs);
    }
    for (const [symbolId, { version, known, atMs }] of this.#lossy) {
      this.#lossy.delete(symbolId);
      this.#tell(symbolId, Inbound.FRAMES_LOST, known ? 1 : 0, atMs, encodeVersion(version));
    }
    for (const [symbolId, lostAtMs] of this.#lossyDeals) {
      this.#lossyDeals.delete(symbolId);
      this.#tell(symbolId, Inbound.STREAM_LOST, StreamKind.DEALS, lostAtMs);
    }
  }

  /** A question for candles; the answer comes through the outbound ring. */
  askCandles(symbolId: number, question: CandleQuestion): void {
    this.#tell(symbolId, Inbound.CANDLES, 0, 0, encodeQuestion(question));
  }

  shutDown(): void {
    for (let shard = 0; shard < this.#producers.length; shard++) this.#send(shard, Inbound.SHUT_DOWN, 0, 0, 0);
  }

  /** Forgets what waited for a dead worker. */
  shardLost(shard: number): void {
    this.#waiting[shard]!.length = 0;
    for (const lossy of [this.#lossy, this.#lossyDeals]) {
      for (const symbolId of lossy.keys()) if (this.#shards[symbolId] === shard) lossy.delete(symbolId);
    }
  }

  /** Pushes dropped because the shard's ring was full. */
  lostFrames(shard: number): number {
    return this.#lost[shard]!;
  }

  /** Pushes that found the shard's ring more than half full. */
  pressedFrames(shard: number): number {
    return this.#pressed[shard]!;
  }

  /** Records that found the shard's ring full, pushes among them. */
  stalls(shard: number): number {
    return this.#stalls[shard]!;
  }

  /** Records that wait for room in the shard's ring. */
  waitingRecords(shard: number): number {
    return this.#waiting[shard]!.length;
  }

  /** Shows the shards everything written so far; happens by itself at the end of each turn. */
  show(): void {
    for (const producer of this.#producers) producer.show();
  }

  usedBytes(shard: number): number {
    return this.#producers[shard]!.usedBytes();
  }

  capacity(shard: number): number {
    return this.#producers[shard]!.capacity;
  }

  /** Writes a push; false when it was dropped. Hot path. */
  #push(
    shard: number,
    type: number,
    slot: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    receiveTimeMs: number,
    line: number,
  ): boolean {
    const producer = this.#producers[shard]!;
    // Nothing overtakes a control record: the slot may be on its way to another symbol.
    const waiting = this.#waiting[shard]!;
    if (waiting.length > 0) this.#flush(shard);
    const fits = end - start <= producer.payloadBytesMax;
    if (waiting.length === 0 && fits && producer.writeSoon(type, slot, line, receiveTimeMs, bytes, start, end)) return true;
    this.framesDropped++;
    this.#lost[shard]!++;
    this.#stalls[shard]!++;
    return false;
  }

  /** `version`: where the push led; -1 = not known. */
  #lostDepth(symbolId: number, version: number, atMs: number): void {
    const before = this.#lossy.get(symbolId);
    const known = version >= 0 && (before === undefined || before.known);
    this.#lossy.set(symbolId, { version: Math.max(version, before?.version ?? -1), known, atMs });
  }

  #hasRoom(shard: number): boolean {
    if (this.#producers[shard]!.isHalfEmpty()) return true;
    this.#pressed[shard]!++;
    return false;
  }

  #answer(symbolId: number, type: number, body: Uint8Array, receiveTimeMs: number, what: string): void {
    const shard = this.#shards[symbolId]!;
    if (shard >= 0) this.#send(shard, type, this.#slots[symbolId]!, 0, receiveTimeMs, this.#fitting(shard, body, what));
  }

  /** One too large for the ring is of no use either: let the shard refuse an empty one. */
  #fitting(shard: number, body: Uint8Array, what: string): Uint8Array {
    if (body.length <= this.#producers[shard]!.payloadBytesMax) return body;
    this.#logger.error({ what, bytes: body.length }, 'an answer is too large for the ring');
    return NO_PAYLOAD;
  }

  #tell(symbolId: number, type: number, aux: number, timeMs: number, payload = NO_PAYLOAD): void {
    const shard = this.#shards[symbolId]!;
    if (shard >= 0) this.#send(shard, type, this.#slots[symbolId]!, aux, timeMs, payload);
  }

  /** The same, but the shard is shown the record at the end of this turn. */
  #tellSoon(symbolId: number, type: number, aux: number, payload: Uint8Array): void {
    const shard = this.#shards[symbolId]!;
    if (shard < 0) return;
    const slot = this.#slots[symbolId]!;
    if (this.#waiting[shard]!.length === 0 && this.#producers[shard]!.writeSoon(type, slot, aux, 0, payload)) return;
    this.#send(shard, type, slot, aux, 0, payload);
  }

  #send(shard: number, type: number, key: number, aux: number, timeMs: number, payload = NO_PAYLOAD): void {
    const waiting = this.#waiting[shard]!;
    if (waiting.length === 0 && this.#producers[shard]!.write(type, key, aux, timeMs, payload)) return;
    this.#stalls[shard]!++;
    if (waiting.length === WAITING_MAX) {
      this.#logger.error({ shard, waiting: WAITING_MAX }, 'a shard takes no records, its worker is replaced');
      this.#stuck(shard);
    }
    // A new worker is told everything anew; what comes until then need not be kept.
    if (waiting.length <= WAITING_MAX) waiting.push({ type, key, aux, timeMs, payload });
  }

  #flush(shard: number): void {
    const waiting = this.#waiting[shard]!;
    let sent = 0;
    for (const { type, key, aux, timeMs, payload } of waiting) {
      if (!this.#producers[shard]!.write(type, key, aux, timeMs, payload)) break;
      sent++;
    }
    waiting.splice(0, sent);
  }
}
