import { ASK_DIRECTION, BID_DIRECTION } from '../book/order-books.js';
import { provenLevels } from '../book/proof.js';
import { type BookCopy, createBookCopy } from '../model/book-copy.js';
import { BookState, bookStateNames, stateReasonNames } from '../model/book-state.js';
import type { MarketData } from '../model/market-data.js';
import type { TrackedSymbol } from '../model/symbol.js';
import type { Ticker } from '../model/ticker.js';
import { matchesEtag } from './etag.js';
import { JsonBytes, type NumberStyle } from './json-bytes.js';
import { LevelCache } from './level-cache.js';
import { Problem } from './problem.js';
import { BUSY, readInTurns } from './read-in-turns.js';

export interface BookRequest {
  /** Levels a side; 0 = all. */
  readonly depth: number;
  readonly numbers: NumberStyle;
  readonly allowStale: boolean;
}

export interface BookAnswer {
  readonly etag: string;
  /** The JSON document; `null` = the client has it already. */
  readonly body: string | null;
}

const INITIAL_CAPACITY = 512;
/** What comes of a read instead of an answer when the book is not in a state to be shown. */
const NOT_USABLE = 'not-usable';

/** Reads books from shared memory and encodes them as answers. Main thread only. */
export class BookAnswers {
  readonly #market: MarketData;
  readonly #now: () => number;
  readonly #cache: LevelCache;
  readonly #copy: BookCopy = createBookCopy(INITIAL_CAPACITY);
  readonly #json = new JsonBytes(64 * 1024);

  constructor(market: MarketData, levelCacheBytes: number, now: () => number) {
    this.#market = market;
    this.#now = now;
    this.#cache = new LevelCache(levelCacheBytes);
  }

  /** One book as `{symbol, state, epoch, …, bids, asks}`. Throws BOOK_NOT_LIVE, BOOK_BUSY. */
  book(symbol: TrackedSymbol, request: BookRequest, ifNoneMatch?: string): Promise<BookAnswer> {
    return readInTurns(symbol, 'book', () => {
      const answer = this.#attempt(symbol, request, ifNoneMatch);
      if (answer === NOT_USABLE) throw this.#notLive(symbol, this.#copy);
      return answer;
    });
  }

  /** The same at once; `undefined` when the book is being written or is not in a state to be shown. */
  tryBook(symbol: TrackedSymbol, request: BookRequest, ifNoneMatch?: string): BookAnswer | undefined {
    const answer = this.#attempt(symbol, request, ifNoneMatch);
    return answer === NOT_USABLE || answer === BUSY ? undefined : answer;
  }

