import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Shutdown } from '../../../src/cli/shutdown.js';

/** A process that notes how it was ended, and gets the signals a test sends. */
function fakeProcess(connected = false) {
  const listeners = new Map<string, () => void>();
  const exits: number[] = [];
  const port = {
    on: (event: string, listener: () => void) => listeners.set(event, listener),
    exit: (code: number) => void exits.push(code),
    connected,
  };
  const shutdown = new Shutdown(pino({ level: 'silent' }), port);
  return { shutdown, exits, send: (event: string) => listeners.get(event)!() };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('Shutdown', () => {
  it.each(['SIGTERM', 'SIGINT'])('closes what was added, last first, and exits 0 on %s', async (signal) => {
    const { shutdown, exits, send } = fakeProcess();
    const closed: string[] = [];
    shutdown.add(async () => void closed.push('first'));
    shutdown.add(async () => void closed.push('second'));
    send(signal);
    await vi.runAllTimersAsync();
    expect(closed).toEqual(['second', 'first']);
    expect(exits).toEqual([0]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('exits 0 when there is nothing to close yet', async () => {
    const { exits, send } = fakeProcess();
    send('SIGTERM');
    await vi.runAllTimersAsync();
    expect(exits).toEqual([0]);
  });

  it('exits 1 on a second signal, at once', () => {
    const { shutdown, exits, send } = fakeProcess();
    shutdown.add(() => new Promise(() => {}));
    send('SIGINT');
    expect(exits).toEqual([]);
    send('SIGTERM');
    expect(exits).toEqual([1]);
  });

  it('exits 1 when closing fails', async () => {
    const { shutdown, exits, send } = fakeProcess();
    shutdown.add(() => Promise.reject(new Error('no')));
    send('SIGTERM');
    await vi.runAllTimersAsync();
    expect(exits).toEqual([1]);
  });

  it('exits 1 when closing takes longer than 4.5 s', async () => {
    const { shutdown, exits, send } = fakeProcess();
    shutdown.add(() => new Promise(() => {}));
    send('SIGTERM');
    await vi.advanceTimersByTimeAsync(4_499);
    expect(exits).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(exits).toEqual([1]);
  });

  it('leaves SIGINT to a parent process and ends with it', async () => {
    const { shutdown, exits, send } = fakeProcess(true);
    send('SIGINT');
    expect(shutdown.begun).toBe(false);
    send('disconnect');
    await vi.runAllTimersAsync();
    expect(exits).toEqual([0]);
  });
});
