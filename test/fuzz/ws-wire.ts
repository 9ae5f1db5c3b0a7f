/** WebSocket frames as bytes, sound and other. */

export const Opcode = { CONTINUATION: 0, TEXT: 1, BINARY: 2, CLOSE: 8, PING: 9, PONG: 10 } as const;

const FIN = 0x80;
const MASKED = 0x80;

interface FrameOptions {
  readonly fin?: boolean;
  /** The first byte, other than a sound frame has it. */
  readonly head?: number;
}

/** A frame of a client. */
export function frame(opcode: number, payload: Uint8Array, { fin = true, head = (fin ? FIN : 0) | opcode }: FrameOptions = {}): Buffer {
  const { length } = payload;
  const extra = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const bytes = Buffer.alloc(2 + extra + 4 + length);
  bytes[0] = head;
  bytes[1] = MASKED | (extra === 0 ? length : extra === 2 ? 126 : 127);
  if (extra === 2) bytes.writeUInt16BE(length, 2);
  if (extra === 8) bytes.writeBigUInt64BE(BigInt(length), 2);
  const mask = [0x12, 0x34, 0x56, 0x78];
  bytes.set(mask, 2 + extra);
  for (let i = 0; i < length; i++) bytes[6 + extra + i] = payload[i]! ^ mask[i & 3]!;
  return bytes;
}

/** One message in several frames, cut at `cuts`. */
export function fragments(opcode: number, payload: Uint8Array, cuts: readonly number[], between: Uint8Array): Buffer {
  const ends = [...cuts.filter((cut) => cut <= payload.length).sort((a, b) => a - b), payload.length];
  let from = 0;
  return Buffer.concat(
    ends.flatMap((to, i) => {
      const part = frame(i === 0 ? opcode : Opcode.CONTINUATION, payload.subarray(from, to), { fin: i === ends.length - 1 });
      from = to;
      return i === ends.length - 1 ? [part] : [part, between];
    }),
  );
}

/** Cuts what a server sends, after the answer to the handshake, into frames; a server's are whole and have no mask. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0);
  readonly #frame: (opcode: number, payload: Buffer) => void;

  constructor(onFrame: (opcode: number, payload: Buffer) => void) {
    this.#frame = onFrame;
  }

  read(chunk: Buffer): void {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    for (;;) {
      if (bytes.length < 2) break;
      const short = bytes[1]! & 0x7f;
      const at = short < 126 ? 2 : short === 126 ? 4 : 10;
      if (bytes.length < at) break;
      const length = short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
      if (bytes.length < at + length) break;
      this.#frame(bytes[0]! & 0x0f, bytes.subarray(at, at + length));
      bytes = bytes.subarray(at + length);
    }
    this.#rest = bytes;
  }
}