  /** Appends `{symbol, state, epoch, …, bid, ask}` to `json`. Throws BOOK_BUSY. */
  async bbo(symbol: TrackedSymbol, request: BookRequest, json: JsonBytes): Promise<void> {
    await this.#read(symbol, 1, (copy) => {
      const usable = isUsable(copy, request.allowStale);
      json.raw(this.#head(symbol, copy)).raw('"bid":');
      if (usable && copy.bidCount > 0) {
        json.level(copy.bidTicks[0]!, copy.priceScale, copy.bidLots[0]!, copy.quantityScale, request.numbers);
      } else json.raw('null');
      json.raw(',"ask":');
      if (usable && copy.askCount > 0) {
        json.level(copy.askTicks[0]!, copy.priceScale, copy.askLots[0]!, copy.quantityScale, request.numbers);
      } else json.raw('null');
      json.raw('}');
    });
  }

  /**
   * Calls `use` with a consistent copy of the top `depth` levels (0 = all) and the envelope that belongs to it, open at its end:
   * `{"symbol":…,"tp":…,`. Throws BOOK_NOT_LIVE, BOOK_BUSY.
   */
  look<T>(symbol: TrackedSymbol, depth: number, allowStale: boolean, use: (copy: Readonly<BookCopy>, head: string) => T): Promise<T> {
    return this.copy(symbol, depth, allowStale, (copy) => use(copy, this.#head(symbol, copy)));
  }

  /** The same without the envelope. */
  copy<T>(symbol: TrackedSymbol, depth: number, allowStale: boolean, use: (copy: Readonly<BookCopy>) => T): Promise<T> {
    return this.#read(symbol, depth, (copy) => {
      if (!isUsable(copy, allowStale)) throw this.#notLive(symbol, copy);
      return use(copy);
    });
  }

  /** `{symbol, state, …, tp}` of the book, whatever its state, and the figures of the ticker, bid and ask from that book. Throws BOOK_BUSY. */
  ticker(symbol: TrackedSymbol, numbers: NumberStyle): Promise<string> {
    return this.tickerOf(symbol, (copy, ticker) => {
      const { symbol: _, ...figures } = ticker;
      const text = JSON.stringify(figures, numbers === 'float' ? nearestDouble : undefined);
      return this.#head(symbol, copy) + text.slice(1);
    });
  }

  /** Calls `use` with the best levels of the book, whatever its state, and the ticker whose bid and ask they are. Throws BOOK_BUSY. */
  tickerOf<T>(symbol: TrackedSymbol, use: (copy: Readonly<BookCopy>, ticker: Ticker) => T): Promise<T> {
    return readInTurns(symbol, 'ticker', () => {
      if (!this.#market.readBook(symbol, 1, this.#copy)) return BUSY;
      const ticker = this.#market.readTicker(symbol, this.#copy);
      return ticker === undefined ? BUSY : use(this.#copy, ticker);
    });
  }

  /** One read, or two: the best level is enough to learn the version, and that may be all that is needed. */
  #attempt(symbol: TrackedSymbol, request: BookRequest, ifNoneMatch?: string): BookAnswer | typeof BUSY | typeof NOT_USABLE {
    const copy = this.#copy;
    const key = `${symbol.symbol} ${request.depth} ${request.numbers}`;
    if (ifNoneMatch !== undefined || this.#cache.has(key)) {
      if (!this.#market.readBook(symbol, 1, copy)) return BUSY;
      if (!isUsable(copy, request.allowStale)) return NOT_USABLE;
      const etag = this.#etag(copy, request);
      if (matchesEtag(ifNoneMatch, etag)) return { etag, body: null };
      const levels = this.#cache.get(key, symbol, copy);
      if (levels !== undefined) return { etag, body: this.#head(symbol, copy) + levels };
    }
    if (!this.#market.readBook(symbol, request.depth, copy)) return BUSY;
    if (!isUsable(copy, request.allowStale)) return NOT_USABLE;
    const levels = this.#encodeLevels(copy, request.numbers);
    this.#cache.put(key, symbol, copy, levels);
    return { etag: this.#etag(copy, request), body: this.#head(symbol, copy) + levels };
  }

  /**
   * Calls `use` with a consistent copy. The copy is shared by all requests, so `use` must be done with it when it returns.
   * Throws BOOK_BUSY when the writer was faster every time.
   */
  #read<T>(symbol: TrackedSymbol, depth: number, use: (copy: BookCopy) => T): Promise<T> {
    return readInTurns(symbol, 'book', () => (this.#market.readBook(symbol, depth, this.#copy) ? use(this.#copy) : BUSY));
  }

  #notLive(symbol: TrackedSymbol, copy: BookCopy): Problem {
    const state = bookStateNames[copy.state];
    const reason = stateReasonNames[copy.reason];
    const ageMs = this.#ageMs(copy);
    const hint = copy.receiveTimeMs > 0 ? '; allowStale=true gives it as it is' : '';
    return new Problem('BOOK_NOT_LIVE', `the book of ${symbol.symbol} is ${state} (${reason})${hint}`, {
      symbol: symbol.symbol,
      state,
      reason,
      ageMs,
      epoch: copy.epoch,
      seq: copy.seq,
    });
  }

  /**
   * Tells versions of the content apart: by the levels, and by the ticks up to which they are proven, which an audit moves without a level; how many
   * levels that is would take reading them all. The state is part of it when it is not `live`, for it can change without the content.
   */
  #etag(copy: BookCopy, request: BookRequest): string {
    const depth = request.depth === 0 ? 'full' : request.depth;
    const state = copy.state === BookState.LIVE ? '' : `-${bookStateNames[copy.state]}`;
    const proof = `${copy.provenBids}-${copy.provenAsks}`;
    return `"${this.#market.instance}-${copy.epoch}-${copy.seq}-${depth}-${request.numbers}-${proof}${state}"`;
  }

  #encodeLevels(copy: BookCopy, style: NumberStyle): string {
    const { priceScale, quantityScale } = copy;
    const provenBids = provenLevels(copy.bidTicks, copy.bidCount, BID_DIRECTION, copy.provenBids);
    const provenAsks = provenLevels(copy.askTicks, copy.askCount, ASK_DIRECTION, copy.provenAsks);
    return this.#json
      .raw(`"verifiedDepth":{"bids":${provenBids},"asks":${provenAsks}},`)
      .raw('"bids":')
      .levels(copy.bidTicks, priceScale, copy.bidLots, quantityScale, copy.bidCount, style)
      .raw(',"asks":')
      .levels(copy.askTicks, priceScale, copy.askLots, quantityScale, copy.askCount, style)
      .raw('}')
      .take();
  }

  /** The envelope, open at its end: `{"symbol":…,"tp":…,`. Times are whole ms; what is not known is null. */
  #head(symbol: TrackedSymbol, copy: BookCopy): string {
    const te = Number.isNaN(copy.exchangeTimeMs) ? null : Math.trunc(copy.exchangeTimeMs);
    const version = copy.receiveTimeMs > 0 ? copy.version : null;
    const tr = copy.receiveTimeMs > 0 ? Math.trunc(copy.receiveTimeMs) : null;
    return (
      `{"symbol":${JSON.stringify(symbol.symbol)},"state":"${bookStateNames[copy.state]}","epoch":${copy.epoch},"seq":${copy.seq},` +
      `"version":${version},"ageMs":${this.#ageMs(copy)},"te":${te},"tr":${tr},"tp":${Math.trunc(this.#now())},`
    );
  }

  #ageMs(copy: BookCopy): number | null {
    return copy.receiveTimeMs > 0 ? Math.max(0, Math.round(this.#now() - copy.receiveTimeMs)) : null;
  }
}

/** Of a ticker, whose texts are all decimal. */
function nearestDouble(_key: string, value: unknown): unknown {
  return typeof value === 'string' ? Number(value) : value;
}

function isUsable(copy: BookCopy, allowStale: boolean): boolean {
  return copy.state === BookState.LIVE || (allowStale && copy.receiveTimeMs > 0);
}
