import type { MexcChannel } from '../mexc/channels.js';
import { DepthStream, LimitDepthStream } from './depth-streams.js';
import { DigestLog } from './digest-log.js';
import type { Market } from './market.js';
import { MiniTickersStream, MiniTickerStream } from './mini-ticker-streams.js';
import { Prng } from './prng.js';
import { BookTickerBatchStream, BookTickerStream } from './quote-streams.js';
import type { StreamHub, Topic } from './stream-hub.js';
import type { SyntheticListing } from './synthetic-listing.js';
import { type SyntheticStream, TICK_MS } from './synthetic-stream.js';
import { SyntheticSymbol } from './synthetic-symbol.js';
import { TimerWheel } from './timer-wheel.js';
import { DealsStream, KlineStream } from './trade-streams.js';

const TICKS_PER_SECOND = 1_000 / TICK_MS;
/** Ticks between two pushes of a channel: 10 ms, 100 ms, 1 s (klines), 3 s (mini tickers). Where MEXC states none, 100 ms on change. */
const periods = { fast: 1, usual: 100 / TICK_MS, kline: TICKS_PER_SECOND, miniTicker: 3 * TICKS_PER_SECOND } as const;
/** A process that was held up makes up for at most this many ticks; the market loses the rest. */
const CATCH_UP_TICKS_MAX = 100;

/**
 * A market made up from a seed: books, versions and trades are a function of the listing, the seed, the rate and the ticks that went by. One timer
 * drives all symbols. Everything changes whether anybody subscribes or not; pushes are only made for channels with a subscriber.
 */
export class SyntheticMarket implements Market {
  readonly symbols: readonly SyntheticSymbol[];
  readonly done: Promise<void>;
  readonly #bySymbol: ReadonlyMap<string, SyntheticSymbol>;
  readonly #hub: StreamHub;
  readonly #ticksBetween: number;
  readonly #random: Prng;
  readonly #wheel: TimerWheel;
  readonly #streams = new Map<Topic, SyntheticStream>();
  /** By period, then by phase: pushes of the same cadence are spread over its ticks. */
  readonly #phases = new Map<number, SyntheticStream[][]>();
  #tick = 0;
  #timer: NodeJS.Timeout | undefined;
  #startedMs = 0;
  readonly #originMs: number;
  readonly #clockSpeed: number;
  #digests: DigestLog | undefined;
  #finish: () => void = () => {};

