import { CONSUMER_POSITION_BYTE, createRingBuffer, PRODUCER_POSITION_BYTE } from '../../src/memory/spsc-ring-layout.js';
import { RingConsumer, RingProducer } from '../../src/memory/spsc-ring.js';

export interface RingRecord {
  readonly type: number;
  readonly key: number;
  readonly aux: number;
  readonly timeMs: number;
  readonly payload: Uint8Array;
}

export interface Ring {
  readonly buffer: SharedArrayBuffer;
  readonly words: Int32Array;
  readonly producer: RingProducer;
  readonly consumer: RingConsumer;
}

/** A ring whose two positions begin at `position` (a multiple of 8, modulo 2^32). */
export function ringAt(position: number, capacity = 1024): Ring {
  const buffer = createRingBuffer(capacity);
  const words = new Int32Array(buffer);
  words[PRODUCER_POSITION_BYTE >> 2] = position | 0;
  words[CONSUMER_POSITION_BYTE >> 2] = position | 0;
  return { buffer, words, producer: new RingProducer(buffer), consumer: new RingConsumer(buffer) };
}

/** A payload that tells from which record it is and where each byte belongs. */
export function patterned(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (seed * 31 + i * 7 + 1) & 0xff);
}

export function write(producer: RingProducer, record: RingRecord): boolean {
  return producer.write(record.type, record.key, record.aux, record.timeMs, record.payload);
}

/** The next record, copied; `undefined` = none. Nothing is released. */
export function take(consumer: RingConsumer): RingRecord | undefined {
  if (!consumer.next()) return undefined;
  const { type, key, aux, timeMs } = consumer;
  return { type, key, aux, timeMs, payload: consumer.bytes.slice(consumer.payloadStart, consumer.payloadEnd) };
}
