import type { MexcChannel } from '../mexc/channels.js';
import type { ListedSymbol } from '../model/symbol.js';
import type { Candle } from './candle.js';
import type { DigestLog } from './digest-log.js';
import type { Topic } from './stream-hub.js';
import type { TickBook } from './tick-book.js';
import type { TradeLog } from './trade-log.js';

/** What both markets, the synthetic and the recorded one, tell the REST and stream servers. */
export interface Market {
  readonly symbols: readonly MarketSymbol[];
  /** The exchange's clock, Unix ms. */
  nowMs(): number;
  find(symbol: string): MarketSymbol | undefined;
  /** False: the subscription is answered with `Blocked!`. */
  accepts(channel: MexcChannel): boolean;
  /** The topic has its first subscriber. */
  opened(topic: Topic): void;
  /** The topic lost its last subscriber. */
  closed(topic: Topic): void;
  /** A depth request of the symbol was answered. */
  depthAnswered(symbol: string): void;
  /** A request for the symbol's last trades was answered. */
  tradesAnswered(symbol: string): void;
  /** For `bookBefore` of a symbol (`null` = all) to go back from now on. */
  keepHistory(symbol: string | null): void;
  /** The digests of all books from the first call on; `undefined` where the true books are not known at every version. */
  digests(): DigestLog | undefined;
  start(): void;
  close(): void;
  /** When everything was played and sent; a synthetic market never ends by itself, so it is done when it is closed. */
  readonly done: Promise<void>;
}

export interface MarketSymbol {
  readonly listing: ListedSymbol;
  /** The true book at this moment, not to be changed; `undefined` when a recording never tells it. */
  book(): TickBook | undefined;
  /** A copy of the book as it was `pushes` pushes ago, or as far back as is known. */
  bookBefore(pushes: number): TickBook | undefined;
  /** Recorded text that must be the answer to a depth request at this moment, or `undefined`: then the true book is. */
  recordedDepth(limit: number): string | undefined;
  trades(): TradeLog;
  day(): DayTicker;
  /** The minutes that begin in [startMs, endMs], contiguous, oldest first; fewer where the past is not known. */
  minutes(startMs: number, endMs: number): Candle[];
}

/** 24 h figures in ticks, lots and quote units; `null` = not known. */
export interface DayTicker {
  readonly open: number | null;
  readonly high: number | null;
  readonly low: number | null;
  readonly last: number | null;
  readonly volume: number | null;
  readonly turnover: number | null;
}
