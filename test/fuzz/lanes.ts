import type { Prng } from '../../src/simulator/prng.js';

/** Connections at a time. */
const LANES = 8;

/** `count` inputs, over several connections at a time, each lane with a sequence of its own. */
export async function inLanes(count: number, lane: (lane: number, share: number) => Promise<void>): Promise<void> {
  const share = Math.ceil(count / LANES);
  await Promise.all(Array.from({ length: LANES }, (_, i) => lane(i, Math.min(share, Math.max(0, count - i * share)))));
}

export function pick<T>(random: Prng, values: readonly T[]): T {
  return values[random.below(values.length)]!;
}

/** True once in `times`. */
export function once(random: Prng, times: number): boolean {
  return random.below(times) === 0;
}
