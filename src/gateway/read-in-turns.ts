import { setImmediate as nextTurn } from 'node:timers/promises';
import type { TrackedSymbol } from '../model/symbol.js';
import { Problem } from './problem.js';

/** What a read returns that met a worker at work. */
export const BUSY = Symbol('busy');
/** Turns of the event loop a read is tried in; in each of them it has several attempts itself. */
const READ_TURNS = 5;

/** What `read` finds in the first turn in which it is not BUSY. Throws BOOK_BUSY, of `what` of the symbol. */
export async function readInTurns<T>({ symbol }: TrackedSymbol, what: string, read: () => T | typeof BUSY): Promise<T> {
  for (let turn = 0; turn < READ_TURNS; turn++) {
    if (turn > 0) await nextTurn();
    const found = read();
    if (found !== BUSY) return found;
  }
  throw new Problem('BOOK_BUSY', `the ${what} of ${symbol} changed during every one of ${READ_TURNS} reads`, { symbol });
}
