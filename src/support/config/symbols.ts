import { CodedError, ErrorCode } from '../errors.js';

/** Which of the exchange's pairs the engine keeps books of. */
export type SymbolSelection =
  | { readonly kind: 'all' }
  /** Every pair priced in one asset, e.g. `USDT`. */
  | { readonly kind: 'quote'; readonly quoteAsset: string }
  /** The `count` pairs with the largest 24 h turnover. */
  | { readonly kind: 'top'; readonly count: number }
  | { readonly kind: 'list'; readonly symbols: readonly string[] };

/** The simulated market: so many made-up pairs, or pairs with these names. */
export type SimulatedSymbols = number | readonly string[];

/** Longer than any name an exchange lists; bounds what an error message repeats. */
const SYMBOL_LENGTH_MAX = 64;
/** More pairs than any spot exchange lists. */
export const SYMBOL_COUNT_MAX = 10_000;

/** What no symbol holds: the separators of lists, channels and addresses, quotes, white space and control characters. */
const FORBIDDEN = /[\p{C}\p{Z},:;@/\\"'`<>?#%&=]/u;

/**
 * Reads `BTCUSDT,ETHUSDT | all | quote:USDT | top:20`. ASCII letters of names become upper case, other letters stay as they are,
 * and a name given twice counts once. Throws CodedError CONFIG_INVALID.
 */
export function parseSymbols(text: string): SymbolSelection {
  const trimmed = text.trim();
  if (trimmed.toLowerCase() === 'all') return { kind: 'all' };
  const [keyword, argument] = splitKeyword(trimmed);
  if (keyword === 'quote') return { kind: 'quote', quoteAsset: parseName(argument) };
  if (keyword === 'top') return { kind: 'top', count: parseCount(argument) };
  return { kind: 'list', symbols: parseList(trimmed) };
}

/** Reads `50 | BTCUSDT,ETHUSDT`: a number of made-up pairs, or their names. Throws CodedError CONFIG_INVALID. */
export function parseSimulatedSymbols(value: string | number): SimulatedSymbols {
  const text = String(value).trim();
  return /^[\d.+-]*$/.test(text) ? parseCount(text) : parseList(text);
}

function splitKeyword(text: string): readonly [string, string] {
  const colon = text.indexOf(':');
  return colon < 0 ? ['', text] : [text.slice(0, colon).toLowerCase(), text.slice(colon + 1).trim()];
}

function parseCount(text: string): number {
  const count = /^\d+$/.test(text) ? Number(text) : 0;
  if (count < 1 || count > SYMBOL_COUNT_MAX) throw invalid(text, `a whole number 1 to ${SYMBOL_COUNT_MAX}`);
  return count;
}

function parseList(text: string): readonly string[] {
  const names = new Set(text.split(',').map((name) => parseName(name.trim())));
  if (names.size > SYMBOL_COUNT_MAX) throw invalid(`${names.size} names`, `a list of at most ${SYMBOL_COUNT_MAX}`);
  return [...names];
}

function parseName(name: string): string {
  if (name.length === 0 || name.length > SYMBOL_LENGTH_MAX || FORBIDDEN.test(name)) throw invalid(name, 'a name');
  return upperCaseAscii(name);
}

/** Only ASCII: `toUpperCase` would turn `ß` into `SS` and so name another pair. */
function upperCaseAscii(text: string): string {
  return text.replace(/[a-z]+/g, (letters) => letters.toUpperCase());
}

function invalid(text: string, expected: string): CodedError {
  const shown = text.length > SYMBOL_LENGTH_MAX ? `${text.slice(0, SYMBOL_LENGTH_MAX)}…` : text;
  return new CodedError(ErrorCode.CONFIG_INVALID, `${JSON.stringify(shown)} is not ${expected}`);
}
