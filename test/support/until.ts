import { setTimeout as delay } from 'node:timers/promises';

export interface UntilOptions {
  /** The bound on failure; a passing test never waits for it. */
  readonly timeoutMs?: number;
  /** What is waited for, for the error text. */
  readonly what?: string;
}

type Truthy<T> = Exclude<T, false | 0 | '' | null | undefined>;

/** Waits until `probe` gives a truthy value and returns it; throws when that takes longer than `timeoutMs` (default 10 s). */
export async function until<T>(probe: () => T | Promise<T>, options: UntilOptions = {}): Promise<Truthy<T>> {
  const { timeoutMs = 10_000, what = 'the condition' } = options;
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const value = await probe();
    if (value) return value as Truthy<T>;
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms for ${what}`);
    await delay(5);
  }
}
