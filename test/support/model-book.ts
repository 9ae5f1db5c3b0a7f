import { createHash } from 'node:crypto';

export type Side = 'bid' | 'ask';

/** Decimals every number is kept with: more than any price or quantity has. */
const SCALE = 40;

/** A decimal text as a whole number of 10^-40. */
export function parseExact(text: string): bigint {
  const match = /^(\d+)(?:\.(\d+))?$/.exec(text);
  if (match === null || (match[2]?.length ?? 0) > SCALE) throw new Error(`not a decimal number: ${JSON.stringify(text)}`);
  return BigInt(match[1]! + (match[2] ?? '').padEnd(SCALE, '0'));
}

/** The shortest decimal text of a whole number of 10^-40: no zeros behind the last digit, no point without decimals. */
export function formatExact(value: bigint): string {
  const digits = value.toString().padStart(SCALE + 1, '0');
  return `${digits.slice(0, -SCALE)}.${digits.slice(-SCALE)}`.replace(/\.?0*$/, '');
}

/** Price and quantity as shortest decimal text. */
export type TextLevel = readonly [price: string, quantity: string];

type LevelInput = readonly [price: string, quantity: string, ...rest: unknown[]] | { readonly price?: string; readonly quantity?: string };

/** The slow, obviously right order book: one map a side, from exact price to exact quantity; sorted when asked. */
export class ModelBook {
  readonly #sides: Readonly<Record<Side, Map<bigint, bigint>>> = { bid: new Map(), ask: new Map() };

  clear(): void {
    this.#sides.bid.clear();
    this.#sides.ask.clear();
  }

  /** Sets the absolute quantity at a price; zero removes the level, known or not. */
  applyDelta(side: Side, price: string, quantity: string): void {
    const levels = this.#sides[side];
    const exact = parseExact(quantity);
    if (exact === 0n) levels.delete(parseExact(price));
    else levels.set(parseExact(price), exact);
  }

  applyLevels(side: Side, levels: readonly LevelInput[]): void {
    for (const level of levels) {
      if ('price' in level) this.applyDelta(side, level.price, level.quantity!);
      else this.applyDelta(side, (level as readonly string[])[0]!, (level as readonly string[])[1]!);
    }
  }

  /** Replaces everything. */
  applySnapshot(bids: readonly LevelInput[], asks: readonly LevelInput[]): void {
    this.clear();
    this.applyLevels('bid', bids);
    this.applyLevels('ask', asks);
  }

  levelCount(side: Side): number {
    return this.#sides[side].size;
  }

  quantityAt(side: Side, price: string): string {
    return formatExact(this.#sides[side].get(parseExact(price)) ?? 0n);
  }

  /** Up to `depth` levels, best first. */
  levels(side: Side, depth = Infinity): TextLevel[] {
    const sign = side === 'bid' ? -1 : 1;
    const sorted = [...this.#sides[side]].sort(([a], [b]) => (a < b ? -sign : sign));
    return sorted.slice(0, depth).map(([price, quantity]) => [formatExact(price), formatExact(quantity)]);
  }

  best(side: Side): TextLevel | undefined {
    const price = this.#bestPrice(side);
    return price === undefined ? undefined : [formatExact(price), formatExact(this.#sides[side].get(price)!)];
  }

  /** The best bid is at or above the best ask. */
  isCrossedOrLocked(): boolean {
    const bid = this.#bestPrice('bid');
    const ask = this.#bestPrice('ask');
    return bid !== undefined && ask !== undefined && bid >= ask;
  }

  /** Keeps the best `depth` levels of a side. */
  trim(side: Side, depth: number): void {
    const levels = this.#sides[side];
    if (levels.size <= depth) return;
    const kept = this.levels(side, depth);
    levels.clear();
    this.applyLevels(side, kept);
  }

  /** SHA-256 over the whole book, in the form of the recorded sessions' expected files. */
  sha256(): string {
    return fullBookSha256(this.levels('bid'), this.levels('ask'));
  }

  #bestPrice(side: Side): bigint | undefined {
    let best: bigint | undefined;
    for (const price of this.#sides[side].keys()) {
      if (best === undefined || (side === 'bid' ? price > best : price < best)) best = price;
    }
    return best;
  }
}

/** SHA-256 of the lines `b PRICE QUANTITY`, then `a PRICE QUANTITY`, both best first, numbers as shortest decimal text. */
export function fullBookSha256(bids: readonly TextLevel[], asks: readonly TextLevel[]): string {
  const hash = createHash('sha256');
  for (const [price, quantity] of bids) hash.update(`b ${shortest(price)} ${shortest(quantity)}\n`);
  for (const [price, quantity] of asks) hash.update(`a ${shortest(price)} ${shortest(quantity)}\n`);
  return hash.digest('hex');
}

/** Decimal text without needless zeros: `84270.00` → `84270`. */
export function shortest(text: string): string {
  return text.includes('.') ? text.replace(/\.?0*$/, '') : text;
}
