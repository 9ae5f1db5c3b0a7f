import { ErrorCode } from '../support/errors.js';
import { Channel, type Format, type PublicationSpec, type TradesHead, type TradesMessage } from '../model/publication.js';
import type { KlinesRange } from '../model/feed.js';
import type { TrackedSymbol } from '../model/symbol.js';

/*
 * What passes through the rings between the main thread and a shard. `key` is the book's slot in the shard unless noted.
 */

/** Main thread to shard. */
export const Inbound = {
  /** payload: one binary push; time: received. */
  FRAME: 1,
  /** payload: body of a REST depth answer; time: received. */
  SNAPSHOT: 2,
  /** aux: price scale | quantity scale << 8; payload: serial as int32, the symbol in UTF-8. */
  TRACK: 3,
  UNTRACK: 4,
  /** aux: StateReason. */
  LINE_DOWN: 5,
  LINE_UP: 6,
  /** The clock, about every 10 ms; key unused. */
  TICK: 7,
  /** aux: publication id; payload: channel, depth, interval ms, format, candle interval as int32. */
  OPEN_PUBLICATION: 8,
  /** aux: publication id. */
  CLOSE_PUBLICATION: 9,
  /** aux: publication id; payload: token, 1 when the reason is a slow reader, as int32. */
  REQUEST_SNAPSHOT: 10,
  /** At least one push of the symbol found the ring full and was dropped. payload: the highest version any of them led to, -1 = not known of any; aux: 1 = known of all; time: the last one received. */
  FRAMES_LOST: 11,
  /** Ends the shard's task. */
  SHUT_DOWN: 12,
  /** payload: one binary push of trades; time: received. */
  DEALS: 20,
  /** payload: body of a REST trades answer; time: received. */
  TRADES: 21,
  /** payload: one binary push of a candle; time: received. */
  KLINE: 22,
  /** payload: what was asked for, as in KLINES_WANTED, then the body of a REST klines answer; time: received. */
  KLINES: 23,
  /** payload: one binary push of many tickers; time: received; key unused. */
  MINI_TICKERS: 24,
  /** payload: body of a REST 24 h ticker answer about all symbols; time: received; key unused. */
  TICKERS: 25,
  /** payload: one text frame of the JSON streams; time: received; key -1 when it names no symbol. */
  TEXT_FRAME: 26,
  /** payload: a question for candles (`candle/query.ts`). */
  CANDLES: 27,
  /** A snapshot for an audit will be asked for; time: now. */
  AUDIT: 28,
  /** payload: body of a REST depth answer for an audit, empty = none will come; time: received. */
  AUDIT_SNAPSHOT: 29,
  /** aux: StreamKind. The subscription stands: every push from here on arrives. */
  STREAM_UP: 30,
  /** aux: StreamKind. Pushes are missed from here on. */
  STREAM_DOWN: 31,
  /** aux: StreamKind. At least one push found the ring full and was dropped. */
  STREAM_LOST: 32,
} as const;

/** Shard to main thread. */
export const Outbound = {
  /** key: publication id; aux: MessageKind | token << 3; payload: one message in the publication's format. */
  MESSAGE: 1,
  /** aux: StateReason; a snapshot is wanted. */
  RESYNC: 2,
  /** aux: BookState | StateReason << 8; time: when. */
  STATE: 3,
  /** aux: what was wrong (DepthDecode, DealsDecode, REFUSED_SNAPSHOT, REFUSED_TRADES, REFUSED_TICKERS); nothing was changed by it. */
  REFUSED: 4,
  /** The slot is empty and may be given to another symbol. */
  UNTRACKED: 5,
  /** The symbol's last trades are wanted, from REST. */
  TRADES_WANTED: 20,
  /** payload: the answer to a question for candles (`candle/query.ts`). */
  CANDLES: 21,
  /** key: publication id; aux: trades in it, below 0 = some are missing; time: id of the last one; payload: `encodeTradesMessage`. */
  TRADES: 22,
  /** payload: place in `baseIntervals`, from, to as float64. Candles are wanted, from REST. */
  KLINES_WANTED: 23,
  /** payload: what an audit found (`audit-report.ts`). */
  AUDITED: 24,
} as const;

/** `aux` of a REFUSED record for a snapshot. */
export const REFUSED_SNAPSHOT = 100;
/** `aux` of a REFUSED record for an answer about trades. */
export const REFUSED_TRADES = 101;
/** `aux` of a REFUSED record for a message about many tickers; the key is NO_SLOT. */
export const REFUSED_TICKERS = 102;
/** `aux` of a REFUSED record for a candle or a list of them. */
export const REFUSED_KLINES = 103;
/** `key` of a record about no symbol. */
export const NO_SLOT = -1;

