import { FIRST_VERSION, placeVersion, type SymbolStream } from './symbol-stream.js';

const FIN_BINARY = 0x82;

/** The pushes of some symbols in turn, as unmasked WebSocket frames one behind the other, for one connection to send again and again. */
export class FrameBlock {
  /** The newest version sent of each symbol. */
  readonly versions = new Map<string, number>();
  readonly #bytes: Buffer;
  /** Where each frame ends. */
  readonly #ends: Int32Array;
  readonly #names: readonly string[];
  #next = 0;

  constructor(streams: readonly SymbolStream[]) {
    const frames = streams[0]!.frames.flatMap((_, i) => streams.map((stream) => stream.frames[i]!));
    this.#names = streams.map(({ name }) => name);
    this.#ends = new Int32Array(frames.length);
    this.#bytes = Buffer.allocUnsafe(frames.reduce((sum, frame) => sum + headerBytes(frame.length) + frame.length, 0));
    let end = 0;
    for (const [i, frame] of frames.entries()) {
      end = writeHeader(this.#bytes, end, frame.length);
      this.#bytes.set(frame, end);
      end += frame.length;
      this.#ends[i] = end;
    }
    for (const name of this.#names) this.versions.set(name, FIRST_VERSION);
  }

  /** Frames of one pass. */
  get length(): number {
    return this.#ends.length;
  }

  /** How many of the next frames lie in one piece of about `bytes`. */
  countWithin(bytes: number): number {
    const start = this.#start();
    let last = this.#next;
    while (last + 1 < this.length && this.#ends[last + 1]! - start <= bytes) last++;
    return last + 1 - this.#next;
  }

  /**
   * The next frames, at most to the end of the pass, each with the next version of its symbol. The bytes are the block's own: they must have
   * been sent before the same frames come round again.
   */
  take(count: number): Buffer {
    const start = this.#start();
    const last = Math.min(this.#next + count, this.length);
    for (let i = this.#next; i < last; i++) {
      const name = this.#names[i % this.#names.length]!;
      const version = this.versions.get(name)! + 1;
      this.versions.set(name, version);
      placeVersion(this.#bytes, this.#ends[i]!, version);
    }
    this.#next = last === this.length ? 0 : last;
    return this.#bytes.subarray(start, this.#ends[last - 1]);
  }

  /** Frames until the pass ends. */
  get left(): number {
    return this.length - this.#next;
  }

  #start(): number {
    return this.#next === 0 ? 0 : this.#ends[this.#next - 1]!;
  }
}

function headerBytes(length: number): number {
  return length < 126 ? 2 : length < 65_536 ? 4 : 10;
}

function writeHeader(bytes: Buffer, at: number, length: number): number {
  bytes[at] = FIN_BINARY;
  if (length < 126) {
    bytes[at + 1] = length;
    return at + 2;
  }
  if (length < 65_536) {
    bytes[at + 1] = 126;
    return bytes.writeUInt16BE(length, at + 2);
  }
  bytes[at + 1] = 127;
  return bytes.writeBigUInt64BE(BigInt(length), at + 2);
}
