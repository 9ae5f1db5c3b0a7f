import { SCALE_MAX } from '../model/decimal.js';
import type { ListedSymbol } from '../model/symbol.js';
import { CodedError, ErrorCode } from '../support/errors.js';
import { isSymbol } from './channels.js';

export interface ExchangeInfo {
  /** Pairs that trade now (`status` "1"), in the exchange's order. `turnover` is `null`: it comes from the tickers. */
  readonly symbols: readonly ListedSymbol[];
  /** Names of online pairs whose entry cannot be used: a scale out of range, or a name no channel can carry. */
  readonly unusable: readonly string[];
}

/** "1" online, "2" paused, "3" offline. */
const STATUS_ONLINE = '1';

/**
 * Reads `/api/v3/exchangeInfo`. There is no tick-size filter: a tick is 10^-quotePrecision, a lot 10^-baseAssetPrecision.
 * Throws EXCHANGE_ANSWER_MALFORMED when the answer holds no list of symbols.
 */
export function parseExchangeInfo(body: unknown): ExchangeInfo {
  const entries = isRecord(body) ? body['symbols'] : undefined;
  if (!Array.isArray(entries)) throw new CodedError(ErrorCode.EXCHANGE_ANSWER_MALFORMED, 'exchangeInfo has no list of symbols');
  const symbols: ListedSymbol[] = [];
  const unusable: string[] = [];
  for (const entry of entries as unknown[]) {
    if (!isRecord(entry) || entry['status'] !== STATUS_ONLINE) continue;
    const listed = parseEntry(entry);
    if (listed === undefined) unusable.push(String(entry['symbol']));
    else symbols.push(listed);
  }
  return { symbols, unusable };
}

function parseEntry(entry: Record<string, unknown>): ListedSymbol | undefined {
  const { symbol, baseAsset, quoteAsset, quotePrecision: priceScale, baseAssetPrecision: quantityScale } = entry;
  if (typeof symbol !== 'string' || !isSymbol(symbol)) return undefined;
  if (typeof baseAsset !== 'string' || typeof quoteAsset !== 'string') return undefined;
  if (!isScale(priceScale) || !isScale(quantityScale)) return undefined;
  return { symbol, baseAsset, quoteAsset, priceScale, quantityScale, turnover: null };
}

export interface Ticker24h {
  readonly symbol: string;
  /** 24 h turnover in quote units; the exchange sends text, an empty text or null, and does not always know it. */
  readonly quoteVolume: number | null;
}

/** Reads `/api/v3/ticker/24hr` without a symbol. Throws EXCHANGE_ANSWER_MALFORMED when the answer is no list. */
export function parseTickers(body: unknown): readonly Ticker24h[] {
  if (!Array.isArray(body)) throw new CodedError(ErrorCode.EXCHANGE_ANSWER_MALFORMED, 'ticker/24hr is not a list');
  return (body as unknown[]).filter(isRecord).flatMap((entry) => {
    const symbol = entry['symbol'];
    return typeof symbol === 'string' ? [{ symbol, quoteVolume: parseAmount(entry['quoteVolume']) }] : [];
  });
}

export function withTurnover(symbols: readonly ListedSymbol[], tickers: readonly Ticker24h[]): readonly ListedSymbol[] {
  const turnovers = new Map(tickers.map(({ symbol, quoteVolume }) => [symbol, quoteVolume]));
  return symbols.map((listed) => ({ ...listed, turnover: turnovers.get(listed.symbol) ?? null }));
}

function parseAmount(value: unknown): number | null {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value !== 'string' || value.trim() === '') return null;
  const amount = Number(value);
  return Number.isFinite(amount) ? amount : null;
}

function isScale(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= SCALE_MAX;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
