import { Prng } from '../../src/simulator/prng.js';
import type { TextLevel } from '../support/model-book.js';
import { ask, askJson } from './ask.js';
import { KeptBook, type Listed, TOP_LEVELS, type Truth } from './truth.js';

interface Answer {
  readonly symbol: string;
  readonly state: string;
  readonly version: number;
  readonly bids: readonly TextLevel[];
  readonly asks: readonly TextLevel[];
}

interface Page {
  readonly books: readonly Pick<Answer, 'symbol' | 'version'>[];
  readonly failed: readonly { readonly symbol: string }[];
}

/** Books in one request for several. */
const SEVERAL = 50;
/** Requests under way; more are not asked for meanwhile. */
const UNDER_WAY_MAX = 20;

/** Asks for books of symbols at random, at a depth and whole, one and several at once, and claims what the answers say. */
export class RestAsker {
  /** Answers that the book is not live. */
  notLive = 0;
  /** Answers to ask again: the book is being changed, or its worker died in the middle of a change. */
  busy = 0;
  answers = 0;
  readonly #url: string;
  readonly #truth: Truth;
  readonly #wrong: (text: string) => void;
  readonly #random: Prng;
  readonly #listed: readonly Listed[];
  #underWay = 0;
  #asked = 0;

  constructor(url: string, truth: Truth, seed: number, wrong: (text: string) => void) {
    this.#url = url;
    this.#truth = truth;
    this.#wrong = wrong;
    this.#random = new Prng(seed, 'soak-rest');
    this.#listed = [...truth.listed.values()];
  }

  /** One request; every fourth for a whole book, every tenth for several. */
  ask(): void {
    if (this.#underWay >= UNDER_WAY_MAX) return;
    this.#underWay++;
    this.#asked++;
    const asked = this.#asked % 10 === 0 ? this.#several() : this.one(this.#any(), this.#asked % 4 === 0);
    asked.catch((error: unknown) => this.#wrong(`REST: ${String(error)}`)).finally(() => this.#underWay--);
  }

  /** False when it is not live. */
  async one(listed: Listed, whole: boolean): Promise<boolean> {
    const path = `/orderbook/${encodeURIComponent(listed.symbol)}?depth=${whole ? 'full' : TOP_LEVELS}`;
    const { ok, status, text } = await ask(this.#url + path);
    this.answers++;
    if (status === 503 && text.includes('"BOOK_NOT_LIVE"')) {
      this.notLive++;
      return false;
    }
    if (status === 503 && text.includes('"BOOK_BUSY"')) {
      this.busy++;
      return false;
    }
    if (!ok) {
      this.#wrong(`REST ${path}: ${status} ${text.slice(0, 200)}`);
      return false;
    }
    this.#claim(JSON.parse(text) as Answer, listed, whole, whole ? 'REST, whole book' : 'REST, best 20');
    return true;
  }

  /** Symbols whose book is not live now. */
  async missing(): Promise<readonly string[]> {
    return (await this.#pages()).flatMap(({ failed }) => failed.map(({ symbol }) => symbol));
  }

  /** The exchange's version of every book that is live now. */
  async versions(): Promise<ReadonlyMap<string, number>> {
    return new Map((await this.#pages()).flatMap(({ books }) => books.map(({ symbol, version }) => [symbol, version] as const)));
  }

  async #pages(): Promise<readonly Page[]> {
    const pages: Page[] = [];
    for (let from = 0; from < this.#listed.length; from += SEVERAL) {
      const symbols = this.#listed.slice(from, from + SEVERAL).map(({ symbol }) => symbol);
      pages.push(await askJson<Page>(`${this.#url}/orderbooks?symbols=${symbols.join(',')}&depth=1`));
    }
    return pages;
  }

  async #several(): Promise<void> {
    const symbols = new Set(Array.from({ length: SEVERAL }, () => this.#any().symbol));
    const { books, failed } = await askJson<{ books: readonly Answer[]; failed: readonly { code: string }[] }>(
      `${this.#url}/orderbooks?symbols=${[...symbols].join(',')}&depth=${TOP_LEVELS}`,
    );
    this.answers += books.length + failed.length;
    for (const { code } of failed) {
      if (code === 'BOOK_NOT_LIVE') this.notLive++;
      else if (code === 'BOOK_BUSY') this.busy++;
      else this.#wrong(`REST, several books: ${code}`);
    }
    for (const book of books) this.#claim(book, this.#truth.listed.get(book.symbol)!, false, 'REST, several books');
  }

  #claim({ symbol, state, version, bids, asks }: Answer, listed: Listed, whole: boolean, what: string): void {
    if (symbol !== listed.symbol || state !== 'live') this.#wrong(`${what}: ${symbol} ${state} as an answer about ${listed.symbol}`);
    const book = new KeptBook(listed);
    book.set(bids, asks);
    this.#truth.claim(listed, version, whole, book.digest, what);
  }

  #any(): Listed {
    return this.#listed[this.#random.below(this.#listed.length)]!;
  }
}
