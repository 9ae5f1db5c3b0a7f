import { createHash } from 'node:crypto';
import { decodePush } from './push-schema.js';
import type { Stream, TextBook, TextLevel } from './stream.js';

/** The book a stream ends in, made the slow and obvious way: a map from price text to quantity text a side. */
export function modelBook(stream: Stream): TextBook {
  const bids = new Map(stream.snapshot.bids.map(trimLevel));
  const asks = new Map(stream.snapshot.asks.map(trimLevel));
  let { version } = stream.snapshot;
  for (const frame of stream.frames) {
    const body = decodePush(frame).publicAggreDepths!;
    for (const [side, items] of [
      [bids, body.bids],
      [asks, body.asks],
    ] as const) {
      for (const item of items) {
        const [price, quantity] = trimLevel([item.price, item.quantity]);
        if (quantity === '0') side.delete(price);
        else side.set(price, quantity);
      }
    }
    version = Number(body.toVersion);
  }
  return {
    version,
    bids: [...bids].sort((a, b) => Number(b[0]) - Number(a[0])),
    asks: [...asks].sort((a, b) => Number(a[0]) - Number(b[0])),
  };
}

/**
 * SHA-256 over `b PRICE QUANTITY\n` (bids, best first), then `a PRICE QUANTITY\n` (asks, best first), numbers without
 * trailing zeros: the same for every candidate that holds the same book, whatever its number format.
 */
export function hashBook(book: TextBook): string {
  const hash = createHash('sha256');
  for (const [letter, levels] of [
    ['b', book.bids],
    ['a', book.asks],
  ] as const) {
    for (const level of levels) hash.update(`${letter} ${trimLevel(level).join(' ')}\n`);
  }
  return hash.digest('hex');
}

/** Levels in one push. */
export function countLevels(frame: Uint8Array): number {
  const body = decodePush(frame).publicAggreDepths!;
  return body.asks.length + body.bids.length;
}

function trimLevel([price, quantity]: TextLevel): TextLevel {
  return [trimZeros(price), trimZeros(quantity)];
}

function trimZeros(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}
