import { pino } from 'pino';
import { COUNT_GAPS, COUNT_RESYNCS, headerInts, VERSION } from '../../src/book/book-layout.js';
import { Meters } from '../../src/engine/meters.js';
import { Pipeline } from '../../src/engine/pipeline.js';
import type { SymbolTable } from '../../src/engine/symbol-table.js';
import type { Feed } from '../../src/feed/feed.js';
import type { FeedTimingsOverride } from '../../src/feed/timings.js';
import { SnapshotBudget } from '../../src/feed/snapshot-budget.js';
import { METER_PENDING_BYTES, METER_PENDING_PUSHES } from '../../src/memory/shard-meter.js';
import { PENDING_FRAMES_MAX } from '../../src/shard/pending-updates.js';
import { Arena } from '../../src/memory/arena.js';
import type { AuditResult } from '../../src/model/audit.js';
import { type BookCopy, createBookCopy } from '../../src/model/book-copy.js';
import { BookState, bookStateNames, stateReasonNames } from '../../src/model/book-state.js';
import type { TrackedSymbol } from '../../src/model/symbol.js';
import type { Trade } from '../../src/model/trade.js';
import type { BookReader } from '../../src/publish/book-reader.js';
import type { PublicationHub } from '../../src/publish/publication-hub.js';
import { TapeReader } from '../../src/publish/tape-reader.js';
import type { ShardIngress } from '../../src/shard/ingress.js';
import { Shard } from '../../src/shard/shard.js';
import { createShardBuffers, resetShard, type ShardBuffers } from '../../src/shard/task.js';
import { Prng } from '../../src/simulator/prng.js';
import { Client, type Following } from './client.js';
import { Exchange } from './exchange.js';
import { PRICE_SCALE, QUANTITY_SCALE, readable } from './true-book.js';
import { VirtualTime } from './virtual-time.js';

const START_MS = 1_800_000_000_000;
const TICK_MS = 10;
const HUB_CHECK_MS = 1_000;
/** How long a live book may be behind a push that arrived. */
const BEHIND_MAX_MS = 1_000;
/** Editions of the engine's books kept, for followers that are behind. */
const EDITIONS_KEPT = 2_000;
const STALE_AFTER_MS = 3_000;
const AUDIT_EVERY_MS = 300;
const TAPE_TRADES = 20;
/** What a slow client costs: newest messages, and a state each subscription. */
const HARD_LIMIT_BYTES = 128 * 1024;
const STATES_BYTES_MAX = 16 * 1024;
/**
 * For a shard that stands still, or that nothing is taken from: what a flood asks for in the time that lasts (two records, seven symbols, 150 times a
 * second). Of the pushes one book's share, as there are few books.
 */
const RECORDS_WAITING_MAX = 20_000;
const PUSHES_WAITING_MAX = PENDING_FRAMES_MAX;
const PUSH_BYTES_WAITING_MAX = 2 ** 20;
const EVENTS_PER_TAPE_CHECK = 20;

export interface WorldOptions {
  readonly symbols: number;
  readonly shards: number;
  readonly clients: number;
  /** Small rings run full sooner. */
  readonly inboundBytes: number;
  readonly outboundBytes: number;
  /** Books are audited; a book made wrong unnoticeably must be right again in the end. And there are trades. */
  readonly audits: boolean;
  /** Connections each push comes on, 1 or 2. */
  readonly lines: number;
}

type Levels = readonly (readonly [tick: number, lots: number])[];

interface Sides {
  readonly bids: Levels;
  readonly asks: Levels;
}

/** The engine's book at one epoch and seq. */
interface EngineEdition {
  /** `undefined` = let in together with later ones, of which the oracle saw the last. */
  readonly sides: Sides | undefined;
  /** When the next one took its place, Unix ms; Infinity = none did. */
  untilMs: number;
}

/** A push that arrived, in whatever shape. */
interface Delivered {
  readonly version: number;
  readonly recounts: number;
  readonly atMs: number;
  /** A copy of it came whole: the engine can tell how far it reaches. */
  isKnown: boolean;
}

/** Where a book was when the oracle last looked. */
interface Seen {
  readonly epoch: number;
  readonly seq: number;
  /** Its newest edition; `undefined` = never live yet. */
  readonly edition: EngineEdition | undefined;
}

