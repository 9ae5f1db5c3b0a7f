import { DealsBuffer } from './deals-buffer.js';
import { MARK_HOLE, MARK_SELL, REORDER_MS } from './tape-layout.js';

export interface MergeParts {
  /** The newest trades of the tape, and the time from which on it is known to be whole (`Tapes.copyTail`). */
  readonly known: DealsBuffer;
  readonly knownFromMs: number;
  /** The exchange's last trades, oldest first: without ids, and without a hole up to the moment they were asked for. */
  readonly fill: DealsBuffer;
  /** Pushes that came meanwhile, from before that moment on. */
  readonly held: DealsBuffer;
  /** Indexes of `held` before which pushes were lost. */
  readonly breaks: readonly number[];
}

export interface Merged {
  /** What belongs behind the tape's newest trade; marked where trades are missing. */
  readonly trades: DealsBuffer;
  /** Trades are missing behind the last one. */
  readonly holeBehind: boolean;
  /** Those that came from `fill` alone: some may still be pushed. */
  readonly filled: FilledTrades;
}

/** Trades known from REST that were not pushed so far. A push follows within a window of the exchange, and tells them once more. */
export class FilledTrades {
  #count = 0;
  #newestMs = -Infinity;
  #counts = new Map<string, number>();

  get count(): number {
    return this.#count;
  }

  add(trades: DealsBuffer, index: number): void {
    const key = keyOf(trades, index);
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
    this.#count++;
    this.#newestMs = Math.max(this.#newestMs, trades.times[index]!);
  }

  addAll(others: FilledTrades): void {
    for (const [key, count] of others.#counts) this.#counts.set(key, (this.#counts.get(key) ?? 0) + count);
    this.#count += others.#count;
    this.#newestMs = Math.max(this.#newestMs, others.#newestMs);
  }

  /** Whether a pushed trade is one of them, which then is no more. */
  take(trades: DealsBuffer, index: number): boolean {
    const key = keyOf(trades, index);
    const left = this.#counts.get(key) ?? 0;
    if (left === 0) return false;
    this.#counts.set(key, left - 1);
    this.#count--;
    return true;
  }

  /** They are told at scales that many powers of ten larger from here on. */
  scaleUp(priceFactor: number, quantityFactor: number): void {
    const scaled = new Map<string, number>();
    for (const [key, count] of this.#counts) {
      const [time, ticks, lots, side] = key.split(' ');
      scaled.set(`${time} ${Number(ticks) * priceFactor} ${Number(lots) * quantityFactor} ${side}`, count);
    }
    this.#counts = scaled;
  }

  /** Pushes of this time come far behind them: none will follow. */
  isPast(timeMs: number): boolean {
    return this.#count === 0 || timeMs > this.#newestMs + REORDER_MS;
  }
}

interface Entry {
  readonly timeMs: number;
  readonly source: DealsBuffer;
  readonly index: number;
  readonly hole: boolean;
}

/**
 * Joins a tape, the trades fetched by REST and those that were pushed meanwhile, so that none is doubled and none missing where `fill` reaches
 * back to the tape's newest trade. REST gives no ids, so trades are told apart by time, price, quantity and side, and counted: of equal ones
 * there are as many as the source that saw more of them has, which is right as long as each millisecond was seen whole by one of them. A pushed trade is kept rather than its equal from REST, for its id.
 */
export function mergeTrades({ known, knownFromMs, fill, held, breaks }: MergeParts): Merged {
  const onTape = countByKey(known);
  let newestKnownMs = -Infinity;
  for (let i = 0; i < known.count; i++) newestKnownMs = Math.max(newestKnownMs, known.times[i]!);
  const oldestFilledMs = fill.count === 0 ? Infinity : fill.times[0]!;

  const entries: Entry[] = [];
  /** Places in `entries` of trades that are new from REST, by key. */
  const fresh = new Map<string, number[]>();
  let met = 0;
  for (let i = 0; i < fill.count; i++) {
    if (known.count > 0 && fill.times[i]! < knownFromMs) continue;
    const key = keyOf(fill, i);
    const left = onTape.get(key) ?? 0;
    if (left > 0) {
      onTape.set(key, left - 1);
      if (fill.times[i] === newestKnownMs) met++;
      continue;
    }
    const places = fresh.get(key);
    if (places === undefined) fresh.set(key, [entries.length]);
    else places.push(entries.length);
    entries.push({ timeMs: fill.times[i]!, source: fill, index: i, hole: false });
  }
  const reaches = known.count === 0 || oldestFilledMs < newestKnownMs || (oldestFilledMs === newestKnownMs && met > 0);

  /** On the tape from an earlier answer: a worker that died may have known that their pushes were still to come. */
  const unpushed = new FilledTrades();
  for (let i = 0; i < known.count; i++) if (known.idLength(i) === 0) unpushed.add(known, i);
  const isHole = (index: number): boolean => index > 0 && breaks.includes(index) && !(oldestFilledMs < held.times[index - 1]!);
  /** Index of the last push that is in `fill` as well and of its first moment, which `fill` may not know from its beginning. */
  let lastOfCut = -1;
  const isFilled = new Set<number>();
  for (let i = 0; i < held.count; i++) {
    const entry: Entry = { timeMs: held.times[i]!, source: held, index: i, hole: isHole(i) };
    const place = fresh.get(keyOf(held, i))?.shift();
    if (place !== undefined) {
      entries[place] = entry;
      if (entry.timeMs === oldestFilledMs) {
        lastOfCut = i;
        isFilled.add(i);
      }
    } else if (!unpushed.take(held, i)) entries.push(entry);
  }
  const filled = new FilledTrades();
  for (const { source, index } of entries) if (source === fill) filled.add(fill, index);
  // Stable: of one moment, REST's in its order, then those it had not seen; but in its first moment those that it begins behind come before it.
  const isCutOff = ({ timeMs, source, index }: Entry): number =>
    timeMs === oldestFilledMs && source === held && index < lastOfCut && !isFilled.has(index) ? 0 : 1;
  entries.sort((a, b) => a.timeMs - b.timeMs || isCutOff(a) - isCutOff(b));

  const trades = new DealsBuffer(entries.length);
  for (const [at, { source, index, hole }] of entries.entries()) {
    trades.take(source, index);
    const missing = hole || (at === 0 && !reaches);
    trades.marks[at] = (trades.marks[at]! & ~MARK_HOLE) | (missing ? MARK_HOLE : 0);
  }
  return { trades, filled, holeBehind: isHole(held.count) || (entries.length === 0 && !reaches) };
}

function countByKey(trades: DealsBuffer): Map<string, number> {
  const counts = new Map<string, number>();
  for (let i = 0; i < trades.count; i++) {
    const key = keyOf(trades, i);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

function keyOf(trades: DealsBuffer, index: number): string {
  return `${trades.times[index]} ${trades.ticks[index]} ${trades.lots[index]} ${trades.marks[index]! & MARK_SELL}`;
}
