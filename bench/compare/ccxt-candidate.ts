import { setTimeout as wait } from 'node:timers/promises';
import type { Candidate, Level, ShownBook, Told } from './candidate.js';

interface CcxtBook {
  readonly bids: Iterable<Level>;
  readonly asks: Iterable<Level>;
}

/** What is used of ccxt's MEXC class; its own types are looser. */
interface CcxtMexc {
  urls: { api: Record<string, unknown> };
  markets: Record<string, unknown>;
  markets_by_id: Record<string, readonly { readonly symbol: string }[]>;
  loadHttpProxyAgent(): Promise<unknown>;
  loadMarkets(): Promise<unknown>;
  setMarkets(markets: unknown): unknown;
  watchOrderBook(symbol: string): Promise<CcxtBook>;
  close(): Promise<void>;
}

/** From a rejection to the next call. */
const RETRY_MS = 100;

/**
 * ccxt's MEXC client with its default options, used as its manual says: `watchOrderBook` in a loop, called again after it threw. Each call of
 * `follow` makes an instance of its own, so that what happens to one connection stays there.
 */
export class CcxtCandidate implements Candidate {
  readonly name = 'ccxt';
  readonly told: Told[] = [];
  readonly #wsUrl: string;
  readonly #restUrl: string;
  readonly #instances: CcxtMexc[] = [];
  /** By the exchange's symbol: what `watchOrderBook` gave last; nothing from a rejection until then. */
  readonly #books = new Map<string, CcxtBook>();
  #closed = false;

  constructor(wsUrl: string, restUrl: string) {
    this.#wsUrl = wsUrl;
    this.#restUrl = restUrl;
  }

  async follow(symbols: readonly string[]): Promise<void> {
    const exchange = await this.#create();
    for (const id of symbols) void this.#watch(exchange, id, exchange.markets_by_id[id]![0]!.symbol);
  }

  shown(symbol: string): ShownBook | undefined {
    return this.#books.get(symbol);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#instances.map((exchange) => exchange.close()));
  }

  async #create(): Promise<CcxtMexc> {
    // The package takes seconds to load.
    const { default: ccxt } = (await import('ccxt')) as unknown as { default: { pro: { mexc: new (options: object) => CcxtMexc } } };
    const exchange = new ccxt.pro.mexc({ options: { defaultType: 'spot' } });
    // Every address of the class, so that nothing can reach for the internet.
    const rest = this.#restUrl;
    const futures = `${rest}/api/v1/contract`;
    exchange.urls.api = {
      spot: { public: rest, private: rest },
      spot2: { public: rest, private: rest },
      contract: { public: futures, private: futures },
      broker: { private: rest },
      ws: { spot: this.#wsUrl, swap: this.#wsUrl },
    };
    // Plain ws:// addresses need its agents loaded first.
    await exchange.loadHttpProxyAgent();
    const [first] = this.#instances;
    if (first === undefined) await exchange.loadMarkets();
    else exchange.setMarkets(first.markets);
    this.#instances.push(exchange);
    return exchange;
  }

  async #watch(exchange: CcxtMexc, id: string, symbol: string): Promise<void> {
    while (!this.#closed) {
      try {
        this.#books.set(id, await exchange.watchOrderBook(symbol));
      } catch (error) {
        this.#books.delete(id);
        if (this.#closed) return;
        this.told.push({ symbol: id, atMs: performance.now(), what: error instanceof Error ? error.constructor.name : String(error) });
        await wait(RETRY_MS);
      }
    }
  }
}
