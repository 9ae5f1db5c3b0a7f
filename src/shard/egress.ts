import { BatchTimes, type LogHistogram } from '../memory/log-histogram.js';
import { RingConsumer } from '../memory/spsc-ring.js';
import type { BookState, StateReason } from '../model/book-state.js';
import type { KlinesRange } from '../model/feed.js';
import type { MessageKind, PublicationSink } from '../model/publication.js';
import type { AuditReport } from '../model/audit.js';
import { type Clock, systemClock } from '../support/clock.js';
import { decodeReport } from './audit-report.js';
import { decodeRange, decodeTradesMessage, KIND_BITS, Outbound } from './records.js';

/** Records handled before the loop gets a turn. */
const BATCH_RECORDS = 1024;

/** What the shards report; `slot` names the book within its shard. */
export interface ShardEvents {
  resyncRequested(shard: number, slot: number, reason: StateReason): void;
  bookState(shard: number, slot: number, state: BookState, reason: StateReason, timeMs: number): void;
  /** A frame or snapshot could not be read; `what` is a DepthDecode or REFUSED_SNAPSHOT. */
  refused(shard: number, slot: number, what: number): void;
  /** A book that was untracked is gone: its slot may be used again. */
  untracked(shard: number, slot: number): void;
  /** A tape needs the symbol's last trades from REST. */
  tradesWanted(shard: number, slot: number): void;
  /** The answer to a question for candles; `payload` is only good during the call. */
  candles(shard: number, slot: number, payload: Uint8Array): void;
  /** A symbol needs candles from REST. */
  klinesWanted(shard: number, slot: number, range: KlinesRange): void;
  /** An audit is over. */
  audited(shard: number, slot: number, report: AuditReport): void;
}

/** Takes one shard's outbound records as they come and hands them on. Main thread only. */
export class ShardEgress {
  readonly #shard: number;
  readonly #ring: RingConsumer;
  readonly #sink: PublicationSink;
  readonly #events: ShardEvents;
  /** Receipt of what the messages of this batch are about. */
  readonly #published: BatchTimes;
  readonly #clock: Clock;
  #running = false;
  /** A turn is on its way. */
  #scheduled = false;
  /** A promise of the ring is on its way: resolved or not, it has not been heard of. */
  #arriving = false;
  /** Some clients' turn goes on. */
  #unfinished = false;

  /** `published` learns how long it took from the receipt of a push until a message about it was handed to the sockets. */
  constructor(
    shard: number,
    outbound: SharedArrayBuffer,
    sink: PublicationSink,
    events: ShardEvents,
    published: LogHistogram,
    clock: Clock = systemClock,
  ) {
    this.#shard = shard;
    this.#ring = new RingConsumer(outbound);
    this.#sink = sink;
    this.#events = events;
    this.#published = new BatchTimes(published, 4 * BATCH_RECORDS);
    this.#clock = clock;
  }

  /** Bytes of records that wait to be taken. */
  usedBytes(): number {
    return this.#ring.usedBytes();
  }

  get capacity(): number {
    return this.#ring.capacity;
  }

  start(): void {
    this.#running = true;
    this.take();
  }

  stop(): void {
    this.#running = false;
  }

  /** The caller looks at the ring itself and then calls `take`: until then the shard need not wake this thread. */
  attend(): void {
    this.#ring.awake();
  }

  /** Handles what there is, as a turn that the shard asked for would, unless such a turn is on its way anyhow. */
  take(): void {
    if (!this.#scheduled) this.#turn();
  }

  /** Handles everything there is now, until all of it has left. */
  drain(): void {
    while (this.#handleBatch() > 0 || this.#unfinished);
  }

  #turn(): void {
    if (!this.#running) return;
    // After a batch, let the loop read sockets and write what was handed on before the next one.
    if (this.#handleBatch() === BATCH_RECORDS || this.#unfinished || !this.#rest()) this.#schedule();
  }

  #schedule(): void {
    this.#scheduled = true;
    setImmediate(this.#scheduledTurn);
  }

  readonly #scheduledTurn = (): void => {
    this.#scheduled = false;
    this.#turn();
  };

  /** Waits for the shard to wake this thread; false when there is a record already. One promise at a time, also where records were taken without it. */
  #rest(): boolean {
    if (this.#arriving) return this.#ring.asleepAgain();
    const arrival = this.#ring.recordArrival();
    if (arrival === undefined) return false;
    this.#arriving = true;
    void arrival.then(this.#arrived);
    return true;
  }

  readonly #arrived = (): void => {
    this.#arriving = false;
    this.#ring.awake();
    this.take();
  };

  #handleBatch(): number {
    const ring = this.#ring;
    let handled = 0;
    while (handled < BATCH_RECORDS && ring.next()) {
      this.#handle();
      handled++;
    }
    if (handled > 0) ring.release();
    if (handled > 0 || this.#unfinished) {
      this.#unfinished = this.#sink.flush();
      // With the last client's turn, unless there are more times than fit.
      if (!this.#published.isEmpty && (!this.#unfinished || !this.#published.hasRoomFor(BATCH_RECORDS))) this.#published.end(this.#clock());
    }
    return handled;
  }

  #handle(): void {
    const { type, key, aux, timeMs, bytes, payloadStart, payloadEnd } = this.#ring;
    switch (type) {
      case Outbound.MESSAGE: {
        if (!this.#sink.wants(key)) return;
        // The one copy out of shared memory: sockets may hold it long after the ring's space is used again.
        const frame = Buffer.allocUnsafe(payloadEnd - payloadStart);
        frame.set(bytes.subarray(payloadStart, payloadEnd));
        const kind = (aux & ((1 << KIND_BITS) - 1)) as MessageKind;
        this.#sink.deliver(key, kind, aux >>> KIND_BITS, frame);
        if (timeMs > 0) this.#published.began(timeMs);
        return;
      }
      case Outbound.TRADES: {
        if (!this.#sink.wants(key)) return;
        const payload = Buffer.allocUnsafe(payloadEnd - payloadStart);
        payload.set(bytes.subarray(payloadStart, payloadEnd));
        return this.#sink.deliverTrades(key, decodeTradesMessage(payload, aux, timeMs));
      }
      case Outbound.RESYNC:
        return this.#events.resyncRequested(this.#shard, key, aux as StateReason);
      case Outbound.STATE:
        return this.#events.bookState(this.#shard, key, (aux & 0xff) as BookState, (aux >>> 8) as StateReason, timeMs);
      case Outbound.REFUSED:
        return this.#events.refused(this.#shard, key, aux);
      case Outbound.UNTRACKED:
        return this.#events.untracked(this.#shard, key);
      case Outbound.TRADES_WANTED:
        return this.#events.tradesWanted(this.#shard, key);
      case Outbound.CANDLES:
        return this.#events.candles(this.#shard, key, bytes.subarray(payloadStart, payloadEnd));
      case Outbound.KLINES_WANTED:
        return this.#events.klinesWanted(this.#shard, key, decodeRange(bytes.subarray(payloadStart, payloadEnd)));
      case Outbound.AUDITED:
        return this.#events.audited(this.#shard, key, decodeReport(bytes.subarray(payloadStart, payloadEnd)));
      default:
        throw new Error(`unknown record type ${type} from shard ${this.#shard}`);
    }
  }
}
