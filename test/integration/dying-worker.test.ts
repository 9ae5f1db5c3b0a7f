import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BroadcastChannel } from 'node:worker_threads';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { WORKER_DEATHS_MAX } from '../../src/gateway/readiness.js';
import type { WorkerDeath } from '../../src/model/market-data.js';
import { HEARTBEAT_CHECK_MS, restartDelayMs, ShardSupervisor } from '../../src/shard/supervisor.js';
import { CONTROL_HEARTBEAT, createShardBuffers, type ShardBuffers } from '../../src/shard/task.js';
import { killableWorkerUrl } from '../support/engine.js';
import { until } from '../support/until.js';

/** What the supervisor takes for the time. */
let nowMs: number;
/** Of each loss, as it is logged. */
let delaysMs: number[];
/** Of the last loss, by a clock that goes on. */
let lostAt: number;
let supervisor: ShardSupervisor;
let buffers: ShardBuffers;

beforeEach(() => {
  nowMs = 0;
  delaysMs = [];
});
afterEach(async () => {
  await supervisor.stop();
  vi.unstubAllEnvs();
});

function supervise(workerUrl: URL, readyTimeoutMs = 30_000): Promise<void> {
  const write = (line: string): void => {
    const { delayMs } = JSON.parse(line) as { readonly delayMs?: number };
    if (delayMs !== undefined) delaysMs.push(delayMs);
  };
  buffers = createShardBuffers();
  supervisor = new ShardSupervisor({
    shards: [buffers],
    staleAfterMs: 1000,
    lines: 1,
    workerUrl,
    logger: pino({ level: 'error' }, { write }),
    clock: () => nowMs,
    lost: () => void (lostAt = performance.now()),
    readyTimeoutMs,
  });
  return supervisor.start();
}

const isAtWork = (restarts: number): boolean => supervisor.state(0) === 'running' && supervisor.restarts(0) === restarts;

const deaths = (): readonly [number, WorkerDeath | null] => [supervisor.deaths(0), supervisor.lastDeath(0)];

test('workers that die or hang within two minutes are a series, and each waits longer for the next', async () => {
  await supervise(killableWorkerUrl);
  const orders = new BroadcastChannel('kill-shard');
  const told = (order: 'end' | 'throw'): void => orders.postMessage({ shard: 0, [order]: true });
  const lives: readonly [lifeMs: number, end: () => void, death: WorkerDeath][] = [
    [60_000, () => told('end'), 'exited'],
    [8_000, () => supervisor.replace(0), 'hung'],
    [60_000, () => told('throw'), 'threw'],
    // In the thread that threw.
    [119_000, () => supervisor.replace(0), 'hung'],
  ];
  for (const [index, [lifeMs, end, death]] of lives.entries()) {
    nowMs += lifeMs;
    end();
    await until(() => isAtWork(index + 1), { what: `the life after ${death}` });
    expect(deaths()).toEqual([index + 1, death]);
    // A timer counts in whole milliseconds.
    expect(performance.now() - lostAt).toBeGreaterThan(delaysMs.at(-1)! - 2);
  }
  expect(delaysMs).toEqual([0, 100, 200, 400]);
  expect(supervisor.deaths(0)).toBeGreaterThan(WORKER_DEATHS_MAX);

  nowMs += 120_000;
  expect(supervisor.deaths(0)).toBe(4);
  nowMs += 1;
  expect(supervisor.deaths(0)).toBe(0);
  told('end');
  await until(() => isAtWork(5), { what: 'the last life' });
  expect([deaths(), delaysMs.at(-1)]).toEqual([[1, 'exited'], 0]);
  orders.close();
});

test('each waits twice as long as the one before, 5 s at most', () => {
  expect(Array.from({ length: 10 }, (_, i) => restartDelayMs(i + 1))).toEqual([0, 100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000]);
  expect(restartDelayMs(10_000)).toBe(5000);
});

test('a worker that hangs before its first sign of life is replaced as well, and that it took long does not count for it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mdp-late-'));
  const file = join(folder, 'end');
  vi.stubEnv('LATE_WORKER', file);
  try {
    // Far more than a thread takes to start.
    await supervise(new URL('../support/late.worker.mjs', import.meta.url), 3_000);
    writeFileSync(file, '');
    await until(() => existsSync(`${file}.2`), { what: 'the second life' });
    nowMs += 200_000;
    await until(() => isAtWork(2), { what: 'the third life' });
    expect([deaths(), delaysMs, existsSync(`${file}.3`)]).toEqual([[2, 'not_started'], [0, 100], true]);
    // Nor does what the two before it took.
    nowMs += 100_000;
    expect(supervisor.deaths(0)).toBe(2);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('a worker that makes no turn is taken to hang after two seconds of checks', async () => {
  await supervise(new URL('../support/mute.worker.mjs', import.meta.url));
  const turns = (): number => Atomics.load(new Int32Array(buffers.control), CONTROL_HEARTBEAT);
  await until(() => turns() === 1, { what: 'its only turn' });
  // One is missing: the first sees that turn.
  for (let checkedMs = 0; checkedMs < 2_000; checkedMs += HEARTBEAT_CHECK_MS) supervisor.checkHeartbeats();
  await new Promise(setImmediate);
  expect([supervisor.state(0), deaths()]).toEqual(['running', [0, null]]);
  supervisor.checkHeartbeats();
  await until(() => supervisor.restarts(0) === 1, { what: 'its end' });
  expect(deaths()).toEqual([1, 'hung']);
});
