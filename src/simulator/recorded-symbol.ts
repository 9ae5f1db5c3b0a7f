import type { ListedSymbol } from '../model/symbol.js';
import { CodedError, ErrorCode } from '../support/errors.js';
import { type Candle, MINUTE_MS } from './candle.js';
import { decimalsOf, parseUnits } from './decimal-text.js';
import type { DayTicker, MarketSymbol } from './market.js';
import { decodePush, type PushLevel, type PushMessage } from './push-codec.js';
import { framePayload } from './push-frame.js';
import type { RecordedEvent, RecordedPush } from './recording.js';
import { TickBook, type TickSide } from './tick-book.js';
import { TradeLog } from './trade-log.js';

/** The body of a `/api/v3/depth` answer, as far as it is used. */
interface DepthAnswer {
  readonly lastUpdateId: number;
  readonly bids: readonly (readonly [string, string])[];
  readonly asks: readonly (readonly [string, string])[];
}

/** Coins a recorded pair may be quoted in, to split its name; the longest match wins. */
const quoteCoins = ['FDUSD', 'USDT', 'USDC', 'BUSD', 'TUSD', 'USD', 'BTC', 'ETH', 'BNB', 'EUR', 'TRY', 'BRL', 'AUD', 'GBP'];
const TRADES_MAX = 1_000;

/**
 * One symbol of a recording. Its true book at a moment of the playback is the recorded snapshot with every depth push played so far;
 * it is worked out when somebody asks, since decoding would slow playback down.
 */
export class RecordedSymbol implements MarketSymbol {
  readonly listing: ListedSymbol;
  readonly #snapshots: readonly string[];
  readonly #depth: readonly RecordedPush[];
  readonly #deals: readonly RecordedPush[];
  readonly #trades: TradeLog;
  #depthPlayed = 0;
  #dealsPlayed = 0;
  #depthApplied = 0;
  #dealsApplied = 0;
  #book: TickBook | undefined;
  /** The playback has passed the place where the snapshot was recorded. */
  #snapshotPassed = false;

  /** `events`: all of this symbol, in order. */
  constructor(symbol: string, events: readonly RecordedEvent[]) {
    const pushes = events.filter((event): event is RecordedPush => event.kind === 'push');
    this.#snapshots = events.flatMap((event) => (event.kind === 'snapshot' ? [event.raw] : []));
    this.#depth = pushes.filter((push) => push.versions !== null);
    this.#deals = pushes.filter((push) => isDeals(push.channel));
    this.listing = this.#measure(symbol);
    this.#trades = new TradeLog(TRADES_MAX, 10 ** -(this.listing.priceScale + this.listing.quantityScale));
  }

  get hasSnapshot(): boolean {
    return this.#snapshots.length > 0;
  }

  get hasTrades(): boolean {
    return this.#deals.length > 0;
  }

  /** Places where a depth push does not follow the one before it. */
  get gaps(): number {
    return this.#depth.filter((push, index) => index > 0 && push.versions!.from !== this.#depth[index - 1]!.versions!.to + 1).length;
  }

  /** The playback sent this push. */
  played(push: RecordedPush): void {
    if (push.versions !== null) this.#depthPlayed++;
    else if (isDeals(push.channel)) this.#dealsPlayed++;
  }

  /** The playback came to the recorded snapshot. */
  passSnapshot(): void {
    this.#snapshotPassed = true;
  }

