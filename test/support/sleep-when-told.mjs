/** Loaded into every thread of a process before its own code: when its parent says so, the system's clock is that many ms ahead, as after a sleep. */
import { BroadcastChannel, isMainThread, receiveMessageOnPort } from 'node:worker_threads';

const realNow = Date.now;
const sleeps = new BroadcastChannel('sleep');
sleeps.unref();
let aheadMs = 0;

Date.now = () => {
  // A shard never returns to its event loop.
  if (!isMainThread) aheadMs = receiveMessageOnPort(sleeps)?.message ?? aheadMs;
  return realNow() + aheadMs;
};

if (isMainThread && process.send !== undefined) {
  process.on('message', (ms) => {
    aheadMs = Number(ms);
    sleeps.postMessage(aheadMs);
  });
  process.channel.unref();
}
