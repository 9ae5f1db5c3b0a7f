import type { PendingBudget } from './pending-budget.js';

/** Pushes kept per symbol while its snapshot is on the way. */
export const PENDING_FRAMES_MAX = 2000;
export const PENDING_BYTES_MAX = 4 * 2 ** 20;
/** Memory taken with the first push. */
const FIRST_BYTES = 4096;
const NOTHING = new Uint8Array(0);

/**
 * The pushes of one symbol that wait for its snapshot, in order of arrival, one behind the other in one piece of memory. It doubles when it is full and is
 * given back with the last push. Bounded, by itself and together with all others of the shard.
 */
export class PendingUpdates {
  readonly #budget: PendingBudget;
  readonly #tooMany: (timeMs: number) => void;
  /** Where each ends. */
  readonly #ends: number[] = [];
  readonly #times: number[] = [];
  #bytes: Uint8Array = NOTHING;
  #view = new DataView(NOTHING.buffer);

  /** `tooMany` is called when all that waits, the newest push included, is about to be dropped because a bound was passed. */
  constructor(budget: PendingBudget, tooMany: (timeMs: number) => void) {
    this.#budget = budget;
    this.#tooMany = tooMany;
  }

  get count(): number {
    return this.#ends.length;
  }

  /** Memory taken, bytes. */
  get capacity(): number {
    return this.#bytes.length;
  }

  /** Push `i` is `bytes[start(i), end(i))`; good until the next change. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** The same memory as `bytes`, offsets included. */
  get view(): DataView {
    return this.#view;
  }

  start(i: number): number {
    return i === 0 ? 0 : this.#ends[i - 1]!;
  }

  end(i: number): number {
    return this.#ends[i]!;
  }

  /** When push `i` was received. */
  timeMs(i: number): number {
    return this.#times[i]!;
  }

  /** Keeps a copy of `source[start, end)`. */
  push(source: Uint8Array, start: number, end: number, receiveTimeMs: number): void {
    const from = this.start(this.count);
    const to = from + end - start;
    if (to > this.capacity) this.#take(capacityFor(to), 0, from);
    this.#bytes.set(source.subarray(start, end), from);
    this.#ends.push(to);
    this.#times.push(receiveTimeMs);
    this.#budget.counted(1);
    if (this.count > PENDING_FRAMES_MAX || to > PENDING_BYTES_MAX) this.overflow(receiveTimeMs);
    else this.#budget.enforce(receiveTimeMs);
  }

  /** Forgets the first `count` pushes. */
  dropFirst(count: number): void {
    if (count >= this.count) return this.clear();
    const from = this.start(count);
    const to = this.start(this.count);
    this.#ends.splice(0, count);
    for (let i = 0; i < this.#ends.length; i++) this.#ends[i]! -= from;
    this.#times.splice(0, count);
    this.#budget.counted(-count);
    this.#take(capacityFor(to - from), from, to);
  }

  clear(): void {
    this.#budget.counted(-this.count);
    this.#ends.length = 0;
    this.#times.length = 0;
    this.#take(0, 0, 0);
  }

  /** Too many wait: says so, and forgets them all. */
  overflow(timeMs: number): void {
    this.#tooMany(timeMs);
    this.clear();
  }

  /** Goes over to another piece of memory, with what lies in `[from, to)` of this one. */
  #take(capacity: number, from: number, to: number): void {
    const had = this.capacity;
    if (capacity === had && from === 0) return;
    const bytes = capacity === 0 ? NOTHING : new Uint8Array(capacity);
    bytes.set(this.#bytes.subarray(from, to));
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
    this.#budget.took(this, capacity - had);
  }
}

function capacityFor(bytes: number): number {
  let capacity = FIRST_BYTES;
  while (capacity < bytes) capacity *= 2;
  return capacity;
}
