import { type BaseInterval, baseIntervals, baseLengthMs } from '../candle/base-interval.js';
import {
  CLOSE,
  CLOSED,
  CLOSE_EXACT,
  COMPLETE,
  EMPTY,
  EXCHANGE_FINAL,
  FLAGS,
  OPEN,
  OPEN_TIME,
  packScales,
  QUOTE,
  refine,
  ROW_WORDS,
  SCALES,
  TRADE_HIGH,
  TRADE_LOW,
  VOLUME,
} from '../candle/candle-row.js';
import { forget, isKnown, parseSum, unitsOf } from '../candle/exact-sum.js';
import { MINUTE_MS, openTimeOf } from '../model/candle-interval.js';
import type { KlinesRange } from '../model/feed.js';
import { POWERS_OF_TEN, SCALE_MAX } from '../model/decimal.js';
import { CodedError, ErrorCode } from '../support/errors.js';
import { decodePush } from './decode-push.js';
import type { KlineQuery } from './rest-client.js';

const textDecoder = new TextDecoder('utf-8', { fatal: true });
const parsed = new Float64Array(2);

/** Names of intervals in a klines request. `1h` is refused, an hour is `60m`. */
export const klineRestNames: Readonly<Record<BaseInterval, string>> = {
  '1m': '1m',
  '5m': '5m',
  '15m': '15m',
  '30m': '30m',
  '1h': '60m',
  '4h': '4h',
  '1d': '1d',
};

/** Candles asked for in one request: as many as MEXC gives when none are named. */
export const KLINES_PER_REQUEST = 500;

/** The request for candles that open in a range. */
export function klinesQuery({ base, fromMs, toMs }: KlinesRange): KlineQuery {
  return { interval: klineRestNames[baseIntervals[base]!], startTime: fromMs, endTime: toMs - 1, limit: KLINES_PER_REQUEST };
}

/** One candle's numbers as the exchange writes them. */
interface Figures {
  readonly open: unknown;
  readonly high: unknown;
  readonly low: unknown;
  readonly close: unknown;
  readonly volume: unknown;
  readonly amount: unknown;
}

/**
 * Reads a push of the kline channel, i.e. a minute as it stands, into `row`, at scales at least as fine as those given. False when it is
 * no push of minute candles. Throws CodedError FRAME_TRUNCATED, FRAME_MALFORMED or NUMBER_MALFORMED.
 */
export function decodeKlinePush(frame: Uint8Array, priceScale: number, quantityScale: number, row: Float64Array): boolean {
  const { body } = decodePush(frame);
  if (body.kind !== 'spotKline' || body.interval !== 'Min1') return false;
  const { windowStart, openingPrice, highestPrice, lowestPrice, closingPrice, volume, amount } = body;
  const openMs = (windowStart ?? 0) * 1000;
  if (openMs <= 0 || openMs % MINUTE_MS !== 0) throw malformed(`a window that begins at ${windowStart}`);
  const figures = { open: openingPrice, high: highestPrice, low: lowestPrice, close: closingPrice, volume, amount };
  writeFigures(row, 0, openMs, figures, priceScale, quantityScale);
  return true;
}

/**
 * Reads the body of a klines answer, `[[openTime, open, high, low, close, volume, closeTime, quoteVolume], …]` with numbers as text, into
 * rows one behind the other. Candles over before `overBeforeMs` are final. Throws CodedError KLINES_MALFORMED.
 */
export function decodeKlines(
  body: Uint8Array,
  interval: BaseInterval,
  priceScale: number,
  quantityScale: number,
  overBeforeMs: number,
): Float64Array {
  const answer = parseBody(body);
  const rows = new Float64Array(answer.length * ROW_WORDS);
  for (const [index, candle] of answer.entries()) {
    if (!Array.isArray(candle) || candle.length < 8) throw malformed(`row ${index} has not the 8 elements of a candle`);
    const [openMs, open, high, low, close, volume, , amount] = candle as readonly unknown[];
    if (typeof openMs !== 'number' || openMs <= 0 || openMs !== openTimeOf(interval, openMs)) {
      throw malformed(`row ${index} opens at ${String(openMs)}, which is no beginning of a ${interval} candle`);
    }
    const at = index * ROW_WORDS;
    writeFigures(rows, at, openMs, { open, high, low, close, volume, amount }, priceScale, quantityScale);
    if (openMs + baseLengthMs(interval) <= overBeforeMs) rows[at + FLAGS] = rows[at + FLAGS]! | CLOSED | CLOSE_EXACT | EXCHANGE_FINAL;
  }
  return rows;
}

function parseBody(body: Uint8Array): readonly unknown[] {
  let answer: unknown;
  try {
    // TextDecoder does not take views of shared memory.
    answer = JSON.parse(textDecoder.decode(body.slice()));
  } catch (cause) {
    throw malformed('no JSON', cause);
  }
  if (!Array.isArray(answer)) throw malformed('no JSON list');
  return answer;
}

function writeFigures(rows: Float64Array, at: number, openMs: number, figures: Figures, priceScale: number, quantityScale: number): void {
  rows.fill(0, at, at + ROW_WORDS);
  rows[at + OPEN_TIME] = openMs;
  const prices = [figures.open, figures.high, figures.low, figures.close].map(readPrice);
  const decimals = Math.max(priceScale, ...prices.map(({ scale }) => scale));
  for (const [index, word] of [OPEN, TRADE_HIGH, TRADE_LOW, CLOSE].entries()) {
    const { units, scale } = prices[index]!;
    rows[at + word] = units * POWERS_OF_TEN[decimals - scale]!;
  }
  const lots = parseSum(figures.volume, rows, at + VOLUME);
  if (lots < 0 || lots > SCALE_MAX) throw malformed(`volume ${JSON.stringify(figures.volume)}`);
  // A turnover that is not said stays unknown; it is never 0 by default.
  const quote = parseSum(figures.amount, rows, at + QUOTE);
  if (quote < 0) forget(rows, at + QUOTE);
  const isFlat = rows[at + TRADE_HIGH] === rows[at + TRADE_LOW] && rows[at + OPEN] === rows[at + CLOSE];
  rows[at + FLAGS] = COMPLETE | (isFlat && lots === 0 && unitsOf(rows, at + VOLUME) === 0 ? EMPTY : 0);
  rows[at + SCALES] = packScales(decimals, lots, Math.max(0, quote), decimals + lots);
  refine(rows, at, decimals, quantityScale, 0, decimals + Math.max(lots, quantityScale));
  if (!isKnown(rows, at + VOLUME)) throw malformed(`volume ${JSON.stringify(figures.volume)}`);
}

function readPrice(text: unknown): { readonly units: number; readonly scale: number } {
  const scale = parseSum(text, parsed, 0);
  const units = scale < 0 || scale > SCALE_MAX ? NaN : unitsOf(parsed, 0);
  if (Number.isNaN(units)) throw malformed(`price ${JSON.stringify(text)}`);
  return { units, scale };
}

function malformed(what: string, cause?: unknown): CodedError {
  return new CodedError(ErrorCode.KLINES_MALFORMED, `klines: ${what}`, {}, cause);
}
