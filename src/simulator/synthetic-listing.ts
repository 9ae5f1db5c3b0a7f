import type { ListedSymbol } from '../model/symbol.js';
import { CodedError, ErrorCode } from '../support/errors.js';
import { isSymbol } from '../mexc/channels.js';
import { hashText, Prng } from './prng.js';

/** A made-up pair with what its market needs to know. */
export interface SyntheticListing extends ListedSymbol {
  readonly turnover: number;
  /** Where the market begins, in quote units. */
  readonly price: number;
  /** US dollars of one quote unit, for sizes. */
  readonly quoteUsd: number;
  /** Levels a side the market tends to. */
  readonly levels: number;
}

/** Well-known coins, most traded first: name, price in US dollars, and decimals where the usual rule gives others than MEXC has. */
// biome-ignore format: a table of three hundred lines would hide the code behind it
const coins: readonly (readonly [base: string, usd: number, priceScale?: number, quantityScale?: number])[] = [
  ['BTC', 84270, 2, 8], ['ETH', 3450, 2, 5], ['SOL', 168, 2, 3], ['XRP', 2.31, 4, 2], ['DOGE', 0.213, 5, 2], ['HYPE', 41.2, 3, 2],
  ['SUI', 3.42, 4, 2], ['ADA', 0.71, 4, 2], ['TRX', 0.274, 5, 2], ['AVAX', 22.4, 3, 2], ['LINK', 15.3, 3, 2], ['TON', 3.11, 4, 2],
  ['SHIB', 0.00001342, 9, 0], ['DOT', 4.31, 4, 2], ['LTC', 92.1, 2, 3], ['BCH', 421, 2, 4], ['PEPE', 0.00001123, 10, 0], ['NEAR', 2.61, 4, 2],
  ['龙虾', 0.0412, 6, 2], ['币安人生', 0.1834, 5, 2], ['UNI', 6.41, 4, 2], ['AAVE', 241, 2, 4], ['APT', 5.02, 4, 2], ['ICP', 5.13, 4, 2],
  ['ETC', 18.2, 3, 3], ['XLM', 0.281, 5, 2], ['ARB', 0.352, 4, 2], ['FIL', 2.62, 4, 2], ['ATOM', 4.42, 4, 2], ['OP', 0.712, 4, 2],
  ['INJ', 12.1, 3, 2], ['BONK', 0.00001672, 10, 0], ['FLOKI', 0.00008421, 9, 0], ['WIF', 0.651, 4, 2], ['TIA', 2.32, 4, 2], ['SEI', 0.213, 5, 2],
  ['RENDER', 3.62, 4, 2], ['FET', 0.682, 4, 2], ['GALA', 0.0161, 6, 1], ['SAND', 0.262, 5, 2], ['MANA', 0.283, 5, 2], ['CRV', 0.592, 5, 2],
  ['LDO', 0.841, 4, 2], ['MX', 2.71, 4, 2], ['KAS', 0.0921, 6, 2], ['ALGO', 0.191, 5, 2], ['VET', 0.0242, 6, 1], ['THETA', 0.722, 4, 2],
  ['EGLD', 15.2, 3, 3], ['XTZ', 0.612, 4, 2], ['AXS', 2.42, 4, 2], ['GIGA', 0.0141, 6, 2], ['MOG', 0.00000093, 12, 0], ['KISHU', 0.00000000031, 15, 0],
];

const quoteUsd: Readonly<Record<string, number>> = { USDT: 1, USDC: 1, BTC: 84270, ETH: 3450, EUR: 1.12, BRL: 0.18 };

/** Most decimals a generated price gets. */
const PRICE_SCALE_MAX = 15;

/**
 * The first `count` pairs of the made-up exchange: the well-known ones against USDT, then generated names, mostly against USDT and some against
 * USDC, BTC and ETH. Turnover falls like 1/rank. The same for every run with the same seed.
 */
