import { Prng } from '../../src/simulator/prng.js';
import { CodedError, ErrorCode } from '../../src/support/errors.js';
import { fairWeather, Line, type Weather } from './network.js';
import { depthAnswer, TrueBook } from './true-book.js';
import { TrueTrades } from './true-trades.js';
import type { VirtualTime } from './virtual-time.js';

/** What REST answers do for a while. */
export interface RestMood {
  /** Probability of a failure. */
  fail: number;
  /** Extra latency, ms. */
  slowMs: number;
  /** Versions an answer is behind. */
  staleVersions: number;
}

export const goodMood: Readonly<RestMood> = { fail: 0, slowMs: 0, staleVersions: 0 };

const WINDOW_MS = 100;
const SUBSCRIPTIONS_MAX = 30;
const CONNECT_MS = 30;
const REST_LATENCY_MS = 40;

export interface ExchangeOptions {
  readonly symbols: readonly string[];
  readonly seed: number;
  /** There are trades. */
  readonly trades: boolean;
  readonly time: VirtualTime;
  /** Told of throttling, as the REST client tells the budget. */
  readonly throttled: (retryAfterMs: number | null) => void;
  readonly succeeded: () => void;
  /** Called with each request. */
  readonly asked: () => void;
  /** A snapshot of the symbol is older than its request. */
  readonly aged: (symbol: string) => void;
  /** A push of the symbol was changed on its way, in a manner nobody can notice for sure. */
  readonly corrupted: (symbol: string) => void;
  /** A push that reaches up to `version` arrived, in whatever shape; `recounts` is that of its book when it was sent. */
  readonly delivered: (symbol: string, version: number, recounts: number, isWhole: boolean) => void;
}

/** The exchange of a simulated world: true books, pushes every 100 ms, snapshots; and whatever goes wrong with them. */
export class Exchange {
  readonly books: readonly TrueBook[];
  readonly #trades: readonly TrueTrades[];
  readonly weather: Weather = { ...fairWeather };
  readonly mood: RestMood = { ...goodMood };
  /** No push of these symbols leaves; what happens meanwhile comes in one push later, or never. */
  readonly stalled = new Set<string>();
  /** Subscriptions of these symbols are refused. */
  readonly refused = new Set<string>();
  /** New connections fail. */
  closed = false;
  readonly lines = new Set<Line>();
  readonly #options: ExchangeOptions;
  readonly #random: Prng;
  readonly #pace: ReadonlyMap<string, number>;

  constructor(options: ExchangeOptions) {
    const { symbols, seed, time } = options;
    this.#options = options;
    this.#random = new Prng(seed, 'exchange');
    this.books = symbols.map((symbol) => new TrueBook(symbol, 1_000_000 + this.#random.below(1_000_000), 30, new Prng(seed, symbol)));
    this.#trades = options.trades ? symbols.map((symbol) => new TrueTrades(symbol, new Prng(seed, `trades of ${symbol}`))) : [];
    // Most pairs are quiet, a few are not.
    this.#pace = new Map(symbols.map((symbol, index) => [symbol, index % 3 === 0 ? 0.9 : 0.02 + this.#random.next() ** 3 * 0.4]));
    const turn = (): void => {
      this.#turn();
      time.after(WINDOW_MS, turn);
    };
    time.after(WINDOW_MS, turn);
  }

  book(symbol: string): TrueBook {
    return this.books.find((book) => book.symbol === symbol)!;
  }

  /** `undefined` where there are none. */
  trueTrades(symbol: string): TrueTrades | undefined {
    return this.#trades.find((trades) => trades.symbol === symbol);
  }

  /** What the feed calls instead of `new WebSocket`. */
  connect(): Line['client'] {
    const { time } = this.#options;
    const line: Line = new Line(time, this.#random, this.weather, {
      received: (from, text) => this.#received(from, text),
      gone: (gone) => void this.lines.delete(gone),
    });
    time.after(CONNECT_MS + this.#random.below(50), () => {
      if (this.closed) {
        line.client.emit('error', new Error('connection refused'));
        line.client.closed(1006);
        return;
      }
      this.lines.add(line);
      line.client.open();
    });
    return line.client;
  }

