/** One who follows the quotes of a symbol. */
export interface Follower {
  readonly symbol: number;
  /** The last version it was told, counted from the first push; -1 = none yet. */
  last: number;
}

/**
 * What quotes wait for, from the push of the exchange to each follower of its symbol. A round is about the pushes that were sent in it, whenever they arrive: a
 * follower that gets nothing does not go missing from the figures.
 */
export class QuoteTimes {
  /** Quotes that were older than the one before. */
  wrong = 0;
  readonly #followers: Follower[] = [];
  /** By symbol: when its pushes were sent, by version; there is none before the first. */
  readonly #sentMs: number[][];
  /** By symbol: the versions sent in the round, from and up to. */
  #from: number[] = [];
  #to: number[] = [];
  #micros: number[] = [];
  #due = 0;

  constructor(symbols: number) {
    this.#sentMs = Array.from({ length: symbols }, () => [0]);
  }

  get symbols(): number {
    return this.#sentMs.length;
  }

  follow(symbol: number): Follower {
    const follower = { symbol, last: -1 };
    this.#followers.push(follower);
    return follower;
  }

  /** The next push of a symbol is about to be written. */
  sent(symbol: number, nowMs: number): void {
    this.#sentMs[symbol]!.push(nowMs);
  }

  /** A follower has the quote at `version`. One that was replaced before it was sent is told by the newer one. */
  told(follower: Follower, version: number, nowMs: number): void {
    const { symbol, last } = follower;
    // A quote that stands is repeated after three seconds.
    if (version === last) return;
    follower.last = version;
    if (last < 0) return;
    if (version < last) this.wrong++;
    const to = Math.min(version + 1, this.#to[symbol] ?? 0);
    for (let told = Math.max(last + 1, this.#from[symbol] ?? 0); told < to; told++) this.#add(symbol, told, nowMs);
  }

  /** A round begins with the pushes sent from here on. */
  begin(): void {
    this.#from = this.#sentMs.map(({ length }) => length);
    this.#to = this.#sentMs.map(() => Infinity);
    this.#micros = [];
  }

  /** No push sent from here on belongs to the round. */
  end(): void {
    this.#to = this.#sentMs.map(({ length }) => length);
    this.#due = this.#followers.reduce((sum, { symbol }) => sum + this.#to[symbol]! - this.#from[symbol]!, 0);
  }

  /** Whether all followers have all quotes of the round. Between `end` and `take`. */
  get isComplete(): boolean {
    return this.#micros.length >= this.#due;
  }

  /** What the quotes of the round took, in microseconds. Those that nobody was told yet count with their age. */
  take(nowMs: number): Float64Array {
    for (const { symbol, last } of this.#followers) {
      for (let version = Math.max(last + 1, this.#from[symbol]!); version < this.#to[symbol]!; version++) this.#add(symbol, version, nowMs);
    }
    this.#to = [];
    return Float64Array.from(this.#micros);
  }

  #add(symbol: number, version: number, nowMs: number): void {
    this.#micros.push((nowMs - this.#sentMs[symbol]![version]!) * 1000);
  }
}
