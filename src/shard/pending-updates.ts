/** Pushes kept per symbol while its snapshot is on the way. */
export const PENDING_FRAMES_MAX = 2000;
export const PENDING_BYTES_MAX = 4 * 2 ** 20;

/** The pushes of one symbol that wait for its snapshot, in order of arrival. Bounded: when full, everything is dropped. */
export class PendingUpdates {
  readonly frames: Uint8Array[] = [];
  readonly times: number[] = [];
  #bytes = 0;

  /** Keeps a copy of `source[start, end)`. Returns false, and is empty, when the buffer ran over. */
  push(source: Uint8Array, start: number, end: number, receiveTimeMs: number): boolean {
    if (this.frames.length >= PENDING_FRAMES_MAX || this.#bytes + end - start > PENDING_BYTES_MAX) {
      this.clear();
      return false;
    }
    this.frames.push(new Uint8Array(source.subarray(start, end)));
    this.times.push(receiveTimeMs);
    this.#bytes += end - start;
    return true;
  }

  /** Forgets the first `count` pushes. */
  dropFirst(count: number): void {
    for (const frame of this.frames.splice(0, count)) this.#bytes -= frame.length;
    this.times.splice(0, count);
  }

  clear(): void {
    this.frames.length = 0;
    this.times.length = 0;
    this.#bytes = 0;
  }
}
