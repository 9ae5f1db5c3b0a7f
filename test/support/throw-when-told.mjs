/** Loaded into a process before its own code: does what its parent says, where nobody catches it. */
import { isMainThread } from 'node:worker_threads';

const deeds = {
  throw: () => {
    throw new TypeError('no such\n thing');
  },
  reject: () => void Promise.reject(new RangeError('too far')),
  // oxlint-disable-next-line prefer-promise-reject-errors -- what is no error is thrown too
  'reject with nothing': () => void Promise.reject(Object.create(null)),
};

if (isMainThread && process.send !== undefined) {
  process.on('message', (name) => setImmediate(() => deeds[name]()));
  process.channel.unref();
}
