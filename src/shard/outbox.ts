import * as meters from '../memory/shard-meter.js';
import type { RingProducer } from '../memory/spsc-ring.js';

/** Records that may wait for room: as many as the other way (`ingress.ts`). */
export const RECORDS_WAITING_MAX = 200_000;

interface DeferredRecord {
  readonly type: number;
  readonly key: number;
  readonly aux: number;
  readonly timeMs: number;
  readonly payload: Uint8Array | undefined;
}

/** A shard's way to the main thread: one ring, and what found it full and must not be lost. */
export class Outbox {
  readonly #ring: RingProducer;
  readonly #meter: meters.ShardMeter;
  /** At most RECORDS_WAITING_MAX. */
  readonly #deferred: DeferredRecord[] = [];

  constructor(ring: RingProducer, meter: meters.ShardMeter) {
    this.#ring = ring;
    this.#meter = meter;
  }

  /** Records that wait for room. */
  get waiting(): number {
    return this.#deferred.length;
  }

  /**
   * A record that must not be lost: it waits when there is no room, and later ones behind it. Throws when too many wait: the worker ends, and the
   * one after it is told everything anew.
   */
  send(type: number, key: number, aux: number, timeMs: number, payload?: Uint8Array): void {
    if (this.#deferred.length === 0 && this.#ring.write(type, key, aux, timeMs, payload)) return;
    this.#meter.add(meters.METER_OUTBOUND_STALLS, 1);
    if (this.#deferred.length === RECORDS_WAITING_MAX) throw new Error(`${RECORDS_WAITING_MAX} records wait for room in the outbound ring`);
    this.#deferred.push({ type, key, aux, timeMs, payload });
  }

  /** Whether less than half of the ring is in use: time for what can wait. */
  hasRoom(): boolean {
    return this.#ring.isHalfEmpty();
  }

  /** A record that its sender offers again when this returns false: there is no room. */
  offer(type: number, key: number, aux: number, timeMs: number, payload: Uint8Array): boolean {
    return this.#ring.write(type, key, aux, timeMs, payload);
  }

  /** The same for a message to subscribers, which are counted. */
  offerMessage(type: number, key: number, aux: number, timeMs: number, payload: Uint8Array): boolean {
    const written = this.#ring.write(type, key, aux, timeMs, payload);
    this.#meter.add(written ? meters.METER_MESSAGES : meters.METER_OUTBOUND_STALLS, 1);
    return written;
  }

  /** Sends what waits, as far as there is room. Returns at once when nothing does. */
  retry(): void {
    if (this.#deferred.length === 0) return;
    let sent = 0;
    for (const { type, key, aux, timeMs, payload } of this.#deferred) {
      if (!this.#ring.write(type, key, aux, timeMs, payload)) break;
      sent++;
    }
    this.#deferred.splice(0, sent);
  }
}
