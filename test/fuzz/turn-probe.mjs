/**
 * Loaded into the engine's process before its own code. Looks at the main thread's processor time every few ms: between two looks lies at most one turn of the
 * event loop, with everything that was answered in it, so the longest difference is no shorter than the longest turn. Time in which the machine ran
 * something else does not count. Collections of garbage are told apart: V8 says how long each took on the clock, and that is taken off a turn that had
 * one. Asked by its parent, it collects garbage and tells what it saw since it was asked last.
 */
import { openSync, readSync } from 'node:fs';
import { performance, PerformanceObserver } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isMainThread } from 'node:worker_threads';

const LOOK_MS = 5;
/** Turns worth remembering. */
const LONG_MS = 20;

if (isMainThread && process.send !== undefined) watch();

function watch() {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc');
  const file = openSync(`/proc/self/task/${process.pid}/schedstat`, 'r');
  const bytes = Buffer.alloc(64);
  // The first of its numbers: nanoseconds on a processor.
  const processorMs = () => Number(bytes.latin1Slice(0, readSync(file, bytes, 0, bytes.length, 0)).split(' ', 1)[0]) / 1e6;

  let longTurns = [];
  let collections = [];
  let [lastMs, lastAt] = [processorMs(), performance.now()];
  let shortMs = 0;
  const look = () => {
    const [nowMs, now] = [processorMs(), performance.now()];
    const took = nowMs - lastMs;
    if (took > LONG_MS) longTurns.push({ took, from: lastAt, to: now });
    else shortMs = Math.max(shortMs, took);
    [lastMs, lastAt] = [nowMs, now];
  };
  const withoutCollections = ({ took, from, to }) => {
    let collecting = 0;
    for (const { startTime, duration } of collections)
      collecting += Math.max(0, Math.min(to, startTime + duration) - Math.max(from, startTime));
    return Math.max(0, took - collecting);
  };
  const observer = new PerformanceObserver((list) => collections.push(...list.getEntries()));
  observer.observe({ entryTypes: ['gc'] });
  setInterval(look, LOOK_MS).unref();

  process.on('message', () => {
    look();
    // What V8 has told of collections so far arrives a turn later.
    setTimeout(() => {
      const longestTurnMs = Math.max(shortMs, ...longTurns.map(withoutCollections));
      const [worst] = longTurns.toSorted((a, b) => withoutCollections(b) - withoutCollections(a));
      const story =
        worst === undefined
          ? ''
          : `${worst.took.toFixed(1)} ms of processor time in ${(worst.to - worst.from).toFixed(1)} ms, ${(worst.from / 1000).toFixed(1)} s after the start`;
      const longestWithCollectionsMs = Math.max(shortMs, ...longTurns.map(({ took }) => took));
      collect();
      const { heapUsed, external } = process.memoryUsage();
      process.send({ longestTurnMs, story, longestWithCollectionsMs, heapBytes: heapUsed + external });
      [longTurns, collections, shortMs] = [[], [], 0];
      [lastMs, lastAt] = [processorMs(), performance.now()];
    }, 2 * LOOK_MS);
  });
  process.channel.unref();
}
