import type { CandleRows } from './assemble.js';
import type { BaseInterval } from './base-interval.js';
import type { CandleHistory } from './candle-history.js';
import { RING_INTERVALS, type RingInterval } from './candle-layout.js';
import { COMPLETE, hasFlag } from './candle-row.js';
import type { SymbolRows } from './symbol-rows.js';

const NO_ROWS = new Float64Array(0);

/** The rows of one symbol: those in shared memory, or a copy of them, and behind them what the exchange was asked for. */
export class CandleSource implements CandleRows {
  rows: Float64Array = NO_ROWS;
  at = 0;
  readonly #own: SymbolRows;
  readonly #history: CandleHistory | undefined;
  readonly #slot: number;

  constructor(own: SymbolRows, history?: CandleHistory, slot = 0) {
    this.#own = own;
    this.#history = history;
    this.#slot = slot;
  }

  find(interval: BaseInterval, openMs: number): boolean {
    const own = isRing(interval) ? this.#own.find(interval, openMs) : -1;
    if (own >= 0) {
      this.rows = this.#own.rows;
      this.at = own;
      if (hasFlag(this.rows, own, COMPLETE)) return true;
    }
    const kept = this.#history?.find(this.#slot, interval, openMs);
    if (kept === undefined) return own >= 0;
    this.rows = kept;
    this.at = 0;
    return true;
  }

  isCovered(interval: BaseInterval, openMs: number): boolean {
    return this.#history?.isCovered(this.#slot, interval, openMs) ?? false;
  }
}

function isRing(interval: BaseInterval): interval is RingInterval {
  return (RING_INTERVALS as readonly BaseInterval[]).includes(interval);
}
