import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, expect, test, vi } from 'vitest';
import { ShardSupervisor } from '../../src/shard/supervisor.js';
import { createShardBuffers } from '../../src/shard/task.js';
import { systemClock } from '../../src/support/clock.js';
import { until } from '../support/until.js';

const folder = mkdtempSync(join(tmpdir(), 'mdp-late-'));
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
  vi.unstubAllEnvs();
});

test('a worker that hangs before its first sign of life is replaced as well', async () => {
  const file = join(folder, 'end');
  vi.stubEnv('LATE_WORKER', file);
  const supervisor = new ShardSupervisor({
    shards: [createShardBuffers()],
    staleAfterMs: 1000,
    lines: 1,
    workerUrl: new URL('../support/late.worker.mjs', import.meta.url),
    logger: pino({ level: 'silent' }),
    clock: systemClock,
    lost: () => {},
    readyTimeoutMs: 1000,
  });
  try {
    await supervisor.start();
    writeFileSync(file, '');
    await until(() => existsSync(`${file}.2`), { what: 'the second life' });
    await until(() => supervisor.state(0) === 'running' && supervisor.restarts(0) === 2, { what: 'the third life' });
    expect([supervisor.lastDeath(0), existsSync(`${file}.3`)]).toEqual(['not_started', true]);
  } finally {
    await supervisor.stop();
  }
});
