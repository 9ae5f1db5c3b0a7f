import type { Logger } from 'pino';
import { EXIT_FAILED, errorText } from './exit.js';

/** Whoever sent the signal waits 5 s at most; the rest is for the process to end in. */
const DRAIN_MS_MAX = 4_500;

/** What ending a process touches; tests put their own in place of the real one. */
export interface ProcessPort {
  on(event: 'SIGINT' | 'SIGTERM' | 'disconnect', listener: () => void): unknown;
  exit(code: number): void;
  /** Whether a parent process started this one and speaks to it. */
  readonly connected: boolean;
}

/**
 * Ends the process in order: the first SIGTERM or SIGINT runs what was given to `add`, last in first out, and exits 0; a second
 * one exits 1 at once. When it cannot drain in 4.5 s it says so and exits 1.
 */
export class Shutdown {
  readonly #closers: (() => Promise<void>)[] = [];
  readonly #process: ProcessPort;
  readonly #logger: Logger;
  #begun = false;

  constructor(logger: Logger, port: ProcessPort = realProcess) {
    this.#logger = logger;
    this.#process = port;
    port.on('SIGTERM', () => this.#signal('SIGTERM'));
    // The terminal sends SIGINT to parent and child alike: a child leaves it to its parent, which closes in order.
    port.on('SIGINT', () => {
      if (!port.connected) this.#signal('SIGINT');
    });
    port.on('disconnect', () => this.begin('the parent process is gone'));
  }

  /** Whether the end has begun. */
  get begun(): boolean {
    return this.#begun;
  }

  /** Adds something to close, before what was added earlier. */
  add(close: () => Promise<void>): void {
    this.#closers.push(close);
  }

  /** Begins the end; a second call changes nothing. */
  begin(reason: string): void {
    if (this.#begun) return;
    this.#begun = true;
    this.#logger.info({ reason }, 'closing');
    const deadline = setTimeout(() => this.#fail(`not closed within ${DRAIN_MS_MAX} ms`), DRAIN_MS_MAX);
    this.#drain().then(
      () => {
        clearTimeout(deadline);
        this.#logger.info('closed');
        this.#process.exit(0);
      },
      (error: unknown) => {
        clearTimeout(deadline);
        this.#fail(errorText(error));
      },
    );
  }

  #signal(name: string): void {
    if (this.#begun) this.#fail(`second signal, ${name}`);
    else this.begin(name);
  }

  async #drain(): Promise<void> {
    for (let close = this.#closers.pop(); close !== undefined; close = this.#closers.pop()) await close();
  }

  #fail(reason: string): void {
    this.#logger.error({ reason }, 'ended without closing');
    this.#process.exit(EXIT_FAILED);
  }
}

const realProcess: ProcessPort = {
  on: (event, listener) => process.on(event as 'SIGTERM', listener),
  exit: (code) => process.exit(code),
  get connected() {
    return process.connected;
  },
};
