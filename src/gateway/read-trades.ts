import type { MarketData } from '../model/market-data.js';
import type { TrackedSymbol } from '../model/symbol.js';
import type { TapePage } from '../model/trade.js';
import { Problem } from './problem.js';
import { BUSY, readInTurns } from './read-in-turns.js';

/** A page of a tape, once the exchange has said what was traded last. Throws TRADES_NOT_READY, BOOK_BUSY. */
export async function readTrades(market: MarketData, symbol: TrackedSymbol, limit: number, before: number | null): Promise<TapePage> {
  const page = await readInTurns(symbol, 'tape', () => market.readTrades(symbol, limit, before) ?? BUSY);
  if (page.receivedAt !== null || page.state === 'live') return page;
  const name = symbol.symbol;
  throw new Problem('TRADES_NOT_READY', `the last trades of ${name} are not known yet`, { symbol: name, state: page.state });
}
