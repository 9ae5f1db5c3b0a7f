import { afterEach, describe, expect, test } from 'vitest';

import { RECORD_HEADER_BYTES } from '../../src/memory/spsc-ring-layout.js';
import { ringAt } from '../support/ring-bench.js';
import { startWorker, type WorkerThread } from '../support/worker-thread.js';

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
  /** Records found by looking for them instead. */
  readonly finds: number;
  readonly bytes: number;
  readonly wrong: unknown;
  readonly more: boolean;
}

describe('one thread writes, another reads and waits in between', () => {
  // A small ring is full again and again, a large one lets the consumer lag; positions pass 2^31 and 2^32 on the way.
  test.each([
    { records: 200_000, capacity: 4096, position: 2 ** 32 - 2 ** 20, spinUs: 0 },
    { records: 1_000_000, capacity: 2 ** 20, position: 2 ** 31 - 2 ** 22, spinUs: 0 },
    { records: 200_000, capacity: 4096, position: 2 ** 32 - 2 ** 20, spinUs: 50 },
  ])('$records records arrive whole and in order through $capacity bytes, looked for $spinUs µs', async (run) => {
    const { records, capacity, position, spinUs } = run;
    const seed = 20_240_808 + capacity;
    const { buffer, words } = ringAt(position, capacity);
    const data = { buffer, records, seed, spinUs };
    const consumed = start<Consumed>('ring-consumer.mjs', data);
    const produced = start<{ readonly full: number }>('ring-producer.mjs', data);
    // A consumer that met a wrong record ends at once, and leaves the producer before a full ring.
    const { received, sleeps, finds, bytes, wrong, more } = await consumed;
    expect({ seed, received, wrong, more }).toEqual({ seed, received: records, wrong: null, more: false });
    await produced;
    expect(words[0]).toBe(words[32]);
    // The run is worth nothing when the ring never came round and the consumer never slept.
    expect(bytes + records * RECORD_HEADER_BYTES).toBeGreaterThan(20 * capacity);
    expect(sleeps).toBeGreaterThanOrEqual(records / 5000);
    expect(finds > 0).toBe(spinUs > 0);
  });
});
