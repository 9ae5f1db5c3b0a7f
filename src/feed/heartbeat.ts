import type { Clock } from '../support/clock.js';

export interface HeartbeatTimings {
  readonly pingIntervalMs: number;
  /** How long after a PING its PONG may come. */
  readonly pongTimeoutMs: number;
  /** How long a connection may be silent altogether. */
  readonly silenceMs: number;
}

export interface HeartbeatOptions {
  readonly timings: HeartbeatTimings;
  readonly clock: Clock;
  readonly sendPing: () => void;
  /** Unix ms of the last frame of any kind. */
  readonly lastReceived: () => number;
  readonly dead: (why: string) => void;
}

/** Looks per period of silence allowed. */
const LOOKS = 20;
const LAST_LOOK_MS = 50;

/**
 * Keeps one open connection alive and notices when it is not: a PONG overdue, or no frame at all. Timers run before sockets
 * are read, so after a long turn of this thread the sign of life may wait there: nothing is judged without one more look.
 */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #lookIntervalMs: number;
  readonly #pingTimer: NodeJS.Timeout;
  readonly #lookTimer: NodeJS.Timeout;
  #pongTimer: NodeJS.Timeout | undefined;
  #pongs = 0;
  #lookedAt: number;

  constructor(options: HeartbeatOptions) {
    const { timings, clock } = options;
    this.#options = options;
    this.#lookIntervalMs = Math.max(1, timings.silenceMs / LOOKS);
    this.#lookedAt = clock();
    this.#pingTimer = setInterval(() => this.ping(), timings.pingIntervalMs);
    this.#lookTimer = setInterval(() => this.#look(), this.#lookIntervalMs);
  }

  pong(): void {
    this.#pongs++;
    clearTimeout(this.#pongTimer);
    this.#pongTimer = undefined;
  }

  stop(): void {
    clearInterval(this.#pingTimer);
    clearInterval(this.#lookTimer);
    clearTimeout(this.#pongTimer);
  }

  /** Asks for a sign of life now. */
  ping(): void {
    this.#options.sendPing();
    // An outstanding PONG keeps its own deadline.
    this.#pongTimer ??= setTimeout(() => this.#pongOverdue(), this.#options.timings.pongTimeoutMs);
  }

  /** The same; returns what says whether the answer is there, and with it everything the other side sent before it. */
  probe(): () => boolean {
    // A PONG that is due already answers the PING before.
    const pongs = this.#pongs + (this.#pongTimer === undefined ? 1 : 2);
    this.ping();
    return () => this.#pongs >= pongs;
  }

  #pongOverdue(): void {
    this.#pongTimer = setTimeout(() => this.#options.dead('no PONG in time'), LAST_LOOK_MS);
  }

  #look(): void {
    const now = this.#options.clock();
    const wasBusy = now - this.#lookedAt > 2 * this.#lookIntervalMs;
    this.#lookedAt = now;
    const silentMs = now - this.#options.lastReceived();
    if (!wasBusy && silentMs > this.#options.timings.silenceMs) this.#options.dead(`silent for ${Math.round(silentMs)} ms`);
  }
}
