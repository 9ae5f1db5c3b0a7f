import { type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks';

/** More than there are within one input. */
const KEPT = 1000;

/** The newest collections of garbage of this thread. */
export class Collections {
  #entries: PerformanceEntry[] = [];
  readonly #observer = new PerformanceObserver((list) => this.#keep(list.getEntries()));

  constructor() {
    this.#observer.observe({ entryTypes: ['gc'] });
  }

  /** How long garbage was collected between two moments of `performance.now()`, in ms. */
  async between(fromMs: number, toMs: number): Promise<number> {
    // What V8 has told of them arrives a round later.
    for (let round = 0; round < 3; round++) await new Promise((resolve) => setImmediate(resolve));
    this.#keep(this.#observer.takeRecords());
    const within = ({ startTime, duration }: PerformanceEntry): number =>
      Math.max(0, Math.min(toMs, startTime + duration) - Math.max(fromMs, startTime));
    return this.#entries.reduce((sum, entry) => sum + within(entry), 0);
  }

  close(): void {
    this.#observer.disconnect();
  }

  #keep(entries: readonly PerformanceEntry[]): void {
    this.#entries = [...this.#entries, ...entries].slice(-KEPT);
  }
}
