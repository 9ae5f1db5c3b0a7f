import { normalizeIP } from '@fastify/rate-limit';

/**
 * Counts what each address holds, up to a limit. IPv6 is counted by networks of 64 bits, since whoever has one address there has all of
 * them; IPv4 inside IPv6 as what it is. Its size is bounded by the number of things held.
 */
export class PerAddress {
  readonly #limit: number;
  readonly #held = new Map<string, number>();

  /** `limit`: Infinity = none. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Takes one for an address; `undefined` when it has as many as it may. What is returned gives it back, once. */
  take(address: string): (() => void) | undefined {
    if (this.#limit === Infinity) return () => {};
    const group = normalizeIP(address);
    const held = this.#held.get(group) ?? 0;
    if (held >= this.#limit) return undefined;
    this.#held.set(group, held + 1);
    return () => {
      const left = this.#held.get(group)! - 1;
      if (left === 0) this.#held.delete(group);
      else this.#held.set(group, left);
    };
  }
}
