import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ReadingRest } from '../../../src/feed/reading-rest.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function setUp() {
  let paused = false;
  const readable = { pause: () => void (paused = true), resume: () => void (paused = false) };
  const rest = new ReadingRest(readable, { restMs: 5, restStretchMs: 250, restFreeMs: 1000 }, () => Date.now());
  return { rest, isPaused: () => paused };
}

describe('ReadingRest', () => {
  it('rests for a moment and goes on by itself', () => {
    const { rest, isPaused } = setUp();
    rest.begin();
    rest.begin();
    expect(isPaused()).toBe(true);
    vi.advanceTimersByTime(5);
    expect(isPaused()).toBe(false);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('goes on early when told', () => {
    const { rest, isPaused } = setUp();
    rest.begin();
    rest.end();
    rest.end();
    expect(isPaused()).toBe(false);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('rests at most 250 ms in a row, then reads for a second', () => {
    const { rest, isPaused } = setUp();
    const start = Date.now();
    const restedAt: boolean[] = [];
    // The ring stays full: every look at it asks for a rest.
    while (Date.now() - start < 2600) {
      rest.begin();
      restedAt.push(isPaused());
      vi.advanceTimersByTime(1);
    }
    const changes = restedAt.flatMap((rested, ms) => (ms > 0 && rested !== restedAt[ms - 1] ? [ms] : []));
    expect(changes).toEqual([250, 1250, 1500, 2500]);
  });

  it('begins a new stretch when there was room in between', () => {
    const { rest, isPaused } = setUp();
    for (let i = 0; i < 200; i++) {
      rest.begin();
      expect(isPaused()).toBe(true);
      vi.advanceTimersByTime(5 + 6);
    }
  });
});
