/** Unix time in ms with a fraction; never goes back. */
export type Clock = () => number;

/** Asked for once: both are getters that cost more than the clock itself. */
const { timeOrigin } = performance;

/** Monotonic: steps of the system's clock after start-up do not show. */
export const systemClock: Clock = () => timeOrigin + performance.now();

/** A number in [0, 1), like `Math.random`; injected so that tests repeat. */
export type Random = () => number;
