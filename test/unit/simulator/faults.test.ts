import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { FaultInjector } from '../../../src/simulator/fault-injector.js';
import { parseFaults } from '../../../src/simulator/faults.js';
import { decodePush, encodePush } from '../../../src/simulator/push-codec.js';
import { ErrorCode } from '../../../src/support/errors.js';

const CHANNEL = 'spot@public.aggre.depth.v3.api.pb@100ms@AUSDT';

function push(version: number): Uint8Array {
  return encodePush({ channel: CHANNEL, symbol: 'AUSDT', publicAggreDepths: { fromVersion: String(version), toVersion: String(version) } });
}

/** Versions that come out when pushes 1..count go in; `x` for what cannot be decoded. */
function through(injector: FaultInjector, count: number, first = 1): (number | 'x')[] {
  return Array.from({ length: count }, (_, i) => injector.depthPush('AUSDT', CHANNEL, push(first + i)))
    .flat()
    .map((bytes) => {
      try {
        return Number(decodePush(bytes).publicAggreDepths?.toVersion);
      } catch {
        return 'x';
      }
    });
}

function injector(now: () => number = Date.now) {
  const calls: unknown[] = [];
  const target = {
    dropConnections: (...args: unknown[]) => calls.push(['drop', ...args]),
    freezeConnections: (...args: unknown[]) => calls.push(['freeze', ...args]),
    keepHistory: (...args: unknown[]) => calls.push(['history', ...args]),
  };
  return { faults: new FaultInjector(target, now), calls };
}

describe('parseFaults', () => {
  it('takes a fault or a list of faults', () => {
    expect(parseFaults({ action: 'skip', symbol: 'AUSDT', pushes: 2, afterPushes: 10 })).toHaveLength(1);
    expect(
      parseFaults([{ action: 'stall', forMs: 500, after: 'gap' }, { action: 'drop', closeCode: 1001 }, { action: 'halfOpen' }]),
    ).toHaveLength(3);
    expect(parseFaults([])).toEqual([]);
  });

  it.each([
    [5, 'must be an object'],
    [{}, '"action" must be one of skip, duplicate'],
    [{ action: 'toString' }, '"action" must be one of'],
    [{ action: 'skip', forMs: 3 }, '"forMs" is no field of "skip"'],
    [{ action: 'skip', pushes: 0 }, '"pushes" must be a whole number of at least 1'],
    [{ action: 'stall' }, '"forMs" is missing'],
    [{ action: 'drop', closeCode: 1006 }, '"closeCode" must be a close code'],
    [{ action: 'rest5xx', status: 404 }, '"status" must be an HTTP status from 500'],
    [{ action: 'skip', afterMs: 1, afterPushes: 1 }, 'exclude each other'],
    [{ action: 'refuse', count: 1, forMs: 1 }, 'exclude each other'],
    [{ action: 'skip', symbol: '' }, '"symbol" must be'],
  ])('refuses %j', (json, text) => {
    expect(() => parseFaults(json)).toThrow(
      expect.objectContaining({ code: ErrorCode.CONFIG_INVALID, message: expect.stringContaining(text) as string }),
    );
  });

  it('tells everything that is wrong at once', () => {
    expect(() => parseFaults([{ action: 'skip', pushes: -1, x: 1 }, { action: 'no' }])).toThrow(/faults\[0\].*faults\[0\].*faults\[1\]/);
  });
});

