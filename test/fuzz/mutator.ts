import type { Prng } from '../../src/simulator/prng.js';

/** Bytes that mean something somewhere: ends of ranges, signs of decimal text, JSON and protobuf. */
const TELLING = Uint8Array.from([0, 1, 0x0a, 0x12, 0x7f, 0x80, 0xff, ...Buffer.from('0.9-+eE,:"[]{}\\ /')]);
const PIECE_MAX = 64;

/** Changes bytes in the ways in which inputs go wrong: here and there, in pieces, in length. One seed, one sequence. */
export class Mutator {
  readonly #random: Prng;

  constructor(random: Prng) {
    this.#random = random;
  }

  /** `bytes` with one to four changes; pieces may come from `other`. */
  mutate(bytes: Uint8Array, other: Uint8Array): Uint8Array {
    let changed = Uint8Array.from(bytes);
    for (let count = 1 + this.#random.below(4); count > 0; count--) changed = this.#change(changed, other);
    return changed;
  }

  #change(bytes: Uint8Array<ArrayBuffer>, other: Uint8Array): Uint8Array<ArrayBuffer> {
    const random = this.#random;
    const at = random.below(bytes.length + 1);
    const inside = Math.min(at, Math.max(0, bytes.length - 1));
    switch (random.below(9)) {
      case 0:
        bytes[inside]! ^= 1 << random.below(8);
        return bytes;
      case 1:
        bytes[inside] = random.below(256);
        return bytes;
      case 2:
      case 3:
        bytes[inside] = TELLING[random.below(TELLING.length)]!;
        return bytes;
      case 4:
        // A length or number one off.
        bytes[inside]! += random.below(2) === 0 ? 1 : -1;
        return bytes;
      case 5:
        return bytes.slice(0, at);
      case 6:
        return join(bytes.subarray(0, at), bytes.subarray(Math.min(bytes.length, at + 1 + random.below(PIECE_MAX))));
      case 7: {
        const from = random.below(bytes.length + 1);
        return join(bytes.subarray(0, at), bytes.subarray(from, from + random.below(PIECE_MAX)), bytes.subarray(at));
      }
      default: {
        const from = random.below(other.length + 1);
        return join(bytes.subarray(0, at), other.subarray(from, from + random.below(PIECE_MAX)), bytes.subarray(at));
      }
    }
  }
}

function join(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
