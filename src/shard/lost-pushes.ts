import { depthVersion } from '../mexc/depth-version.js';
import { decodeVersion, Inbound } from './records.js';

/** Pushes of depth of one symbol that no worker reads. */
export interface LostPushes {
  /** The highest any of them led to; -1 = not known of any. */
  readonly version: number;
  /** Known of all of them. */
  readonly known: boolean;
  /** Of the last one. */
  readonly atMs: number;
}

/** Those and the ones lost `before`. */
export function together(lost: LostPushes, before: LostPushes | undefined): LostPushes {
  if (before === undefined) return lost;
  return {
    version: Math.max(lost.version, before.version),
    known: lost.known && before.known,
    atMs: Math.max(lost.atMs, before.atMs),
  };
}

/** What is lost with the records that a dead worker had not read. */
export class UnreadPushes {
  readonly bySlot = new Map<number, LostPushes>();

  /** Takes a record, in the order in which they were written. */
  take(type: number, slot: number, aux: number, atMs: number, bytes: Uint8Array, start: number, end: number): void {
    if (type === Inbound.FRAME) {
      const version = depthVersion(bytes, start, end);
      this.#add(slot, { version, known: version >= 0, atMs });
    } else if (type === Inbound.FRAMES_LOST) {
      this.#add(slot, { version: decodeVersion(bytes.subarray(start, end)), known: aux === 1, atMs });
    } else if (type === Inbound.TRACK) {
      // What came before was of another symbol in the same slot.
      this.bySlot.delete(slot);
    }
  }

  #add(slot: number, lost: LostPushes): void {
    this.bySlot.set(slot, together(lost, this.bySlot.get(slot)));
  }
}