/** Short, so that a world shows in seconds what a day shows; the proportions are those of production. */
const timings: FeedTimingsOverride = {
  liveStableMs: 2_000,
  snapshotSettleMs: 3_000,
  silentRetryMs: 2_000,
  silentRetryMaxMs: 8_000,
  refusedRetryMs: 1_000,
  refusedRetryMaxMs: 4_000,
  snapshotRetryMaxMs: 4_000,
  connectionAgeMaxMs: 12_000,
  connectionAgeCheckMs: 500,
  replacementHoldMs: 400,
  auditLeadMs: 100,
  auditWaitMs: 3_000,
  connection: { reconnectMs: 200, reconnectMaxMs: 2_000, pingIntervalMs: 2_000, pongTimeoutMs: 1_000, silenceMs: 4_000 },
};

/**
 * The engine without its sockets and threads, in one thread under a virtual clock: feed, rings, shards, fan-out as they run in production,
 * an exchange, clients, and an oracle that compares all of it with the true books after every event. One seed, one history.
 */
export class World {
  readonly time = new VirtualTime(START_MS);
  readonly exchange: Exchange;
  readonly clients: Client[] = [];
  readonly names: readonly string[];
  /** What the oracle found, the first few. */
  readonly findings: string[] = [];
  /** Shards that do nothing for a while, and shards nothing is taken from. */
  readonly stalledShards = new Set<number>();
  readonly stalledEgress = new Set<number>();
  deaths = 0;
  /** Mismatches audits found. */
  repairs = 0;
  checks = 0;
  readonly options: WorldOptions;
  readonly #random: Prng;
  readonly #buffers: ShardBuffers[];
  readonly #pipeline: Pipeline;
  readonly #readers: readonly BookReader[];
  readonly #tapes: readonly TapeReader[];
  #events = 0;
  readonly #shards: (Shard | undefined)[];
  readonly #symbols: SymbolTable;
  readonly #ingress: ShardIngress;
  readonly #hub: PublicationHub;
  readonly #feed: Feed;
  readonly #uninstall: () => void;
  readonly #copy: BookCopy = createBookCopy(256);
  readonly #seen = new Map<string, Seen>();
  readonly #editions = new Map<string, EngineEdition>();
  readonly #editionKeys: string[] = [];
  /** Symbols with a push changed unnoticeably on its way, and the last of their snapshots, by number, that it may be added to. */
  readonly #tainted = new Map<string, number>();
  /** The newest push of each symbol that arrived, in whatever shape. */
  readonly #delivered = new Map<string, Delivered>();
  /**
   * Symbols with an aged snapshot and no push since. When the last push broke off, nobody can tell whether such a snapshot reaches as far,
   * until the next push.
   */
  readonly #aged = new Set<string>();
  /** Until when the exchange wants no requests. */
  #refusedUntilMs = 0;
  /** Until when a shard may be behind what arrived, and records may wait for it. */
  readonly #excusedUntilMs: number[];
  /** Snapshots a symbol's book was made of, and the epoch they left it in. */
  readonly #resyncs = new Map<string, { readonly count: number; readonly epoch: number }>();
  /** The last mismatch an audit found in each book. */
  readonly #mismatches = new Map<string, AuditResult>();
  /** Kill the shard after so many more records. */
  readonly #fuses = new Map<number, { records: number; midWrite: boolean }>();

