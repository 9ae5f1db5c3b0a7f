import type { Worker } from 'node:worker_threads';
import type { Logger } from 'pino';
import { Piscina } from 'piscina';
import type { WorkerDeath } from '../model/market-data.js';
import { assert } from '../support/assert.js';
import { CodedError, ErrorCode } from '../support/errors.js';
import { CONTROL_HEARTBEAT, CONTROL_READY, CONTROL_THREAD, resetShard, type ShardBuffers, type ShardTask } from './task.js';

const READY_TIMEOUT_MS = 10_000;
/** How often the owner calls `checkHeartbeats`. */
export const HEARTBEAT_CHECK_MS = 250;
/**
 * Checks in a row without a turn of the duty cycle, two seconds: a worker makes one at least every second, and at each tick of the clock.
 * Checks are counted, not time, so that a main thread that stood still accuses nobody.
 */
const SILENT_CHECKS_MAX = 8;
/**
 * A worker's heap: it takes about ten, since books, tapes and candles lie outside of it. One that leaks ends soon, and by itself, instead of collecting
 * garbage for minutes with the memory of the machine.
 */
const HEAP_MIB_MAX = 512;
/** Of a worker's new objects: it makes few, and by itself V8 gives them 48 MiB in time. */
const YOUNG_MIB_MAX = 8;
/** From the order to kill a thread that has not begun to its end. */
const KILL_MS = 100;
const STOP_TIMEOUT_MS = 2_000;
/** A worker that works this long ends a series of failures; one that leaks for a minute, or hangs every few seconds, never does. */
const STABLE_MS = 120_000;
const RESTART_DELAY_MS_MAX = 5_000;

export type ShardState = 'starting' | 'running' | 'restarting' | 'stopped';

export interface SupervisorOptions {
  readonly shards: readonly ShardBuffers[];
  readonly staleAfterMs: number;
  /** Connections each push may come on. */
  readonly lines: number;
  /** Microseconds a worker looks for records before it sleeps; default 0. */
  readonly spinUs?: number;
  /** The built worker file. */
  readonly workerUrl: URL;
  readonly logger: Logger;
  readonly clock: () => number;
  /** The worker of a shard is dead and the shard's books are empty; called before the next one starts. */
  readonly lost: (shard: number) => void;
  /** How long a worker may take to its first sign of life; default 10,000 ms. */
  readonly readyTimeoutMs?: number;
}

/**
 * Owns the worker threads: one Piscina task a shard, that ends only at shutdown. When one ends for any other reason its books
 * become `syncing` at once, and a new thread goes on over the same memory. Main thread only.
 */
