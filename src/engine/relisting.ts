import type { RestClient } from '../mexc/rest-client.js';
import type { ListedSymbol } from '../model/symbol.js';

/** The exchange is asked at most this often, whatever it answers: the requests are needed for books. */
const RELIST_MS = 30_000;
/** Nobody is kept waiting for a turn for longer. */
const TURN_MS = 5_000;

/** Keeps the list of what the exchange trades: a pair that is not on it may have been listed since. */
export class Relisting {
  readonly #rest: Pick<RestClient, 'exchangeInfo'>;
  readonly #listed: Map<string, ListedSymbol>;
  readonly #clock: () => number;
  #askedMs: number;
  /** The newest question: an answer that failed is told again until the next one is due. */
  #asked: Promise<void> = Promise.resolve();

  /** `listed`, by name, as of now; new pairs are added to it. */
  constructor(rest: Pick<RestClient, 'exchangeInfo'>, listed: Map<string, ListedSymbol>, clock: () => number) {
    this.#rest = rest;
    this.#listed = listed;
    this.#clock = clock;
    this.#askedMs = clock();
  }

  /** Resolves once the list is no older than RELIST_MS. Throws what the exchange's answer was, see RestClient. */
  done(): Promise<void> {
    if (this.#clock() - this.#askedMs > RELIST_MS) {
      this.#askedMs = this.#clock();
      this.#asked = this.#ask();
    }
    return this.#asked;
  }

  async #ask(): Promise<void> {
    // The answer has no turnovers: those known stay.
    for (const symbol of await this.#rest.exchangeInfo(TURN_MS)) {
      this.#listed.set(symbol.symbol, { ...symbol, turnover: this.#listed.get(symbol.symbol)?.turnover ?? null });
    }
  }
}
