import { createBookCopy } from '../model/book-copy.js';
import { bookStateNames } from '../model/book-state.js';
import type { BookStateName } from '../model/book-state.js';
import { formatDecimal } from '../model/decimal.js';
import type { MarketData } from '../model/market-data.js';
import type { TrackedSymbol } from '../model/symbol.js';
import { pad, displayWidth, printable } from './live-block.js';

/** One book at one moment; `null` where there is nothing to say. */
export interface BookRow {
  readonly symbol: string;
  readonly state: BookStateName;
  readonly bid: string | null;
  readonly ask: string | null;
  readonly spread: string | null;
  readonly updatesPerSecond: number | null;
}

interface Sample {
  readonly timeMs: number;
  /** By symbol id. */
  readonly seqs: ReadonlyMap<number, number>;
}

/** Updates a second are counted over so many samples: over one they would jump between 0 and twice the rate. */
const SAMPLES_MAX = 10;

/** The rate of a count that only grows, over the last few times it was looked at. */
export class RateMeter {
  readonly #samples: { readonly timeMs: number; readonly count: number }[] = [];

  /** `timeMs` is of a clock that does not go back; 0 at the first look. */
  perSecond(count: number, timeMs: number): number {
    const oldest = this.#samples[0];
    this.#samples.push({ timeMs, count });
    if (this.#samples.length > SAMPLES_MAX) this.#samples.shift();
    return oldest === undefined || timeMs <= oldest.timeMs ? 0 : ((count - oldest.count) * 1_000) / (timeMs - oldest.timeMs);
  }
}

/** Looks at the books of a market again and again, on the main thread, and knows how fast they change. */
export class BookSampler {
  readonly #market: MarketData;
  readonly #copy = createBookCopy(1);
  readonly #samples: Sample[] = [];

  constructor(market: MarketData) {
    this.#market = market;
  }

  /** The first `count` books by turnover. `timeMs` is of a clock that does not go back. */
  sample(count: number, timeMs: number): readonly BookRow[] {
    const symbols = [...this.#market.tracked()].sort(byTurnover).slice(0, count);
    const oldest = this.#samples[0];
    const seqs = new Map<number, number>();
    const rows = symbols.map((symbol) => this.#row(symbol, seqs, oldest, timeMs));
    this.#samples.push({ timeMs, seqs });
    if (this.#samples.length > SAMPLES_MAX) this.#samples.shift();
    return rows;
  }

  #row(symbol: TrackedSymbol, seqs: Map<number, number>, oldest: Sample | undefined, timeMs: number): BookRow {
    const copy = this.#copy;
    const name = printable(symbol.symbol);
    if (!this.#market.readBook(symbol, 1, copy)) {
      return { symbol: name, state: this.#market.symbolStatus(symbol).state, bid: null, ask: null, spread: null, updatesPerSecond: null };
    }
    seqs.set(symbol.id, copy.seq);
    const before = oldest?.seqs.get(symbol.id);
    const elapsedMs = timeMs - (oldest?.timeMs ?? timeMs);
    const bid = copy.bidCount > 0 ? copy.bidTicks[0]! : null;
    const ask = copy.askCount > 0 ? copy.askTicks[0]! : null;
    const show = (ticks: number | null): string | null => (ticks === null ? null : formatDecimal(ticks, copy.priceScale));
    return {
      symbol: name,
      state: bookStateNames[copy.state],
      bid: show(bid),
      ask: show(ask),
      spread: bid === null || ask === null || ask < bid ? null : show(ask - bid),
      updatesPerSecond: before === undefined || elapsedMs <= 0 ? null : ((copy.seq - before) * 1_000) / elapsedMs,
    };
  }
}

function byTurnover(a: TrackedSymbol, b: TrackedSymbol): number {
  return (b.turnover ?? -1) - (a.turnover ?? -1);
}

const HEAD = ['symbol', 'state', 'best bid', 'best ask', 'spread', 'updates/s'] as const;
const NOTHING = '-';

/** The rows as aligned lines, names to the left and numbers to the right, a head line first. */
export function tableLines(rows: readonly BookRow[]): readonly string[] {
  const cells = rows.map((row) => [
    row.symbol,
    row.state,
    row.bid ?? NOTHING,
    row.ask ?? NOTHING,
    row.spread ?? NOTHING,
    row.updatesPerSecond?.toFixed(1) ?? NOTHING,
  ]);
  const table = [HEAD as readonly string[], ...cells];
  const widths = HEAD.map((_, column) => Math.max(...table.map((line) => displayWidth(line[column]!))));
  return table.map((line) =>
    line
      .map((cell, column) => pad(cell, widths[column]!, column < 2 ? 'start' : 'end'))
      .join('  ')
      .trimEnd(),
  );
}