export class ShardSupervisor {
  readonly #options: SupervisorOptions;
  readonly #pool: Piscina;
  readonly #states: ShardState[];
  readonly #restarts: number[];
  readonly #failures: number[];
  readonly #lastDeaths: (WorkerDeath | null)[];
  /** When the worker of a shard gave its first sign of life. */
  readonly #readyAt: number[];
  readonly #runs = new Set<Promise<void>>();
  readonly #timers = new Set<NodeJS.Timeout>();
  /** Kills the thread of a shard, by shard. */
  readonly #kills: AbortController[] = [];
  /** Threads that were killed, by shard; `undefined` = one that had not begun. */
  readonly #killed: (Worker | undefined)[] = [];
  /** Turns of the duty cycle at the last check, and checks since they moved, by shard. */
  readonly #lastTurns: number[] = [];
  readonly #silentChecks: number[] = [];
  #stopping = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    const workers = options.shards.length;
    this.#states = options.shards.map(() => 'starting');
    this.#restarts = options.shards.map(() => 0);
    this.#failures = options.shards.map(() => 0);
    this.#lastDeaths = options.shards.map(() => null);
    this.#readyAt = options.shards.map(() => 0);
    this.#pool = new Piscina({
      filename: options.workerUrl.href,
      minThreads: workers,
      maxThreads: workers,
      concurrentTasksPerWorker: 1,
      idleTimeout: Infinity,
      recordTiming: false,
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB_MAX, maxYoungGenerationSizeMb: YOUNG_MIB_MAX },
    });
    // A thread that dies reports here as well as through its task; the task's rejection is what we act on.
    this.#pool.on('error', (error) => options.logger.debug({ err: error }, 'worker thread error'));
  }

  state(shard: number): ShardState {
    return this.#states[shard]!;
  }

  restarts(shard: number): number {
    return this.#restarts[shard]!;
  }

  /** Workers lost in a row: those that worked for less than STABLE_MS, or never began, and the one before them. 0 once the one there is has worked that long. */
  deaths(shard: number): number {
    return this.#isStable(shard) ? 0 : this.#failures[shard]!;
  }

  #isStable(shard: number): boolean {
    return this.#states[shard] === 'running' && this.#options.clock() - this.#readyAt[shard]! > STABLE_MS;
  }

  /** Why the last worker of a shard was lost; `null` when none was. */
  lastDeath(shard: number): WorkerDeath | null {
    return this.#lastDeaths[shard]!;
  }

  /** Resolves when every worker is at work. Throws CodedError WORKER_START_TIMEOUT. */
  async start(): Promise<void> {
    await Promise.all(this.#options.shards.map((_, shard) => this.#run(shard)));
  }

  /** Replaces workers that are stuck. Called every HEARTBEAT_CHECK_MS. */
  checkHeartbeats(): void {
    for (const [shard, { control }] of this.#options.shards.entries()) {
      const turns = Atomics.load(new Int32Array(control), CONTROL_HEARTBEAT);
      const moved = turns !== this.#lastTurns[shard] || this.#states[shard] !== 'running';
      this.#lastTurns[shard] = turns;
      this.#silentChecks[shard] = moved ? 0 : this.#silentChecks[shard]! + 1;
      if (this.#silentChecks[shard] === SILENT_CHECKS_MAX) {
        this.#options.logger.error({ shard }, 'a worker makes no progress, it is replaced');
        this.replace(shard);
      }
    }
  }

  /** Kills the worker of a shard; once its thread has ended a new one takes its place, as after any other death. */
  replace(shard: number): void {
    const id = Atomics.load(new Int32Array(this.#options.shards[shard]!.control), CONTROL_THREAD);
    this.#killed[shard] = this.#pool.threads.find(({ threadId }) => threadId === id);
    this.#kills[shard]?.abort();
  }

  /** Waits for the tasks to end; whoever sent them SHUT_DOWN records calls this next. Threads that do not end are terminated. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const timer of this.#timers) clearTimeout(timer);
    let deadline: NodeJS.Timeout | undefined;
    const timedOut = new Promise<void>((resolve) => {
      deadline = setTimeout(resolve, STOP_TIMEOUT_MS);
    });
    await Promise.race([Promise.allSettled(this.#runs), timedOut]);
    clearTimeout(deadline);
    await this.#pool.destroy();
    this.#states.fill('stopped');
  }

  async #run(shard: number): Promise<void> {
    const { shards, staleAfterMs, lines, spinUs = 0 } = this.#options;
    // A run too many would queue silently, or be refused and still run later.
    assert(this.#runs.size < shards.length, 'one task a shard');
    const task: ShardTask = { shard, buffers: shards[shard]!, staleAfterMs, lines, spinUs };
    const kill = new AbortController();
    this.#kills[shard] = kill;
    const run: Promise<void> = this.#pool.run(task, { signal: kill.signal }).then(
      () => this.#ended(shard, run, new Error('the shard ended by itself')),
      (error: unknown) => this.#ended(shard, run, error),
    );
    this.#runs.add(run);
    await Promise.race([this.#ready(shard), run]);
    // A thread that is being killed may give its first sign of life all the same.
    if (!this.#runs.has(run) || kill.signal.aborted) return;
    this.#states[shard] = 'running';
    this.#readyAt[shard] = this.#options.clock();
  }

  /** The worker's first sign of life. */
  async #ready(shard: number): Promise<void> {
    const control = new Int32Array(this.#options.shards[shard]!.control);
    const { readyTimeoutMs = READY_TIMEOUT_MS } = this.#options;
    const sign = Atomics.waitAsync(control, CONTROL_READY, 0, readyTimeoutMs);
    if (!sign.async) return;
    // A pending wait does not keep the process alive; this timer does.
    const keepAlive = setTimeout(() => {}, readyTimeoutMs);
    const outcome = await sign.value;
    clearTimeout(keepAlive);
    if (outcome === 'timed-out') {
      throw new CodedError(ErrorCode.WORKER_START_TIMEOUT, `worker ${shard} did not start within ${readyTimeoutMs} ms`, { shard });
    }
  }

  async #ended(shard: number, run: Promise<void>, error: unknown): Promise<void> {
    const isKilled = this.#kills[shard]!.signal.aborted;
    if (!this.#stopping) {
      const killedAs = this.#states[shard] === 'running' ? 'hung' : 'not_started';
      this.#lastDeaths[shard] = isKilled ? killedAs : deathOf(error);
      this.#failures[shard] = this.#isStable(shard) ? 1 : this.#failures[shard]! + 1;
      this.#states[shard] = 'restarting';
    }
    if (isKilled) await this.#killedThread(shard);
    this.#runs.delete(run);
    if (!this.#stopping) this.#restart(shard, error);
  }

  /** The pool says that it killed a thread before the thread is dead, and until then it may write into books that the next one has. */
  #killedThread(shard: number): Promise<void> {
    const thread = this.#killed[shard];
    return new Promise((resolve) => {
      if (thread === undefined) setTimeout(resolve, KILL_MS);
      else thread.once('exit', () => resolve());
    });
  }

  #restart(shard: number, error: unknown): void {
    const { logger, clock, lost, shards } = this.#options;
    this.#restarts[shard]!++;
    const [restarts, deaths, death] = [this.#restarts[shard], this.#failures[shard]!, this.#lastDeaths[shard]];
    const delayMs = restartDelayMs(deaths);
    logger.error({ shard, restarts, deaths, death, delayMs, err: error }, 'worker lost, its books start anew');
    resetShard(shards[shard]!, clock());
    lost(shard);
    this.#later(delayMs, () => {
      this.#run(shard).catch((failure: unknown) => {
        logger.error({ shard, err: failure }, 'worker did not start');
        this.replace(shard);
      });
    });
  }

  #later(delayMs: number, action: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      action();
    }, delayMs);
    this.#timers.add(timer);
  }
}

/** How long the next worker is waited for, when as many in a row were lost. */
export function restartDelayMs(deaths: number): number {
  return deaths === 1 ? 0 : Math.min(RESTART_DELAY_MS_MAX, 100 * 2 ** (deaths - 2));
}

/** The pool makes an error of its own of a thread that ends, and passes on what a thread threw. */
function deathOf(error: unknown): WorkerDeath {
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
  if (code === 'ERR_WORKER_OUT_OF_MEMORY') return 'out_of_memory';
  return typeof message === 'string' && /^(?:worker exited with code|the shard ended by itself)/.test(message) ? 'exited' : 'threw';
}
