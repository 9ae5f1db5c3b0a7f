import { type BookCopy } from '../../src/model/book-copy.js';
import { formatDecimal } from '../../src/model/decimal.js';
import type { Prng } from '../../src/simulator/prng.js';
import { deal, dealsFrame, tradesBody } from '../support/deals.js';
import { depthFrame } from '../support/depth-frame.js';
import { encodePush } from '../support/mexc-schema.js';
import type { SentRequest } from './exchange-line.js';
import { once, pick } from './lanes.js';

const MID = 1_000_000;
const MINUTE_MS = 60_000;
/** Unix ms at which a life begins. */
export const NOW = 1_790_281_246_250;
export const THIS_MINUTE = Math.floor(NOW / MINUTE_MS) * MINUTE_MS;

/** What a sound input is made for. */
export interface Moment {
  readonly random: Prng;
  readonly symbol: string;
  /** The last version the symbol's pushes led to. */
  readonly version: number;
  /** An older one, from which on pushes wait; the same when none do. */
  readonly oldestVersion: number;
  readonly book: BookCopy;
  /** What the engine asked for on the connection. */
  readonly requests: readonly SentRequest[];
}

/** The kinds of input. All but the answers are messages of a connection. */
export const inputs = {
  'depth push': ({ random, symbol, version }) =>
    depthFrame({
      bids: some(random, 8, bid),
      asks: oddly(random, some(random, 8, ask)),
      from: version + 1,
      to: pushEnd(version),
      sendTime: NOW,
      symbol,
    }),
  'depth answer': ({ random, version, oldestVersion }) =>
    text({
      lastUpdateId: oldestVersion + random.below(version - oldestVersion + 2),
      bids: some(random, 30, bid),
      asks: oddly(random, some(random, 30, ask)),
    }),
  'audit answer': ({ random, book }) =>
    text({
      // Now and then ahead of the book.
      lastUpdateId: book.version + (random.below(4) === 0 ? random.below(3) : 0),
      bids: levels(book, book.bidTicks, book.bidLots, book.bidCount),
      asks: oddly(random, levels(book, book.askTicks, book.askLots, book.askCount)),
    }),
  'trades push': ({ random, symbol }) =>
    dealsFrame(
      some(random, 5, () => deal(NOW + random.below(9_999), { price: price(random), quantity: '0.5', sell: random.below(2) === 0 })),
      symbol,
    ),
  'trades answer': ({ random }) => tradesBody(some(random, 20, () => deal(NOW + random.below(9_999), { price: price(random) }))),
  'candle push': ({ random, symbol }) =>
    encodePush({
      channel: `spot@public.kline.v3.api.pb@${symbol}@Min1`,
      symbol,
      publicSpotKline: {
        interval: 'Min1',
        windowStart: THIS_MINUTE / 1000,
        openingPrice: price(random),
        closingPrice: price(random),
        highestPrice: price(random),
        lowestPrice: price(random),
        volume: '12.5',
        amount: '125000',
        windowEnd: THIS_MINUTE / 1000 + 60,
      },
    }),
  'candles answer': ({ random }) =>
    text(
      Array.from({ length: 1 + random.below(4) }, (_, i) => [
        THIS_MINUTE - i * MINUTE_MS,
        price(random),
        '11000',
        '9000',
        price(random),
        '12.5',
        THIS_MINUTE - i * MINUTE_MS + MINUTE_MS,
        '125000',
      ]),
    ),
  'tickers push': ({ random, symbol }) =>
    encodePush({
      channel: 'spot@public.miniTickers.v3.api.pb@24H',
      sendTime: NOW,
      publicMiniTickers: {
        items: [symbol, 'XUSDT'].map((name) => ({
          symbol: name,
          price: price(random),
          rate: '0.01',
          zonedRate: '0.01',
          high: '11000',
          low: '9000',
          volume: '125000',
          quantity: '12.5',
          lastCloseRate: '0.01',
          lastCloseZonedRate: '0.01',
          lastCloseHigh: '11000',
          lastCloseLow: '9000',
        })),
      },
    }),
  'tickers answer': ({ symbol }) => text([fullTicker(symbol), fullTicker('XUSDT')]),
  'text push': ({ random, symbol, version }) => {
    const book = { s: symbol, t: NOW, v: version + 1, b: some(random, 5, bid), a: some(random, 5, ask) };
    const trade = { s: symbol, p: price(random), q: '0.2', v: '20', t: NOW, m: random.below(2) === 0 };
    const ticker = { s: symbol, o: '80', h: '90', l: '70', c: price(random), v: '1.5', qv: '100', t: NOW };
    const [c, d] = pick(random, [
      ['depth', book],
      ['depth.snapshot', book],
      ['deals', trade],
      ['ticker', ticker],
    ] as const);
    return text({ c, s: symbol, d, t: NOW });
  },
  'control frame': ({ random, requests }) => {
    const { id, params } = pick(random, requests);
    const list = params.join(',');
    return text(
      pick(random, [
        { id, code: 0, msg: list },
        { id, code: 0, msg: `Subscribed successful! [${list}]. Not Subscribed successfully! [${params[0]}].  Reason： Blocked! ` },
        { id, code: 0, msg: `Not Subscribed successfully! [${list}].  Reason： Blocked! ` },
        { id, code: 1, msg: 'no' },
        { id: 0, code: 0, msg: 'PONG' },
      ]),
    );
  },
} as const satisfies Readonly<Record<string, (moment: Moment) => Uint8Array>>;

