import type { Logger } from 'pino';
import type { Feed } from '../feed/feed.js';
import { BookState, bookStateNames, stateReasonNames } from '../model/book-state.js';
import type { BookReader } from '../publish/book-reader.js';
import type { ShardEvents } from '../shard/egress.js';
import { REFUSED_TEXT, textRefusals } from '../shard/records.js';
import { AuditOutcome } from '../model/audit.js';
import type { AuditLog } from './audit-log.js';
import type { CandleDesk } from './candle-desk.js';
import type { SymbolTable } from './symbol-table.js';

/** Refused frames are logged at most this often, by kind, so that one does not hide another. */
const REFUSAL_LOG_MS = 5_000;

export interface ShardEventParts {
  readonly symbols: SymbolTable;
  readonly readers: readonly BookReader[];
  readonly feed: Feed;
  readonly candles: CandleDesk;
  readonly audits: AuditLog;
  readonly logger: Logger;
  readonly clock: () => number;
}

/** What the shards report, turned into calls of the feed and lines of the log. */
export function shardEvents({ symbols, readers, feed, candles, audits, logger, clock }: ShardEventParts): ShardEvents {
  let refusals = 0;
  const refusalsLoggedMs = new Map<number, number>();
  return {
    resyncRequested: (shard, slot, reason) => {
      const symbol = symbols.at(shard, slot);
      if (symbol !== undefined) feed.resyncRequested(symbol.id, reason);
    },
    bookState: (shard, slot, state, reason) => {
      const symbol = symbols.at(shard, slot);
      if (symbol === undefined) return;
      const event = {
        symbol: symbol.symbol,
        connection: feed.connectionOf(symbol.id),
        epoch: readers[shard]!.epoch(slot),
        state: bookStateNames[state],
        reason: stateReasonNames[reason],
      };
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
    klinesWanted: (shard, slot, range) => {
      const symbol = symbols.at(shard, slot);
      if (symbol !== undefined) feed.klinesWanted(symbol.id, range);
    },
    audited: (shard, slot, report) => {
      const symbol = symbols.at(shard, slot);
      if (symbol === undefined) return;
      // Lines have a time of their own.
      const { time: _, ...found } = audits.add(symbol, report);
      const event = { symbol: symbol.symbol, epoch: readers[shard]!.epoch(slot), ...found };
      if (report.outcome === AuditOutcome.MISMATCH) logger.warn(event, 'audit: another book than the exchange has, it is repaired');
      else logger.debug(event, 'audit');
      feed.audited(symbol.id);
    },
    refused: (shard, slot, what) => {
      refusals++;
      const now = clock();
      if (now - (refusalsLoggedMs.get(what) ?? -Infinity) < REFUSAL_LOG_MS) return;
      refusalsLoggedMs.set(what, now);
      const code = textRefusals[what - REFUSED_TEXT];
      const symbol = symbols.at(shard, slot);
      const connection = symbol === undefined ? null : feed.connectionOf(symbol.id);
      logger.warn(
        { symbol: symbol?.symbol, connection, ...(code === undefined ? { what } : { code }), refusals },
        'input that could not be read was refused',
      );
    },
  };
}
