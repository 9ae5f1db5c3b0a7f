import { describe, expect, it } from 'vitest';
import { readFlags } from '../../../../src/support/config/flags.js';

describe('readFlags', () => {
  it('reads both forms of a flag, with the type of its key', () => {
    const flags = readFlags('start', ['--port', '0', '--symbols=BTCUSDT', '--snapshot-rate=0.5', '--config', 'some.json']);
    expect(flags).toEqual({ values: { port: 0, symbols: 'BTCUSDT', snapshotRate: 0.5 }, problems: [], configFile: 'some.json' });
  });

  it.each([
    [['--wait-for-client'], true],
    [['--wait-for-client=true'], true],
    [['--wait-for-client=false'], false],
  ])('reads the switch %j', (argv, expected) => {
    expect(readFlags('sim', argv)).toMatchObject({ values: { waitForClient: expected }, problems: [] });
  });

  it('keeps digits as text where the key takes names', () => {
    expect(readFlags('sim', ['--symbols', '7', '--speed', 'max']).values).toEqual({ symbols: 7, speed: 'max' });
    expect(readFlags('sim', ['--replay', '7']).values).toEqual({ replay: '7' });
  });

  it('takes a number below 0 for a value, not for a flag', () => {
    expect(readFlags('sim', ['--seed', '-1']).problems).toEqual(['--seed: "-1" is not a whole number 0 to 4294967295']);
  });

  it('lists every mistake', () => {
    const { values, problems } = readFlags('start', ['--prot', '5', '--port', '--host', 'h', '--workers=0', '-x', 'stray', '--port=']);
    expect(values).toEqual({ host: 'h' });
    expect(problems).toEqual([
      '--prot: unknown flag; nearest is --port',
      '--port: needs a value',
      '--workers: "0" is not a whole number 1 to 256, or auto',
      '-x: unknown flag',
      '--port: needs a value',
    ]);
    expect(readFlags('start', ['stray']).problems).toEqual(['stray: unexpected argument']);
  });

  it.each([['--api-keys', 'a:read:H'], ['--api-keys=a:read:H'], ['--api-keys='], ['--ws-url', 'wss://user']])(
    'does not repeat what stands behind the value of a secret flag: %j %j',
    (...argv) => {
      const { problems } = readFlags('start', [...argv, 'b:read:H', '--host', 'h', 'stray']);
      const flag = argv[0].split('=')[0]!;
      expect(problems.filter((problem) => problem === `${flag}: unexpected argument behind its value`)).toHaveLength(1);
      expect(problems.at(-1)).toBe('stray: unexpected argument');
      expect(problems.join('\n')).not.toMatch(/read:H|wss/);
    },
  );

  it('repeats nothing behind an unknown flag, which may be a secret one misspelt', () => {
    const nearest = '--api-key: unknown flag; nearest is --api-keys';
    expect(readFlags('start', ['--api-key', 'a:read:H', 'b:read:H']).problems).toEqual([nearest]);
    expect(readFlags('start', ['--api-key=a:read:H', 'b:read:H']).problems).toEqual([nearest]);
  });

  it('notes a flag without its value at the end', () => {
    expect(readFlags('start', ['--port']).problems).toEqual(['--port: needs a value']);
    expect(readFlags('start', ['--config']).problems).toEqual(['--config: needs a value']);
  });

  it('refuses the flags of another command', () => {
    expect(readFlags('start', ['--seed=1']).problems).toEqual(['--seed: unknown flag']);
  });
});
