/** One side of a book: levels in whole ticks and lots, sorted, best last so that changes near the touch move little. */
export class TickSide {
  /** +1 for bids, -1 for asks: `sign * tick` grows towards the best level. */
  readonly #sign: 1 | -1;
  readonly #keys: number[] = [];
  readonly #lots: number[] = [];

  constructor(side: 'bid' | 'ask') {
    this.#sign = side === 'bid' ? 1 : -1;
  }

  get size(): number {
    return this.#keys.length;
  }

  /** Price of the level at `rank` (0 = best), in ticks. */
  tickAt(rank: number): number {
    return this.#sign * this.#keys[this.#keys.length - 1 - rank]!;
  }

  /** Quantity of the level at `rank` (0 = best), in lots. */
  lotsAt(rank: number): number {
    return this.#lots[this.#lots.length - 1 - rank]!;
  }

  /** Quantity at a price, 0 when there is no level. */
  lotsOf(tick: number): number {
    const key = this.#sign * tick;
    const index = this.#lowerBound(key);
    return this.#keys[index] === key ? this.#lots[index]! : 0;
  }

  /** Sets the absolute quantity at a price, 0 removes the level. Returns the quantity before. */
  set(tick: number, lots: number): number {
    const key = this.#sign * tick;
    const index = this.#lowerBound(key);
    if (this.#keys[index] === key) {
      const before = this.#lots[index]!;
      if (lots > 0) this.#lots[index] = lots;
      else {
        this.#keys.splice(index, 1);
        this.#lots.splice(index, 1);
      }
      return before;
    }
    if (lots > 0) {
      this.#keys.splice(index, 0, key);
      this.#lots.splice(index, 0, lots);
    }
    return 0;
  }

  #lowerBound(key: number): number {
    const keys = this.#keys;
    let low = 0;
    let high = keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (keys[middle]! < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** A whole book with its version. */
export class TickBook {
  readonly bids = new TickSide('bid');
  readonly asks = new TickSide('ask');
  version = 0;

  side(side: Side): TickSide {
    return side === BID ? this.bids : this.asks;
  }

  copy(): TickBook {
    const copy = new TickBook();
    copy.version = this.version;
    // Worst level first: every insert is then an append.
    for (let rank = this.bids.size - 1; rank >= 0; rank--) copy.bids.set(this.bids.tickAt(rank), this.bids.lotsAt(rank));
    for (let rank = this.asks.size - 1; rank >= 0; rank--) copy.asks.set(this.asks.tickAt(rank), this.asks.lotsAt(rank));
    return copy;
  }
}

export const BID = 0;
export const ASK = 1;
export type Side = typeof BID | typeof ASK;