describe('push faults', () => {
  it.each([
    ['skip', { action: 'skip', pushes: 2 }, [3, 4, 5]],
    ['duplicate', { action: 'duplicate' }, [1, 1, 2, 3, 4, 5]],
    ['reorder one pair', { action: 'reorder' }, [2, 1, 3, 4, 5]],
    ['reorder two pairs', { action: 'reorder', pushes: 2 }, [2, 1, 4, 3, 5]],
    ['truncate', { action: 'truncate' }, ['x', 2, 3, 4, 5]],
    ['truncate and repeat', { action: 'truncate', mode: 'add' }, ['x', 1, 2, 3, 4, 5]],
    ['unknown fields', { action: 'unknownFields', pushes: 3 }, [1, 2, 3, 4, 5]],
    ['later', { action: 'skip', afterPushes: 3 }, [1, 2, 3, 5]],
    ['of its symbol', { action: 'skip', symbol: 'AUSDT' }, [2, 3, 4, 5]],
    ['not of another', { action: 'skip', symbol: 'BUSDT' }, [1, 2, 3, 4, 5]],
  ] as const)('%s', (_name, spec, expected) => {
    const { faults } = injector();
    faults.add(spec);
    expect(through(faults, 5)).toEqual(expected);
    expect(faults.idle).toBe(!('symbol' in spec && spec.symbol === 'BUSDT'));
  });

  it('one after the other', () => {
    const { faults } = injector();
    faults.add({ action: 'skip' });
    faults.add({ action: 'duplicate' });
    expect(through(faults, 4)).toEqual([2, 2, 3, 4]);
  });
});

describe('other faults', () => {
  it('last for a number of occasions or for a time', () => {
    let now = 0;
    const { faults } = injector(() => now);
    faults.add({ action: 'refuse', symbol: 'AUSDT', count: 2 });
    expect([faults.refuses('BUSDT'), faults.refuses('AUSDT'), faults.refuses('AUSDT'), faults.refuses('AUSDT')]).toEqual([
      false,
      true,
      true,
      false,
    ]);
    faults.add({ action: 'rest429', forMs: 100, retryAfterSeconds: 3 });
    expect(faults.restFailure(null)).toMatchObject({ action: 'rest429', retryAfterSeconds: 3 });
    now = 99;
    expect(faults.restFailure('AUSDT')).toBeDefined();
    now = 100;
    expect(faults.restFailure('AUSDT')).toBeUndefined();
    expect(faults.idle).toBe(true);
  });

  it('stall a symbol', () => {
    let now = 0;
    const { faults } = injector(() => now);
    faults.add({ action: 'stall', symbol: 'AUSDT', forMs: 50 });
    expect([faults.stalled('AUSDT'), faults.stalled('BUSDT')]).toEqual(['merge', undefined]);
    now = 50;
    expect(faults.stalled('AUSDT')).toBeUndefined();
  });

  it('spoil snapshots', () => {
    const { faults, calls } = injector();
    faults.add({ action: 'slowSnapshots', delayMs: 40 });
    faults.add({ action: 'oldSnapshots', symbol: 'AUSDT', pushes: 9, afterPushes: 1 });
    expect(calls).toEqual([['history', 'AUSDT']]);
    expect(faults.snapshot('AUSDT')).toEqual({ delayMs: 40, pushesOld: 0 });
    through(faults, 2);
    expect(faults.snapshot('AUSDT')).toEqual({ delayMs: 0, pushesOld: 9 });
    expect(faults.snapshot('AUSDT')).toEqual({ delayMs: 0, pushesOld: 0 });
  });

  it('end connections at once', () => {
    const { faults, calls } = injector();
    faults.add({ action: 'drop', symbol: 'AUSDT', closeCode: 1001 });
    faults.add({ action: 'halfOpen', symbol: '*' });
    expect(calls).toEqual([
      ['drop', 'AUSDT', 1001],
      ['freeze', null],
    ]);
  });
});

it('documents every fault in the faults file beside the simulator', () => {
  // The doc comments of the file are the manual; this keeps the list of actions from growing silently.
  const source = readFileSync(new URL('../../../src/simulator/faults.ts', import.meta.url), 'utf8');
  const documented = [...source.matchAll(/readonly action: '(\w+)'/g)].map(([, action]) => action);
  expect(new Set(documented)).toEqual(
    new Set([
      'corruptLevel',
      'drop',
      'duplicate',
      'halfOpen',
      'oldSnapshots',
      'refuse',
      'reorder',
      'rest403',
      'rest429',
      'rest5xx',
      'skip',
      'slowSnapshots',
      'stall',
      'truncate',
      'unknownFields',
    ]),
  );
});
