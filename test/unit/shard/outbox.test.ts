import { beforeEach, expect, test } from 'vitest';

import { createMeterBuffer, METER_OUTBOUND_STALLS, ShardMeter } from '../../../src/memory/shard-meter.js';
import { createRingBuffer } from '../../../src/memory/spsc-ring-layout.js';
import { RingConsumer, RingProducer } from '../../../src/memory/spsc-ring.js';
import { Outbox, RECORDS_WAITING_MAX } from '../../../src/shard/outbox.js';

let meters: Float64Array;
let ring: RingConsumer;
let outbox: Outbox;

beforeEach(() => {
  const buffer = createRingBuffer(1024);
  const meterBuffer = createMeterBuffer();
  meters = new Float64Array(meterBuffer);
  ring = new RingConsumer(buffer);
  outbox = new Outbox(new RingProducer(buffer), new ShardMeter(meterBuffer));
});

/** The keys of what has arrived. */
function take(): number[] {
  const keys: number[] = [];
  while (ring.next()) keys.push(ring.key);
  ring.release();
  return keys;
}

test('what must not be lost waits for room, in order, and is counted', () => {
  for (let key = 0; key < 100; key++) outbox.send(1, key, 0, 0);
  const first = take();
  expect(first.length).toBeLessThan(100);
  expect(meters[METER_OUTBOUND_STALLS]).toBe(100 - first.length);
  // It waits its turn, though there is room.
  outbox.send(1, 100, 0, 0);
  const rest: number[] = [];
  while (first.length + rest.length < 101) {
    outbox.retry();
    rest.push(...take());
  }
  expect([...first, ...rest]).toEqual(Array.from({ length: 101 }, (_, key) => key));
});

test('there is room for what can wait while half of the ring is free', () => {
  expect(outbox.hasRoom()).toBe(true);
  for (let i = 0; i < 5; i++) outbox.offer(1, 0, 0, 0, new Uint8Array(100));
  expect(outbox.hasRoom()).toBe(false);
  take();
  expect(outbox.hasRoom()).toBe(true);
});

test('so many records wait at most', () => {
  while (outbox.offer(1, 0, 0, 0, new Uint8Array(0)));
  for (let i = 0; i < RECORDS_WAITING_MAX; i++) outbox.send(1, i, 0, 0);
  expect(() => outbox.send(1, 0, 0, 0)).toThrow('200000 records wait for room in the outbound ring');
});
