import type { Clock } from '../support/clock.js';

/** Which connections open first. */
export const ConnectRank = {
  /** Those that carry depth, on either line. */
  BOOKS: 0,
  SIDE: 1,
} as const;
export type ConnectRank = (typeof ConnectRank)[keyof typeof ConnectRank];

/**
 * Spaces new connections out to `ratePerSecond`, those of the books before all others: one of them waits for the books' connections that came
 * before it and for at most one interval more, however many others wait. A turn is used up when it comes, not when it is asked for; whoever
 * leaves the line costs nothing. Each connection waits once at most, so the line is no longer than there are connections.
 */
export class ConnectTurns {
  readonly #intervalMs: number;
  readonly #clock: Clock;
  /** By rank, in order of arrival. */
  readonly #lines = [new Set<() => void>(), new Set<() => void>()] as const;
  /** When the next turn may come, by the clock. */
  #nextAt = 0;
  /** Set as long as anybody waits. */
  #timer: NodeJS.Timeout | undefined;

  constructor(ratePerSecond: number, clock: Clock) {
    this.#intervalMs = 1000 / ratePerSecond;
    this.#clock = clock;
  }

  /** Calls `go` once, in a later turn of the event loop. The function returned takes the caller out of the line; after `go` it does nothing. */
  wait(rank: ConnectRank, go: () => void): () => void {
    const line = this.#lines[rank];
    // Of its own, whatever `go` is.
    const turn = (): void => go();
    line.add(turn);
    this.#schedule();
    return () => {
      line.delete(turn);
      if (this.#first() !== undefined) return;
      clearTimeout(this.#timer);
      this.#timer = undefined;
    };
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#first() === undefined) return;
    const now = this.#clock();
    const dueAt = Math.max(this.#nextAt, now);
    this.#timer = setTimeout(() => this.#next(dueAt), dueAt - now);
  }

  #next(dueAt: number): void {
    this.#timer = undefined;
    this.#nextAt = dueAt + this.#intervalMs;
    const turn = this.#first()!;
    for (const line of this.#lines) line.delete(turn);
    this.#schedule();
    turn();
  }

  #first(): (() => void) | undefined {
    for (const line of this.#lines) for (const turn of line) return turn;
    return undefined;
  }
}
