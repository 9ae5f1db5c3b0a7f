import { rollUp, windowEnd, windowStart } from './candle.js';
import type { CandleInterval } from './candle.js';
import { decimalOfDouble, paddedDecimal, trimmedDecimal } from './decimal-text.js';
import type { MarketSymbol } from './market.js';
import type { TickBook, TickSide } from './tick-book.js';
import { type Trade, tradeIdOf } from './trade-log.js';

/** The bodies of the exchange's REST answers, with their field order and oddities. */

type LevelText = [price: string, quantity: string];

/** Decimals turnovers are rounded to. */
const TURNOVER_DECIMALS = 8;

export function exchangeInfoView(symbols: readonly MarketSymbol[], nowMs: number): unknown {
  return { timezone: 'CST', serverTime: nowMs, rateLimits: [], exchangeFilters: [], symbols: symbols.map(symbolView) };
}

function symbolView({ listing }: MarketSymbol): unknown {
  const { symbol, baseAsset, quoteAsset, priceScale, quantityScale } = listing;
  return {
    symbol,
    status: '1',
    baseAsset,
    baseAssetPrecision: quantityScale,
    quoteAsset,
    quotePrecision: priceScale,
    quoteAssetPrecision: priceScale,
    baseCommissionPrecision: quantityScale,
    quoteCommissionPrecision: priceScale,
    orderTypes: ['LIMIT', 'MARKET', 'LIMIT_MAKER'],
    isSpotTradingAllowed: true,
    isMarginTradingAllowed: false,
    quoteAmountPrecision: '1',
    baseSizePrecision: '0',
    permissions: ['SPOT'],
    filters: [{ filterType: 'PERCENT_PRICE_BY_SIDE', bidMultiplierUp: '5', askMultiplierDown: '0.2' }],
    maxQuoteAmount: '2000000',
    makerCommission: '0',
    takerCommission: '0.0005',
    quoteAmountPrecisionMarket: '1',
    maxQuoteAmountMarket: '100000',
    fullName: baseAsset,
    tradeSideType: 1,
    contractAddress: '',
    st: false,
  };
}

/** `timestamp` is undocumented and comes last. */
export function depthView(symbol: MarketSymbol, book: TickBook, limit: number, nowMs: number): unknown {
  const { priceScale, quantityScale } = symbol.listing;
  const levels = (side: TickSide): LevelText[] =>
    Array.from({ length: Math.min(side.size, limit) }, (_, rank) => [
      paddedDecimal(side.tickAt(rank), priceScale),
      paddedDecimal(side.lotsAt(rank), quantityScale),
    ]);
  return { lastUpdateId: book.version, bids: levels(book.bids), asks: levels(book.asks), timestamp: nowMs };
}

/** A whole book as trimmed text, for tests that compare. */
export interface TrueBook {
  readonly symbol: string;
  readonly version: number;
  readonly bids: LevelText[];
  readonly asks: LevelText[];
}

export function trueBookView(symbol: MarketSymbol, book: TickBook): TrueBook {
  const { priceScale, quantityScale } = symbol.listing;
  const levels = (side: TickSide): LevelText[] =>
    Array.from({ length: side.size }, (_, rank) => [
      trimmedDecimal(side.tickAt(rank), priceScale),
      trimmedDecimal(side.lotsAt(rank), quantityScale),
    ]);
  return { symbol: symbol.listing.symbol, version: book.version, bids: levels(book.bids), asks: levels(book.asks) };
}

/** Newest first. The exchange never tells ids here. */
export function tradesView(symbol: MarketSymbol, limit: number): unknown[] {
  const { priceScale, quantityScale } = symbol.listing;
  return symbol
    .trades()
    .newest(limit)
    .map((trade) => ({
      id: null,
      price: trimmedDecimal(trade.tick, priceScale),
      qty: trimmedDecimal(trade.lots, quantityScale),
      quoteQty: decimalOfDouble(turnoverOf(symbol, trade), TURNOVER_DECIMALS),
      time: trade.timeMs,
      isBuyerMaker: !trade.buy,
      isBestMatch: true,
      tradeType: trade.buy ? 'BID' : 'ASK',
    }));
}

/** One trade of the simulator's own log. */
export interface TrueTrade {
  /** As the pushes of a made-up market have it; means nothing for a recording. */
  readonly id: string;
  readonly price: string;
  readonly quantity: string;
  readonly time: number;
  /** The taker sold. */
  readonly sell: boolean;
}

/** Everything still known, oldest first, numbers without trailing zeros. */
export function trueTradesView(symbol: MarketSymbol): TrueTrade[] {
  const { priceScale, quantityScale } = symbol.listing;
  const log = symbol.trades();
  const newest = log.newest(Number.MAX_SAFE_INTEGER).toReversed();
  return newest.map((trade, index) => ({
    id: tradeIdOf(log.count - newest.length + index),
    price: trimmedDecimal(trade.tick, priceScale),
    quantity: trimmedDecimal(trade.lots, quantityScale),
    time: trade.timeMs,
    sell: !trade.buy,
  }));
}

