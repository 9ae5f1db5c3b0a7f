/** Streams `workerData.records` records of random sizes through a ring; now and then waits until the consumer has fallen asleep. */
import { parentPort, workerData } from 'node:worker_threads';

import { RingProducer } from '../../../dist/src/memory/spsc-ring.js';
import { SLEEPING_BYTE } from '../../../dist/src/memory/spsc-ring-layout.js';
import { checksum, fillPayload, lengthOf, PAYLOAD_MAX, PAUSE_EVERY } from './ring-stream.mjs';

const { buffer, records, seed } = workerData;
const producer = new RingProducer(buffer);
const words = new Int32Array(buffer);
const payload = new Uint8Array(PAYLOAD_MAX);
const never = new Int32Array(new SharedArrayBuffer(4));
let full = 0;

for (let index = 0; index < records; index++) {
  const length = lengthOf(seed, index);
  fillPayload(payload, length, seed, index);
  const record = payload.subarray(0, length);
  while (!producer.write(1 + (index & 7), index, checksum(payload, 0, length), index + 0.5, record)) {
    full++;
    Atomics.wait(never, 0, 0, 0.05);
  }
  if (index % PAUSE_EVERY === 0) while (Atomics.load(words, SLEEPING_BYTE >> 2) === 0) Atomics.wait(never, 0, 0, 0.02);
}
parentPort.postMessage({ full });
