import type { BookCopy } from '../../model/book-copy.js';
import type { Ticker } from '../../model/ticker.js';
import { PROTO_STATE_OFFSET, writeTime } from '../../shard/proto-book.js';
import { TickerField, writeTicker } from '../../shard/proto-ticker.js';
import { ProtoWriter } from '../../shard/proto-writer.js';

const writer = new ProtoWriter();

/** A ticker and the state of the book its bid and ask come from as one `TickerResponse`, in bytes of its own. */
export function encodeTicker(book: Readonly<BookCopy>, ticker: Ticker, nowMs: number): Buffer {
  writer.begin();
  writeTicker(writer, ticker);
  writer.uint(TickerField.STATE, book.state + PROTO_STATE_OFFSET);
  writer.uint(TickerField.EPOCH, book.epoch);
  writer.uint(TickerField.SEQ, book.seq);
  writeTime(writer, TickerField.PUBLISHED_AT, nowMs);
  return Buffer.from(writer.take());
}
