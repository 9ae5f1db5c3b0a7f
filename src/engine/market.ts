import {
  ASKS,
  BIDS,
  COUNT_APPLIED,
  COUNT_CROSSED,
  COUNT_DROPPED,
  COUNT_GAPS,
  COUNT_INEXACT,
  COUNT_REFUSED,
  COUNT_RESYNCS,
  headerInts,
  SINCE,
} from '../book/book-layout.js';
import { EVICTED } from '../book/ladder-layout.js';
import type { Feed } from '../feed/feed.js';
import { type BookCopy, createBookCopy } from '../model/book-copy.js';
import { BookState, bookStateNames, stateReasonNames } from '../model/book-state.js';
import type { Candle } from '../model/candle.js';
import type { CandleInterval } from '../model/candle-interval.js';
import { formatDecimal } from '../model/decimal.js';
import type { CandleRange, EngineStatus, MarketData, ShardStatus, SourceInfo, SymbolStatus } from '../model/market-data.js';
import type { TrackedSymbol } from '../model/symbol.js';
import type { Ticker } from '../model/ticker.js';
import type { TapePage } from '../model/trade.js';
import type { BookReader } from '../publish/book-reader.js';
import type { TapeReader } from '../publish/tape-reader.js';
import type { TickerReader } from '../publish/ticker-reader.js';
import type { ShardIngress } from '../shard/ingress.js';
import type { ShardSupervisor } from '../shard/supervisor.js';
import { nearestWord } from '../support/config/index.js';
import type { SymbolAudits } from '../model/audit.js';
import type { AuditLog } from './audit-log.js';
import type { CandleDesk } from './candle-desk.js';
import type { ExchangeClock } from './exchange-clock.js';
import { composeTicker } from '../ticker/compose-ticker.js';
import type { SymbolTable } from './symbol-table.js';

export interface MarketParts {
  readonly instance: string;
  readonly source: SourceInfo;
  readonly symbols: SymbolTable;
  readonly readers: readonly BookReader[];
  readonly tickers: readonly TickerReader[];
  readonly tapes: readonly TapeReader[];
  readonly feed: Feed;
  readonly ingress: ShardIngress;
  readonly supervisor: ShardSupervisor;
  readonly meters: MarketData['meters'];
  readonly clock: () => number;
  readonly track: MarketData['track'];
  readonly untrack: MarketData['untrack'];
  readonly exchangeClock: ExchangeClock;
  readonly candles: CandleDesk;
  readonly audits: AuditLog;
  readonly auditEveryMs: number | null;
}

/** The engine as the gateways see it: reads shared memory and asks the parts. Main thread only. */
export class Market implements MarketData {
  readonly instance: string;
  readonly source: SourceInfo;
  readonly auditEveryMs: number | null;
  readonly track: MarketData['track'];
  readonly untrack: MarketData['untrack'];
  readonly meters: MarketData['meters'];
  readonly #parts: MarketParts;
  readonly #startedAt: number;
  readonly #touch = createBookCopy(1);

  constructor(parts: MarketParts) {
    this.#parts = parts;
    this.instance = parts.instance;
    this.source = parts.source;
    this.auditEveryMs = parts.auditEveryMs;
    this.track = parts.track;
    this.untrack = parts.untrack;
    this.meters = parts.meters;
    this.#startedAt = Math.floor(parts.clock());
  }

  find(symbol: string): TrackedSymbol | undefined {
    return this.#parts.symbols.find(symbol);
  }

