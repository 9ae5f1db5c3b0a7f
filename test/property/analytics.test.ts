import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bookAnalytics } from '../../src/analytics/book-analytics.js';
import { AMOUNT_LENGTH_MAX, parseAmount } from '../../src/analytics/fill.js';
import { ratioToDouble } from '../../src/analytics/ratio.js';
import { slippage } from '../../src/analytics/slippage.js';
import { WideSum } from '../../src/analytics/wide-sum.js';
import { type BookCopy, createBookCopy } from '../../src/model/book-copy.js';
import { formatDecimal } from '../../src/model/decimal.js';
import { errorUnits, ExactBook, Fraction, type TextBook } from '../support/exact-analytics.js';

/** Whole numbers of every length up to 2^53, small ones and powers of ten more often. */
const wholes = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 1_000 }) },
  { weight: 2, arbitrary: fc.integer({ min: 1, max: 1e9 }) },
  { weight: 1, arbitrary: fc.maxSafeNat().map((value) => value + 1) },
  { weight: 1, arbitrary: fc.nat({ max: 15 }).map((power) => 10 ** power) },
  { weight: 1, arbitrary: fc.constantFrom(1e7, 1e7 - 1, 1e14, 1e14 - 1, Number.MAX_SAFE_INTEGER) },
);

interface RandomBook {
  readonly copy: BookCopy;
  readonly text: TextBook;
}

/** Books whose touch may be locked or crossed, with gaps of any width, sides that may be empty, and quantities of any size. */
const books: fc.Arbitrary<RandomBook> = fc
  .record({
    priceScale: fc.nat({ max: 10 }),
    quantityScale: fc.nat({ max: 10 }),
    bestBid: fc.oneof(fc.integer({ min: 200, max: 100_000 }), fc.integer({ min: 200, max: 2 ** 45 })),
    spread: fc.oneof({ weight: 8, arbitrary: fc.integer({ min: 1, max: 20 }) }, { weight: 1, arbitrary: fc.integer({ min: -3, max: 0 }) }),
    bids: fc.array(fc.tuple(fc.integer({ min: 1, max: 30 }), wholes), { maxLength: 40 }),
    asks: fc.array(fc.tuple(fc.oneof(fc.integer({ min: 1, max: 30 }), wholes), wholes), { maxLength: 40 }),
  })
  .map(({ priceScale, quantityScale, bestBid, spread, bids, asks }) => {
    const side = (best: number, direction: number, steps: readonly (readonly [number, number])[]): [number, number][] => {
      let tick = best;
      const levels: [number, number][] = [];
      for (const [gap, lots] of steps) {
        if (tick < 1 || tick > 2 ** 50) break;
        levels.push([tick, lots]);
        tick += direction * gap;
      }
      return levels;
    };
    return makeBook(priceScale, quantityScale, side(bestBid, -1, bids), side(bestBid + spread, 1, asks));
  });

function makeBook(priceScale: number, quantityScale: number, bids: [number, number][], asks: [number, number][]): RandomBook {
  const copy = createBookCopy(0);
  const text = (levels: [number, number][]): [string, string][] =>
    levels.map(([tick, lots]) => [formatDecimal(tick, priceScale), formatDecimal(lots, quantityScale)]);
  Object.assign(copy, {
    priceScale,
    quantityScale,
    bidCount: bids.length,
    askCount: asks.length,
    bidTicks: Float64Array.from(bids, ([tick]) => tick),
    bidLots: Float64Array.from(bids, ([, lots]) => lots),
    askTicks: Float64Array.from(asks, ([tick]) => tick),
    askLots: Float64Array.from(asks, ([, lots]) => lots),
  });
  return { copy, text: { bids: text(bids), asks: text(asks) } };
}

/** A text is exactly a fraction. */
function expectExact(text: unknown, exact: Fraction | null): void {
  if (exact === null) return expect(text).toBeNull();
  expect(Fraction.of(text as string).compare(exact)).toBe(0);
}

