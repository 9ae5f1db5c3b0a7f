import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ConnectRank, ConnectTurns } from '../../../src/feed/connect-turns.js';

beforeEach(() => void vi.useFakeTimers({ now: 5_000 }));
afterEach(() => void vi.useRealTimers());

/** Ten a second. `heard` names those whose turn came, each with the ms since the start. */
function setUp() {
  const heard: string[] = [];
  const turns = new ConnectTurns(10, () => Date.now());
  const wait = (name: string, rank: ConnectRank = ConnectRank.SIDE): (() => void) =>
    turns.wait(rank, () => void heard.push(`${name} ${Date.now() - 5_000}`));
  return { heard, wait };
}

describe('ConnectTurns', () => {
  it('come one interval apart, the first at once, and never inside the call', () => {
    const { heard, wait } = setUp();
    for (const name of ['a', 'b', 'c']) wait(name);
    expect(heard).toEqual([]);
    vi.advanceTimersByTime(250);
    wait('d');
    vi.advanceTimersByTime(10_000);
    wait('e');
    wait('f');
    vi.advanceTimersByTime(100);
    expect(heard).toEqual(['a 0', 'b 100', 'c 200', 'd 300', 'e 10250', 'f 10350']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('come to the connections of the books first, within one interval however many others wait', () => {
    const { heard, wait } = setUp();
    for (let i = 0; i < 1_000; i++) wait('side');
    vi.advanceTimersByTime(201);
    wait('book', ConnectRank.BOOKS);
    wait('another', ConnectRank.BOOKS);
    vi.advanceTimersByTime(300);
    expect(heard.slice(2)).toEqual(['side 200', 'book 300', 'another 400', 'side 500']);
  });

  it('that are given back cost nothing', () => {
    const { heard, wait } = setUp();
    for (let i = 0; i < 1_000; i++) wait('side')();
    expect(vi.getTimerCount()).toBe(0);
    const leave = wait('a');
    wait('b');
    const leaveLate = wait('c');
    leave();
    vi.advanceTimersByTime(50);
    wait('d');
    leaveLate();
    vi.advanceTimersByTime(1_000);
    // Given back once more, or after it came: nothing happens.
    leaveLate();
    leave();
    expect(heard).toEqual(['b 0', 'd 100']);
  });
});
