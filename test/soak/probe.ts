import { isMainThread, type Worker } from 'node:worker_threads';

/**
 * Loaded before `mdp` (`--import`), in the process of `mdp`: tells the parent once a second what memory it uses, and ends a worker when it is told to.
 * The threads themselves run what they always run; `terminate` stops one wherever it is, in the middle of a write too.
 */

/** Once a second, all of the process; memory in bytes, `cpuMs` since its start. */
export interface Vital {
  readonly type: 'vital';
  readonly rss: number;
  readonly heapUsed: number;
  readonly heapTotal: number;
  readonly external: number;
  readonly arrayBuffers: number;
  readonly cpuMs: number;
  readonly workers: number;
}

/** An error nobody caught: the process is about to end. */
export interface Uncaught {
  readonly type: 'uncaught';
  readonly text: string;
}

/** Ends the oldest thread. */
export interface Kill {
  readonly type: 'kill';
}

if (isMainThread && process.send !== undefined) {
  const workers = new Set<Worker>();
  process.on('worker', (worker) => {
    workers.add(worker);
    worker.once('exit', () => workers.delete(worker));
  });
  process.on('message', ({ type }: Kill) => {
    const [oldest] = workers;
    if (type === 'kill') void oldest?.terminate();
  });
  process.on('uncaughtExceptionMonitor', (error, origin) => {
    process.send?.({ type: 'uncaught', text: `${origin}: ${error.stack ?? String(error)}` } satisfies Uncaught);
  });
  setInterval(() => {
    const { user, system } = process.cpuUsage();
    const cpuMs = (user + system) / 1000;
    process.send?.({ type: 'vital', ...process.memoryUsage(), cpuMs, workers: workers.size } satisfies Vital);
  }, 1000).unref();
}
