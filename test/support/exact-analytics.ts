import type { TextLevel } from './model-book.js';

/** A rational number, exact. */
export class Fraction {
  readonly numerator: bigint;
  /** > 0 */
  readonly denominator: bigint;

  constructor(numerator: bigint, denominator = 1n) {
    this.numerator = denominator < 0n ? -numerator : numerator;
    this.denominator = denominator < 0n ? -denominator : denominator;
  }

  /** Reads decimal text. */
  static of(text: string): Fraction {
    const [, sign, whole, fraction = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text)!;
    return new Fraction((sign === '-' ? -1n : 1n) * BigInt(whole! + fraction), 10n ** BigInt(fraction.length));
  }

  /** What a double stands for. */
  static ofDouble(value: number): Fraction {
    let scaled = value;
    let shift = 0n;
    while (!Number.isInteger(scaled)) {
      scaled *= 2;
      shift++;
    }
    return new Fraction(BigInt(scaled), 1n << shift);
  }

  plus(other: Fraction): Fraction {
    // Levels of one book have the same decimals: sums over thousands of them stay small.
    if (this.denominator === other.denominator) return new Fraction(this.numerator + other.numerator, this.denominator);
    if (this.isZero) return other;
    return new Fraction(this.numerator * other.denominator + other.numerator * this.denominator, this.denominator * other.denominator);
  }

  minus(other: Fraction): Fraction {
    return this.plus(new Fraction(-other.numerator, other.denominator));
  }

  times(other: Fraction): Fraction {
    return new Fraction(this.numerator * other.numerator, this.denominator * other.denominator);
  }

  over(other: Fraction): Fraction {
    return new Fraction(this.numerator * other.denominator, this.denominator * other.numerator);
  }

  compare(other: Fraction): number {
    const difference = this.numerator * other.denominator - other.numerator * this.denominator;
    return difference === 0n ? 0 : difference < 0n ? -1 : 1;
  }

  get isZero(): boolean {
    return this.numerator === 0n;
  }
}

const ZERO = new Fraction(0n);
const TEN_THOUSAND = new Fraction(10_000n);
const TWO = new Fraction(2n);

/** A book as texts, best first. */
export interface TextBook {
  readonly bids: readonly TextLevel[];
  readonly asks: readonly TextLevel[];
}

/** The same figures as the engine's, by the definitions, without regard for time or memory. */
export class ExactBook {
  readonly bids: readonly (readonly [Fraction, Fraction])[];
  readonly asks: readonly (readonly [Fraction, Fraction])[];

  constructor({ bids, asks }: TextBook) {
    const read = ([price, quantity]: TextLevel) => [Fraction.of(price), Fraction.of(quantity)] as const;
    this.bids = bids.map(read);
    this.asks = asks.map(read);
  }

  spread(): Fraction | null {
    return this.bids[0] && this.asks[0] ? this.asks[0][0].minus(this.bids[0][0]) : null;
  }

  mid(): Fraction | null {
    return this.bids[0] && this.asks[0] ? this.asks[0][0].plus(this.bids[0][0]).over(TWO) : null;
  }

  spreadBps(): Fraction | null {
    return this.spread()?.times(TEN_THOUSAND).over(this.mid()!) ?? null;
  }

  microprice(): Fraction | null {
    const [bid, ask] = [this.bids[0], this.asks[0]];
    if (bid === undefined || ask === undefined) return null;
    return bid[0].times(ask[1]).plus(ask[0].times(bid[1])).over(bid[1].plus(ask[1]));
  }

  imbalance(depth: number): Fraction | null {
    const total = (side: typeof this.bids): Fraction => side.slice(0, depth).reduce((sum, [, quantity]) => sum.plus(quantity), ZERO);
    const [bids, asks] = [total(this.bids), total(this.asks)];
    const all = bids.plus(asks);
    return all.isZero ? null : bids.minus(asks).over(all);
  }

  /** Base and quote units within `bps` of the mid, and whether a level lies beyond. */
  band(side: 'bid' | 'ask', bps: number): { readonly base: Fraction; readonly quote: Fraction; readonly covered: boolean } | null {
    const mid = this.mid();
    if (mid === null) return null;
    const distance = mid.times(new Fraction(BigInt(bps), 10_000n));
    const levels = side === 'bid' ? this.bids : this.asks;
    const inside = levels.filter(([price]) =>
      side === 'bid' ? price.compare(mid.minus(distance)) >= 0 : price.compare(mid.plus(distance)) <= 0,
    );
    return {
      base: inside.reduce((sum, [, quantity]) => sum.plus(quantity), ZERO),
      quote: inside.reduce((sum, [price, quantity]) => sum.plus(price.times(quantity)), ZERO),
      covered: inside.length < levels.length,
    };
  }

  reference(side: 'buy' | 'sell', ref: 'mid' | 'best'): Fraction | null {
    return ref === 'mid' ? this.mid() : ((side === 'buy' ? this.asks : this.bids)[0]?.[0] ?? null);
  }

  /** `null` when the book holds less. */
  fill(
    side: 'buy' | 'sell',
    kind: 'size' | 'notional',
    amount: string,
  ): { readonly base: Fraction; readonly quote: Fraction; readonly worst: Fraction; readonly levels: number } | null {
    let rest = Fraction.of(amount);
    let base = ZERO;
    let quote = ZERO;
    let levels = 0;
    for (const [price, quantity] of side === 'buy' ? this.asks : this.bids) {
      levels++;
      const there = kind === 'size' ? quantity : price.times(quantity);
      const taken = there.compare(rest) < 0 ? there : rest;
      base = base.plus(kind === 'size' ? taken : taken.over(price));
      quote = quote.plus(kind === 'size' ? taken.times(price) : taken);
      rest = rest.minus(taken);
      if (rest.isZero) return { base, quote, worst: price, levels };
    }
    return null;
  }
}

/** |double - exact| as a share of |exact|, in units of 2^-53; a correctly rounded double is within 1. */
export function errorUnits(double: number, exact: Fraction): number {
  if (exact.isZero) return double === 0 ? 0 : Infinity;
  const error = Fraction.ofDouble(double).minus(exact).over(exact);
  return Math.abs(Number((error.numerator << 80n) / error.denominator)) / 2 ** 27;
}
