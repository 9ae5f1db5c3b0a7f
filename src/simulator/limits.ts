/** What the simulated exchange allows. The defaults are what is documented of, or was observed on, the real one; tests scale them. */
export interface SimulatorLimits {
  /** Subscriptions a connection may hold; those beyond are refused, the others keep working. */
  readonly subscriptionsPerConnection: number;
  /** Whether an unsubscription makes room for another subscription; not known of the real exchange. */
  readonly unsubscribeFreesSlot: boolean;
  /** Messages a client may send in one second; with one more the connection is dropped. */
  readonly messagesPerSecond: number;
  /** A connection without a subscription is closed after this time. */
  readonly noSubscriptionCloseMs: number;
  /** A connection without data and without PING is dropped, with no close frame, after this time. */
  readonly idleDropMs: number;
  /** No connection lives longer. */
  readonly connectionLifetimeMs: number;
  /** Bytes that may wait for a slow client before it is dropped. Playback at top speed waits instead. */
  readonly backlogBytesMax: number;
  /** Weight each REST endpoint grants an address in 10 s; beyond it 429 with `Retry-After`. */
  readonly restWeightPer10s: number;
  /** Requests of an address in one second, and in ten, before the firewall answers 403 for `restBlockMs`. */
  readonly restBurstPerSecond: number;
  readonly restBurstPer10s: number;
  readonly restBlockMs: number;
  /** Requests sent in spite of 429 before the address is banned with 418 for `restBanMs`. */
  readonly restBanAfter: number;
  readonly restBanMs: number;
  /** Most levels a side in a depth answer. */
  readonly depthLevelsMax: number;
}

export const defaultLimits: SimulatorLimits = {
  subscriptionsPerConnection: 30,
  unsubscribeFreesSlot: true,
  messagesPerSecond: 100,
  noSubscriptionCloseMs: 30_000,
  idleDropMs: 60_000,
  connectionLifetimeMs: 24 * 60 * 60_000,
  backlogBytesMax: 64 * 1024 * 1024,
  restWeightPer10s: 500,
  restBurstPerSecond: 120,
  restBurstPer10s: 250,
  restBlockMs: 10_000,
  restBanAfter: 20,
  restBanMs: 120_000,
  depthLevelsMax: 2_000,
};

/** The limits of REST for an exchange that grants `factor` times as many requests. */
export function scaledRequests(factor: number): Pick<SimulatorLimits, 'restWeightPer10s' | 'restBurstPerSecond' | 'restBurstPer10s'> {
  return {
    restWeightPer10s: defaultLimits.restWeightPer10s * factor,
    restBurstPerSecond: defaultLimits.restBurstPerSecond * factor,
    restBurstPer10s: defaultLimits.restBurstPer10s * factor,
  };
}