  nearest(symbol: string): string | undefined {
    return nearestWord(
      symbol,
      Array.from(this.#parts.symbols.all(), (tracked) => tracked.symbol),
    );
  }

  tracked(): Iterable<TrackedSymbol> {
    return this.#parts.symbols.all();
  }

  readBook(symbol: TrackedSymbol, depth: number, copy: BookCopy): boolean {
    return this.#parts.readers[symbol.shard]!.read(symbol.slot, depth, copy);
  }

  candles(symbol: TrackedSymbol, interval: CandleInterval, range: CandleRange): Promise<readonly Candle[]> {
    return this.#parts.candles.candles(symbol, interval, range);
  }

  readTicker(symbol: TrackedSymbol, book?: Readonly<BookCopy>): Ticker | undefined {
    if (book === undefined && !this.readBook(symbol, 1, this.#touch)) return undefined;
    const held = this.#parts.tickers[symbol.shard]!.read(symbol.slot);
    const tape = this.readTrades(symbol, 1, null);
    if (held === undefined || tape === undefined) return undefined;
    return composeTicker(symbol.symbol, held, book ?? this.#touch, tape.trades.at(-1) ?? null);
  }

  readTrades(symbol: TrackedSymbol, limit: number, before: number | null): TapePage | undefined {
    return this.#parts.tapes[symbol.shard]!.read(symbol.slot, symbol.symbol, limit, before);
  }

  audits(symbol: TrackedSymbol): SymbolAudits {
    return this.#parts.audits.of(symbol.id);
  }

  reach(symbol: TrackedSymbol): ReturnType<MarketData['reach']> {
    if (!this.readBook(symbol, -1, this.#touch)) return undefined;
    const { provenBids, provenAsks, priceScale } = this.#touch;
    return {
      bid: provenBids > 0 && provenBids < Infinity ? formatDecimal(provenBids, priceScale) : null,
      ask: provenAsks >= 0 && provenAsks < Infinity ? formatDecimal(provenAsks, priceScale) : null,
    };
  }

  symbolStatus(symbol: TrackedSymbol): SymbolStatus {
    const { readers, feed, clock } = this.#parts;
    const reader = readers[symbol.shard]!;
    const { slot } = symbol;
    const envelope = reader.envelope(slot);
    return {
      symbol: symbol.symbol,
      state: bookStateNames[envelope.state],
      reason: stateReasonNames[envelope.reason],
      since: Math.floor(reader.field(slot, SINCE)),
      epoch: envelope.epoch,
      seq: envelope.seq,
      version: envelope.version,
      ageMs: envelope.receiveTimeMs === 0 ? null : Math.max(0, Math.floor(clock() - envelope.receiveTimeMs)),
      shard: symbol.shard,
      connection: feed.connectionOf(symbol.id),
      bidLevels: envelope.bidLevels,
      askLevels: envelope.askLevels,
      counters: {
        framesApplied: reader.field(slot, COUNT_APPLIED),
        framesDropped: reader.field(slot, COUNT_DROPPED),
        gaps: reader.field(slot, COUNT_GAPS),
        resyncs: reader.field(slot, COUNT_RESYNCS),
        framesRefused: reader.field(slot, COUNT_REFUSED),
        inexactNumbers: reader.field(slot, COUNT_INEXACT),
        evictedLevels: reader.int(headerInts(slot) + BIDS + EVICTED) + reader.int(headerInts(slot) + ASKS + EVICTED),
      },
    };
  }

  status(): EngineStatus {
    const { symbols, readers, feed, ingress, exchangeClock } = this.#parts;
    const states = [0, 0, 0, 0];
    const totals = { applied: 0, dropped: 0, refused: 0, gaps: 0, resyncs: 0, crossed: 0 };
    for (const { shard, slot } of symbols.all()) {
      const reader = readers[shard]!;
      states[reader.state(slot)]!++;
      totals.applied += reader.field(slot, COUNT_APPLIED);
      totals.dropped += reader.field(slot, COUNT_DROPPED);
      totals.refused += reader.field(slot, COUNT_REFUSED);
      totals.gaps += reader.field(slot, COUNT_GAPS);
      totals.resyncs += reader.field(slot, COUNT_RESYNCS);
      totals.crossed += reader.field(slot, COUNT_CROSSED);
    }
    const fed = feed.status();
    return {
      source: this.source,
      instance: this.instance,
      startedAt: this.#startedAt,
      books: {
        tracked: symbols.size,
        live: states[BookState.LIVE]!,
        syncing: states[BookState.SYNCING]!,
        stale: states[BookState.STALE]!,
        suspect: states[BookState.SUSPECT]!,
      },
      shards: readers.map((_, shard) => this.#shardStatus(shard)),
      connections: fed.connections.map((connection) => ({
        ...connection,
        lastReceived: connection.lastReceived === null ? null : Math.floor(connection.lastReceived),
      })),
      snapshots: fed.snapshots,
      exchangeClock: exchangeClock.status,
      counters: {
        frames: fed.counters.frames,
        bytes: fed.counters.bytes,
        framesApplied: totals.applied,
        framesDropped: totals.dropped + ingress.framesDropped,
        framesRefused: totals.refused + fed.counters.framesMalformed,
        framesUnknownSymbol: fed.counters.framesUnknownSymbol,
        gaps: totals.gaps,
        resyncs: totals.resyncs,
        crossedBooks: totals.crossed,
        readRetries: readers.reduce((sum, reader) => sum + reader.retries, 0),
      },
    };
  }

  #shardStatus(shard: number): ShardStatus {
    const { symbols, readers, ingress, supervisor } = this.#parts;
    let count = 0;
    for (const _ of symbols.ofShard(shard)) count++;
    return {
      shard,
      state: supervisor.state(shard),
      restarts: supervisor.restarts(shard),
      deaths: supervisor.deaths(shard),
      lastDeath: supervisor.lastDeath(shard),
      symbols: count,
      ringBytes: ingress.usedBytes(shard),
      ringCapacity: ingress.capacity(shard),
      memoryBytes: readers[shard]!.usedBytes(),
      memoryCapacity: readers[shard]!.capacityBytes(),
    };
  }
}