/** Times in [startMs, endMs], newest first. */
export function aggregateTradesView(symbol: MarketSymbol, limit: number, startMs: number, endMs: number): unknown[] {
  const { priceScale, quantityScale } = symbol.listing;
  const all = symbol.trades().newest(Number.MAX_SAFE_INTEGER);
  const wanted = all.filter(({ timeMs }) => timeMs >= startMs && timeMs <= endMs).slice(0, limit);
  return wanted.map((trade) => ({
    a: null,
    f: null,
    l: null,
    p: trimmedDecimal(trade.tick, priceScale),
    q: trimmedDecimal(trade.lots, quantityScale),
    T: trade.timeMs,
    m: !trade.buy,
    M: true,
  }));
}

/** Rows of eight: open time, open, high, low, close, base volume, close time (the next open time), quote volume. Oldest first. */
export function klinesView(symbol: MarketSymbol, interval: CandleInterval, startMs: number, endMs: number, limit: number): unknown[] {
  const { priceScale, quantityScale } = symbol.listing;
  const rows = rollUp(symbol.minutes(windowStart(interval, startMs), endMs), interval);
  return rows
    .slice(-limit)
    .map((row) => [
      row.startMs,
      trimmedDecimal(row.open, priceScale),
      trimmedDecimal(row.high, priceScale),
      trimmedDecimal(row.low, priceScale),
      trimmedDecimal(row.close, priceScale),
      trimmedDecimal(row.volume, quantityScale),
      windowEnd(interval, row.startMs),
      decimalOfDouble(row.turnover, TURNOVER_DECIMALS),
    ]);
}

/** `priceChangePercent` is a fraction, `count` always null, and `openTime` lies seconds before `closeTime`, not a day. */
export function dayTickerView(symbol: MarketSymbol, nowMs: number): unknown {
  const { symbol: name, priceScale, quantityScale } = symbol.listing;
  const day = symbol.day();
  const price = (tick: number | null): string | null => (tick === null ? null : trimmedDecimal(tick, priceScale));
  const change = day.last !== null && day.open !== null ? day.last - day.open : null;
  return {
    symbol: name,
    priceChange: change === null ? null : (change < 0 ? '-' : '') + trimmedDecimal(Math.abs(change), priceScale),
    priceChangePercent: change === null ? null : (change / day.open!).toFixed(4),
    prevClosePrice: price(day.open),
    lastPrice: price(day.last),
    ...quoteFields(symbol),
    openPrice: price(day.open),
    highPrice: price(day.high),
    lowPrice: price(day.low),
    volume: day.volume === null ? null : trimmedDecimal(day.volume, quantityScale),
    quoteVolume: day.turnover === null ? null : decimalOfDouble(day.turnover, TURNOVER_DECIMALS),
    openTime: nowMs - 40_000,
    closeTime: nowMs,
    count: null,
  };
}

export function priceView(symbol: MarketSymbol): unknown {
  const { last } = symbol.day();
  return { symbol: symbol.listing.symbol, price: last === null ? null : trimmedDecimal(last, symbol.listing.priceScale) };
}

export function bookTickerView(symbol: MarketSymbol): unknown {
  return { symbol: symbol.listing.symbol, ...quoteFields(symbol) };
}

/** Mean price of the last five minutes' trades, or the last price. */
export function averagePriceView(symbol: MarketSymbol, nowMs: number): unknown {
  const { priceScale } = symbol.listing;
  const recent = symbol
    .trades()
    .newest(Number.MAX_SAFE_INTEGER)
    .filter(({ timeMs }) => timeMs >= nowMs - 300_000);
  const lots = recent.reduce((sum, trade) => sum + trade.lots, 0);
  const weighted = recent.reduce((sum, trade) => sum + trade.tick * trade.lots, 0);
  const { last } = symbol.day();
  const tick = lots > 0 ? Math.round(weighted / lots) : last;
  return { mins: 5, price: tick === null ? null : trimmedDecimal(tick, priceScale) };
}

/** Values of an absent side are null. */
function quoteFields(symbol: MarketSymbol): Readonly<Record<'bidPrice' | 'bidQty' | 'askPrice' | 'askQty', string | null>> {
  const { priceScale, quantityScale } = symbol.listing;
  const book = symbol.book();
  const price = (side: TickSide | undefined): string | null =>
    side === undefined || side.size === 0 ? null : trimmedDecimal(side.tickAt(0), priceScale);
  const quantity = (side: TickSide | undefined): string | null =>
    side === undefined || side.size === 0 ? null : trimmedDecimal(side.lotsAt(0), quantityScale);
  return { bidPrice: price(book?.bids), bidQty: quantity(book?.bids), askPrice: price(book?.asks), askQty: quantity(book?.asks) };
}

function turnoverOf(symbol: MarketSymbol, trade: Trade): number {
  return trade.tick * trade.lots * 10 ** -(symbol.listing.priceScale + symbol.listing.quantityScale);
}
