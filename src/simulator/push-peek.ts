import protobuf from 'protobufjs/light.js';
import { CodedError, ErrorCode } from '../support/errors.js';

/** Where things are in the bytes of a push. */
export interface PushOutline {
  readonly channel: string;
  readonly symbol: string | null;
  /** Field number of the body, e.g. 313. */
  readonly body: number;
  /** First byte of the body's tag; the exchange puts the body last. */
  readonly bodyTag: number;
  readonly bodyStart: number;
  readonly bodyEnd: number;
}

const CHANNEL = 1;
const SYMBOL = 3;
const BODY_FIRST = 301;
const BODY_LAST = 315;

/** Reads the wrapper of a push without decoding its body. Throws FRAME_MALFORMED. */
export function peekPush(bytes: Uint8Array): PushOutline {
  const reader = protobuf.Reader.create(bytes);
  let channel: string | undefined;
  let symbol: string | null = null;
  try {
    while (reader.pos < reader.len) {
      const start = reader.pos;
      const tag = reader.uint32();
      const field = tag >>> 3;
      if (field === CHANNEL) channel = reader.string();
      else if (field === SYMBOL) symbol = reader.string();
      else if (field >= BODY_FIRST && field <= BODY_LAST && (tag & 7) === 2) {
        const length = reader.uint32();
        const bodyStart = reader.pos;
        reader.skip(length);
        if (channel !== undefined) return { channel, symbol, body: field, bodyTag: start, bodyStart, bodyEnd: bodyStart + length };
      } else reader.skipType(tag & 7);
    }
  } catch (error) {
    throw new CodedError(ErrorCode.FRAME_MALFORMED, 'not a push of the exchange', { length: bytes.length }, error);
  }
  throw new CodedError(ErrorCode.FRAME_MALFORMED, 'a push without channel or body', { length: bytes.length });
}

/** The two versions of an incremental depth body (fields 4 and 5). Throws FRAME_MALFORMED. */
export function peekDepthVersions(bytes: Uint8Array, outline: PushOutline): { readonly from: number; readonly to: number } {
  const reader = protobuf.Reader.create(bytes.subarray(outline.bodyStart, outline.bodyEnd));
  let from = NaN;
  let to = NaN;
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag >>> 3 === 4) from = Number(reader.string());
    else if (tag >>> 3 === 5) to = Number(reader.string());
    else reader.skipType(tag & 7);
  }
  if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to)) {
    throw new CodedError(ErrorCode.FRAME_MALFORMED, 'a depth push without versions', { channel: outline.channel });
  }
  return { from, to };
}

/** The push with fields the schema does not know, one in the body and two in the wrapper, as a later release of the exchange may send them. */
export function withUnknownFields(bytes: Uint8Array): Uint8Array {
  const outline = peekPush(bytes);
  const inner = protobuf.Writer.create()
    .uint32((90 << 3) | 2)
    .string('later')
    .finish();
  const writer = protobuf.Writer.create();
  writer.uint32((outline.body << 3) | 2);
  writer.bytes(Buffer.concat([bytes.subarray(outline.bodyStart, outline.bodyEnd), inner]));
  writer.uint32((901 << 3) | 0).uint32(7);
  writer.uint32((902 << 3) | 2).string('unknown');
  return Buffer.concat([bytes.subarray(0, outline.bodyTag), writer.finish(), bytes.subarray(outline.bodyEnd)]);
}

/** The first half of the push: it breaks off inside its body. */
export function truncated(bytes: Uint8Array): Uint8Array {
  const { bodyStart, bodyEnd } = peekPush(bytes);
  return bytes.subarray(0, bodyStart + Math.floor((bodyEnd - bodyStart) / 2));
}
