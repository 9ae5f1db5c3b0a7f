import { crc32 } from 'node:zlib';

import { shortest, type TextLevel } from './model-book.js';
import type { SessionLine } from './recorded.js';

/** One book message of an exchange that sends a checksum of the book it should lead to. */
export interface ChecksumUpdate {
  readonly symbol: string;
  readonly snapshot: boolean;
  readonly bids: readonly TextLevel[];
  readonly asks: readonly TextLevel[];
  /** Unsigned CRC32; `undefined` when the message has none. */
  readonly checksum: number | undefined;
}

/** What an exchange's messages mean and how its checksum is made. */
export interface ChecksumFeed {
  parse(line: SessionLine): ChecksumUpdate | undefined;
  /** Of the book's best levels, printed with all decimals of the book's scales. */
  checksum(bids: readonly TextLevel[], asks: readonly TextLevel[]): number;
  /** Levels a side the checksum looks at. */
  readonly checksumDepth: number;
  /** Levels a side to keep after every update. */
  readonly depth: number;
  /** True when every number of an instrument is sent with the same decimals, trailing zeros included. */
  readonly padded: boolean;
}

type WireLevels = readonly (readonly [price: string, quantity: string, ...rest: string[]])[];
type KrakenBody = Readonly<Partial<Record<'as' | 'bs' | 'a' | 'b', WireLevels>>> & { readonly c?: string };

/** Kraken WebSocket v1: top 10 asks, then bids; price and quantity without point and leading zeros, written together. */
export const krakenFeed: ChecksumFeed = {
  checksumDepth: 10,
  depth: 1_000,
  padded: true,
  parse(line) {
    const message = line.k === 'ws' ? (JSON.parse(line.raw!) as unknown) : undefined;
    if (!Array.isArray(message)) return undefined;
    const bodies = message.slice(1, -2) as KrakenBody[];
    const checksum = bodies.find((body) => body.c !== undefined)?.c;
    return {
      symbol: message.at(-1) as string,
      snapshot: bodies.some((body) => body.as !== undefined),
      bids: bodies.flatMap((body) => textLevels(body.bs ?? body.b ?? [])),
      asks: bodies.flatMap((body) => textLevels(body.as ?? body.a ?? [])),
      checksum: checksum === undefined ? undefined : Number(checksum),
    };
  },
  checksum(bids, asks) {
    const digits = (text: string): string => text.replace('.', '').replace(/^0+/, '');
    return crc32([...asks, ...bids].map(([price, quantity]) => digits(price) + digits(quantity)).join(''));
  },
};

interface OkxMessage {
  readonly action?: 'snapshot' | 'update';
  readonly arg?: { readonly channel: string; readonly instId: string };
  readonly data?: readonly { readonly bids: WireLevels; readonly asks: WireLevels; readonly checksum: number }[];
}

/** OKX and Bitget: top 25, bid and ask in turn, `price:quantity:…` as sent; a side that has ended is left out. */
function colonFeed(padded: boolean): ChecksumFeed {
  return {
    checksumDepth: 25,
    depth: Infinity,
    padded,
    parse(line) {
      const message = line.k === 'ws' ? (JSON.parse(line.raw!) as OkxMessage) : undefined;
      const book = message?.arg?.channel.startsWith('books') ? message.data?.[0] : undefined;
      if (book === undefined) return undefined;
      const { bids, asks, checksum } = book;
      const { instId } = message!.arg!;
      return {
        symbol: instId,
        snapshot: message!.action === 'snapshot',
        bids: textLevels(bids),
        asks: textLevels(asks),
        checksum: checksum >>> 0,
      };
    },
    checksum(bids, asks) {
      const asSent = padded ? (text: string) => text : shortest;
      const parts: string[] = [];
      for (let i = 0; i < Math.max(bids.length, asks.length); i++) {
        for (const level of [bids[i], asks[i]]) if (level !== undefined) parts.push(asSent(level[0]), asSent(level[1]));
      }
      return crc32(parts.join(':'));
    },
  };
}

/** OKX trims all numbers. */
export const okxFeed = colonFeed(false);
/** Bitget sends as many decimals as the instrument has. */
export const bitgetFeed = colonFeed(true);

function textLevels(levels: WireLevels): TextLevel[] {
  return levels.map(([price, quantity]) => [price, quantity]);
}
