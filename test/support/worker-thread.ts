import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

export interface WorkerThread<T> {
  /** Its first message. Rejects when it fails, or ends without one. */
  readonly result: Promise<T>;
  /** Ends it, whatever it does. */
  stop(): Promise<void>;
}

/** Starts a plain worker file, which imports the built files, with `data` as its `workerData`. */
export function startWorker<T>(url: URL, data: unknown): WorkerThread<T> {
  const worker = new Worker(url, { workerData: data });
  const result = new Promise<T>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`${url.pathname} ended with code ${code} and said nothing`)));
  });
  // Whoever awaits it sees the failure; nobody has to.
  result.catch(() => {});
  return {
    result,
    stop: async () => {
      if (worker.threadId === -1) return;
      const exit = once(worker, 'exit');
      await worker.terminate();
      await exit;
    },
  };
}
