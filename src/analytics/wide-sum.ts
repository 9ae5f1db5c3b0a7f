import { assert } from '../support/assert.js';

/** Limbs hold seven decimal digits each, lowest first: products of two stay far below 2^53, and printing needs no division of the whole. */
const LIMB = 1e7;
const LIMB_DIGITS = 7;
/** 10^98. Products of exact prices and quantities are below 10^32; the longest numbers a book takes (40 digits, 22 decimals) below 10^86. */
const LIMBS = 14;
/** Products a limb takes before carries are moved on: each adds less than 3 * 10^14. */
const ADDS_MAX = 25;
const ZERO = 0x30;
const DOT = 0x2e;

/** Room `write` needs: all digits, as many decimals, and the point. */
export const WIDE_BYTES_MAX = 2 * LIMBS * LIMB_DIGITS + 2;

const scratch = new Uint8Array(WIDE_BYTES_MAX);
const ascii = new TextDecoder('latin1');

/**
 * An exact sum of products of whole numbers >= 0, such as ticks times lots, which soon pass 2^53. Allocates nothing as long as the factors
 * are below 2^53. Reused: `clear`, then `add`.
 */
export class WideSum {
  readonly #limbs = new Float64Array(LIMBS);
  #adds = 0;

  static of(value: bigint): WideSum {
    const sum = new WideSum();
    sum.#addLarge(value);
    return sum;
  }

  clear(): void {
    this.#limbs.fill(0);
    this.#adds = 0;
  }

  /** Adds `a * b`. */
  add(a: number, b: number): void {
    // Kept as the nearest double in the book: rare, so it may cost more.
    if (a > Number.MAX_SAFE_INTEGER || b > Number.MAX_SAFE_INTEGER) return this.#addLarge(BigInt(a) * BigInt(b));
    const limbs = this.#limbs;
    const a2 = Math.floor(a / 1e14);
    const aRest = a - a2 * 1e14;
    const a1 = Math.floor(aRest / LIMB);
    const a0 = aRest - a1 * LIMB;
    const b2 = Math.floor(b / 1e14);
    const bRest = b - b2 * 1e14;
    const b1 = Math.floor(bRest / LIMB);
    const b0 = bRest - b1 * LIMB;
    limbs[0] = limbs[0]! + a0 * b0;
    limbs[1] = limbs[1]! + (a0 * b1 + a1 * b0);
    limbs[2] = limbs[2]! + (a0 * b2 + a1 * b1 + a2 * b0);
    limbs[3] = limbs[3]! + (a1 * b2 + a2 * b1);
    limbs[4] = limbs[4]! + a2 * b2;
    if (++this.#adds === ADDS_MAX) this.#carry();
  }

  copyFrom(other: WideSum): void {
    this.#limbs.set(other.#limbs);
    this.#adds = other.#adds;
  }

  /** -1, 0 or 1: this one is smaller, equal, larger. */
  compare(other: WideSum): number {
    this.#carry();
    other.#carry();
    for (let i = LIMBS - 1; i >= 0; i--) {
      const difference = this.#limbs[i]! - other.#limbs[i]!;
      if (difference !== 0) return Math.sign(difference);
    }
    return 0;
  }

  toBigInt(): bigint {
    this.#carry();
    let value = 0n;
    for (let i = LIMBS - 1; i >= 0; i--) value = value * 10_000_000n + BigInt(this.#limbs[i]!);
    return value;
  }

  /** Writes `sum / 10^scale` as decimal text with exactly `scale` decimals; returns the offset behind it. Takes up to WIDE_BYTES_MAX. */
  write(target: Uint8Array, offset: number, scale: number): number {
    this.#carry();
    const limbs = this.#limbs;
    let top = LIMBS - 1;
    while (top > 0 && limbs[top] === 0) top--;
    const digits = Math.max((top + 1) * LIMB_DIGITS, scale + 1);
    let end = offset;
    let leading = true;
    for (let place = digits - 1; place >= 0; place--) {
      const index = Math.floor(place / LIMB_DIGITS);
      const limb = index > top ? 0 : limbs[index]!;
      const digit = Math.floor(limb / 10 ** (place - index * LIMB_DIGITS)) % 10;
      if (leading && digit === 0 && place > scale) continue;
      leading = false;
      target[end++] = ZERO + digit;
      if (place === scale && scale > 0) target[end++] = DOT;
    }
    return end;
  }

  toText(scale: number): string {
    return ascii.decode(scratch.subarray(0, this.write(scratch, 0, scale)));
  }

  #carry(): void {
    const limbs = this.#limbs;
    let carry = 0;
    for (let i = 0; i < LIMBS; i++) {
      const value = limbs[i]! + carry;
      carry = Math.floor(value / LIMB);
      limbs[i] = value - carry * LIMB;
    }
    assert(carry === 0, 'a sum of a book fits 98 digits');
    this.#adds = 0;
  }

  #addLarge(value: bigint): void {
    this.#carry();
    let rest = value;
    for (let i = 0; i < LIMBS; i++) {
      this.#limbs[i] = this.#limbs[i]! + Number(rest % 10_000_000n);
      rest /= 10_000_000n;
    }
    assert(rest === 0n, 'a sum of a book fits 98 digits');
  }
}
