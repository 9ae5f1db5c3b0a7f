import { ASK_DIRECTION, BID_DIRECTION } from '../../book/order-books.js';
import { provenLevels } from '../../book/proof.js';
import type { BookCopy } from '../../model/book-copy.js';
import { stateReasonNames } from '../../model/book-state.js';
import { BookField, PROTO_STATE_OFFSET, writeLevels, writeTime } from '../../shard/proto-book.js';
import { ProtoWriter } from '../../shard/proto-writer.js';

const encoder = new TextEncoder();
const writer = new ProtoWriter();

/** A book read from shared memory as one `OrderBookResponse`, in bytes of its own. */
export function encodeOrderBook(symbol: string, copy: Readonly<BookCopy>, exact: boolean, nowMs: number): Buffer {
  const { priceScale, quantityScale } = copy;
  writer.begin();
  writer.bytes(BookField.SYMBOL, encoder.encode(symbol));
  writer.uint(BookField.LAST_UPDATE_ID, copy.version);
  writeLevels(writer, BookField.BIDS, copy.bidTicks, copy.bidLots, copy.bidCount, priceScale, quantityScale, exact);
  writeLevels(writer, BookField.ASKS, copy.askTicks, copy.askLots, copy.askCount, priceScale, quantityScale, exact);
  writeTime(writer, BookField.TIMESTAMP, copy.exchangeTimeMs);
  writer.uint(BookField.STATE, copy.state + PROTO_STATE_OFFSET);
  writer.bytes(BookField.STATE_REASON, encoder.encode(stateReasonNames[copy.reason]));
  writer.uint(BookField.EPOCH, copy.epoch);
  writer.uint(BookField.SEQ, copy.seq);
  if (copy.receiveTimeMs > 0) writer.presentUint(BookField.AGE_MS, Math.max(0, Math.round(nowMs - copy.receiveTimeMs)));
  writeTime(writer, BookField.RECEIVED_AT, copy.receiveTimeMs);
  writeTime(writer, BookField.PUBLISHED_AT, nowMs);
  writer.uint(BookField.PRICE_SCALE, priceScale);
  writer.uint(BookField.QUANTITY_SCALE, quantityScale);
  writer.presentUint(BookField.VERIFIED_BIDS, provenLevels(copy.bidTicks, copy.bidCount, BID_DIRECTION, copy.provenBids));
  writer.presentUint(BookField.VERIFIED_ASKS, provenLevels(copy.askTicks, copy.askCount, ASK_DIRECTION, copy.provenAsks));
  return Buffer.from(writer.take());
}
