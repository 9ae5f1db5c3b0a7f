import { DeltaBuffer } from '../../src/book/delta-buffer.js';
import { createDepthDecoder, type DepthDecode } from '../../src/mexc/decode-depth.js';
import type { TextLevel } from './model-book.js';
import { bytesField, varintField } from './push-frame.js';

/** A field nobody knows, of any wire type. */
export type UnknownField = readonly [field: number, wire: 0 | 1 | 2 | 5, value: number];

export function unknownField([field, wire, value]: UnknownField): Buffer {
  switch (wire) {
    case 0:
      return varintField(field, value);
    case 1:
      return Buffer.concat([tag(field, 1), Buffer.alloc(8, value & 0xff)]);
    case 2:
      return bytesField(field, Buffer.alloc(value % 200, value & 0xff));
    case 5:
      return Buffer.concat([tag(field, 5), Buffer.alloc(4, value & 0xff)]);
  }
}

function tag(field: number, wire: number): Buffer {
  const head = bytesField(field, '');
  // The tag of an empty bytes field without its length, with another wire type.
  const bytes = Buffer.from(head.subarray(0, head.length - 1));
  bytes[0] = (bytes[0]! & ~7) | wire;
  return bytes;
}

/** A level: price and quantity in the order given, unknown fields where they are put. */
export function levelBytes(parts: readonly (readonly ['price' | 'quantity', string] | readonly ['unknown', UnknownField])[]): Buffer {
  return Buffer.concat(
    parts.map((part) => (part[0] === 'unknown' ? unknownField(part[1]) : bytesField(part[0] === 'price' ? 1 : 2, part[1]))),
  );
}

export function plainLevel(price: string, quantity: string): Buffer {
  return levelBytes([
    ['price', price],
    ['quantity', quantity],
  ]);
}

/** The wrapper around a body 313, as MEXC orders its fields. */
export function wrapBody(body: Uint8Array, sendTime?: number, symbol = 'BTCUSDT'): Buffer {
  return Buffer.concat([
    bytesField(1, `spot@public.aggre.depth.v3.api.pb@100ms@${symbol}`),
    bytesField(3, symbol),
    ...(sendTime === undefined ? [] : [varintField(6, sendTime)]),
    bytesField(313, body),
  ]);
}

export interface DepthFrame {
  readonly bids?: readonly TextLevel[];
  readonly asks?: readonly TextLevel[];
  readonly from: number | string;
  readonly to?: number | string;
  readonly sendTime?: number;
  /** Default BTCUSDT. */
  readonly symbol?: string;
}

/** A depth push as MEXC writes it. */
export function depthFrame({ bids = [], asks = [], from, to = from, sendTime, symbol }: DepthFrame): Buffer {
  return wrapBody(
    Buffer.concat([
      ...asks.map(([price, quantity]) => bytesField(1, plainLevel(price, quantity))),
      ...bids.map(([price, quantity]) => bytesField(2, plainLevel(price, quantity))),
      bytesField(3, 'spot@public.aggre.depth.v3.api.pb@100ms'),
      bytesField(4, String(from)),
      bytesField(5, String(to)),
    ]),
    sendTime,
    symbol,
  );
}

export interface DecodedDepth {
  readonly outcome: DepthDecode;
  readonly delta: DeltaBuffer;
  readonly asks: readonly (readonly [ticks: number, lots: number])[];
  readonly bids: readonly (readonly [ticks: number, lots: number])[];
}

const delta = new DeltaBuffer();
const decodeDepth = createDepthDecoder(delta);

/** Decodes a frame that lies between bytes of others, as it does in the ring. */
export function decodeFrame(frame: Uint8Array, priceScale: number, quantityScale: number): DecodedDepth {
  const around = Buffer.concat([Buffer.alloc(5, 0x0a), frame, Buffer.alloc(24, 0x12)]);
  // A buffer of its own: small ones are cut from a pool, and then their bytes do not begin where the buffer's do.
  const bytes = Uint8Array.from(around);
  const outcome = decodeDepth(bytes, new DataView(bytes.buffer), 5, 5 + frame.length, priceScale, quantityScale);
  return {
    outcome,
    delta,
    asks: Array.from({ length: delta.asks.count }, (_, i) => [delta.asks.ticks[i]!, delta.asks.lots[i]!] as const),
    bids: Array.from({ length: delta.bids.count }, (_, i) => [delta.bids.ticks[i]!, delta.bids.lots[i]!] as const),
  };
}
