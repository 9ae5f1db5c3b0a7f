import { BroadcastChannel } from 'node:worker_threads';
import { expect } from 'vitest';
import type { FaultSpec } from '../../src/simulator/simulator.js';
import { it } from '../support/cleanup.js';
import { getStatus, killableWorkerUrl } from '../support/engine.js';
import { expectSound, Scene } from '../support/scene.js';
import { expectTrueBooks } from '../support/true-book.js';
import { until } from '../support/until.js';

/** A small generator of pseudo-random numbers in [0, 1), so that a run can be told by its seed. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const faults: readonly FaultSpec[] = [
  { action: 'skip' },
  { action: 'skip', pushes: 4 },
  { action: 'duplicate', pushes: 2 },
  { action: 'reorder', pushes: 2 },
  { action: 'truncate' },
  { action: 'truncate', mode: 'add' },
  { action: 'unknownFields' },
  { action: 'stall', forMs: 300, after: 'merge' },
  { action: 'stall', forMs: 300, after: 'gap' },
  { action: 'drop' },
  { action: 'drop', closeCode: 1001 },
  { action: 'refuse' },
  { action: 'rest5xx' },
  { action: 'slowSnapshots', delayMs: 200 },
  { action: 'oldSnapshots', pushes: 8 },
];

it.for([1, 2])(
  'whatever goes wrong, in whatever order, no book is wrong, and in the end all are live (seed %d)',
  { timeout: 60_000 },
  async (seed, { opened }) => {
    const random = randomOf(seed);
    // More snapshots than the exchange would answer in so short a time.
    const limits = { restBurstPerSecond: 10_000, restBurstPer10s: 10_000, restWeightPer10s: 10_000 };
    const scene = await Scene.start(opened, {
      market: { symbols: 35, rate: 20, seed, limits },
      engine: { interval: '10ms', staleAfterMs: 400, snapshotRate: 200, workerUrl: killableWorkerUrl },
    });
    await scene.allLive();
    const { sim, symbols } = scene;
    const orders = opened(new BroadcastChannel('kill-shard'));
    const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
    for (let round = 0; round < 30; round++) {
      for (let i = 0; i < 3; i++) sim.injectFault({ ...pick(faults), symbol: pick(symbols) });
      if (round % 12 === 7) orders.postMessage({ shard: round % 2, midWrite: round > 12 });
      // What is live in the midst of it is exact.
      await expectTrueBooks(scene.url, sim, [pick(symbols)]);
    }
    // Faults that found no occasion must not spoil the end.
    await until(() => sim.stats().faultsWaiting === 0, { what: 'the last fault to begin' });
    await expectSound(scene, 20_000);

    const { books, counters, shards } = await getStatus(scene.url);
    expect(books).toMatchObject({ tracked: symbols.length, live: symbols.length });
    expect(counters.crossedBooks).toBe(0);
    expect(shards.map(({ state, restarts }) => `${state} ${restarts}`)).toEqual(['running 0', 'running 2']);
    expect(scene.watcher.disturbed().length).toBeGreaterThan(symbols.length / 2);
  },
);
