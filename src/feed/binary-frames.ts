import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';

/** First byte of a whole binary message: last fragment, no extension, opcode 2 (RFC 6455 section 5.2). */
const WHOLE_BINARY = 0x82;
const FINAL = 0x80;
const OPCODE = 0x0f;
const CLOSE = 8;
const MASKED = 0x80;
const LENGTH_16 = 126;
const NOTHING: Buffer = Buffer.alloc(0);

/**
 * Finds whole binary messages in a WebSocket's bytes and hands them over as they lie there. Everything else goes to `ws` unchanged and in
 * order: control and text frames, fragments, whatever breaks the protocol, and the one frame in each piece of the stream that is cut by its end.
 * So `ws` decides about everything that needs a decision, and is spared what is nine tenths of its work here: it makes six views for a message
 * and passes it through two events, which is more than all the rest of what the main thread does with a push.
 */
export class BinaryFrames {
  readonly #message: (bytes: Buffer) => void;
  readonly #rest: (bytes: Buffer) => void;
  /** Bytes still to come of a frame whose beginning went to `ws`. */
  #missing = 0;
  /** The beginning of a header that is not whole yet. */
  #head = NOTHING;
  /** Between the first and the last fragment of a message. */
  #inFragments = false;
  /** A close frame came: what follows it means nothing. */
  #closed = false;

  constructor(message: (bytes: Buffer) => void, rest: (bytes: Buffer) => void) {
    this.#message = message;
    this.#rest = rest;
  }

  /** Takes the next piece of the stream. The messages handed over are parts of it. */
  take(piece: Buffer): void {
    const bytes = this.#head.length > 0 ? Buffer.concat([this.#head, piece]) : piece;
    this.#head = NOTHING;
    const length = bytes.length;
    let cursor = Math.min(this.#missing, length);
    if (cursor > 0) {
      this.#missing -= cursor;
      this.#rest(bytes.subarray(0, cursor));
    }
    while (cursor < length && !this.#closed) {
      const start = headerEnd(bytes, cursor);
      if (start > length) {
        this.#head = bytes.subarray(cursor);
        return;
      }
      const end = start + payloadLength(bytes, cursor);
      const first = bytes[cursor]!;
      if (first === WHOLE_BINARY && end <= length && !this.#inFragments && bytes[cursor + 1]! < MASKED) {
        this.#message(bytes.subarray(start, end));
      } else {
        if ((first & OPCODE) < CLOSE) this.#inFragments = (first & FINAL) === 0;
        else if ((first & OPCODE) === CLOSE) this.#closed = true;
        this.#missing = Math.max(0, end - length);
        this.#rest(bytes.subarray(cursor, Math.min(end, length)));
      }
      cursor = end;
    }
  }
}

/**
 * Puts a BinaryFrames between an open WebSocket and its socket (`response.socket` of the 'upgrade' event). To be called while 'open' is emitted:
 * nothing was read by then. `message` may go on to hear of messages that `ws` puts together through its own 'message' event.
 */
export function takeBinaryFrames(ws: WebSocket, socket: Socket, message: (bytes: Buffer) => void): void {
  const [toWebSocket, ...others] = socket.listeners('data') as ((bytes: Buffer) => void)[];
  // Another version of `ws` may listen otherwise; then it goes on as it is.
  if (toWebSocket === undefined || others.length > 0) return;
  const frames = new BinaryFrames(message, (bytes) => toWebSocket.call(socket, bytes));
  const take = (piece: Buffer): void => frames.take(piece);
  socket.on('data', take);
  socket.off('data', toWebSocket);
  // After a breach of the protocol `ws` reads no further.
  ws.once('error', () => socket.off('data', take));
}

/** Where the payload of the frame at `cursor` begins; beyond the bytes when its header is not whole. */
function headerEnd(bytes: Buffer, cursor: number): number {
  const second = bytes[cursor + 1] ?? 0;
  const code = second & 0x7f;
  return cursor + (code < LENGTH_16 ? 2 : code === LENGTH_16 ? 4 : 10) + (second >= MASKED ? 4 : 0);
}

/** Of a frame whose header is whole. */
function payloadLength(bytes: Buffer, cursor: number): number {
  const code = bytes[cursor + 1]! & 0x7f;
  if (code < LENGTH_16) return code;
  if (code === LENGTH_16) return (bytes[cursor + 2]! << 8) | bytes[cursor + 3]!;
  return bytes.readUInt32BE(cursor + 2) * 2 ** 32 + bytes.readUInt32BE(cursor + 6);
}