export type InputKind = keyof typeof inputs;

/** The version that the sound push of depth behind `version` leads to. */
export function pushEnd(version: number): number {
  return version + 1 + (version % 3);
}

/** Whether the input names the symbol where the exchange does: the symbol or the end of the channel of a push, `s` of a text frame. */
export function names(bytes: Uint8Array, isText: boolean, symbol: string): boolean {
  const source = Buffer.from(bytes);
  if (!isText) return source.includes(`\x1a${String.fromCharCode(symbol.length)}${symbol}`) || source.includes(`@${symbol}`);
  try {
    const { s, d } = JSON.parse(source.toString()) as { s?: unknown; d?: { s?: unknown } };
    return (s ?? d?.s) === symbol;
  } catch {
    return false;
  }
}

function text(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

function price(random: Prng): string {
  return ((MID + random.below(400) - 200) / 100).toFixed(random.below(3));
}

function quantity(random: Prng): string {
  return random.below(3) === 0 ? '0' : (random.below(1_000_000) / 1000).toFixed(random.below(4));
}

function bid(random: Prng): [string, string] {
  return [((MID - 1 - random.below(200)) / 100).toFixed(2), quantity(random)];
}

function ask(random: Prng): [string, string] {
  return [((MID + 1 + random.below(200)) / 100).toFixed(2), quantity(random)];
}

/** The levels, and now and then two more: one needs more decimals than books have, and with so many no book takes the other. */
function oddly(random: Prng, asks: [string, string][]): [string, string][] {
  return once(random, 20) ? [...asks, ['10001.12345', '1'], ['1'.padEnd(21, '0'), '1']] : asks;
}

function some<T>(random: Prng, most: number, one: (random: Prng) => T): T[] {
  return Array.from({ length: random.below(most + 1) }, () => one(random));
}

function levels({ priceScale, quantityScale }: BookCopy, ticks: Float64Array, lots: Float64Array, count: number): [string, string][] {
  return Array.from({ length: count }, (_, i) => [formatDecimal(ticks[i]!, priceScale), formatDecimal(lots[i]!, quantityScale)]);
}

function fullTicker(symbol: string): object {
  return {
    symbol,
    lastPrice: '10000.5',
    openPrice: '9000',
    highPrice: '11000',
    lowPrice: '8000',
    volume: '12.5',
    quoteVolume: '125000',
    bidPrice: '10000',
    bidQty: '1',
    askPrice: '10001',
    askQty: '2',
    priceChange: '1000.5',
    priceChangePercent: '0.11',
    prevClosePrice: '9000',
    openTime: NOW - 86_400_000,
    closeTime: NOW,
  };
}
