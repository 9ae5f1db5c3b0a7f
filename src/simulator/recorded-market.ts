import type { Logger } from 'pino';
import { depthChannel, formatChannel, type MexcChannel } from '../mexc/channels.js';
import type { Market } from './market.js';
import { RecordedSymbol } from './recorded-symbol.js';
import type { RecordedEvent, RecordedPush, Recording } from './recording.js';
import type { StreamHub, Topic } from './stream-hub.js';

/** Events between two looks at the sockets during playback at top speed. */
const BATCH_EVENTS = 256;
/** Longest wait for the next event before the clock is looked at again. */
const WAIT_MS_MAX = 1_000;

export interface PlaybackOptions {
  /** Times as fast as it was recorded; `max` = as fast as the sockets take it. */
  readonly speed: number | 'max';
  /** Play only once the depth of every symbol is subscribed to, and let each symbol's client take its snapshot where it was recorded. */
  readonly waitForClient: boolean;
  /** Play only once the trades of every symbol that has some are subscribed to and were asked for by REST. */
  readonly waitForTrades: boolean;
}

/**
 * Plays a recording. Pushes go out on the channel they were recorded on, in the recorded order. With `waitForClient` the whole playback stops
 * where a snapshot was recorded until a depth request of that symbol, made while its depth channel was subscribed to, has been answered; without
 * it a client may come too late for the recorded snapshot and gets the true book of that moment. There is no time limit to that wait.
 */
export class RecordedMarket implements Market {
  readonly symbols: readonly RecordedSymbol[];
  readonly done: Promise<void>;
  readonly #recording: Recording;
  readonly #bySymbol: ReadonlyMap<string, RecordedSymbol>;
  /** Channels without their symbol, e.g. `depth` at `100ms`. */
  readonly #channelShapes: ReadonlySet<string>;
  readonly #hub: StreamHub;
  readonly #options: PlaybackOptions;
  readonly #logger: Logger | undefined;
  readonly #answered = new Set<string>();
  readonly #tradesAnswered = new Set<string>();
  /** By symbol: pushes that wait for the end of a stall. */
  readonly #stalled = new Map<string | null, RecordedPush[]>();
  #played = 0;
  #closed = false;
  #wake: () => void = () => {};
  #finish: () => void = () => {};

