/** Takes the records of `ring-producer.mjs` and checks each; when there is none it looks for one for `workerData.spinUs`, then sleeps. */
import { parentPort, workerData } from 'node:worker_threads';

import { RingConsumer } from '../../../dist/src/memory/spsc-ring.js';
import { Spin } from '../../../dist/src/shard/spin.js';
import { checksum, fillPayload, lengthOf, PAYLOAD_MAX } from './ring-stream.mjs';

const { buffer, records, seed, spinUs } = workerData;
const consumer = new RingConsumer(buffer);
const expected = new Uint8Array(PAYLOAD_MAX);
const spin = spinUs > 0 ? new Spin(spinUs, () => performance.now()) : undefined;
let index = 0;
let sleeps = 0;
let finds = 0;
let bytes = 0;
/** The first record that is not what was sent. */
let wrong = null;

while (index < records && wrong === null) {
  let handled = 0;
  while (handled < 64 && consumer.next()) {
    const { type, key, aux, timeMs, payloadStart, payloadEnd } = consumer;
    const length = payloadEnd - payloadStart;
    fillPayload(expected, length, seed, index);
    const sum = checksum(consumer.bytes, payloadStart, payloadEnd);
    const right =
      type === 1 + (index & 7) &&
      key === index &&
      timeMs === index + 0.5 &&
      length === lengthOf(seed, index) &&
      aux === sum &&
      sum === checksum(expected, 0, length);
    if (!right) wrong = { index, type, key, aux, timeMs, length };
    bytes += length;
    index++;
    handled++;
  }
  if (handled > 0) {
    consumer.release();
    spin?.news();
  } else if (spin?.finds(consumer)) finds++;
  else {
    sleeps++;
    // Longer than the test may take: a record that does not wake us fails it.
    consumer.waitForRecord(120_000);
  }
}
parentPort.postMessage({ received: index, sleeps, finds, bytes, wrong, more: consumer.next() });