  /** Until the playback has passed the recorded snapshot, that is the answer, as it was recorded; the book is not ours to know yet. */
  recordedDepth(limit: number): string | undefined {
    if (this.#snapshotPassed || !this.hasSnapshot) return undefined;
    const raw = this.#snapshots[0]!;
    const answer = parseAnswer(raw);
    if (answer.bids.length <= limit && answer.asks.length <= limit) return raw;
    return JSON.stringify({ ...answer, bids: answer.bids.slice(0, limit), asks: answer.asks.slice(0, limit) });
  }

  book(): TickBook | undefined {
    if (!this.hasSnapshot) return undefined;
    this.#book ??= this.#snapshotBook();
    for (; this.#depthApplied < this.#depthPlayed; this.#depthApplied++) this.#apply(this.#book, this.#depth[this.#depthApplied]!);
    return this.#book;
  }

  bookBefore(pushes: number): TickBook | undefined {
    if (!this.hasSnapshot) return undefined;
    const book = this.#snapshotBook();
    for (let i = 0; i < this.#depthPlayed - pushes; i++) this.#apply(book, this.#depth[i]!);
    return book;
  }

  trades(): TradeLog {
    for (; this.#dealsApplied < this.#dealsPlayed; this.#dealsApplied++) {
      for (const deal of dealsOf(decode(this.#deals[this.#dealsApplied]!))) {
        this.#trades.add({
          timeMs: deal.time,
          tick: parseUnits(deal.price, this.listing.priceScale),
          lots: parseUnits(deal.quantity, this.listing.quantityScale),
          buy: deal.tradeType === 1,
        });
      }
    }
    return this.#trades;
  }

  /** What the trades played so far tell; the turnover is that of the whole recording, so that pairs can be ranked from the start. */
  day(): DayTicker {
    const trades = this.trades();
    const known = trades.count > 0;
    return {
      open: trades.firstTick,
      high: known ? trades.high : null,
      low: known ? trades.low : null,
      last: trades.lastTick,
      volume: known ? trades.volume : null,
      turnover: this.listing.turnover,
    };
  }

  minutes(startMs: number, endMs: number): Candle[] {
    const trades = this.trades();
    const first = trades.firstMinuteMs;
    if (first === undefined) return [];
    return trades.minutes(Math.max(Math.ceil(startMs / MINUTE_MS) * MINUTE_MS, first), endMs, trades.firstTick!);
  }

  #snapshotBook(): TickBook {
    const answer = parseAnswer(this.#snapshots[0]!);
    const book = new TickBook();
    book.version = answer.lastUpdateId;
    this.#set(book.bids, answer.bids);
    this.#set(book.asks, answer.asks);
    return book;
  }

  #apply(book: TickBook, push: RecordedPush): void {
    if (push.versions!.to <= book.version) return;
    const body = decode(push).publicAggreDepths;
    this.#set(book.bids, pairs(body?.bids));
    this.#set(book.asks, pairs(body?.asks));
    book.version = push.versions!.to;
  }

  #set(side: TickSide, levels: readonly (readonly [string, string])[]): void {
    const { priceScale, quantityScale } = this.listing;
    // Worst first: a snapshot is then built by appending.
    for (let i = levels.length - 1; i >= 0; i--) {
      const [price, quantity] = levels[i]!;
      side.set(parseUnits(price, priceScale), parseUnits(quantity, quantityScale));
    }
  }

  /** Scales: the most decimals seen. Turnover: of all recorded trades, `null` when there are none. */
  #measure(symbol: string): ListedSymbol {
    let priceScale = 0;
    let quantityScale = 0;
    let turnover: number | null = null;
    const see = (price: string, quantity: string): void => {
      priceScale = Math.max(priceScale, decimalsOf(price));
      quantityScale = Math.max(quantityScale, decimalsOf(quantity));
    };
    for (const raw of this.#snapshots) {
      const answer = parseAnswer(raw);
      for (const [price, quantity] of [...answer.bids, ...answer.asks]) see(price, quantity);
    }
    for (const push of this.#depth) {
      const body = decode(push).publicAggreDepths;
      for (const { price, quantity } of [...(body?.bids ?? []), ...(body?.asks ?? [])]) see(price, quantity);
    }
    for (const push of this.#deals) {
      for (const { price, quantity } of dealsOf(decode(push))) {
        see(price, quantity);
        turnover = (turnover ?? 0) + Number(price) * Number(quantity);
      }
    }
    const quoteAsset = quoteCoins.find((coin) => symbol.endsWith(coin) && symbol.length > coin.length) ?? '';
    return { symbol, baseAsset: symbol.slice(0, symbol.length - quoteAsset.length), quoteAsset, priceScale, quantityScale, turnover };
  }
}

function isDeals(channel: string): boolean {
  return channel.startsWith('spot@public.aggre.deals.');
}

function decode(push: RecordedPush): PushMessage {
  return decodePush(framePayload(push.frame));
}

function dealsOf(push: PushMessage): NonNullable<NonNullable<PushMessage['publicAggreDeals']>['deals']> {
  return push.publicAggreDeals?.deals ?? [];
}

function pairs(levels: readonly PushLevel[] | undefined): (readonly [string, string])[] {
  return (levels ?? []).map(({ price, quantity }) => [price, quantity] as const);
}

function parseAnswer(raw: string): DepthAnswer {
  const answer = JSON.parse(raw) as Partial<DepthAnswer>;
  if (!Number.isSafeInteger(answer.lastUpdateId) || !Array.isArray(answer.bids) || !Array.isArray(answer.asks)) {
    throw new CodedError(ErrorCode.RECORDING_MALFORMED, 'a recorded depth answer without lastUpdateId, bids or asks');
  }
  return answer as DepthAnswer;
}
