import {
  ASKS,
  BEST_ASK_TICK,
  BEST_BID_TICK,
  BIDS,
  EXCHANGE_VERSION,
  headerDoubles,
  headerInts,
  PRICE_SCALE,
  QUANTITY_SCALE,
} from '../../src/book/book-layout.js';
import { LEVELS } from '../../src/book/ladder-layout.js';
import { collect } from '../../src/book/ladder-lookup.js';
import type { Arena } from '../../src/memory/arena.js';
import { formatDecimal } from '../../src/model/decimal.js';
import type { TextBook, TextLevel } from './stream.js';

/** Copies the whole book in a slot out of shared memory as text. */
export function readEngineBook({ f64, i32 }: Arena, slot: number): TextBook {
  const doubles = headerDoubles(slot);
  const ints = headerInts(slot);
  const side = (block: number, best: number, direction: number): TextLevel[] => {
    const count = i32[ints + block + LEVELS]!;
    const ticks = new Float64Array(count);
    const lots = new Float64Array(count);
    const copied = collect(f64, i32, ints + block, f64[doubles + best]!, direction, count, ticks, lots);
    if (copied !== count) throw new Error(`copied ${copied} levels of ${count}`);
    return Array.from(ticks, (tick, i) => [
      formatDecimal(tick, i32[ints + PRICE_SCALE]!),
      formatDecimal(lots[i]!, i32[ints + QUANTITY_SCALE]!),
    ]);
  };
  return { version: f64[doubles + EXCHANGE_VERSION]!, bids: side(BIDS, BEST_BID_TICK, -1), asks: side(ASKS, BEST_ASK_TICK, 1) };
}
