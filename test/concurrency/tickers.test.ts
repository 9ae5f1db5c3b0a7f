import { afterEach, expect, test, vi } from 'vitest';
import type { TickerReader } from '../../src/publish/ticker-reader.js';
import { createTickerBuffer } from '../../src/ticker/ticker-layout.js';
import type { HeldFigures } from '../../src/ticker/ticker-words.js';
import { nextTurn } from '../support/next-turn.js';
import { startWorker, type WorkerThread } from '../support/worker-thread.js';

/** Bound of a run, only reached when the test is about to fail. */
const RUN_MS = 20_000;
const ACCEPTED = 5_000;
const RETRIES = 500;

let control: Int32Array;
let writer: WorkerThread<unknown> | undefined;

afterEach(async () => {
  vi.doUnmock('../../src/memory/seqlock.js');
  vi.resetModules();
  Atomics.store(control, 0, 1);
  await writer?.stop();
});

/** A reader of a ticker that another thread keeps writing. */
async function start(): Promise<TickerReader> {
  const { TickerReader } = await import('../../src/publish/ticker-reader.js');
  const shared = { tickers: createTickerBuffer(1), control: new SharedArrayBuffer(8) };
  control = new Int32Array(shared.control);
  writer = startWorker(new URL('workers/ticker-writer.mjs', import.meta.url), shared);
  expect(await Atomics.waitAsync(control, 1, 0, RUN_MS).value).not.toBe('timed-out');
  return new TickerReader(shared.tickers);
}

function isTorn({ lastTimeMs, closeTimeMs, ...figures }: HeldFigures): boolean {
  return lastTimeMs !== closeTimeMs || new Set(Object.values(figures)).size > 1;
}

async function readMany(reader: TickerReader, isEnough: (seen: { accepted: number; torn: number }) => boolean) {
  const seen = { accepted: 0, torn: 0 };
  const deadline = performance.now() + RUN_MS;
  while (!isEnough(seen) && performance.now() < deadline) {
    for (let i = 0; i < 200; i++) {
      const held = reader.read(0);
      if (held === undefined) continue;
      seen.accepted++;
      if (isTorn(held)) seen.torn++;
    }
    await nextTurn();
  }
  return seen;
}

test('figures that another thread writes are read whole', { timeout: 60_000 }, async () => {
  const reader = await start();
  const seen = await readMany(reader, ({ accepted }) => accepted >= ACCEPTED && reader.retries >= RETRIES);
  expect(seen.torn).toBe(0);
  expect(seen.accepted).toBeGreaterThanOrEqual(ACCEPTED);
  // The writer was truly at work meanwhile.
  expect(reader.retries).toBeGreaterThanOrEqual(RETRIES);
});

test('without the version check they are not', { timeout: 60_000 }, async () => {
  vi.resetModules();
  vi.doMock('../../src/memory/seqlock.js', () => ({ readBegin: () => 0, readUnchanged: () => true }));
  const reader = await start();
  const seen = await readMany(reader, ({ torn }) => torn >= 10);
  expect(seen.torn).toBeGreaterThanOrEqual(10);
});
