import { normalizeIP } from '@fastify/rate-limit';
import { Problem } from '../problem.js';
import type { Refusals } from './refusals.js';

/** Addresses the rate is kept of; the one whose second began first is forgotten. */
const ADDRESSES_MAX = 10_000;
const WINDOW_MS = 1_000;

interface Window {
  readonly sinceMs: number;
  requests: number;
}

/**
 * Counts what each address asks a port for in a second; the second begins with the first request. IPv6 is counted by networks of 64 bits, as
 * connections are.
 */
export class RequestRate {
  readonly #perSecond: number;
  readonly #refusals: Refusals;
  readonly #now: () => number;
  /** By address, in the order in which the seconds began. */
  readonly #windows = new Map<string, Window>();

  /** `perSecond`: Infinity = no limit. `now`: ms. */
  constructor(perSecond: number, refusals: Refusals, now: () => number) {
    this.#perSecond = perSecond;
    this.#refusals = refusals;
    this.#now = now;
  }

  /** Counts a request. RATE_LIMITED when it is one too many, which counts as refused. Without an address, as of a socket that is gone, nothing is counted. */
  refusal(address: string | undefined): Problem | undefined {
    if (this.#perSecond === Infinity || address === undefined) return undefined;
    if (++this.#windowOf(normalizeIP(address)).requests <= this.#perSecond) return undefined;
    this.#refusals.counts.rate++;
    return new Problem('RATE_LIMITED', `more than ${this.#perSecond} requests in a second from this address`);
  }

  #windowOf(group: string): Window {
    const nowMs = this.#now();
    const known = this.#windows.get(group);
    if (known !== undefined && nowMs - known.sinceMs < WINDOW_MS) return known;
    const window = { sinceMs: nowMs, requests: 0 };
    this.#windows.delete(group);
    this.#windows.set(group, window);
    if (this.#windows.size > ADDRESSES_MAX) {
      const [oldest] = this.#windows.keys();
      this.#windows.delete(oldest!);
    }
    return window;
  }
}
