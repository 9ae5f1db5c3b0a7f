import { bookStateNames } from '../../model/book-state.js';
import type { TapePage } from '../../model/trade.js';
import { PROTO_STATE_OFFSET, writeTime } from '../../shard/proto-book.js';
import type { SkippedRun } from '../../publish/trade-backlog.js';
import { TradesField, TradeUpdateField, writeSkipped, writeTrade } from '../../shard/proto-trade.js';
import { ProtoWriter } from '../../shard/proto-writer.js';

const writer = new ProtoWriter();

/** A page of a tape as one `RecentTradesResponse`, in bytes of its own. */
export function encodeTrades({ state, epoch, seq, trades, skipped, next }: TapePage): Buffer {
  writer.begin();
  for (const trade of trades) writeTrade(writer, TradesField.TRADES, trade);
  for (const hole of skipped) writeSkipped(writer, TradesField.SKIPPED, hole);
  writer.uint(TradesField.STATE, bookStateNames.indexOf(state) + PROTO_STATE_OFFSET);
  writer.uint(TradesField.EPOCH, epoch);
  writer.uint(TradesField.SEQ, seq);
  writer.uint(TradesField.NEXT, next ?? 0);
  return Buffer.from(writer.take());
}

/** Trades a slow client was not sent, as one `TradeUpdate`. */
export function encodeSkipped({ epoch, count, fromMs, toMs }: SkippedRun, nowMs: number): Buffer {
  writer.begin();
  writeSkipped(writer, TradeUpdateField.SKIPPED, { from: fromMs, to: toMs }, count ?? 0);
  writer.uint(TradeUpdateField.EPOCH, epoch);
  writeTime(writer, TradeUpdateField.PUBLISHED_AT, nowMs);
  return Buffer.from(writer.take());
}
