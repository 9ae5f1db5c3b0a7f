import type { MarketData } from '../model/market-data.js';
import type { TrackedSymbol } from '../model/symbol.js';
import { Problem } from './problem.js';

/** Searches for a similar name over all clients in a second: each one compares with every tracked symbol, some 3 ms for 2,000. */
const SUGGESTIONS_PER_SECOND = 20;
/** Longer names are not searched for: the cost grows with the length, and no symbol is that long. */
const SUGGESTION_LENGTH_MAX = 24;

/** The name in the exchange's spelling: ASCII letters in upper case, everything else as it is. */
export function canonicalSymbol(text: string): string {
  return text.replace(/[a-z]+/g, (letters) => letters.toUpperCase());
}

/** Finds tracked symbols by what clients call them. */
export class SymbolDirectory {
  readonly #market: MarketData;
  readonly #symbolLength: number;
  readonly #now: () => number;
  #second = 0;
  #suggestions = 0;

  constructor(market: MarketData, symbolLength: number, now: () => number) {
    this.#market = market;
    this.#symbolLength = symbolLength;
    this.#now = now;
  }

  find(text: string): TrackedSymbol | undefined {
    return this.#market.find(text) ?? this.#market.find(canonicalSymbol(text));
  }

  /** Throws SYMBOL_NOT_TRACKED (404) with the nearest name. */
  require(text: string): TrackedSymbol {
    const found = this.find(text);
    if (found !== undefined) return found;
    throw this.notTracked(text);
  }

  notTracked(text: string): Problem {
    const nearest = this.nearest(text);
    const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`;
    const extra = nearest === undefined ? { symbol: this.shorten(text) } : { symbol: this.shorten(text), nearest };
    return new Problem('SYMBOL_NOT_TRACKED', `${this.shorten(text)} is not tracked${hint}`, extra);
  }

  /** The most similar tracked name; `undefined` when there is none, or when too many were asked for in this second. */
  nearest(text: string): string | undefined {
    if (text.length === 0 || text.length > SUGGESTION_LENGTH_MAX) return undefined;
    const second = Math.floor(this.#now() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#suggestions = 0;
    }
    if (++this.#suggestions > SUGGESTIONS_PER_SECOND) return undefined;
    return this.#market.nearest(canonicalSymbol(text));
  }

  /** A name fit for an answer, whatever its length was. Half a pair of surrogates, as a cut may leave it, cannot be sent by every protocol. */
  shorten(text: string): string {
    const short = text.length <= this.#symbolLength ? text : `${text.slice(0, this.#symbolLength)}…`;
    return short.toWellFormed();
  }
}