/** A double lies within so many units of 2^-53 of a fraction. */
function expectNear(double: number | null, exact: Fraction | null, units: number): void {
  if (exact === null || double === null) return expect([double, exact]).toEqual([null, null]);
  expect(errorUnits(double, exact)).toBeLessThanOrEqual(units);
}

const someBps = fc.uniqueArray(fc.oneof(fc.integer({ min: 1, max: 10_000 }), fc.constantFrom(1, 5, 10, 50, 100, 10_000)), {
  minLength: 1,
  maxLength: 5,
});

test('the figures of random books are those of exact arithmetic', () => {
  fc.assert(
    fc.property(books, fc.nat({ max: 45 }), someBps, ({ copy, text }, depth, bps) => {
      const exact = new ExactBook(text);
      const figures = bookAnalytics(copy, { depth, bps, numbers: 'string' });
      expect(figures.best_bid).toEqual(text.bids[0] ?? null);
      expect(figures.best_ask).toEqual(text.asks[0] ?? null);
      expectExact(figures.spread, exact.spread());
      expectExact(figures.mid, exact.mid());
      expectNear(figures.spread_bps, exact.spreadBps(), 4);
      expectNear(figures.microprice, exact.microprice(), 8);
      const imbalance = exact.imbalance(depth === 0 ? Infinity : depth);
      const small = [...copy.bidLots, ...copy.askLots].reduce((sum, lots) => sum + lots, 0) < 2 ** 53;
      if (small || imbalance === null) expectNear(figures.imbalance, imbalance, 1);
      else expect(Math.abs(figures.imbalance!)).toBeLessThanOrEqual(1);
      expect(figures.bands.map((band) => band.bps)).toEqual(bps.toSorted((a, b) => a - b));
      for (const band of figures.bands) {
        for (const side of ['bid', 'ask'] as const) {
          const truth = exact.band(side, band.bps);
          expectExact(band[side]?.base ?? null, truth?.base ?? null);
          expectExact(band[side]?.quote ?? null, truth?.quote ?? null);
          expect(band[side]?.covered).toBe(truth?.covered);
        }
      }
    }),
    { numRuns: 400 },
  );
});

test('JSON numbers are the nearest doubles of the texts', () => {
  fc.assert(
    fc.property(books, ({ copy }) => {
      const texts = bookAnalytics(copy, { depth: 5, bps: [50], numbers: 'string' });
      const numbers = bookAnalytics(copy, { depth: 5, bps: [50], numbers: 'float' });
      const nearest = (text: unknown): unknown => (typeof text === 'string' ? Number(text) : text);
      expect(numbers).toEqual(JSON.parse(JSON.stringify(texts), (_, value: unknown) => nearest(value)));
    }),
    { numRuns: 200 },
  );
});

/** Amounts below, at and beyond what the side holds, with more decimals than the symbol, too. */
const orders = fc.record({
  side: fc.constantFrom('buy', 'sell'),
  kind: fc.constantFrom('size', 'notional'),
  ref: fc.constantFrom('mid', 'best'),
  share: fc.oneof(fc.double({ min: 0.000_001, max: 1.2, noNaN: true }), fc.constantFrom('all', 'more')),
});

