import type { SimulatorLimits } from './limits.js';
import { banned, firewallPage, type RestAnswer, tooManyRequests } from './rest-answer.js';

const WINDOW_MS = 10_000;

/** What one client address used up. */
interface Account {
  /** Weight by endpoint since `windowStartMs`. */
  readonly weights: Map<string, number>;
  windowStartMs: number;
  requestsInWindow: number;
  secondStartMs: number;
  requestsInSecond: number;
  /** Requests sent in spite of 429 since the window began. */
  defied: number;
  blockedUntilMs: number;
  bannedUntilMs: number;
}

/** The exchange's request limits: weight per endpoint and address, a ban for those who do not listen, and a firewall against bursts. */
export class RestBudget {
  readonly #limits: SimulatorLimits;
  readonly #accounts = new Map<string, Account>();
  #refused = 0;

  constructor(limits: SimulatorLimits) {
    this.#limits = limits;
  }

  /** Requests refused so far. */
  get refused(): number {
    return this.#refused;
  }

  /** Charges a request; the refusal to send, or `undefined` when it may pass. */
  charge(address: string, endpoint: string, weight: number, nowMs: number): RestAnswer | undefined {
    const refusal = this.#check(this.#account(address, nowMs), endpoint, weight, nowMs);
    if (refusal !== undefined) this.#refused++;
    return refusal;
  }

  #check(account: Account, endpoint: string, weight: number, nowMs: number): RestAnswer | undefined {
    const limits = this.#limits;
    account.requestsInWindow++;
    account.requestsInSecond++;
    if (nowMs < account.blockedUntilMs) return firewallPage;
    if (account.requestsInSecond > limits.restBurstPerSecond || account.requestsInWindow > limits.restBurstPer10s) {
      account.blockedUntilMs = nowMs + limits.restBlockMs;
      return firewallPage;
    }
    if (nowMs < account.bannedUntilMs) return banned(Math.ceil((account.bannedUntilMs - nowMs) / 1_000));
    const used = (account.weights.get(endpoint) ?? 0) + weight;
    if (used <= limits.restWeightPer10s) {
      account.weights.set(endpoint, used);
      return undefined;
    }
    if (++account.defied > limits.restBanAfter) {
      account.bannedUntilMs = nowMs + limits.restBanMs;
      return banned(Math.ceil(limits.restBanMs / 1_000));
    }
    return tooManyRequests(Math.max(1, Math.ceil((account.windowStartMs + WINDOW_MS - nowMs) / 1_000)));
  }

  #account(address: string, nowMs: number): Account {
    let account = this.#accounts.get(address);
    if (account === undefined) {
      account = {
        weights: new Map(),
        windowStartMs: nowMs,
        requestsInWindow: 0,
        secondStartMs: nowMs,
        requestsInSecond: 0,
        defied: 0,
        blockedUntilMs: 0,
        bannedUntilMs: 0,
      };
      this.#accounts.set(address, account);
    }
    if (nowMs - account.windowStartMs >= WINDOW_MS) {
      account.windowStartMs = nowMs;
      account.requestsInWindow = 0;
      account.defied = 0;
      account.weights.clear();
    }
    if (nowMs - account.secondStartMs >= 1_000) {
      account.secondStartMs = nowMs;
      account.requestsInSecond = 0;
    }
    return account;
  }
}
