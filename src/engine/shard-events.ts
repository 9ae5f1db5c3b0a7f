import type { Logger } from 'pino';
import type { Feed } from '../feed/feed.js';
import { BookState, bookStateNames, stateReasonNames } from '../model/book-state.js';
import type { ShardEvents } from '../shard/egress.js';
import type { CandleDesk } from './candle-desk.js';
import type { SymbolTable } from './symbol-table.js';

/** Refused frames are logged at most this often. */
const REFUSAL_LOG_MS = 5_000;

/** What the shards report, turned into calls of the feed and lines of the log. */
export function shardEvents(symbols: SymbolTable, feed: Feed, candles: CandleDesk, logger: Logger, clock: () => number): ShardEvents {
  let refusals = 0;
  let refusalsLoggedMs = -Infinity;
  return {
    resyncRequested: (shard, slot, reason) => {
      const symbol = symbols.at(shard, slot);
      if (symbol !== undefined) feed.resyncRequested(symbol.id, reason);
    },
    bookState: (shard, slot, state, reason) => {
      const symbol = symbols.at(shard, slot);
      if (symbol === undefined) return;
      const event = { symbol: symbol.symbol, state: bookStateNames[state], reason: stateReasonNames[reason] };
      if (state === BookState.LIVE) logger.debug(event, 'book live');
      else logger.info(event, 'book not live');
      feed.bookState(symbol.id, state);
    },
    untracked: (shard, slot) => symbols.slotClosed(shard, slot),
    tradesWanted: (shard, slot) => {
      const symbol = symbols.at(shard, slot);
      if (symbol !== undefined) feed.tradesWanted(symbol.id);
    },
    candles: (_shard, _slot, payload) => candles.answered(payload),
    klinesWanted: (shard, slot, ask) => {
      const symbol = symbols.at(shard, slot);
      if (symbol === undefined) return;
      candles.wanted(symbol.id, ask).catch((error: unknown) => logger.debug({ err: error, symbol: symbol.symbol }, 'no candles fetched'));
    },
    refused: (shard, slot, what) => {
      refusals++;
      if (clock() - refusalsLoggedMs < REFUSAL_LOG_MS) return;
      refusalsLoggedMs = clock();
      logger.warn({ symbol: symbols.at(shard, slot)?.symbol, what, refusals }, 'input that could not be read was refused');
    },
  };
}
