import { readdirSync, readFileSync } from 'node:fs';

/** Linux: clock ticks a second of the times in `stat`, as every common kernel has them. */
const TICKS_PER_SECOND = 100;

/** Processor time of one thread so far, in ms. Linux only; exact where the kernel publishes `sched`, to 10 ms otherwise. */
export function threadMs(pid: number, tid: number): number {
  const task = `/proc/${pid}/task/${tid}`;
  try {
    const match = /^se\.sum_exec_runtime\s*:\s*([\d.]+)/m.exec(readFileSync(`${task}/sched`, 'utf8'));
    if (match !== null) return Number(match[1]);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  // The name in the second field may hold anything, so count from its closing bracket.
  const fields = readFileSync(`${task}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_SECOND;
}

/** Processor time of the main thread so far, in ms. */
export function mainThreadMs(pid: number): number {
  return threadMs(pid, pid);
}

/** Processor time of each thread that runs now, in ms, by its id. */
export function threadTimes(pid: number): Map<number, number> {
  return new Map(readdirSync(`/proc/${pid}/task`).map((tid) => [Number(tid), threadMs(pid, Number(tid))]));
}

/** Processor time of all threads that run now, in ms. */
export function processMs(pid: number): number {
  return [...threadTimes(pid).values()].reduce((sum, ms) => sum + ms, 0);
}