  /** `rate`: bursts of changes per second and symbol, on average; `clockSpeed`: seconds of the exchange's clock per second. */
  constructor(
    hub: StreamHub,
    options: { listings: readonly SyntheticListing[]; rate: number; seed: number; startMs: number; clockSpeed?: number },
  ) {
    this.#hub = hub;
    this.#originMs = options.startMs;
    this.#clockSpeed = options.clockSpeed ?? 1;
    this.symbols = options.listings.map((listing, rank) => new SyntheticSymbol(listing, rank, options.seed, options.startMs));
    this.#bySymbol = new Map(this.symbols.map((symbol) => [symbol.listing.symbol, symbol]));
    this.#ticksBetween = TICKS_PER_SECOND / options.rate;
    this.#random = new Prng(options.seed, 'schedule');
    this.#wheel = new TimerWheel(this.symbols.length);
    for (let member = 0; member < this.symbols.length; member++) {
      this.#wheel.schedule(member, 1 + this.#random.below(Math.max(1, Math.ceil(this.#ticksBetween))));
    }
    this.done = new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  /** Ticks of 10 ms that went by. */
  get tick(): number {
    return this.#tick;
  }

  nowMs(): number {
    return this.#originMs + Math.floor((Date.now() - this.#originMs) * this.#clockSpeed);
  }

  find(symbol: string): SyntheticSymbol | undefined {
    return this.#bySymbol.get(symbol);
  }

  accepts(channel: MexcChannel): boolean {
    switch (channel.kind) {
      case 'rawDeals':
      case 'increaseDepth':
      case 'increaseDepthBatch':
        return false;
      case 'miniTickers':
        return true;
      default:
        return this.#bySymbol.has(channel.symbol);
    }
  }

  opened(topic: Topic): void {
    const stream = this.#streamOf(topic);
    if (stream === undefined) return;
    this.#streams.set(topic, stream);
    this.#phasesOf(stream.period)[this.#phaseOf(topic, stream.period)]!.push(stream);
  }

  closed(topic: Topic): void {
    const stream = this.#streams.get(topic);
    if (stream === undefined) return;
    this.#streams.delete(topic);
    stream.close();
    const streams = this.#phasesOf(stream.period)[this.#phaseOf(topic, stream.period)]!;
    streams.splice(streams.indexOf(stream), 1);
  }

  depthAnswered(): void {}

  tradesAnswered(): void {}

  keepHistory(symbol: string | null): void {
    for (const one of this.symbols) {
      if (symbol === null || one.listing.symbol === symbol) one.keepHistory();
    }
  }

  digests(): DigestLog {
    if (this.#digests === undefined) {
      this.#digests = new DigestLog();
      for (const symbol of this.symbols) symbol.keepDigests(this.#digests);
    }
    return this.#digests;
  }

  start(): void {
    this.#startedMs = Date.now() - this.#tick * TICK_MS;
    this.#timer = setInterval(() => this.#catchUp(), TICK_MS);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#finish();
  }

  /** One tick of the market at `nowMs`: changes, then the pushes that are due. */
  advance(nowMs: number): void {
    const tick = ++this.#tick;
    for (const member of this.#wheel.take(tick)) {
      this.symbols[member]!.burst(nowMs);
      const wait = (0.5 + this.#random.next()) * this.#ticksBetween;
      this.#wheel.schedule(member, tick + Math.max(1, Math.round(wait)));
    }
    for (const [period, phases] of this.#phases) {
      for (const stream of phases[tick % period]!) this.#push(stream, nowMs);
    }
  }

  #catchUp(): void {
    const realMs = Date.now();
    const nowMs = this.nowMs();
    const goal = Math.floor((realMs - this.#startedMs) / TICK_MS);
    if (goal - this.#tick > CATCH_UP_TICKS_MAX) this.#startedMs = realMs - (this.#tick + CATCH_UP_TICKS_MAX) * TICK_MS;
    for (let ticks = Math.min(goal - this.#tick, CATCH_UP_TICKS_MAX); ticks > 0; ticks--) this.advance(nowMs);
    this.#hub.flush(nowMs);
  }

  #push(stream: SyntheticStream, nowMs: number): void {
    const stall = this.#hub.stalled(stream.topic.symbol);
    // What changes meanwhile is gathered by the stream itself.
    if (stall === 'merge') return;
    const payload = stream.next(nowMs);
    if (payload !== undefined && stall === undefined) this.#hub.publish(stream.topic, payload);
  }

  #phasesOf(period: number): SyntheticStream[][] {
    let phases = this.#phases.get(period);
    if (phases === undefined) {
      phases = Array.from({ length: period }, () => []);
      this.#phases.set(period, phases);
    }
    return phases;
  }

  #phaseOf(topic: Topic, period: number): number {
    // All channels of a symbol with one cadence fall on the same tick, so that their versions can be compared.
    const symbol = topic.symbol === null ? undefined : this.#bySymbol.get(topic.symbol);
    return symbol === undefined ? 0 : symbol.rank % period;
  }

  #streamOf(topic: Topic): SyntheticStream | undefined {
    const { channel } = topic;
    if (channel.kind === 'miniTickers') return new MiniTickersStream(topic, this.symbols, periods.miniTicker, channel.timezone);
    const symbol = this.#bySymbol.get(channel.symbol);
    if (symbol === undefined) return undefined;
    const period = 'speed' in channel && channel.speed === '10ms' ? periods.fast : periods.usual;
    switch (channel.kind) {
      case 'depth':
        return new DepthStream(topic, symbol, period);
      case 'deals':
        return new DealsStream(topic, symbol, period);
      case 'bookTicker':
        return new BookTickerStream(topic, symbol, period);
      case 'bookTickerBatch':
        return new BookTickerBatchStream(topic, symbol, period);
      case 'limitDepth':
        return new LimitDepthStream(topic, symbol, period, channel.levels);
      case 'kline':
        return new KlineStream(topic, symbol, periods.kline, channel.interval);
      case 'miniTicker':
        return new MiniTickerStream(topic, symbol, periods.miniTicker, channel.timezone);
      default:
        return undefined;
    }
  }
}