/** `aux` of a REFUSED record for a text frame: this much more than its place in `textRefusals`. */
export const REFUSED_TEXT = 300;
export const textRefusals = [ErrorCode.LEGACY_BAD_JSON, ErrorCode.LEGACY_INVALID_FORMAT, ErrorCode.LEGACY_UNSUPPORTED_CHANNEL] as const;

export const KIND_BITS = 3;

/** Five int32 for OPEN_PUBLICATION. */
export function encodeSpec(spec: PublicationSpec): Uint8Array {
  return new Uint8Array(Int32Array.of(spec.channel, spec.depth, spec.intervalMs, spec.format, spec.candleInterval ?? 0).buffer);
}

/** The reverse of `encodeSpec`, from bytes that may be unaligned. */
export function decodeSpec(bytes: Uint8Array): PublicationSpec {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const int = (index: number): number => view.getInt32(4 * index, true);
  const spec = { channel: int(0) as Channel, depth: int(1), intervalMs: int(2), format: int(3) as Format };
  return spec.channel === Channel.CANDLE ? { ...spec, candleInterval: int(4) } : spec;
}

const RANGE_BYTES = 24;

/** Three float64 for KLINES_WANTED. */
export function encodeRange({ base, fromMs, toMs }: KlinesRange): Uint8Array {
  return new Uint8Array(Float64Array.of(base, fromMs, toMs).buffer);
}

/** The reverse of `encodeRange`. */
export function decodeRange(bytes: Uint8Array): KlinesRange {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { base: view.getFloat64(0, true), fromMs: view.getFloat64(8, true), toMs: view.getFloat64(16, true) };
}

/** Payload of KLINES. */
export function encodeKlines(range: KlinesRange, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(RANGE_BYTES + body.length);
  bytes.set(encodeRange(range));
  bytes.set(body, RANGE_BYTES);
  return bytes;
}

/** The reverse of `encodeKlines`; the body is a part of `bytes`. `undefined` for an answer that was too large for the ring. */
export function decodeKlinesAnswer(bytes: Uint8Array): { readonly range: KlinesRange; readonly body: Uint8Array } | undefined {
  return bytes.length < RANGE_BYTES ? undefined : { range: decodeRange(bytes), body: bytes.subarray(RANGE_BYTES) };
}

/** Behind the message of a TRADES record: epoch, time of the first and of the last trade, as doubles. */
const TRADES_TAIL_BYTES = 24;
let scratch = new Uint8Array(4096);

/** The payload of a TRADES record: the message, then the rest of its head. Valid until the next call. */
export function encodeTradesMessage(frame: Uint8Array, { epoch, firstMs, lastMs }: TradesHead): Uint8Array {
  const length = frame.length + TRADES_TAIL_BYTES;
  if (length > scratch.length) scratch = new Uint8Array(2 * length);
  scratch.set(frame);
  const tail = new DataView(scratch.buffer, frame.length, TRADES_TAIL_BYTES);
  tail.setFloat64(0, epoch, true);
  tail.setFloat64(8, firstMs, true);
  tail.setFloat64(16, lastMs, true);
  return scratch.subarray(0, length);
}

/** The reverse; the message is a part of `payload`. */
export function decodeTradesMessage(payload: Buffer, count: number, seq: number): TradesMessage {
  const end = payload.length - TRADES_TAIL_BYTES;
  return {
    count,
    seq,
    epoch: payload.readDoubleLE(end),
    firstMs: payload.readDoubleLE(end + 8),
    lastMs: payload.readDoubleLE(end + 16),
    frame: payload.subarray(0, end),
  };
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Payload of FRAMES_LOST. */
export function encodeVersion(version: number): Uint8Array {
  return new Uint8Array(Float64Array.of(version).buffer);
}

/** The reverse of `encodeVersion`, from bytes that may be unaligned. */
export function decodeVersion(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getFloat64(0, true);
}

/** Payload of TRACK. */
export function encodeTrack({ serial, symbol }: Pick<TrackedSymbol, 'serial' | 'symbol'>): Uint8Array {
  const name = encoder.encode(symbol);
  const bytes = new Uint8Array(4 + name.length);
  new DataView(bytes.buffer).setInt32(0, serial, true);
  bytes.set(name, 4);
  return bytes;
}

/** The reverse of `encodeTrack`, from bytes that may be unaligned and shared. */
export function decodeTrack(bytes: Uint8Array): { readonly serial: number; readonly symbol: string } {
  const serial = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getInt32(0, true);
  return { serial, symbol: decoder.decode(bytes.slice(4)) };
}
