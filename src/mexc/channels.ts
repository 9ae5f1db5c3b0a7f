import { CodedError, ErrorCode } from '../support/errors.js';

/**
 * The names of MEXC's public spot channels, both ways. The aggregated channels put the speed before the symbol,
 * all others put their parameter behind it (MEXC spot v3 documentation, "Public Channels").
 */

export const speeds = ['100ms', '10ms'] as const;
export type Speed = (typeof speeds)[number];

export const limitDepths = [5, 10, 20] as const;
export type LimitDepth = (typeof limitDepths)[number];

export const klineIntervals = ['Min1', 'Min5', 'Min15', 'Min30', 'Min60', 'Hour4', 'Hour8', 'Day1', 'Week1', 'Month1'] as const;
export type KlineInterval = (typeof klineIntervals)[number];

// biome-ignore format: one row reads better than a column
export const timezones = [
  '24H', 'UTC-10', 'UTC-8', 'UTC-7', 'UTC-6', 'UTC-5', 'UTC-4', 'UTC-3', 'UTC+0', 'UTC+1', 'UTC+2', 'UTC+3', 'UTC+4', 'UTC+4:30',
  'UTC+5', 'UTC+5:30', 'UTC+6', 'UTC+7', 'UTC+8', 'UTC+9', 'UTC+10', 'UTC+11', 'UTC+12', 'UTC+12:45', 'UTC+13',
] as const;
export type Timezone = (typeof timezones)[number];

export type MexcChannel =
  | { readonly kind: 'depth'; readonly symbol: string; readonly speed: Speed }
  | { readonly kind: 'deals'; readonly symbol: string; readonly speed: Speed }
  | { readonly kind: 'bookTicker'; readonly symbol: string; readonly speed: Speed }
  | { readonly kind: 'limitDepth'; readonly symbol: string; readonly levels: LimitDepth }
  | { readonly kind: 'kline'; readonly symbol: string; readonly interval: KlineInterval }
  | { readonly kind: 'bookTickerBatch'; readonly symbol: string }
  | { readonly kind: 'miniTicker'; readonly symbol: string; readonly timezone: Timezone }
  | { readonly kind: 'miniTickers'; readonly timezone: Timezone }
  /** Retired: the exchange answers `Blocked!`. Kept so that old recordings and refusals can be named. */
  | { readonly kind: 'rawDeals'; readonly symbol: string }
  | { readonly kind: 'increaseDepth'; readonly symbol: string }
  | { readonly kind: 'increaseDepthBatch'; readonly symbol: string };

export type MexcChannelKind = MexcChannel['kind'];

/** The first two parts of a channel's name, which is also the `eventType` of most pushes up to its parameter. */
const prefixes: Readonly<Record<MexcChannelKind, string>> = {
  depth: 'spot@public.aggre.depth.v3.api.pb',
  deals: 'spot@public.aggre.deals.v3.api.pb',
  bookTicker: 'spot@public.aggre.bookTicker.v3.api.pb',
  limitDepth: 'spot@public.limit.depth.v3.api.pb',
  kline: 'spot@public.kline.v3.api.pb',
  bookTickerBatch: 'spot@public.bookTicker.batch.v3.api.pb',
  miniTicker: 'spot@public.miniTicker.v3.api.pb',
  miniTickers: 'spot@public.miniTickers.v3.api.pb',
  rawDeals: 'spot@public.deals.v3.api.pb',
  increaseDepth: 'spot@public.increase.depth.v3.api.pb',
  increaseDepthBatch: 'spot@public.increase.depth.batch.v3.api.pb',
};

const kindByPrefix = new Map(Object.entries(prefixes).map(([kind, prefix]) => [prefix, kind as MexcChannelKind]));

