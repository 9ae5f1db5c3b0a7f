import { readFileSync, writeFileSync } from 'node:fs';

/** A price and a quantity as decimal text. */
export type TextLevel = readonly [price: string, quantity: string];

export interface TextBook {
  /** The exchange's version of the book. */
  readonly version: number;
  /** Best first. */
  readonly bids: readonly TextLevel[];
  /** Best first. */
  readonly asks: readonly TextLevel[];
}

/** What every candidate replays: a snapshot, and frames that all join it without a gap. */
export interface Stream {
  readonly name: string;
  /** Where it comes from, with its figures, for the printed table. */
  readonly description: string;
  readonly symbol: string;
  readonly priceScale: number;
  readonly quantityScale: number;
  readonly snapshot: TextBook;
  readonly frames: readonly Uint8Array[];
  /** Levels in all frames together. */
  readonly levels: number;
}

/** Writes frames as u32 little-endian length + bytes, again and again. */
export function writeFrames(path: string, frames: readonly Uint8Array[]): void {
  const parts = frames.flatMap((frame) => {
    const header = Buffer.alloc(4);
    header.writeUInt32LE(frame.length);
    return [header, frame];
  });
  writeFileSync(path, Buffer.concat(parts));
}

export function readFrames(path: string): Uint8Array[] {
  const file = readFileSync(path);
  const frames: Uint8Array[] = [];
  for (let offset = 0; offset < file.length; ) {
    const length = file.readUInt32LE(offset);
    frames.push(new Uint8Array(file.buffer, file.byteOffset + offset + 4, length));
    offset += 4 + length;
  }
  return frames;
}

/** Writes a book as lines `v VERSION`, then `b PRICE QUANTITY`, then `a PRICE QUANTITY`, best first. */
export function writeBook(path: string, book: TextBook): void {
  const side = (letter: string, levels: readonly TextLevel[]): string =>
    levels.map(([price, quantity]) => `${letter} ${price} ${quantity}\n`).join('');
  writeFileSync(path, `v ${book.version}\n${side('b', book.bids)}${side('a', book.asks)}`);
}

export function readBook(path: string): TextBook {
  let version = NaN;
  const bids: TextLevel[] = [];
  const asks: TextLevel[] = [];
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    const [letter, first, second] = line.split(' ');
    if (letter === 'v') version = Number(first);
    else if (letter === 'b') bids.push([first!, second!]);
    else if (letter === 'a') asks.push([first!, second!]);
  }
  return { version, bids, asks };
}
