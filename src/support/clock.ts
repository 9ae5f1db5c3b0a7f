/** Unix time in ms with a fraction; never goes back. */
export type Clock = () => number;

/** The system's clock further ahead than this did not drift: the machine was asleep, or somebody set its clock. */
const AHEAD_MS = 1_000;

/** Asked for once: it is a getter that costs more than the clock itself. Moves forward only. */
let { timeOrigin: origin } = performance;

/** Monotonic: small and backward steps of the system's clock after start-up do not show. */
export const systemClock: Clock = () => origin + performance.now();

/**
 * Takes over a jump of the system's clock: what `performance.now` counts stands still while a machine sleeps, and whoever slept would take an hour-old book
 * for a fresh one. To be called now and then in each thread. Returns by how many ms its clock went forward; 0 nearly always.
 */
export function catchUp(): number {
  const aheadMs = Date.now() - systemClock();
  if (aheadMs < AHEAD_MS) return 0;
  origin += aheadMs;
  return aheadMs;
}

/** A number in [0, 1), like `Math.random`; injected so that tests repeat. */
export type Random = () => number;
