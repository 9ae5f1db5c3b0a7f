/** First byte of a whole binary message: last fragment, no extension, opcode 2 (RFC 6455 section 5.2). */
const WHOLE_BINARY = 0x82;
const FINAL = 0x80;
const RESERVED = 0x70;
const OPCODE = 0x0f;
const CONTINUATION = 0;
const BINARY = 2;
const CLOSE = 8;
const PONG = 10;
const CONTROL_BYTES_MAX = 125;
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
  readonly #message: (bytes: Buffer, start: number, end: number) => void;
  readonly #rest: (bytes: Buffer) => void;
  /** Bytes still to come of a frame whose beginning went to `ws`. */
  #missing = 0;
  /** The beginning of a header that is not whole yet. */
  #head = NOTHING;
  /** Between the first and the last fragment of a message. */
  #inFragments = false;
  /** A close frame or a breach of the protocol came: what follows means nothing. */
  #closed = false;

  /** Messages are the bytes from `start` to `end` of what was read, and theirs only until the handler returns; `rest` is given copies. */
  constructor(message: (bytes: Buffer, start: number, end: number) => void, rest: (bytes: Buffer) => void) {
    this.#message = message;
    this.#rest = rest;
  }

  /**
   * Whether no server may send a frame that begins so (RFC 6455 sections 5.1 to 5.5). `ws` finds it, too, but says so only after the messages that were
   * read together with it.
   */
  #isBreach(first: number, second: number): boolean {
    const opcode = first & OPCODE;
    const isControl = opcode >= CLOSE;
    if ((first & RESERVED) !== 0 || opcode > PONG || (opcode > BINARY && opcode < CLOSE) || second >= MASKED) return true;
    if (isControl) return (first & FINAL) === 0 || second > CONTROL_BYTES_MAX;
    return (opcode === CONTINUATION) !== this.#inFragments;
  }

  /** What comes from here on is dropped. */
  end(): void {
    this.#closed = true;
    this.#missing = 0;
    this.#head = NOTHING;
  }

  /** Takes the next piece of the stream: the first `size` bytes of `piece`, which may be used for another one afterwards. */
  take(piece: Buffer, size = piece.length): void {
    let bytes = piece;
    let length = size;
    if (this.#head.length > 0) {
      bytes = Buffer.concat([this.#head, piece.subarray(0, size)]);
      length = bytes.length;
      this.#head = NOTHING;
    }
    let cursor = Math.min(this.#missing, length);
    if (cursor > 0) {
      this.#missing -= cursor;
      this.#rest(Buffer.from(bytes.subarray(0, cursor)));
    }
    while (cursor < length && !this.#closed) {
      const start = headerEnd(bytes, cursor, length);
      if (start > length) {
        this.#head = Buffer.from(bytes.subarray(cursor, length));
        return;
      }
      const end = start + payloadLength(bytes, cursor);
      const first = bytes[cursor]!;
      if (first === WHOLE_BINARY && end <= length && !this.#inFragments && bytes[cursor + 1]! < MASKED) {
        this.#message(bytes, start, end);
      } else {
        if (this.#isBreach(first, bytes[cursor + 1]!) || (first & OPCODE) === CLOSE) this.#closed = true;
        else if ((first & OPCODE) < CLOSE) this.#inFragments = (first & FINAL) === 0;
        this.#missing = Math.max(0, end - length);
        this.#rest(Buffer.from(bytes.subarray(cursor, Math.min(end, length))));
      }
      cursor = end;
    }
  }
}

/** Where the payload of the frame at `cursor` begins; beyond `length` when its header is not whole. */
function headerEnd(bytes: Buffer, cursor: number, length: number): number {
  const second = cursor + 1 < length ? bytes[cursor + 1]! : 0;
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
