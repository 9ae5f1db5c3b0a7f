import type { BookCopy } from '../../src/model/book-copy.js';
import { BookState, bookStateNames } from '../../src/model/book-state.js';
import type { EngineStatus, MarketData, SymbolStatus } from '../../src/model/market-data.js';
import type { TrackedSymbol } from '../../src/model/symbol.js';

export interface FakeBook {
  readonly symbol: string;
  readonly turnover: number | null;
  state: BookState;
  seq: number;
  bid: number | null;
  ask: number | null;
  /** Whether the writer is always faster than the reader. */
  torn?: boolean;
}

export function fakeBook(symbol: string, fields: Partial<FakeBook> = {}): FakeBook {
  return { symbol, turnover: null, state: BookState.LIVE, seq: 1, bid: 100, ask: 102, ...fields };
}

/** A market of a few books that a test changes by hand; prices have two decimals. */
export function fakeMarket(books: readonly FakeBook[], ratePerSecond = 8, pausedUntil: number | null = null): MarketData {
  const symbols = books.map(({ symbol, turnover }, id) => ({ symbol, turnover, id, priceScale: 2 }) as TrackedSymbol);
  const count = (state: BookState): number => books.filter((book) => book.state === state).length;
  return {
    instance: 'fake',
    source: { venue: 'mexc', simulated: true, wsUrl: 'ws://127.0.0.1:1/ws', restUrl: 'http://127.0.0.1:1' },
    tracked: () => symbols,
    find: (name) => symbols.find((symbol) => symbol.symbol === name),
    nearest: () => undefined,
    candles: () => Promise.reject(new Error('not part of this')),
    readBook: ({ id }, _depth, copy) => readBook(books[id]!, copy),
    readTicker: () => undefined,
    readTrades: () => undefined,
    track: () => Promise.reject(new Error('not part of this')),
    untrack: () => false,
    symbolStatus: ({ id }) => ({ state: bookStateNames[books[id]!.state] }) as SymbolStatus,
    auditEveryMs: null,
    reach: () => ({ bid: null, ask: null }),
    audits: () => {
      throw new Error('not part of this');
    },
    meters: () => {
      throw new Error('not part of this');
    },
    status: () =>
      ({
        books: { tracked: books.length, live: count(BookState.LIVE), syncing: count(BookState.SYNCING), stale: 0, suspect: 0 },
        snapshots: { waiting: 0, inFlight: 0, ratePerSecond, pausedUntil },
        counters: { framesApplied: 0 },
      }) as unknown as EngineStatus,
  };
}

function readBook(book: FakeBook, copy: BookCopy): boolean {
  if (book.torn === true) return false;
  copy.state = book.state;
  copy.seq = book.seq;
  copy.priceScale = 2;
  copy.bidCount = book.bid === null ? 0 : 1;
  copy.askCount = book.ask === null ? 0 : 1;
  copy.bidTicks[0] = book.bid ?? 0;
  copy.askTicks[0] = book.ask ?? 0;
  return true;
}
