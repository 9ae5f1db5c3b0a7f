/** Reads the stamped book through its version check until control word 0 is set. */
import { parentPort, workerData } from 'node:worker_threads';

import { createBookCopy } from '../../../dist/src/model/book-copy.js';
import { BookReader } from '../../../dist/src/publish/book-reader.js';
import { isOfOneStamp } from './stamped-book.mjs';

const control = new Int32Array(workerData.control);
const reader = new BookReader(workerData.books);
const copy = createBookCopy(0);
let accepted = 0;
let torn = 0;

while (Atomics.load(control, 0) === 0) {
  if (!reader.read(0, 0, copy)) continue;
  accepted++;
  if (!isOfOneStamp(copy)) torn++;
}
parentPort.postMessage({ accepted, torn, retries: reader.retries });
