import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { commandNames, packageRoot, packageVersion } from '../../../src/support/config/index.js';

/** Runs the built command line without any of this process's variables. */
function mdp(...argv: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(packageRoot(), 'dist/src/main.js'), ...argv], {
    encoding: 'utf8',
    env: {},
    timeout: 20_000,
  });
  return { status, stdout, stderr };
}

describe('mdp', () => {
  it.each([[], ['--help'], ['-h'], ['help']])('prints its usage for %j', (...argv) => {
    const { status, stdout } = mdp(...argv.flat());
    expect(status).toBe(0);
    for (const command of commandNames) expect(stdout).toContain(`mdp ${command}`);
  });

  it('prints its version', () => {
    expect(mdp('--version')).toEqual({ status: 0, stdout: `${packageVersion()}\n`, stderr: '' });
  });

  it.each(commandNames)('explains %s', (command) => {
    const { status, stdout } = mdp(command, '--help');
    expect(status).toBe(0);
    expect(stdout).toContain('--log-level');
  });

  it('refuses a command it does not know, with the nearest', () => {
    expect(mdp('strat')).toEqual({ status: 2, stdout: '', stderr: expect.stringMatching(/unknown command "strat"; nearest is start/) });
  });

  it.each(commandNames)('lists all problems of the configuration of %s and exits 2', (command) => {
    const { status, stdout, stderr } = mdp(command, '--port', 'x', '--bogus', '1', '--log-level', 'loud');
    expect(status).toBe(2);
    expect(stdout).toBe('');
    expect(stderr.trimEnd().split('\n')).toEqual([
      'mdp: 3 configuration problems:',
      '  --port: "x" is not a whole number 0 to 65535',
      '  --bogus: unknown flag',
      expect.stringMatching(/^ {2}--log-level: "loud" is not /),
      `"mdp ${command} --help" explains every key.`,
    ]);
  });
});
