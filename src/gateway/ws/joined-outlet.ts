import type { Duplex } from 'node:stream';
import type { Outlet } from '../../publish/client-connection.js';

/** Turns with more bytes leave frame by frame, in one system call still: copying them would cost more than it saves. */
const JOINED_BYTES_MAX = 64 * 1024;

/** The frames of the last turn that were joined, and what they came to: in most turns clients with the same subscriptions get the same frames. */
let lastFrames: readonly Buffer[] = [];
let lastJoined: Buffer = Buffer.alloc(0);

/**
 * A client's raw socket, with the frames of a turn joined to one piece, which clients that get the same frames share. A system call with one
 * piece is cheaper than one with ten, and so is the way to it.
 */
export class JoinedOutlet implements Outlet {
  readonly #socket: Duplex;
  #frames: Buffer[] = [];
  #bytes = 0;
  #corked = false;

  constructor(socket: Duplex) {
    this.#socket = socket;
  }

  get writableLength(): number {
    return this.#socket.writableLength + this.#bytes;
  }

  /** What is held back counts: once it is written, a 'drain' follows. */
  get writableNeedDrain(): boolean {
    return this.#socket.writableNeedDrain || this.#bytes >= this.#socket.writableHighWaterMark;
  }

  cork(): void {
    this.#corked = true;
  }

  write(frame: Buffer): void {
    if (!this.#corked) {
      this.#socket.write(frame);
      return;
    }
    this.#frames.push(frame);
    this.#bytes += frame.length;
  }

  uncork(): void {
    this.#corked = false;
    this.flush();
  }

  /** Writes what is held back, before something that must come behind it. */
  flush(): void {
    const frames = this.#frames;
    const bytes = this.#bytes;
    this.#frames = [];
    this.#bytes = 0;
    if (bytes > JOINED_BYTES_MAX) {
      this.#socket.cork();
      for (const frame of frames) this.#socket.write(frame);
      this.#socket.uncork();
    } else if (frames.length > 0) {
      this.#socket.write(join(frames, bytes));
    }
  }
}

function join(frames: readonly Buffer[], bytes: number): Buffer {
  if (frames.length === 1) return frames[0]!;
  if (frames.length !== lastFrames.length || frames.some((frame, i) => frame !== lastFrames[i])) {
    lastFrames = frames;
    lastJoined = Buffer.concat(frames, bytes);
  }
  return lastJoined;
}