  constructor(hub: StreamHub, recording: Recording, options: PlaybackOptions, logger?: Logger) {
    this.#hub = hub;
    this.#recording = recording;
    this.#options = options;
    this.#logger = logger;
    const events = groupBySymbol(recording.events);
    this.symbols = recording.symbols.map((symbol) => new RecordedSymbol(symbol, events.get(symbol) ?? []));
    this.#bySymbol = new Map(this.symbols.map((symbol) => [symbol.listing.symbol, symbol]));
    this.#channelShapes = new Set(
      recording.events.flatMap((event) => (event.kind === 'push' ? [shapeOf(event.channel, event.symbol)] : [])),
    );
    this.done = new Promise((resolve) => {
      this.#finish = resolve;
    });
    for (const symbol of this.symbols) this.#report(symbol);
  }

  /** Events played, and events there are. */
  get progress(): { readonly played: number; readonly total: number } {
    return { played: this.#played, total: this.#recording.events.length };
  }

  nowMs(): number {
    return Date.now();
  }

  find(symbol: string): RecordedSymbol | undefined {
    return this.#bySymbol.get(symbol);
  }

  /** What was recorded of any symbol can be subscribed to for every symbol; nothing else can. */
  accepts(channel: MexcChannel): boolean {
    if (!('symbol' in channel)) return this.#channelShapes.has(formatChannel(channel));
    return this.#bySymbol.has(channel.symbol) && this.#channelShapes.has(shapeOf(formatChannel(channel), channel.symbol));
  }

  opened(_topic: Topic): void {
    this.#wake();
  }

  closed(_topic: Topic): void {}

  /** A depth request of the symbol was answered. */
  depthAnswered(symbol: string): void {
    // Somebody who only looks must not let the playback run away from the client it waits for.
    if (this.#hub.topic(depthChannel(symbol, '100ms')) === undefined) return;
    this.#answered.add(symbol);
    this.#wake();
  }

  tradesAnswered(symbol: string): void {
    if (!this.#areTradesSubscribed(symbol)) return;
    this.#tradesAnswered.add(symbol);
    this.#wake();
  }

  /** A recording remembers everything anyway. */
  digests(): undefined {
    return undefined;
  }

  keepHistory(): void {}

  start(): void {
    void this.#play().then(this.#finish, (error: unknown) => {
      this.#logger?.error({ err: error }, 'playback failed');
      this.#finish();
    });
  }

  close(): void {
    this.#closed = true;
    this.#wake();
    this.#finish();
  }

  async #play(): Promise<void> {
    const { waitForClient, waitForTrades } = this.#options;
    if (waitForClient) await this.#until(() => this.symbols.every(({ listing }) => this.#isSubscribed(listing.symbol)));
    if (waitForTrades)
      await this.#until(() => this.symbols.every((symbol) => !symbol.hasTrades || this.#tradesAnswered.has(symbol.listing.symbol)));
    this.#logger?.info(
      { symbols: this.symbols.length, events: this.#recording.events.length, speed: this.#options.speed },
      'playback begins',
    );
    const { speed } = this.#options;
    let originMs = Date.now();
    for (const [index, event] of this.#recording.events.entries()) {
      if (this.#closed) return;
      if (event.kind === 'snapshot' && this.#mustHold(event.symbol)) {
        this.#flush();
        const heldMs = Date.now();
        await this.#until(() => !this.#mustHold(event.symbol));
        originMs += Date.now() - heldMs;
      }
      if (speed === 'max') {
        if (index % BATCH_EVENTS === BATCH_EVENTS - 1) await this.#breathe();
      } else await this.#untilTime(originMs + event.timeMs / speed);
      this.#playEvent(event);
    }
    while (this.#stalled.size > 0 && !this.#closed) {
      await this.#untilTime(Date.now() + 10);
      this.#releaseStalled();
    }
    this.#flush();
    await this.#hub.drained();
    this.#logger?.info({ events: this.#played }, 'playback ended');
  }

  #playEvent(event: RecordedEvent): void {
    this.#played++;
    if (this.#stalled.size > 0) this.#releaseStalled();
    if (event.kind === 'snapshot') {
      this.#bySymbol.get(event.symbol)?.passSnapshot();
      return;
    }
    if (event.symbol !== null) this.#bySymbol.get(event.symbol)?.played(event);
    this.#publish(event);
  }

  #publish(push: RecordedPush): void {
    const topic = this.#hub.topic(push.channel);
    if (topic === undefined) return;
    const stall = this.#hub.stalled(push.symbol);
    if (stall === undefined) this.#hub.publishFrame(topic, push.frame);
    else if (stall === 'merge') {
      const waiting = this.#stalled.get(push.symbol);
      if (waiting === undefined) this.#stalled.set(push.symbol, [push]);
      else waiting.push(push);
    }
  }

  /** Sends what a stall kept back, in order, for symbols whose stall is over. */
  #releaseStalled(): void {
    for (const [symbol, pushes] of this.#stalled) {
      if (this.#hub.stalled(symbol) === 'merge') continue;
      this.#stalled.delete(symbol);
      for (const push of pushes) this.#publish(push);
    }
  }

  #mustHold(symbol: string): boolean {
    return this.#options.waitForClient && !this.#closed && !this.#answered.has(symbol);
  }

  #isSubscribed(symbol: string): boolean {
    return this.#hub.topic(depthChannel(symbol, '100ms')) !== undefined;
  }

  #areTradesSubscribed(symbol: string): boolean {
    return this.#hub.topic(formatChannel({ kind: 'deals', symbol, speed: '100ms' })) !== undefined;
  }

  #flush(): void {
    this.#hub.flush(Date.now(), false);
  }

  /** Writes, waits while a client is behind, and lets requests be answered. */
  async #breathe(): Promise<void> {
    this.#flush();
    await this.#hub.congestion();
    await new Promise((resolve) => setImmediate(resolve));
  }

  async #untilTime(timeMs: number): Promise<void> {
    for (let waitMs = timeMs - Date.now(); waitMs > 0 && !this.#closed; waitMs = timeMs - Date.now()) {
      this.#flush();
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(waitMs, WAIT_MS_MAX));
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#wake = () => {};
    }
  }

  /** Resolves when the condition holds; it is looked at after every subscription and every depth answer. */
  async #until(condition: () => boolean): Promise<void> {
    while (!this.#closed && !condition()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#wake = () => {};
  }

  #report(symbol: RecordedSymbol): void {
    const { symbol: name } = symbol.listing;
    if (!symbol.hasSnapshot) this.#logger?.warn({ symbol: name }, 'no snapshot recorded: its depth requests will fail');
    if (symbol.gaps > 0)
      this.#logger?.warn({ symbol: name, gaps: symbol.gaps }, 'the recorded depth pushes have gaps: the book behind them is not exact');
  }
}

function groupBySymbol(events: readonly RecordedEvent[]): ReadonlyMap<string, readonly RecordedEvent[]> {
  const groups = new Map<string, RecordedEvent[]>();
  for (const event of events) {
    if (event.symbol === null) continue;
    const group = groups.get(event.symbol);
    if (group === undefined) groups.set(event.symbol, [event]);
    else group.push(event);
  }
  return groups;
}

/** A channel's name without its symbol. */
function shapeOf(channel: string, symbol: string | null): string {
  return symbol === null
    ? channel
    : channel
        .split('@')
        .filter((part) => part !== symbol)
        .join('@');
}