/** The name to subscribe with, e.g. `spot@public.aggre.depth.v3.api.pb@100ms@BTCUSDT`. Throws CHANNEL_MALFORMED for a symbol no channel can carry. */
export function formatChannel(channel: MexcChannel): string {
  const prefix = prefixes[channel.kind];
  switch (channel.kind) {
    case 'depth':
    case 'deals':
    case 'bookTicker':
      return `${prefix}@${channel.speed}@${checkSymbol(channel.symbol)}`;
    case 'limitDepth':
      return `${prefix}@${checkSymbol(channel.symbol)}@${channel.levels}`;
    case 'kline':
      return `${prefix}@${checkSymbol(channel.symbol)}@${channel.interval}`;
    case 'miniTicker':
      return `${prefix}@${checkSymbol(channel.symbol)}@${channel.timezone}`;
    case 'miniTickers':
      return `${prefix}@${channel.timezone}`;
    case 'bookTickerBatch':
    case 'rawDeals':
    case 'increaseDepth':
    case 'increaseDepthBatch':
      return `${prefix}@${checkSymbol(channel.symbol)}`;
  }
}

/** The incremental depth channel of a symbol. */
export function depthChannel(symbol: string, speed: Speed): string {
  return formatChannel({ kind: 'depth', symbol, speed });
}

/** Reads a channel's name; throws CHANNEL_MALFORMED when it is not one the exchange documents, or once did. */
export function parseChannel(text: string): MexcChannel {
  const parts = text.split('@');
  const kind = kindByPrefix.get(`${parts[0]}@${parts[1]}`);
  if (kind === undefined) throw malformed(text, 'no such channel');
  const first = parts[2] ?? '';
  const second = parts[3] ?? '';
  const parameters = parts.length - 2;
  switch (kind) {
    case 'depth':
    case 'deals':
    case 'bookTicker':
      expectParameters(text, parameters, 2);
      return { kind, speed: oneOf(text, speeds, first), symbol: parseSymbol(text, second) };
    case 'limitDepth': {
      expectParameters(text, parameters, 2);
      const levels = limitDepths.find((depth) => String(depth) === second);
      if (levels === undefined) throw malformed(text, `levels must be one of ${limitDepths.join(', ')}`);
      return { kind, symbol: parseSymbol(text, first), levels };
    }
    case 'kline':
      expectParameters(text, parameters, 2);
      return { kind, symbol: parseSymbol(text, first), interval: oneOf(text, klineIntervals, second) };
    case 'miniTicker':
      expectParameters(text, parameters, 2);
      return { kind, symbol: parseSymbol(text, first), timezone: oneOf(text, timezones, second) };
    case 'miniTickers':
      expectParameters(text, parameters, 1);
      return { kind, timezone: oneOf(text, timezones, first) };
    case 'bookTickerBatch':
    case 'rawDeals':
    case 'increaseDepth':
    case 'increaseDepthBatch':
      expectParameters(text, parameters, 1);
      return { kind, symbol: parseSymbol(text, first) };
  }
}

/**
 * Upper case, and nothing the grammar of channels and acks uses itself: `@` and `,` separate, brackets enclose a refused list.
 * Letters outside ASCII are listed and allowed (币安人生USDT).
 */
export function isSymbol(text: string): boolean {
  return text.length > 0 && text.length <= SYMBOL_LENGTH_MAX && !/[@,[\]\s\p{Ll}\p{Cc}"\\]/u.test(text);
}

const SYMBOL_LENGTH_MAX = 64;

function checkSymbol(symbol: string): string {
  if (!isSymbol(symbol)) throw malformed(symbol, 'not a symbol');
  return symbol;
}

function parseSymbol(text: string, symbol: string): string {
  if (!isSymbol(symbol)) throw malformed(text, `"${symbol.slice(0, SYMBOL_LENGTH_MAX)}" is not a symbol`);
  return symbol;
}

function oneOf<T extends string>(text: string, allowed: readonly T[], value: string): T {
  const found = allowed.find((candidate) => candidate === value);
  if (found === undefined) throw malformed(text, `"${value}" must be one of ${allowed.join(', ')}`);
  return found;
}

function expectParameters(text: string, actual: number, expected: number): void {
  if (actual !== expected) throw malformed(text, `${actual} parameters, ${expected} expected`);
}

function malformed(text: string, why: string): CodedError {
  const shown = text.slice(0, 120);
  return new CodedError(ErrorCode.CHANNEL_MALFORMED, `malformed channel "${shown}": ${why}`, { channel: shown });
}
