import type { AggreDepths } from '../../src/mexc/messages.js';
import { ModelBook } from './model-book.js';
import type { DepthAnswer } from './recorded.js';

/**
 * Keeps a model book by MEXC's published rules: buffer pushes until the snapshot, drop what it already holds, then every
 * `fromVersion` must follow the version held.
 */
export class BookFollower {
  readonly book = new ModelBook();
  /** `undefined` before the snapshot. */
  version: number | undefined;
  applied = 0;
  dropped = 0;
  gaps = 0;
  crossed = 0;
  readonly #waiting: AggreDepths[] = [];

  /** Called after every push that changed the book. */
  onApplied: (version: number) => void = () => {};

  push(depths: AggreDepths): 'buffered' | 'dropped' | 'applied' | 'gap' {
    if (this.version === undefined) {
      this.#waiting.push(depths);
      return 'buffered';
    }
    const from = Number(depths.fromVersion);
    const to = Number(depths.toVersion);
    if (to <= this.version) {
      this.dropped++;
      return 'dropped';
    }
    if (from > this.version + 1) {
      this.gaps++;
      return 'gap';
    }
    this.book.applyLevels('ask', depths.asks);
    this.book.applyLevels('bid', depths.bids);
    this.version = to;
    this.applied++;
    if (this.book.isCrossedOrLocked()) this.crossed++;
    this.onApplied(to);
    return 'applied';
  }

  snapshot(answer: DepthAnswer): void {
    this.book.applySnapshot(answer.bids, answer.asks);
    this.version = answer.lastUpdateId;
    for (const depths of this.#waiting.splice(0)) this.push(depths);
  }
}
