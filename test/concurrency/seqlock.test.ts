import { nextTurn } from '../support/next-turn.js';

import { afterEach, describe, expect, test, vi } from 'vitest';

import { createArenaBuffer } from '../../src/memory/arena.js';
import { createBookCopy } from '../../src/model/book-copy.js';
import type { BookReader } from '../../src/publish/book-reader.js';
import { startWorker, type WorkerThread } from '../support/worker-thread.js';
import { isOfOneStamp } from './workers/stamped-book.mjs';

const SEED = 20_240_808;
/** Bounds of a run, only reached when the test is about to fail. */
const RUN_MS = 20_000;
/** What a run must have seen. */
const ACCEPTED = 20_000;
const RETRIES = 2_000;

interface Shared {
  readonly books: SharedArrayBuffer;
  /** Words: 0 = stop, 1 = the book is there. */
  readonly control: SharedArrayBuffer;
  readonly seed: number;
}

interface Seen {
  accepted: number;
  torn: number;
  /** The newest stamp read: how often the book had changed. */
  stamp: number;
}

const running: { readonly control: Int32Array; readonly workers: WorkerThread<unknown>[] }[] = [];

afterEach(async () => {
  vi.doUnmock('../../src/memory/seqlock.js');
  vi.resetModules();
  for (const { control, workers } of running.splice(0)) {
    Atomics.store(control, 0, 1);
    await Promise.all(workers.map((worker) => worker.stop()));
  }
});

/** Starts a thread that keeps writing the book, and the threads in `readers`; resolves when the book is there. */
async function startWriter(
  readers: readonly string[],
): Promise<{ shared: Shared; writer: WorkerThread<{ stamps: number }>; others: WorkerThread<unknown>[] }> {
  const shared = { books: createArenaBuffer(2 ** 20, 1), control: new SharedArrayBuffer(8), seed: SEED };
  const control = new Int32Array(shared.control);
  const start = <T>(file: string): WorkerThread<T> => startWorker<T>(new URL(`workers/${file}`, import.meta.url), shared);
  const writer = start<{ stamps: number }>('book-writer.mjs');
  const workers: WorkerThread<unknown>[] = [writer];
  running.push({ control, workers });
  const ready = Atomics.waitAsync(control, 1, 0, RUN_MS);
  expect(await ready.value).not.toBe('timed-out');
  const others = readers.map((file) => start<unknown>(file));
  workers.push(...others);
  return { shared, writer, others };
}

/** Reads the whole book again and again, in turns of the event loop, until it has seen enough. */
async function readMany(reader: BookReader, isEnough: (seen: Seen) => boolean): Promise<Seen> {
  const copy = createBookCopy(0);
  const seen = { accepted: 0, torn: 0, stamp: 0 };
  const deadline = performance.now() + RUN_MS;
  while (!isEnough(seen) && performance.now() < deadline) {
    for (let i = 0; i < 200; i++) {
      if (!reader.read(0, 0, copy)) continue;
      seen.accepted++;
      seen.stamp = copy.version;
      if (!isOfOneStamp(copy)) seen.torn++;
    }
    await nextTurn();
  }
  return seen;
}

describe('one thread writes a book, others read it', () => {
  test('under the version check no copy is torn, on two reading threads', { timeout: 60_000 }, async () => {
    const { BookReader } = await import('../../src/publish/book-reader.js');
    const { shared, writer, others } = await startWriter(['book-reader.mjs']);
    const reader = new BookReader(shared.books);
    const seen = await readMany(reader, ({ accepted, stamp }) => accepted >= ACCEPTED && Math.min(stamp, reader.retries) >= RETRIES);
    Atomics.store(new Int32Array(shared.control), 0, 1);
    const [{ stamps }, other] = (await Promise.all([writer.result, others[0]!.result])) as [
      { stamps: number },
      Omit<Seen, 'stamp'> & { retries: number },
    ];
    expect({ seed: SEED, torn: seen.torn, otherTorn: other.torn }).toEqual({ seed: SEED, torn: 0, otherTorn: 0 });
    expect(seen.accepted).toBeGreaterThanOrEqual(ACCEPTED);
    // The writer was truly at work meanwhile.
    expect(Math.min(reader.retries, stamps)).toBeGreaterThanOrEqual(RETRIES);
    expect(Math.min(other.accepted, other.retries)).toBeGreaterThan(0);
  });

  test('the same reader without its version check gets torn copies', { timeout: 60_000 }, async () => {
    vi.resetModules();
    vi.doMock('../../src/memory/seqlock.js', () => ({ readBegin: () => 0, readUnchanged: () => true }));
    const { BookReader } = await import('../../src/publish/book-reader.js');
    const { shared } = await startWriter([]);
    const reader = new BookReader(shared.books);
    const seen = await readMany(reader, ({ torn }) => torn >= 10);
    expect(reader.retries).toBe(0);
    expect(seen.torn).toBeGreaterThanOrEqual(10);
  });
});