export function syntheticListings(count: number, seed: number): SyntheticListing[] {
  const listings: SyntheticListing[] = [];
  const taken = new Set<string>();
  const random = new Prng(seed, 'listings');
  for (let rank = 0; rank < count; rank++) {
    const coin = coins[rank];
    if (coin !== undefined) listings.push(listing(coin[0], 'USDT', coin[1], rank, random, coin[2], coin[3]));
    else {
      const quote = pickQuote(random.next());
      const base = generatedName(random, taken);
      const usd = 10 ** (quoteUsd[quote] === 1 ? random.next() * 7 - 5 : random.next() * 4 - 2);
      listings.push(listing(base, quote, usd, rank, random));
    }
    taken.add(listings[rank]!.baseAsset);
  }
  return listings;
}

/** Listings of given pairs, in the order of the list. Throws CONFIG_INVALID for a name that is no symbol, has no known quote coin, or comes twice. */
export function namedListings(symbols: readonly string[], seed: number): SyntheticListing[] {
  const seen = new Set<string>();
  return symbols.map((symbol, rank) => {
    const quote = Object.keys(quoteUsd).find((candidate) => symbol.endsWith(candidate) && symbol.length > candidate.length);
    if (!isSymbol(symbol) || quote === undefined) {
      throw new CodedError(
        ErrorCode.CONFIG_INVALID,
        `"${symbol}" is no symbol the simulator can make: upper case, ending in ${Object.keys(quoteUsd).join(', ')}`,
        { symbol },
      );
    }
    if (seen.has(symbol)) throw new CodedError(ErrorCode.CONFIG_INVALID, `symbol "${symbol}" is listed twice`, { symbol });
    seen.add(symbol);
    const base = symbol.slice(0, -quote.length);
    const coin = coins.find(([name]) => name === base);
    const random = new Prng(seed, symbol);
    const usd = coin?.[1] ?? 10 ** (random.next() * 7 - 5);
    if (coin !== undefined && quote.startsWith('USD')) return listing(base, quote, usd, rank, random, coin[2], coin[3]);
    return listing(base, quote, usd, rank, random);
  });
}

function listing(
  base: string,
  quote: string,
  usd: number,
  rank: number,
  random: Prng,
  priceScale?: number,
  quantityScale?: number,
): SyntheticListing {
  const price = usd / quoteUsd[quote]!;
  const turnoverUsd = (1.6e9 / (rank + 1) ** 1.1) * (0.7 + 0.6 * random.next());
  return {
    symbol: base + quote,
    baseAsset: base,
    quoteAsset: quote,
    // Five significant digits leave room for a ladder of single ticks under the best bid.
    priceScale: priceScale ?? clamp(4 - Math.floor(Math.log10(price)), 2, PRICE_SCALE_MAX),
    quantityScale: quantityScale ?? clamp(Math.round(Math.log10(usd)) + 2, 0, 8),
    turnover: turnoverUsd / quoteUsd[quote]!,
    price,
    quoteUsd: quoteUsd[quote]!,
    levels: levelsOf(rank, random),
  };
}

function levelsOf(rank: number, random: Prng): number {
  const typical = rank < 5 ? 700 : rank < 30 ? 400 : rank < 200 ? 180 : 70;
  return Math.round(typical * (0.8 + 0.4 * random.next()));
}

function pickQuote(uniform: number): string {
  if (uniform < 0.78) return 'USDT';
  if (uniform < 0.92) return 'USDC';
  return uniform < 0.96 ? 'BTC' : 'ETH';
}

const consonants = 'BCDFGHJKLMNPRSTVXZ';
const vowels = 'AEIOU';

function generatedName(random: Prng, taken: ReadonlySet<string>): string {
  for (;;) {
    let name = '';
    const syllables = 2 + random.below(2);
    for (let i = 0; i < syllables; i++) name += consonants[random.below(consonants.length)]! + vowels[random.below(vowels.length)]!;
    if (random.next() < 0.3) name += consonants[random.below(consonants.length)]!;
    if (!taken.has(name)) return name;
  }
}

/** The 32 hex digits the exchange gives a symbol in kline pushes. */
export function symbolIdOf(symbol: string): string {
  const words = [1, 2, 3, 4].map((part) => (hashText(symbol, part) >>> 0).toString(16).padStart(8, '0'));
  return words.join('');
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}
