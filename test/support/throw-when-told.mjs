/** Loaded into a process before its own code: does what its parent says, where nobody catches it. */
import { isMainThread } from 'node:worker_threads';
import { CodedError, ErrorCode } from '../../dist/src/support/errors.js';

const deeds = {
  throw: () => {
    throw new TypeError('no such\n thing');
  },
  'throw an error of ours': () => {
    throw new CodedError(ErrorCode.CONFIG_INVALID, 'two:\n  a\n  b');
  },
  'throw an error of the system': () => {
    throw Object.assign(new Error('write EPIPE'), { code: 'EPIPE' });
  },
  reject: () => void Promise.reject(new RangeError('too far')),
  // oxlint-disable-next-line prefer-promise-reject-errors -- what is no error is thrown too
  'reject with nothing': () => void Promise.reject(Object.create(null)),
};

if (isMainThread && process.send !== undefined) {
  process.on('message', (name) => setImmediate(() => deeds[name]()));
  process.channel.unref();
}
