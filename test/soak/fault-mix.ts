import { Prng } from '../../src/simulator/prng.js';
import type { FaultSpec } from '../../src/simulator/simulator.js';

/** A fault, and how often it comes among 1,000. */
type Part = readonly [weight: number, fault: FaultSpec];

/**
 * Everything the simulated exchange can do but `corruptLevel`, which nobody can notice before an audit: the book is wrong until then, and not
 * by a fault of ours. What hits everybody (429, 403) is rare.
 */
const parts: readonly Part[] = [
  [170, { action: 'skip' }],
  [60, { action: 'skip', pushes: 4 }],
  [170, { action: 'duplicate', pushes: 2 }],
  [110, { action: 'reorder', pushes: 2 }],
  [60, { action: 'truncate' }],
  [60, { action: 'truncate', mode: 'add' }],
  [60, { action: 'unknownFields' }],
  [60, { action: 'stall', forMs: 1500, after: 'merge' }],
  [60, { action: 'stall', forMs: 1500, after: 'gap' }],
  [50, { action: 'slowSnapshots', delayMs: 700 }],
  [50, { action: 'oldSnapshots', pushes: 8 }],
  [36, { action: 'rest5xx' }],
  [12, { action: 'refuse' }],
  [16, { action: 'drop' }],
  [14, { action: 'drop', closeCode: 1001 }],
  [6, { action: 'halfOpen' }],
  [4, { action: 'rest429', symbol: '*' }],
  [2, { action: 'rest403', symbol: '*' }],
];
const WEIGHTS = parts.reduce((sum, [weight]) => sum + weight, 0);

/** Chooses faults and whom they meet, from a seed. */
export class FaultMix {
  readonly #random: Prng;
  readonly #symbols: readonly string[];
  /** Those chosen so far, by action. */
  readonly chosen = new Map<string, number>();

  constructor(seed: number, symbols: readonly string[]) {
    this.#random = new Prng(seed, 'soak-faults');
    this.#symbols = symbols;
  }

  next(): FaultSpec {
    let place = this.#random.below(WEIGHTS);
    const [, fault] = parts.find(([weight]) => (place -= weight) < 0)!;
    this.chosen.set(fault.action, (this.chosen.get(fault.action) ?? 0) + 1);
    return { symbol: this.#symbols[this.#random.below(this.#symbols.length)]!, ...fault };
  }
}
