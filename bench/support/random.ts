/** Seeded generator (xorshift32): the same seed gives the same stream on every machine. */
export class Random {
  #state: number;

  constructor(seed: number) {
    // Zero is the one state xorshift never leaves.
    this.#state = Math.imul(seed, 0x9e3779b1) >>> 0 || 1;
  }

  /** Whole number in [0, bound), bound at most 2^32. */
  below(bound: number): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state >>> 0;
    return Math.floor((this.#state / 0x1_0000_0000) * bound);
  }
}
