import { afterEach, describe, expect, test } from 'vitest';

import { RECORD_HEADER_BYTES } from '../../src/memory/spsc-ring-layout.js';
import { ringAt } from '../support/ring-bench.js';
import { startWorker, type WorkerThread } from '../support/worker-thread.js';

const RECORDS = 1_000_000;
const running: WorkerThread<unknown>[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((worker) => worker.stop()));
});

function start<T>(file: string, data: unknown): Promise<T> {
  const worker = startWorker<T>(new URL(`workers/${file}`, import.meta.url), data);
  running.push(worker);
  return worker.result;
}

interface Consumed {
  readonly received: number;
  readonly sleeps: number;
  readonly bytes: number;
  readonly wrong: unknown;
  readonly more: boolean;
}

describe('one thread writes, another reads and sleeps in between', () => {
  // A small ring is full again and again, a large one lets the consumer lag; positions pass 2^31 and 2^32 on the way.
  test.each([
    { capacity: 4096, position: 2 ** 32 - 2 ** 20 },
    { capacity: 2 ** 20, position: 2 ** 31 - 2 ** 22 },
  ])(`${RECORDS} records of random sizes arrive whole and in order through $capacity bytes`, async ({ capacity, position }) => {
    const seed = 20_240_808 + capacity;
    const { buffer, words } = ringAt(position, capacity);
    const data = { buffer, records: RECORDS, seed };
    const consumed = start<Consumed>('ring-consumer.mjs', data);
    const produced = start<{ readonly full: number }>('ring-producer.mjs', data);
    const [{ received, sleeps, bytes, wrong, more }] = await Promise.all([consumed, produced]);
    expect({ seed, received, wrong, more }).toEqual({ seed, received: RECORDS, wrong: null, more: false });
    expect(words[0]).toBe(words[32]);
    // The run is worth nothing when the ring never came round and the consumer never slept.
    expect(bytes + RECORDS * RECORD_HEADER_BYTES).toBeGreaterThan(20 * capacity);
    expect(sleeps).toBeGreaterThan(3);
  });
});
