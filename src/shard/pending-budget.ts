import { METER_PENDING_BYTES, METER_PENDING_PUSHES, type ShardMeter } from '../memory/shard-meter.js';
import type { PendingUpdates } from './pending-updates.js';

/** Memory for the waiting pushes of all symbols of a shard. */
export const PENDING_SHARD_BYTES_MAX = 64 * 2 ** 20;

/** What the waiting pushes of a shard take together: bounded, and told to the operator. */
export class PendingBudget {
  readonly #meter: ShardMeter;
  /** Those with memory. */
  readonly #holders = new Set<PendingUpdates>();
  #bytes = 0;

  constructor(meter: ShardMeter) {
    this.#meter = meter;
    // What waited in a worker before this one is gone.
    meter.set(METER_PENDING_BYTES, 0);
    meter.set(METER_PENDING_PUSHES, 0);
  }

  /** So many pushes more wait, or fewer. */
  counted(pushes: number): void {
    this.#meter.add(METER_PENDING_PUSHES, pushes);
  }

  /** `holder` has so many bytes more, or fewer. */
  took(holder: PendingUpdates, bytes: number): void {
    if (holder.capacity === 0) this.#holders.delete(holder);
    else this.#holders.add(holder);
    this.#bytes += bytes;
    this.#meter.set(METER_PENDING_BYTES, this.#bytes);
  }

  /** Whoever has most starts afresh, until what is left fits. Of several the one that has waited longest. */
  enforce(timeMs: number): void {
    while (this.#bytes > PENDING_SHARD_BYTES_MAX) this.#largest().overflow(timeMs);
  }

  #largest(): PendingUpdates {
    let largest: PendingUpdates | undefined;
    for (const holder of this.#holders) if (largest === undefined || holder.capacity > largest.capacity) largest = holder;
    return largest!;
  }
}
