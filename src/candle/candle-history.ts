import { type BaseInterval, baseIntervals } from './base-interval.js';
import { OPEN_TIME, ROW_WORDS } from './candle-row.js';

/** Closed candles of the exchange a shard keeps, over all symbols; 26 MB. Beyond it the series not asked for the longest is forgotten. */
export const HISTORY_ROWS_MAX = 100_000;

interface Series {
  readonly rows: Map<number, Float64Array>;
  /** What was asked of the exchange, [from, to) in Unix ms, in order, apart from each other. */
  covered: (readonly [from: number, to: number])[];
}

/** Ranges of one series that were asked for and do not touch. */
const RANGES_MAX = 256;

/** Closed candles as the exchange gave them, kept in the shard's own memory. */
export class CandleHistory {
  readonly #series = new Map<number, Series>();
  readonly #rowsMax: number;
  #count = 0;

  constructor(rowsMax = HISTORY_ROWS_MAX) {
    this.#rowsMax = rowsMax;
  }

  get count(): number {
    return this.#count;
  }

  find(slot: number, interval: BaseInterval, openMs: number): Float64Array | undefined {
    return this.#series.get(keyOf(slot, interval))?.rows.get(openMs);
  }

  /** The exchange was asked for this candle: when there is none, it has none. */
  isCovered(slot: number, interval: BaseInterval, openMs: number): boolean {
    return this.#series.get(keyOf(slot, interval))?.covered.some(([from, to]) => from <= openMs && openMs < to) ?? false;
  }

  /** Takes the answer to a request for [fromMs, toMs): rows one behind the other, closed ones only. */
  add(slot: number, interval: BaseInterval, fromMs: number, toMs: number, rows: Float64Array): void {
    const key = keyOf(slot, interval);
    const kept = this.#series.get(key);
    // One series alone does not grow without end either: it begins anew with this answer.
    if (kept !== undefined && (kept.rows.size + rows.length / ROW_WORDS > this.#rowsMax || kept.covered.length >= RANGES_MAX))
      this.#drop(key);
    const series = this.#series.get(key) ?? { rows: new Map<number, Float64Array>(), covered: [] };
    // The newest used stands last.
    this.#series.delete(key);
    this.#series.set(key, series);
    for (let at = 0; at < rows.length; at += ROW_WORDS) {
      const openMs = rows[at + OPEN_TIME]!;
      if (!series.rows.has(openMs)) this.#count++;
      series.rows.set(openMs, rows.slice(at, at + ROW_WORDS));
    }
    series.covered = join([...series.covered, [fromMs, toMs]]);
    this.#makeRoom(key);
  }

  forget(slot: number): void {
    for (const interval of baseIntervals) this.#drop(keyOf(slot, interval));
  }

  #makeRoom(newest: number): void {
    for (const key of this.#series.keys()) {
      if (this.#count <= this.#rowsMax || key === newest) return;
      this.#drop(key);
    }
  }

  #drop(key: number): void {
    this.#count -= this.#series.get(key)?.rows.size ?? 0;
    this.#series.delete(key);
  }
}

/** Joins ranges that touch or overlap. */
function join(ranges: readonly (readonly [from: number, to: number])[]): (readonly [from: number, to: number])[] {
  const joined: [from: number, to: number][] = [];
  for (const [from, to] of ranges.toSorted((a, b) => a[0] - b[0])) {
    const last = joined.at(-1);
    if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to);
    else joined.push([from, to]);
  }
  return joined;
}

function keyOf(slot: number, interval: BaseInterval): number {
  return slot * baseIntervals.length + baseIntervals.indexOf(interval);
}