  constructor(seed: number, options: WorldOptions) {
    this.options = options;
    this.#excusedUntilMs = Array.from({ length: options.shards }, () => 0);
    this.#random = new Prng(seed, 'world');
    this.#uninstall = this.time.install();
    const clock = (): number => this.time.now;
    const logger = pino({ level: 'silent' });
    this.names = Array.from({ length: options.symbols }, (_, index) => `S${index}USDT`);
    const budget = new SnapshotBudget({ ratePerSecond: 20, pauseBaseMs: 500, pauseMaxMs: 4_000, clock, random: () => this.#random.next() });
    this.exchange = new Exchange({
      symbols: this.names,
      seed,
      trades: options.audits,
      time: this.time,
      throttled: (retryAfterMs) => {
        this.#refusedUntilMs = Math.max(this.#refusedUntilMs, this.time.now + (retryAfterMs ?? 0));
        budget.throttled(retryAfterMs);
      },
      asked: () => {
        if (this.time.now < this.#refusedUntilMs) this.#find('the exchange is asked before it wants to be');
      },
      succeeded: () => budget.succeeded(),
      // It may still be on its way, or wait for a snapshot, when a new epoch begins.
      aged: (symbol) => this.#aged.add(symbol),
      delivered: (symbol, version, recounts, isWhole) => {
        this.#aged.delete(symbol);
        const last = this.#delivered.get(symbol);
        // Versions that went back are those of another count.
        if (version !== last?.version) this.#delivered.set(symbol, { version, recounts, atMs: this.time.now, isKnown: isWhole });
        // The copy of the other line.
        else if (isWhole) last.isKnown = true;
      },
      corrupted: (symbol) => this.#tainted.set(symbol, this.#snapshotsOf(symbol) + 2),
    });
    this.#buffers = Array.from({ length: options.shards }, () =>
      createShardBuffers({
        tape: TAPE_TRADES,
        symbols: options.symbols + 8,
        inboundBytes: options.inboundBytes,
        outboundBytes: options.outboundBytes,
        booksBytes: 2 ** 22,
      }),
    );
    this.#pipeline = new Pipeline({
      buffers: this.#buffers,
      slotsPerShard: options.symbols + 8,
      wsUrl: 'ws://simulated',
      interval: '100ms',
      lines: options.lines,
      rest: this.exchange,
      budget,
      logger,
      clock,
      meters: new Meters(),
      random: () => this.#random.next(),
      feedTimings: timings,
      ...(options.audits && { auditEveryMs: AUDIT_EVERY_MS }),
      subscriberLimits: { softLimitBytes: 32 * 1024, hardLimitBytes: HARD_LIMIT_BYTES },
      openSocket: () => this.exchange.connect() as never,
      stuck: (shard) => this.kill(shard, 0, false),
    });
    const { feed, hub, ingress, symbols, readers } = this.#pipeline;
    this.#feed = feed;
    this.#hub = hub;
    this.#ingress = ingress;
    this.#symbols = symbols;
    this.#readers = readers;
    this.#tapes = this.#buffers.map(({ tapes }) => new TapeReader(tapes));
    this.#shards = this.#buffers.map((_, shard) => this.#newShard(shard));
    this.time.afterEvent = () => this.#afterEvent();
    setInterval(() => this.#ingress.tick(clock()), TICK_MS);
    setInterval(() => this.#hub.check(clock()), HUB_CHECK_MS);
    this.#feed.start(this.names.map((name) => this.#track(name)));
    for (let i = 0; i < options.clients; i++) this.addClient();
  }

  // ---- what can be done to it

  track(name: string): void {
    if (this.#symbols.find(name) !== undefined) return;
    this.#feed.track(this.#track(name));
    for (const client of this.clients) this.#followSome(client, name);
  }

  untrack(name: string): void {
    const symbol = this.#symbols.find(name);
    if (symbol === undefined) return;
    this.#pipeline.untrack(symbol);
    this.#resyncs.delete(name);
    this.#seen.delete(name);
    // Counted from the start when it is tracked again; what is on its way still arrives.
    if (this.#tainted.has(name)) this.#tainted.set(name, 2);
  }

  /** The machine stands still, and its clock goes on. What lay there when it fell asleep is read after it woke. */
  standStill(ms: number): void {
    this.time.now += ms;
    this.#excusedUntilMs.fill(this.time.now + BEHIND_MAX_MS);
  }

  /** The worker of a shard dies after so many more records, in the middle of its writes if it is told so. */
  kill(shard: number, records: number, midWrite: boolean): void {
    this.#fuses.set(shard, { records, midWrite });
  }

  addClient(): void {
    const client = new Client(this.#hub, this.time, (following) => this.#checkFollower(following));
    this.clients.push(client);
    for (const name of this.names) this.#followSome(client, name);
  }

  /** A client drops a symbol and asks for it again. */
  churn(client: Client, name: string): void {
    client.unfollow(name);
    this.#followSome(client, name);
  }

  close(): void {
    void this.#feed.close();
    this.#uninstall();
  }

  // ---- what can be seen of it

  /** Symbols that are tracked and not live, with their state and reason. */
  notLive(): string[] {
    return [...this.#symbols.all()].flatMap(({ symbol, shard, slot }) => {
      const { state, reason } = this.#readers[shard]!.envelope(slot);
      return state === BookState.LIVE ? [] : [`${symbol} ${bookStateNames[state]} ${stateReasonNames[reason]}`];
    });
  }

  /** Audited symbols that are live with another book than the exchange's, whatever was done to their pushes. */
  wrong(): string[] {
    if (!this.options.audits) return [];
    return [...this.#symbols.all()].flatMap(({ symbol, shard, slot }) => {
      const copy = this.#copy;
      if (!this.#readers[shard]!.read(slot, 0, copy) || copy.state !== BookState.LIVE) return [];
      const text = readable(levels(copy.bidTicks, copy.bidLots, copy.bidCount), levels(copy.askTicks, copy.askLots, copy.askCount));
      const isRight = this.exchange
        .book(symbol)
        .editions(copy.version)
        .some((truth) => truth.text() === text);
      return isRight ? [] : [`${symbol}: wrong at version ${copy.version}`];
    });
  }

  /** Symbols with trades whose tape is not live, or has not the trades of before the last second. */
  tapesBehind(): string[] {
    return [...this.#symbols.all()].flatMap(({ symbol, shard, slot }) => {
      const trades = this.exchange.trueTrades(symbol);
      const page = this.#tapes[shard]!.read(slot, symbol, TAPE_TRADES, null)!;
      if (trades === undefined) return [];
      const newest = page.trades.length === 0 ? 0 : numberOf(page.trades.at(-1)!);
      const isNew = newest >= trades.countBefore(this.time.now - BEHIND_MAX_MS);
      return page.state === 'live' && isNew ? [] : [`${symbol}: a tape that is ${page.state} and ends with trade ${newest}`];
    });
  }

  /** Holes found in any book's stream so far. */
  gaps(): number {
    let count = 0;
    for (const { shard, slot } of this.#symbols.all()) count += this.#readers[shard]!.field(slot, COUNT_GAPS);
    return count;
  }

  /** Followers of living clients that are not live. */
  notFollowing(): string[] {
    return this.#followings()
      .filter(({ follower }) => !follower.live)
      .map(({ follower: { symbol, depth }, interval }) => `${symbol} ${depth} ${interval}: not live`);
  }

  /**
   * Followers of living clients that call themselves live, at a book that was the engine's more than a second ago: longer than any interval, and than a message is on
   * its way. What levels they have at their seq was compared when they came there.
   */
  behind(): string[] {
    const sinceMs = this.time.now - BEHIND_MAX_MS;
    return this.#followings().flatMap(({ follower: { symbol, depth, live, epoch, seq }, interval }) => {
      const untilMs = this.#editions.get(editionKey(symbol, epoch, seq))?.untilMs ?? -Infinity;
      return !live || untilMs >= sinceMs ? [] : [`${symbol} ${depth} ${interval}: live and behind, at epoch ${epoch} seq ${seq}`];
    });
  }

  /** What still waits somewhere, or is open for nobody. */
  leftOver(): string[] {
    const left: string[] = [];
    const note = (count: number, what: string): void => void (count > 0 && left.push(`${count} ${what}`));
    let open = 0;
    for (let shard = 0; shard < this.#shards.length; shard++) {
      note(this.#ingress.waitingRecords(shard), `records wait for shard ${shard}`);
      note(this.#pending(shard).pushes, `pushes wait in shard ${shard}`);
      note(this.#shards[shard]?.waiting ?? 0, `records wait behind shard ${shard}`);
      open += this.#shards[shard]?.publications ?? 0;
    }
    note(Math.abs(open - this.#hub.status().publications), 'publications are open in shards alone, or in the hub alone');
    note(this.#hub.requestCount, 'snapshots of clients are asked for');
    note(
      [...this.exchange.lines].filter(({ isOpen }) => isOpen).length - this.#feed.status().connections.length,
      'connections are open that the feed knows nothing of',
    );
    return left;
  }

  #followings(): Following[] {
    return this.clients.flatMap((client) => (client.isOpen() ? [...client.following.values()] : []));
  }

  // ---- the engine's part

  #track(name: string): TrackedSymbol {
    return this.#pipeline.add({
      symbol: name,
      baseAsset: name,
      quoteAsset: 'USDT',
      priceScale: PRICE_SCALE,
      quantityScale: QUANTITY_SCALE,
      turnover: null,
    });
  }

  #newShard(shard: number): Shard {
    return new Shard(
      { shard, buffers: this.#buffers[shard]!, staleAfterMs: STALE_AFTER_MS, lines: this.options.lines },
      () => this.time.now,
    );
  }

  /** As after the death of a worker thread. */
  #replace(shard: number, midWrite: boolean): void {
    const buffers = this.#buffers[shard]!;
    this.deaths++;
    if (midWrite) {
      const arena = new Arena(buffers.books);
      for (const { slot } of this.#symbols.ofShard(shard)) Atomics.add(arena.i32, headerInts(slot) + VERSION, 1);
    }
    this.#shards[shard] = undefined;
    resetShard(buffers, this.time.now);
    this.#pipeline.workerLost(shard);
    this.time.after(1 + this.#random.below(200), () => {
      this.#shards[shard] = this.#newShard(shard);
    });
  }

  /** Lets the shards work record by record until nothing is left to do, and the oracle look after each. */
  #afterEvent(): void {
    for (let busy = true; busy; ) {
      busy = false;
      this.#ingress.show();
      for (let shard = 0; shard < this.#shards.length; shard++) {
        while (!this.stalledShards.has(shard) && (this.#shards[shard]?.doWork(1) ?? 0) > 0) {
          busy = true;
          this.#remember(shard);
          if (this.#burn(shard)) break;
        }
        if (!this.stalledEgress.has(shard)) this.#pipeline.egresses[shard]!.drain();
      }
    }
    this.#excuse();
    this.#checkBounds();
    this.#checkFreshness();
    if (!this.options.audits) return;
    this.#checkAudits();
    if (++this.#events % EVENTS_PER_TAPE_CHECK === 0) this.#checkTapes();
  }

  #burn(shard: number): boolean {
    const fuse = this.#fuses.get(shard);
    if (fuse === undefined || fuse.records-- > 0) return false;
    this.#fuses.delete(shard);
    this.#replace(shard, fuse.midWrite);
    return true;
  }

  // ---- the oracle

  /** Looks at every book of a shard that changed: a live one must be what the exchange's was at its version. */
  #remember(shard: number): void {
    for (const { symbol, slot } of this.#symbols.ofShard(shard)) {
      const copy = this.#copy;
      if (!this.#readers[shard]!.read(slot, 0, copy)) {
        this.#find(`${symbol}: a write section is left open`);
        continue;
      }
      this.#checkEpoch(symbol, copy.epoch, this.#readers[shard]!.field(slot, COUNT_RESYNCS));
      const { epoch, seq } = copy;
      const last = this.#seen.get(symbol);
      if (epoch === last?.epoch) this.#passOver(symbol, last, copy);
      if (copy.state !== BookState.LIVE) {
        this.#seen.set(symbol, { epoch, seq, edition: last?.edition });
        continue;
      }
      const key = editionKey(symbol, epoch, seq);
      if (last?.edition !== undefined && last.edition === this.#editions.get(key)) continue;
      const sides = {
        bids: levels(copy.bidTicks, copy.bidLots, copy.bidCount),
        asks: levels(copy.askTicks, copy.askLots, copy.askCount),
      };
      if (last?.edition !== undefined) last.edition.untilMs = this.time.now;
      this.#seen.set(symbol, { epoch, seq, edition: this.#keep(key, sides) });
      if (this.#isTainted(symbol)) continue;
      this.checks++;
      const text = readable(sides.bids, sides.asks);
      const truths = this.exchange.book(symbol).editions(copy.version);
      if (!truths.some((truth) => truth.text() === text)) {
        this.#find(
          `${symbol}: live at version ${copy.version} (epoch ${copy.epoch}, seq ${copy.seq}) with another book than the exchange's`,
        );
      }
    }
  }

  /** Every snapshot opens an epoch of its own. */
  #checkEpoch(symbol: string, epoch: number, count: number): void {
    const last = this.#resyncs.get(symbol);
    if (last !== undefined && count > last.count && epoch < last.epoch + count - last.count) {
      this.#find(`${symbol}: epoch ${last.epoch} at snapshot ${last.count}, epoch ${epoch} at snapshot ${count}`);
    }
    this.#resyncs.set(symbol, { count, epoch });
  }

  /**
   * A hole that the other line fills lets several pushes in at once: followers see each, the oracle the last. When the same record lost the book it does not see that
   * one either.
   */
  #passOver(symbol: string, last: Seen, { epoch, seq, state }: BookCopy): void {
    if (this.options.lines === 1) return;
    const end = state === BookState.LIVE ? seq : seq + 1;
    for (let passed = last.seq + 1; passed < end; passed++) {
      this.#add(editionKey(symbol, epoch, passed), { sides: undefined, untilMs: this.time.now });
    }
  }

  #keep(key: string, sides: Sides): EngineEdition {
    const before = this.#editions.get(key)?.sides;
    if (before !== undefined && readable(before.bids, before.asks) !== readable(sides.bids, sides.asks)) {
      this.#find(`${key}: two books under one epoch and seq`);
    }
    const edition = { sides, untilMs: Infinity };
    this.#add(key, edition);
    return edition;
  }

  #add(key: string, edition: EngineEdition): void {
    this.#editions.set(key, edition);
    this.#editionKeys.push(key);
    if (this.#editionKeys.length > EDITIONS_KEPT * this.names.length) this.#editions.delete(this.#editionKeys.shift()!);
  }

  #checkFollower({ follower, interval }: Following): void {
    const { symbol, depth, epoch, seq, faults } = follower;
    if (faults.length > 0) this.#find(faults.splice(0)[0]!);
    const edition = this.#editions.get(editionKey(symbol, epoch, seq));
    if (edition === undefined) return this.#find(`${symbol} ${depth} ${interval}: nobody saw epoch ${epoch} seq ${seq}`);
    const { sides } = edition;
    if (sides === undefined) return;
    this.checks++;
    const count = depth === 'full' ? Infinity : depth;
    const expected = readable(sides.bids.slice(0, count), sides.asks.slice(0, count));
    const actual = readable(fromText(follower.bids()), fromText(follower.asks()));
    if (actual !== expected) this.#find(`${symbol} ${depth} ${interval}: another book than the engine's at epoch ${epoch} seq ${seq}`);
  }

