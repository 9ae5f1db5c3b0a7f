import type { Logger } from 'pino';
import { Feed, type FeedOptions } from '../feed/feed.js';
import type { ListedSymbol, TrackedSymbol } from '../model/symbol.js';
import { BookReader } from '../publish/book-reader.js';
import { CandleReader } from '../publish/candle-reader.js';
import { PublicationHub } from '../publish/publication-hub.js';
import type { SubscriberLimits } from '../publish/subscriber.js';
import { AnswerWatch } from '../shard/answer-watch.js';
import { ShardEgress } from '../shard/egress.js';
import { ShardIngress } from '../shard/ingress.js';
import { commitSlot, type ShardBuffers, vacateSlot } from '../shard/task.js';
import { AuditLog } from './audit-log.js';
import { CandleDemand } from './candle-demand.js';
import { CandleDesk } from './candle-desk.js';
import type { Meters } from './meters.js';
import { shardEvents } from './shard-events.js';
import { SymbolTable } from './symbol-table.js';

export interface PipelineOptions extends Pick<FeedOptions, 'wsUrl' | 'interval' | 'lines' | 'rest' | 'budget' | 'openSocket' | 'random'> {
  /** One each shard. */
  readonly buffers: readonly ShardBuffers[];
  readonly slotsPerShard: number;
  readonly logger: Logger;
  readonly clock: () => number;
  /** Told of a shard that takes nothing any more: its worker must be replaced. */
  readonly stuck: (shard: number) => void;
  readonly meters: Meters;
  /** Take the whole memory of a symbol's tape and candles when it is tracked. Default false. */
  readonly preallocate?: boolean;
  /** Longest look for the shards' answers to pushes before the loop sleeps, in microseconds; default 0. */
  readonly spinUs?: number;
  /** From one audit of a book to the next. Default: no audits. */
  readonly auditEveryMs?: number;
  readonly feedTimings?: NonNullable<FeedOptions['timings']>;
  readonly subscriberLimits?: Partial<SubscriberLimits>;
}

/**
 * The main thread's stages, wired to the rings of the shards: feed and ingress on the way in, egress and fan-out on the way out. It neither
 * opens a port nor starts a thread.
 */
export class Pipeline {
  readonly symbols: SymbolTable;
  readonly readers: readonly BookReader[];
  readonly ingress: ShardIngress;
  readonly hub: PublicationHub;
  readonly feed: Feed;
  readonly candles: CandleDesk;
  readonly audits = new AuditLog();
  readonly egresses: readonly ShardEgress[];
  readonly #buffers: readonly ShardBuffers[];
  readonly #preallocate: boolean;
  readonly #clock: () => number;

  constructor(options: PipelineOptions) {
    const {
      auditEveryMs,
      buffers,
      logger,
      clock,
      feedTimings,
      meters,
      preallocate,
      slotsPerShard,
      spinUs = 0,
      stuck,
      subscriberLimits,
      ...feed
    } = options;
    this.#buffers = buffers;
    this.#preallocate = preallocate ?? false;
    this.#clock = clock;
    this.symbols = new SymbolTable(buffers.length, slotsPerShard);
    this.readers = buffers.map(({ books }) => new BookReader(books));
    this.ingress = new ShardIngress(buffers, logger, stuck, spinUs > 0 ? () => answers.expect() : undefined);
    const demand = new CandleDemand(this.ingress, {
      openKline: (symbolId) => this.feed.openKline(symbolId),
      closeKline: (symbolId) => this.feed.closeKline(symbolId),
    });
    this.hub = new PublicationHub(demand, subscriberLimits);
    this.feed = new Feed({
      ...feed,
      sink: this.ingress,
      logger,
      clock,
      ...(auditEveryMs !== undefined && { audit: { sink: this.ingress, everyMs: auditEveryMs } }),
      ...(feedTimings && { timings: feedTimings }),
    });
    this.candles = new CandleDesk({
      readers: buffers.map((shard) => new CandleReader(shard.candles)),
      ask: (symbolId, question) => this.ingress.askCandles(symbolId, question),
      feed: this.feed,
      clock,
    });
    const events = shardEvents({
      symbols: this.symbols,
      readers: this.readers,
      feed: this.feed,
      candles: this.candles,
      audits: this.audits,
      logger,
      clock,
    });
    this.egresses = buffers.map(({ outbound }, shard) => new ShardEgress(shard, outbound, this.hub, events, meters.published));
    const answers = new AnswerWatch(this.ingress, this.egresses, spinUs);
  }

  startListening(): void {
    for (const egress of this.egresses) egress.start();
  }

  stopListening(): void {
    for (const egress of this.egresses) egress.stop();
  }

  /** Gives a symbol its place and tells its shard; the feed is told by whoever calls. Throws CodedError SYMBOL_CAPACITY_REACHED. */
  add(listing: ListedSymbol): TrackedSymbol {
    const symbol = this.symbols.add(listing);
    if (this.#preallocate) commitSlot(this.#buffers[symbol.shard]!, symbol.slot);
    this.ingress.track(symbol, this.#clock());
    return symbol;
  }

  untrack(symbol: TrackedSymbol): void {
    this.feed.untrack(symbol.id);
    this.hub.symbolUntracked(symbol.id);
    this.candles.forget(symbol.id);
    this.audits.forget(symbol.id);
    this.ingress.untrack(symbol.id);
    this.symbols.remove(symbol);
  }

  /** The worker of a shard is dead and its books are empty: what it still sent, then its symbols and publications from the start. */
  workerLost(shard: number): void {
    this.egresses[shard]!.drain();
    this.ingress.shardLost(shard);
    for (const slot of this.symbols.shardEmptied(shard)) vacateSlot(this.#buffers[shard]!, slot, this.symbols.lastSerial);
    const affected = [...this.symbols.ofShard(shard)];
    for (const symbol of affected) this.ingress.announce(symbol, this.#clock());
    this.ingress.tellLost();
    const ids = affected.map(({ id }) => id);
    this.hub.reopen(ids);
    this.feed.shardLost(ids);
  }
}