  /** What the REST client's `depth` does, on the same terms: bodies, CodedErrors, and word to the budget. */
  async depth(symbol: string, limit: number): Promise<Uint8Array> {
    const { time, asked } = this.#options;
    asked();
    const { slowMs, staleVersions, fail } = this.mood;
    const failing = this.#random.next() < fail;
    const kind = this.#random.below(4);
    const taken = this.#random.below(REST_LATENCY_MS);
    const book = this.book(symbol);
    await new Promise<void>((resolve) => time.after(taken, resolve));
    const version = book.version - (staleVersions === 0 ? 0 : this.#random.below(staleVersions));
    const edition = book.editions(version)[0] ?? book.newest;
    if (version < book.version) this.#options.aged(symbol);
    const body = depthAnswer(edition, limit, time.now);
    await new Promise<void>((resolve) =>
      time.after(1 + this.#random.below(REST_LATENCY_MS) + (slowMs > 0 ? this.#random.below(slowMs) : 0), resolve),
    );
    if (failing && kind < 2) {
      const retryAfterMs = kind === 0 ? 2_000 : null;
      this.#options.throttled(retryAfterMs);
      throw new CodedError(kind === 0 ? ErrorCode.EXCHANGE_THROTTLED : ErrorCode.EXCHANGE_FORBIDDEN, 'no more for now', { retryAfterMs });
    }
    if (failing && kind === 2) throw new CodedError(ErrorCode.EXCHANGE_TIMEOUT, 'no answer in time');
    this.#options.succeeded();
    // The body breaks off, or is something else altogether.
    return failing ? body.subarray(0, body.length >> 1) : body;
  }

  async trades(symbol: string): Promise<Uint8Array> {
    return this.#answer(this.trueTrades(symbol)?.body() ?? '[]');
  }

  async klines(): Promise<Uint8Array> {
    return this.#answer('[]');
  }

  async tickers(): Promise<Uint8Array> {
    return this.#answer('[]');
  }

  async time(): Promise<Uint8Array> {
    return this.#answer(`{"serverTime":${Math.floor(this.#options.time.now)}}`);
  }

  async #answer(body: string | Buffer): Promise<Uint8Array> {
    this.#options.asked();
    await new Promise<void>((resolve) => this.#options.time.after(1 + this.#random.below(REST_LATENCY_MS), resolve));
    this.#options.succeeded();
    return typeof body === 'string' ? Buffer.from(body) : body;
  }

  #turn(): void {
    for (const trades of this.#trades) {
      trades.happen(this.#options.time.now);
      const push = trades.push();
      const channel = `spot@public.aggre.deals.v3.api.pb@100ms@${trades.symbol}`;
      if (push !== undefined) for (const line of this.lines) if (line.channels.has(channel)) line.pushTrades(push);
    }
    for (const book of this.books) {
      if (this.#random.next() < this.#pace.get(book.symbol)!) this.#changeSoon(book);
      if (this.stalled.has(book.symbol)) continue;
      const channel = `spot@public.aggre.depth.v3.api.pb@100ms@${book.symbol}`;
      const push = book.push(this.#options.time.now, channel);
      if (push === undefined) continue;
      const { symbol, version, recounts } = book;
      const fate = {
        corrupted: () => this.#options.corrupted(symbol),
        delivered: (isWhole: boolean) => this.#options.delivered(symbol, version, recounts, isWhole),
      };
      for (const line of this.lines) if (line.channels.has(channel)) line.push(push, fate);
    }
  }

  /** Some changes now and some later in the window, so that a snapshot may fall between them. */
  #changeSoon(book: TrueBook): void {
    const { time } = this.#options;
    const few = this.#random.below(3) === 0;
    for (const delayMs of few ? [0] : [0, this.#random.below(WINDOW_MS)]) {
      const changes = few ? 1 : 1 + this.#random.below(6);
      time.after(delayMs, () => {
        for (let i = 0; i < changes; i++) book.change();
      });
    }
  }

  #received(line: Line, text: string): void {
    const { method, params = [], id = 0 } = JSON.parse(text) as { method: string; params?: string[]; id?: number };
    if (method === 'PING') return line.text(`{"id":${id},"code":0,"msg":"PONG"}`);
    const ok: string[] = [];
    const refused: string[] = [];
    for (const channel of params) {
      const symbol = channel.slice(channel.lastIndexOf('@') + 1);
      if (method === 'UNSUBSCRIPTION') {
        line.channels.delete(channel);
        ok.push(channel);
      } else if (line.accepted >= SUBSCRIPTIONS_MAX || this.refused.has(symbol)) {
        refused.push(channel);
      } else {
        line.accepted++;
        line.channels.add(channel);
        ok.push(channel);
      }
    }
    const refusal = `Not Subscribed successfully! [${refused.join(',')}].  Reason： Blocked! `;
    const msg = refused.length === 0 ? ok.join(',') : ok.length === 0 ? refusal : `Subscribed successful! [${ok.join(',')}]. ${refusal}`;
    line.text(JSON.stringify({ id, code: 0, msg }));
  }
}