  /** A shard that does nothing, or that nothing is taken from, may be behind, and for a moment afterwards. */
  #excuse(): void {
    for (let shard = 0; shard < this.#shards.length; shard++) {
      if (this.stalledShards.has(shard) || this.stalledEgress.has(shard) || this.#shards[shard] === undefined) {
        this.#excusedUntilMs[shard] = this.time.now + BEHIND_MAX_MS;
      }
    }
  }

  /** Nothing that arrived may be missing from a book that says it is live, be it lost, refused or dropped. */
  #checkFreshness(): void {
    const { now } = this.time;
    for (const [symbol, { version, recounts, atMs, isKnown }] of this.#delivered) {
      // Versions of an earlier count say nothing of a snapshot's.
      if (recounts !== this.exchange.book(symbol).recounts || (!isKnown && this.#aged.has(symbol))) continue;
      const tracked = this.#symbols.find(symbol);
      if (tracked === undefined || now - atMs < BEHIND_MAX_MS || now < this.#excusedUntilMs[tracked.shard]!) continue;
      const book = this.#readers[tracked.shard]!.envelope(tracked.slot);
      if (book.state !== BookState.LIVE || book.version >= version || this.#isTainted(symbol)) continue;
      this.#find(`${symbol}: live at version ${book.version}, and ${version} arrived ${now - atMs} ms ago`);
    }
  }

  /** Only a book whose pushes came to harm, or whose versions began anew, may be found wrong. */
  #checkAudits(): void {
    for (const { id, symbol } of this.#symbols.all()) {
      const { lastMismatch } = this.#pipeline.audits.of(id);
      if (lastMismatch === null || lastMismatch === this.#mismatches.get(symbol)) continue;
      this.#mismatches.set(symbol, lastMismatch);
      this.repairs++;
      if (!this.#tainted.has(symbol) && !this.exchange.book(symbol).wasRelisted) {
        this.#find(`${symbol}: an audit found a mismatch at version ${lastMismatch.version} where there was none`);
      }
    }
  }

  /** Each trade once, in order, and none missing where the tape does not say so. */
  #checkTapes(): void {
    for (const { symbol, shard, slot } of this.#symbols.all()) {
      const { trades, skipped } = this.#tapes[shard]!.read(slot, symbol, TAPE_TRADES, null)!;
      for (let i = 1; i < trades.length; i++) {
        const [before, after] = [numberOf(trades[i - 1]!), numberOf(trades[i]!)];
        const isHole = skipped.some(({ to }) => to === trades[i]!.timestamp);
        if (after === before + 1 || (isHole && after > before)) continue;
        this.#find(`${symbol}: trade ${after} behind trade ${before}`);
      }
    }
  }

  /** Nothing may grow without bound, and before and behind a shard at work nothing waits. */
  #checkBounds(): void {
    const { snapshots } = this.#feed.status();
    const { publications, subscriptions } = this.#hub.status();
    const asked = this.clients.reduce((sum, client) => sum + client.subscriptions, 0);
    if (snapshots.waiting + snapshots.inFlight > this.names.length) this.#find(`${snapshots.waiting} snapshots wait`);
    if (this.#hub.requestCount > asked) this.#find(`${this.#hub.requestCount} requests of ${asked} subscriptions`);
    if (subscriptions !== asked || publications > asked)
      this.#find(`${asked} subscriptions are ${subscriptions} of ${publications} publications`);
    for (const { outlet, pendingBytes } of this.clients) {
      if (outlet.writableLength > 400 * 1024) this.#find(`${outlet.writableLength} bytes wait for a client`);
      if (pendingBytes > HARD_LIMIT_BYTES + STATES_BYTES_MAX) this.#find(`${pendingBytes} bytes are kept for a slow client`);
    }
    for (let shard = 0; shard < this.#shards.length; shard++) this.#checkBoundsOf(shard);
  }

  #checkBoundsOf(shard: number): void {
    const records = this.#ingress.waitingRecords(shard);
    const waiting = this.#shards[shard]?.waiting ?? 0;
    const { pushes, bytes } = this.#pending(shard);
    const isAtWork = this.time.now >= this.#excusedUntilMs[shard]!;
    if (records > (isAtWork ? 0 : RECORDS_WAITING_MAX)) this.#find(`${records} records wait for shard ${shard}`);
    if (waiting > (isAtWork ? 0 : RECORDS_WAITING_MAX)) this.#find(`${waiting} records wait for room behind shard ${shard}`);
    if (pushes > PUSHES_WAITING_MAX || bytes > PUSH_BYTES_WAITING_MAX)
      this.#find(`${pushes} pushes wait in shard ${shard}, ${bytes} bytes`);
    if (pushes === 0 && bytes !== 0) this.#find(`${bytes} bytes are kept for no push in shard ${shard}`);
  }

  /** Pushes of a shard that wait for snapshots, and the memory they take. */
  #pending(shard: number): { readonly pushes: number; readonly bytes: number } {
    const meters = new Float64Array(this.#buffers[shard]!.meters);
    return { pushes: meters[METER_PENDING_PUSHES]!, bytes: meters[METER_PENDING_BYTES]! };
  }

  #find(text: string): void {
    if (this.findings.length < 5) this.findings.push(`at ${Math.round(this.time.now - START_MS)} ms: ${text}`);
  }

  #followSome(client: Client, name: string): void {
    const symbol = this.#symbols.find(name);
    if (symbol === undefined || client.gone) return;
    client.follow(symbol, 'full', this.#random.below(2) * 100);
    client.follow(symbol, 5, this.#random.below(2) * 100);
  }

  #isTainted(name: string): boolean {
    return (this.#tainted.get(name) ?? -1) >= this.#snapshotsOf(name);
  }

  /** Snapshots the symbol's book was made of so far. Its epoch may grow by more: a new worker goes on from the highest of all books. */
  #snapshotsOf(name: string): number {
    const symbol = this.#symbols.find(name);
    return symbol === undefined ? 0 : this.#readers[symbol.shard]!.field(symbol.slot, COUNT_RESYNCS);
  }
}

function editionKey(symbol: string, epoch: number, seq: number): string {
  return `${symbol} ${epoch} ${seq}`;
}

function levels(ticks: Float64Array, lots: Float64Array, count: number): Levels {
  return Array.from({ length: count }, (_, i) => [ticks[i]!, lots[i]!] as const);
}

function fromText(side: readonly (readonly [string, string])[]): Levels {
  return side.map(([price, quantity]) => [
    Math.round(Number(price) * 10 ** PRICE_SCALE),
    Math.round(Number(quantity) * 10 ** QUANTITY_SCALE),
  ]);
}

/** Which of the pair's trades it is, from 1. */
function numberOf({ quantity }: Trade): number {
  return Math.round(Number(quantity) * 10 ** QUANTITY_SCALE);
}
