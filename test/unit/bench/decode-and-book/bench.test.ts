import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const run = fileURLToPath(new URL('../../../../dist/bench/run.js', import.meta.url));

function bench(...args: string[]) {
  return spawnSync(process.execPath, [run, ...args], { encoding: 'utf8', timeout: 60_000 });
}

describe.skipIf(!existsSync(run))('the built bench command (needs npm run build)', () => {
  test('runs every candidate over a short stream, all ending in the same book', { timeout: 60_000 }, () => {
    const { stdout, stderr, status } = bench('decode-and-book', '--stream', 'near', '--frames', '50', '--rounds', '1', '--round-ms', '1');
    expect(status, stderr).toBe(0);
    expect(stdout).toMatch(/All [56] end in the same book as a plain map/);
  });

  test.each([
    { args: ['decode-and-book', '--rounds', '0'], status: 1, text: '--rounds takes a whole number from 1' },
    { args: ['decode-and-book', '--only', 'engine,other'], status: 1, text: 'not "other"' },
    { args: ['decode-and-book', '--session', '/nowhere'], status: 1, text: 'no recorded session at /nowhere' },
    { args: ['other'], status: 2, text: 'unknown bench "other"' },
  ])('$args ends with exit code $status', ({ args, status, text }) => {
    const result = bench(...args);
    expect(result.status).toBe(status);
    expect(result.stderr).toContain(text);
  });
});
