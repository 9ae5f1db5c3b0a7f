/** Writes the book of one stamp after the other, with pauses of random length in between, until control word 0 is set. */
import { parentPort, workerData } from 'node:worker_threads';

import { OrderBooks } from '../../../dist/src/book/order-books.js';
import { Arena } from '../../../dist/src/memory/arena.js';
import { fillStamp } from './stamped-book.mjs';

const control = new Int32Array(workerData.control);
const books = new OrderBooks(new Arena(workerData.books));
const { delta } = books;
let stamp = 1;
let random = workerData.seed;

books.open(0, 0, 0, 0);
fillStamp(delta, -1, stamp);
books.applySnapshot(0, stamp);
Atomics.store(control, 1, 1);
Atomics.notify(control, 1);
while (Atomics.load(control, 0) === 0) {
  fillStamp(delta, stamp, stamp + 1);
  stamp++;
  books.applyDelta(0, stamp);
  random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
  for (let spins = random >>> 18; spins > 0; spins--) Atomics.load(control, 0);
}
parentPort.postMessage({ stamps: stamp });
