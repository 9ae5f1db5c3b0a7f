import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const run = fileURLToPath(new URL('../../../dist/bench/run.js', import.meta.url));

describe.skipIf(!existsSync(run))('the built bench command (needs npm run build)', () => {
  test('shows what there is', () => {
    const { stdout, status } = spawnSync(process.execPath, [run, '--help'], { encoding: 'utf8' });
    expect(status).toBe(0);
    expect(stdout).toContain('usage: npm run bench');
    expect(stdout).toContain('pipeline');
  });

  test('a bench shows its options', () => {
    const { stdout, status } = spawnSync(process.execPath, [run, 'pipeline', '--help'], { encoding: 'utf8' });
    expect(status).toBe(0);
    expect(stdout).toContain('--pairs N');
  });

  test.each([
    { args: ['pipeline', '--pairs', '0'], text: '--pairs takes a whole number from 1, not "0"' },
    { args: ['pipeline', '--nonsense'], text: "Unknown option '--nonsense'" },
  ])('$args fails', ({ args, text }) => {
    const { stderr, status } = spawnSync(process.execPath, [run, ...args], { encoding: 'utf8' });
    expect([status, stderr.includes(text)], stderr).toEqual([1, true]);
  });

  test('the whole path at a small size: nothing lost, books equal', { timeout: 60_000 }, () => {
    const sizes = ['--pairs', '1', '--frames', '200', '--passes', '1', '--symbols', '2'];
    const { stdout, stderr, status } = spawnSync(process.execPath, [run, 'pipeline', ...sizes], { encoding: 'utf8' });
    expect(status, stderr).toBe(0);
    expect(stdout).toContain("No frame was lost; all 2 books end level by level as the exchange's.");
    expect(stdout).toMatch(/\| frames a second, engine \/ bare client +\| +\d+\.\d\d \|/);
  });
});
