/**
 * A seeded generator of uniform numbers (sfc32): small state, fast, the same sequence on every machine. Not for secrets.
 */
export class Prng {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number, stream: string) {
    const hash = hashText(stream, seed);
    this.#a = seed | 0;
    this.#b = hash;
    this.#c = Math.imul(hash ^ 0x9e3779b9, 0x85ebca6b);
    // The first outputs still show how alike two seeds are.
    for (let i = 0; i < 15; i++) this.next();
  }

  /** Uniform in [0, 1). */
  next(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    this.#c |= 0;
    return (sum >>> 0) / 4294967296;
  }

  /** A whole number in [0, bound). */
  below(bound: number): number {
    return Math.floor(this.next() * bound);
  }

  /** Exponential with mean 1, at most about 22. */
  exponential(): number {
    return -Math.log(1 - this.next());
  }

  /** About normal, mean 0 and deviation 1 (sum of four uniforms). */
  normal(): number {
    return (this.next() + this.next() + this.next() + this.next() - 2) * 1.7320508;
  }
}

/** FNV-1a over the UTF-16 units, with a final mix. */
export function hashText(text: string, seed: number): number {
  let hash = 0x811c9dc5 ^ seed;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return mix(hash);
}

/** A uniform number in [0, 1) that depends on `seed` and `index` alone. */
export function noiseAt(seed: number, index: number): number {
  return (mix(seed ^ Math.imul(index | 0, 0x9e3779b1)) >>> 0) / 4294967296;
}

function mix(value: number): number {
  let hash = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
