/** A price and the quantity at it, as doubles: ccxt and tardis-dev have no others. */
export type Level = readonly [price: number, quantity: number];

/** A book as its candidate shows it to a program that uses it. */
export interface ShownBook {
  readonly bids: Iterable<Level>;
  readonly asks: Iterable<Level>;
}

/** A candidate's word about a symbol that its book was not to be trusted: a state, a rejection, a fresh snapshot. */
export interface Told {
  readonly symbol: string;
  readonly atMs: number;
  readonly what: string;
}

/** Something that keeps books of the simulated exchange. */
export interface Candidate {
  readonly name: string;
  /** Everything it told of so far, in order. */
  readonly told: readonly Told[];
  /** Begins to follow symbols over a connection of its own, where it has a say in that. */
  follow(symbols: readonly string[]): Promise<void>;
  /** The book it gives for true at this moment; `undefined` = it gives none, or says that it is not to be trusted. */
  shown(symbol: string): ShownBook | undefined;
  close(): Promise<void>;
}
