import { compareHeat } from './symbol-line.js';
import type { SymbolLine } from './symbol-line.js';

/**
 * Decides whose turn it is to be subscribed. At most `window` symbols are subscribed and not yet live at any time, because
 * every one of them buffers its stream until its snapshot comes, and snapshots come at a few per second. Symbols that
 * were in use go first, the hottest first, and may fill the window twice over: a start-up in progress does not hold them up.
 */
export class Admission {
  readonly #window: number;
  readonly #waiting = new Set<SymbolLine>();
  readonly #settling = new Set<SymbolLine>();

  constructor(window: number) {
    this.#window = window;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Symbols wait for their turn, or have it and are not settled. */
  get busy(): boolean {
    return this.#waiting.size + this.#settling.size > 0;
  }

  wait(line: SymbolLine): void {
    this.#settling.delete(line);
    this.#waiting.add(line);
  }

  /** The next one to subscribe, which counts as settling from now on; `undefined` when the window is full or nobody waits. */
  next(): SymbolLine | undefined {
    let best: SymbolLine | undefined;
    for (const line of this.#waiting) if (best === undefined || compareTurns(line, best) < 0) best = line;
    if (best === undefined || this.#settling.size >= (best.returning ? 2 * this.#window : this.#window)) return undefined;
    this.#waiting.delete(best);
    this.#settling.add(best);
    return best;
  }

  /** It is live, gave up its turn, or takes so long that the others should not wait for it. Returns whether that made room. */
  settled(line: SymbolLine): boolean {
    return this.#settling.delete(line);
  }

  remove(line: SymbolLine): void {
    this.#waiting.delete(line);
    this.#settling.delete(line);
  }
}

function compareTurns(a: SymbolLine, b: SymbolLine): number {
  return a.returning !== b.returning ? (a.returning ? -1 : 1) : compareHeat(a, b);
}
