import { candleIntervals, type CandleInterval, windowStart } from './candle.js';
import type { Market, MarketSymbol } from './market.js';
import { errorAnswer, invalidSymbol, jsonAnswer, type RestAnswer } from './rest-answer.js';
import {
  aggregateTradesView,
  averagePriceView,
  bookTickerView,
  dayTickerView,
  exchangeInfoView,
  klinesView,
  priceView,
  tradesView,
} from './rest-views.js';

/** One endpoint of `/api/v3`: what a request weighs, and its answer. */
export interface RestRoute {
  readonly weight: (query: URLSearchParams) => number;
  readonly answer: (market: Market, query: URLSearchParams, nowMs: number) => RestAnswer;
}

const parameterMissing = errorAnswer(400, 44444, 'parameter null');
const parameterError = errorAnswer(400, 33333, 'parameter error');
/** The real code beside this text is not known. */
const invalidInterval = errorAnswer(400, -1120, 'Invalid interval.');

/** The public market data endpoints; depth stands apart, since faults, playback and delays concern it. */
export const restRoutes: Readonly<Record<string, RestRoute>> = {
  ping: route(1, () => jsonAnswer({})),
  time: route(1, (_market, _query, nowMs) => jsonAnswer({ serverTime: nowMs })),
  defaultSymbols: route(1, (market, _query, nowMs) =>
    jsonAnswer({ data: market.symbols.map(({ listing }) => listing.symbol), code: 0, msg: 'success', timestamp: nowMs }),
  ),
  exchangeInfo: route(10, answerExchangeInfo),
  trades: route(5, (market, query) =>
    forSymbol(market, query, (symbol) => limited(query, 500, 1_000, (limit) => tradesView(symbol, limit))),
  ),
  historicalTrades: route(1, (market, query) =>
    forSymbol(market, query, (symbol) => limited(query, 500, 1_000, (limit) => tradesView(symbol, limit))),
  ),
  aggTrades: route(1, answerAggregateTrades),
  klines: route(1, answerKlines),
  avgPrice: route(1, (market, query, nowMs) => forSymbol(market, query, (symbol) => jsonAnswer(averagePriceView(symbol, nowMs)))),
  'ticker/24hr': perSymbol(40, dayTickerView),
  'ticker/price': perSymbol(2, priceView),
  'ticker/bookTicker': perSymbol(1, bookTickerView),
};

/** The listed symbol a request names, or the refusal. */
export function requestedSymbol(market: Market, query: URLSearchParams): MarketSymbol | RestAnswer {
  const name = query.get('symbol');
  if (name === null || name === '') return parameterMissing;
  return market.find(name) ?? invalidSymbol;
}

/** `limit` of a request, cut at `most`; the refusal when it is no positive whole number. */
export function requestedLimit(query: URLSearchParams, usual: number, most: number): number | RestAnswer {
  const text = query.get('limit');
  if (text === null) return usual;
  return /^[1-9]\d*$/.test(text) ? Math.min(Number(text), most) : parameterError;
}

function route(weight: number, answer: RestRoute['answer']): RestRoute {
  return { weight: () => weight, answer };
}

/** An object with `symbol`, an array without. */
function perSymbol(weightOfAll: number, view: (symbol: MarketSymbol, nowMs: number) => unknown): RestRoute {
  return {
    weight: (query) => (query.has('symbol') ? 1 : weightOfAll),
    answer: (market, query, nowMs) => {
      if (!query.has('symbol')) return jsonAnswer(market.symbols.map((symbol) => view(symbol, nowMs)));
      return forSymbol(market, query, (symbol) => jsonAnswer(view(symbol, nowMs)));
    },
  };
}

function forSymbol(market: Market, query: URLSearchParams, answer: (symbol: MarketSymbol) => RestAnswer): RestAnswer {
  const symbol = requestedSymbol(market, query);
  return 'status' in symbol ? symbol : answer(symbol);
}

function limited(query: URLSearchParams, usual: number, most: number, view: (limit: number) => unknown): RestAnswer {
  const limit = requestedLimit(query, usual, most);
  return typeof limit === 'number' ? jsonAnswer(view(limit)) : limit;
}

function answerExchangeInfo(market: Market, query: URLSearchParams, nowMs: number): RestAnswer {
  const names = query.get('symbols')?.split(',') ?? (query.has('symbol') ? [query.get('symbol') ?? ''] : undefined);
  if (names === undefined) return jsonAnswer(exchangeInfoView(market.symbols, nowMs));
  const symbols = names.map((name) => market.find(name));
  if (!symbols.every((symbol) => symbol !== undefined)) return invalidSymbol;
  return jsonAnswer(exchangeInfoView(symbols, nowMs));
}

/** Both times or neither. */
function answerAggregateTrades(market: Market, query: URLSearchParams): RestAnswer {
  const startMs = timeParameter(query, 'startTime');
  const endMs = timeParameter(query, 'endTime');
  if (Number.isNaN(startMs) || Number.isNaN(endMs) || (startMs === undefined) !== (endMs === undefined)) return parameterError;
  return forSymbol(market, query, (symbol) =>
    limited(query, 500, 1_000, (limit) => aggregateTradesView(symbol, limit, startMs ?? 0, endMs ?? Number.MAX_SAFE_INTEGER)),
  );
}

/** As observed, an `endTime` alone is ignored. */
function answerKlines(market: Market, query: URLSearchParams, nowMs: number): RestAnswer {
  const interval = candleIntervals.find(({ rest }) => rest !== null && rest === query.get('interval'));
  if (interval === undefined) return query.has('interval') ? invalidInterval : parameterMissing;
  const startMs = timeParameter(query, 'startTime');
  const endMs = timeParameter(query, 'endTime');
  if (Number.isNaN(startMs) || Number.isNaN(endMs)) return parameterError;
  return forSymbol(market, query, (symbol) =>
    limited(query, 500, 1_000, (limit) => {
      const lastMs = Math.min(startMs === undefined ? nowMs : (endMs ?? nowMs), nowMs);
      const firstMs = Math.max(startMs ?? 0, windowsBefore(interval, lastMs, limit - 1));
      return klinesView(symbol, interval, firstMs, lastMs, limit);
    }),
  );
}

/** Start of the window that lies `count` windows before the one of `timeMs`. */
function windowsBefore(interval: CandleInterval, timeMs: number, count: number): number {
  if (interval.lengthMs !== null) return windowStart(interval, timeMs) - count * interval.lengthMs;
  const date = new Date(timeMs);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() - count, 1);
}

/** `undefined` when absent, NaN when it is no time. */
function timeParameter(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  return /^\d{1,15}$/.test(text) ? Number(text) : NaN;
}
