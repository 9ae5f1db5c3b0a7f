import type { FeedSink } from '../../src/model/feed.js';

/** As a connection's pushes come: parts of one buffer that is used again and again, at any byte of a word. */
const buffer = Buffer.alloc(1 << 20);
let at = 0;

/** The bytes in their new place, good until the next call. */
export function place(bytes: Uint8Array): [bytes: Buffer, start: number, end: number] {
  if (bytes.length + 8 > buffer.length) return [Buffer.from(bytes), 0, bytes.length];
  at = (at + 3) % 8;
  buffer.fill(0xa5, 0, at);
  buffer.set(bytes, at);
  buffer.fill(0x5a, at + bytes.length, at + bytes.length + 8);
  return [buffer, at, at + bytes.length];
}

export function pushDepth(sink: FeedSink, id: number, bytes: Uint8Array, receiveTimeMs: number, line = 0): boolean {
  return sink.frame(id, ...place(bytes), receiveTimeMs, line);
}

export function pushDeals(sink: FeedSink, id: number, bytes: Uint8Array, receiveTimeMs: number, line = 0): boolean {
  return sink.deals(id, ...place(bytes), receiveTimeMs, line);
}

export function pushKline(sink: FeedSink, id: number, bytes: Uint8Array, receiveTimeMs: number): boolean {
  return sink.kline(id, ...place(bytes), receiveTimeMs);
}

export function pushMiniTickers(sink: FeedSink, bytes: Uint8Array, receiveTimeMs: number): boolean {
  return sink.miniTickers(...place(bytes), receiveTimeMs);
}
