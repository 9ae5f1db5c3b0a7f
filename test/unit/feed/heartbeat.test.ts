import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { defaultConnectionTimings } from '../../../src/feed/connection.js';
import { Heartbeat } from '../../../src/feed/heartbeat.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function setUp() {
  const state = { pings: 0, lastReceived: Date.now(), dead: [] as string[], skewMs: 0 };
  const heartbeat = new Heartbeat({
    timings: { pingIntervalMs: 15_000, pongTimeoutMs: 5000, silenceMs: 20_000 },
    clock: () => Date.now() + state.skewMs,
    sendPing: () => void state.pings++,
    lastReceived: () => state.lastReceived,
    dead: (why) => void state.dead.push(why),
  });
  return { heartbeat, state };
}

/** Of half-open connections. */
const FOUND_WITHIN_MS = 20_000;

describe('the timings of production', () => {
  const { pingIntervalMs } = defaultConnectionTimings;

  it.each(Array.from({ length: 24 }, (_, i) => (i * pingIntervalMs) / 24))(
    'find a connection half open after %d ms within 20 s',
    (openMs) => {
      let lastReceived = Date.now();
      let foundAfterMs = Infinity;
      const halfOpenAt = Date.now() + pingIntervalMs + openMs;
      const heartbeat: Heartbeat = new Heartbeat({
        timings: defaultConnectionTimings,
        clock: () => Date.now(),
        sendPing: () => {
          if (Date.now() < halfOpenAt) queueMicrotask(() => heartbeat.pong());
        },
        lastReceived: () => lastReceived,
        dead: () => (foundAfterMs = Math.min(foundAfterMs, Date.now() - halfOpenAt)),
      });
      const pushes = setInterval(() => {
        if (Date.now() < halfOpenAt) lastReceived = Date.now();
      }, 100);
      vi.advanceTimersByTime(pingIntervalMs);
      heartbeat.pong();
      vi.advanceTimersByTime(openMs + FOUND_WITHIN_MS);
      expect(foundAfterMs).toBeGreaterThan(0);
      expect(foundAfterMs).toBeLessThanOrEqual(FOUND_WITHIN_MS);
      heartbeat.stop();
      clearInterval(pushes);
    },
  );
});

describe('Heartbeat', () => {
  it('pings every 15 s and is content with PONGs', () => {
    const { heartbeat, state } = setUp();
    for (let i = 0; i < 10; i++) {
      vi.advanceTimersByTime(15_000);
      state.lastReceived = Date.now();
      heartbeat.pong();
    }
    expect(state).toMatchObject({ pings: 10, dead: [] });
    heartbeat.stop();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('reports a missing PONG although frames come', () => {
    const { state } = setUp();
    const frames = setInterval(() => void (state.lastReceived = Date.now()), 100);
    vi.advanceTimersByTime(20_040);
    expect(state.dead).toEqual([]);
    vi.advanceTimersByTime(20);
    expect(state.dead).toEqual(['no PONG in time']);
    clearInterval(frames);
  });

  it('takes no PONG for the answer to a PING that was sent after it was due', () => {
    const { heartbeat, state } = setUp();
    vi.advanceTimersByTime(15_000);
    const second = heartbeat.probe();
    expect(state.pings).toBe(2);
    heartbeat.pong();
    expect(second()).toBe(false);
    heartbeat.pong();
    expect(second()).toBe(true);
    const third = heartbeat.probe();
    expect(third()).toBe(false);
    heartbeat.pong();
    expect(third()).toBe(true);
    heartbeat.stop();
  });

  it('reports silence', () => {
    const { heartbeat, state } = setUp();
    vi.advanceTimersByTime(15_000);
    heartbeat.pong();
    vi.advanceTimersByTime(5000);
    expect(state.dead).toEqual([]);
    vi.advanceTimersByTime(1000);
    expect(state.dead[0]).toMatch(/^silent for 2\d{4} ms$/);
  });

  it('looks once more after this thread was busy', () => {
    const { state } = setUp();
    vi.advanceTimersByTime(1000);
    // One turn that took a minute: the timer is late, and what came meanwhile was not read yet.
    state.skewMs = 60_000;
    vi.advanceTimersByTime(1000);
    expect(state.dead).toEqual([]);
    state.lastReceived = Date.now() + state.skewMs;
    vi.advanceTimersByTime(1000);
    expect(state.dead).toEqual([]);
  });
});