test('orders fill as in exact arithmetic, and not at all beyond the book', () => {
  let filled = 0;
  let refused = 0;
  fc.assert(
    fc.property(books, orders, fc.nat({ max: 3 }), ({ copy, text }, { side, kind, ref, share }, extraDecimals) => {
      const exact = new ExactBook(text);
      const levels = side === 'buy' ? exact.asks : exact.bids;
      const scale = kind === 'size' ? copy.quantityScale : copy.priceScale + copy.quantityScale;
      const decimals = scale + extraDecimals;
      const total = levels.reduce(
        (sum, [price, quantity]) => sum.plus(kind === 'size' ? quantity : price.times(quantity)),
        new Fraction(0n),
      );
      const units = (total.numerator * 10n ** BigInt(decimals)) / total.denominator;
      const wanted = share === 'all' ? units : share === 'more' ? units + 1n : (units * BigInt(Math.round(share * 1e6))) / 1_000_000n;
      const digits = wanted.toString().padStart(decimals + 1, '0');
      const amountText = decimals === 0 ? digits : `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
      const amount = parseAmount(amountText);
      fc.pre(amount !== undefined);
      const answer = slippage(copy, { side, kind, ref, amount, text: amountText });
      const truth = exact.fill(side, kind, amountText);
      const reference = exact.reference(side, ref);
      expectExact(answer.reference_price, reference);
      if (truth === null) {
        refused++;
        const { base, quote, average_price, worst_price, levels: taken, slippage: worse, slippage_bps } = answer;
        expect([base, quote, average_price, worst_price, taken, worse, slippage_bps]).toEqual(Array(7).fill(null));
        return;
      }
      filled++;
      expectNear(answer.base, truth.base, 1);
      expectNear(answer.quote, truth.quote, 1);
      const average = truth.quote.over(truth.base);
      expectNear(answer.average_price, average, 1);
      expectExact(answer.worst_price, truth.worst);
      expect(answer.levels).toBe(truth.levels);
      const worse = reference === null ? null : side === 'buy' ? average.minus(reference) : reference.minus(average);
      expectNear(answer.slippage, worse, 1);
      expectNear(answer.slippage_bps, worse?.times(new Fraction(10_000n)).over(reference!) ?? null, 1);
    }),
    { numRuns: 600 },
  );
  expect(Math.min(filled, refused)).toBeGreaterThan(50);
});

test('amounts are read exactly or not at all', () => {
  expect(parseAmount('2.50')).toEqual({ digits: 250n, decimals: 2 });
  for (const text of ['', '0', '0.000', '-1', '1e5', '.5', '5.', '1,5', ' 1', '1'.repeat(AMOUNT_LENGTH_MAX + 1)])
    expect(parseAmount(text)).toBeUndefined();
});

test('wide sums are exact, compared and printed like whole numbers of any length', () => {
  const factors = fc.oneof({ weight: 9, arbitrary: wholes }, { weight: 1, arbitrary: fc.constantFrom(2 ** 60, 2 ** 79, 1e22) });
  fc.assert(
    fc.property(fc.array(fc.tuple(factors, factors), { maxLength: 80 }), fc.nat({ max: 44 }), wholes, (products, scale, other) => {
      const sum = new WideSum();
      let truth = 0n;
      for (const [a, b] of products) {
        sum.add(a, b);
        truth += BigInt(a) * BigInt(b);
      }
      expect(sum.toBigInt()).toBe(truth);
      const digits = truth.toString().padStart(scale + 1, '0');
      expect(sum.toText(scale)).toBe(scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`);
      const second = WideSum.of(BigInt(other));
      expect(sum.compare(second)).toBe(truth < BigInt(other) ? -1 : truth > BigInt(other) ? 1 : 0);
      second.copyFrom(sum);
      expect(second.compare(sum)).toBe(0);
    }),
    { numRuns: 300 },
  );
});

test('quotients are the nearest doubles', () => {
  // A tie goes to the even one; anything beyond it does not.
  const tie = 2n ** 53n + 1n;
  expect(ratioToDouble(tie, 2n ** 53n)).toBe(1);
  expect(ratioToDouble(3n * tie + 1n, 3n * 2n ** 53n)).toBe(1 + Number.EPSILON);
  expect(ratioToDouble(-(tie * 2n ** 100n) - 1n, 2n ** 153n)).toBe(-1 - Number.EPSILON);
  fc.assert(
    fc.property(fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }), fc.bigInt({ min: 1n, max: 10n ** 30n }), (numerator, denominator) => {
      expect(errorUnits(ratioToDouble(numerator, denominator), new Fraction(numerator, denominator))).toBeLessThanOrEqual(1);
    }),
    { numRuns: 500 },
  );
});
