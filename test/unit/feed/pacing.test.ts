import { describe, expect, it } from 'vitest';
import { Backoff } from '../../../src/feed/backoff.js';
import { LogGate } from '../../../src/feed/log-gate.js';
import { Pacer } from '../../../src/feed/pacer.js';

describe('Backoff', () => {
  it('doubles up to the cap and begins anew after a reset', () => {
    const backoff = new Backoff({ baseMs: 500, maxMs: 3000, random: () => 1 });
    expect([1, 2, 3, 4, 5].map(() => backoff.next())).toEqual([500, 1000, 2000, 3000, 3000]);
    expect(backoff.count).toBe(5);
    backoff.reset();
    expect(backoff.next()).toBe(500);
  });

  it('leaves half of a delay to chance unless told otherwise', () => {
    expect(new Backoff({ baseMs: 500, maxMs: 3000, random: () => 0 }).next()).toBe(250);
    expect(new Backoff({ baseMs: 500, maxMs: 3000, random: () => 0, jitter: 0 }).next()).toBe(500);
  });
});

describe('Pacer', () => {
  it('lets the burst through and spaces the rest out', () => {
    let now = 5000;
    const pacer = new Pacer(40, 3, () => now);
    expect([1, 2, 3, 4, 5].map(() => pacer.reserve())).toEqual([0, 0, 0, 25, 50]);
    now += 10_000;
    expect([1, 2, 3, 4].map(() => pacer.reserve())).toEqual([0, 0, 0, 25]);
  });
});

describe('LogGate', () => {
  it('lets one through per interval and counts the others', () => {
    let now = 0;
    const gate = new LogGate(1000, () => now);
    expect([gate.pass(), gate.pass(), gate.pass()]).toEqual([0, -1, -1]);
    now = 1000;
    expect(gate.pass()).toBe(2);
  });
});
