import { setImmediate as nextTurn } from 'node:timers/promises';
import type { MarketData } from '../../model/market-data.js';
import type { TrackedSymbol } from '../../model/symbol.js';
import type { TapePage } from '../../model/trade.js';
import { Problem } from '../problem.js';

/** Turns of the event loop a read is tried in; each turn `readTrades` itself tries several times. */
const READ_TURNS = 5;

/** A page of a tape, once the exchange has said what was traded last. Throws TRADES_NOT_READY, BOOK_BUSY. */
export async function readTrades(market: MarketData, symbol: TrackedSymbol, limit: number, before: number | null): Promise<TapePage> {
  const name = symbol.symbol;
  for (let turn = 0; turn < READ_TURNS; turn++) {
    if (turn > 0) await nextTurn();
    const page = market.readTrades(symbol, limit, before);
    if (page === undefined) continue;
    if (page.receivedAt !== null || page.state === 'live') return page;
    throw new Problem('TRADES_NOT_READY', `the last trades of ${name} are not known yet`, { symbol: name, state: page.state });
  }
  throw new Problem('BOOK_BUSY', `the trades of ${name} changed during every one of ${READ_TURNS} reads`, { symbol: name });
}
