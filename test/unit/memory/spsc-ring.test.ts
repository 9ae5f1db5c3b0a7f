import { describe, expect, test, vi } from 'vitest';

import {
  CONSUMER_POSITION_BYTE,
  createRingBuffer,
  PADDING_TYPE,
  PRODUCER_POSITION_BYTE,
  RECORDS_BYTE,
  SLEEPING_BYTE,
} from '../../../src/memory/spsc-ring-layout.js';
import { RingConsumer, RingProducer } from '../../../src/memory/spsc-ring.js';
import { nextTurn } from '../../support/next-turn.js';
import { patterned, ringAt, type RingRecord, take, write } from '../../support/ring-bench.js';

const PRODUCER = PRODUCER_POSITION_BYTE >> 2;
const CONSUMER = CONSUMER_POSITION_BYTE >> 2;
const SLEEPING = SLEEPING_BYTE >> 2;
const FIRST = RECORDS_BYTE >> 2;

function record(seed: number, length: number): RingRecord {
  return { type: 1 + (seed % 7), key: seed, aux: 100 - seed, timeMs: seed + 0.25, payload: patterned(length, seed) };
}

describe('step by step', () => {
  test('a record is laid out as drawn, and visible once the position moved', () => {
    const { buffer, words, producer, consumer } = ringAt(0);
    expect(consumer.next()).toBe(false);
    expect(producer.write(5, 6, -7, 1.5, Uint8Array.of(0xa1, 0xa2, 0xa3))).toBe(true);
    expect([...words.subarray(FIRST, FIRST + 4)]).toEqual([27, 5, 6, -7]);
    expect(new Float64Array(buffer)[(RECORDS_BYTE + 16) >> 3]).toBe(1.5);
    expect([...new Uint8Array(buffer).subarray(RECORDS_BYTE + 24, RECORDS_BYTE + 32)]).toEqual([0xa1, 0xa2, 0xa3, 0, 0, 0, 0, 0]);
    expect([words[PRODUCER], words[CONSUMER], words[SLEEPING]]).toEqual([32, 0, 0]);

    expect(consumer.next()).toBe(true);
    expect(consumer).toMatchObject({ type: 5, key: 6, aux: -7, timeMs: 1.5 });
    expect([consumer.payloadStart, consumer.payloadEnd]).toEqual([RECORDS_BYTE + 24, RECORDS_BYTE + 27]);
    expect(consumer.next()).toBe(false);
    expect(producer.usedBytes()).toBe(32);
    expect(words[CONSUMER]).toBe(0);
    consumer.release();
    expect([words[CONSUMER], producer.usedBytes()]).toEqual([32, 0]);
  });

  test('a record that does not fit before the end is preceded by padding', () => {
    const { words, producer, consumer } = ringAt(1024 - 40);
    producer.write(9, 1, 2, 3, patterned(24, 1));
    const end = FIRST + (1024 - 40) / 4;
    expect([...words.subarray(end, end + 2)]).toEqual([40, PADDING_TYPE]);
    expect([...words.subarray(FIRST, FIRST + 4)]).toEqual([48, 9, 1, 2]);
    expect(words[PRODUCER]).toBe(1024 + 48);
    expect(take(consumer)).toEqual({ type: 9, key: 1, aux: 2, timeMs: 3, payload: patterned(24, 1) });
    consumer.release();
    expect(words[CONSUMER]).toBe(1024 + 48);
  });

  test('a payload lies on the same byte of a word as where it comes from', () => {
    const { words, producer, consumer } = ringAt(0);
    const source = patterned(30, 1).subarray(5);
    producer.write(9, 1, 2, 3, source);
    expect([...words.subarray(FIRST, FIRST + 2)]).toEqual([24 + 5 + 25, 9 | (5 << 16)]);
    expect(take(consumer)).toEqual({ type: 9, key: 1, aux: 2, timeMs: 3, payload: source.slice() });
    expect([consumer.payloadStart - RECORDS_BYTE, consumer.payloadEnd - RECORDS_BYTE, producer.usedBytes()]).toEqual([29, 54, 56]);
  });

  test('a record that ends with the area needs no padding', () => {
    const { words, producer, consumer } = ringAt(1024 - 48);
    producer.write(9, 1, 2, 3, patterned(24, 1));
    expect(words[PRODUCER]).toBe(1024);
    expect(take(consumer)!.payload).toEqual(patterned(24, 1));
  });

  test('padding of eight bytes is whole', () => {
    const { words, producer, consumer } = ringAt(1024 - 8);
    producer.write(9, 1, 2, 3);
    expect([...words.subarray(FIRST + 254, FIRST + 256)]).toEqual([8, PADDING_TYPE]);
    expect(take(consumer)).toMatchObject({ type: 9, key: 1 });
  });

  test('a full ring says so, changes nothing, and takes the record once there is room', () => {
    const { words, producer, consumer } = ringAt(0);
    for (let i = 0; i < 8; i++) expect(write(producer, record(i, 104))).toBe(true);
    const before = [...words];
    expect(producer.usedBytes()).toBe(1024);
    expect(write(producer, record(8, 104))).toBe(false);
    expect(producer.write(1, 1, 1, 1)).toBe(false);
    expect([...words]).toEqual(before);
    // Read, but not released: the space is still the consumer's.
    expect(take(consumer)).toEqual(record(0, 104));
    expect(write(producer, record(8, 104))).toBe(false);
    consumer.release();
    expect(write(producer, record(8, 104))).toBe(true);
    for (let i = 1; i <= 8; i++) expect(take(consumer)).toEqual(record(i, 104));
    expect(consumer.next()).toBe(false);
  });

  test('the largest record fits an empty ring wherever it begins, and one byte more is a programmer error', () => {
    for (let start = 0; start < 1024; start += 8) {
      const { producer, consumer } = ringAt(start);
      expect(producer.payloadBytesMax).toBe(480);
      expect(write(producer, record(3, 480))).toBe(true);
      expect(take(consumer)).toEqual(record(3, 480));
    }
    const { producer } = ringAt(0);
    expect(() => write(producer, record(1, 481))).toThrow('record payload of 481 bytes exceeds 480');
  });

  test('a new end goes on where the last one was', () => {
    const { buffer, producer, consumer } = ringAt(0);
    write(producer, record(1, 10));
    write(producer, record(2, 10));
    take(consumer);
    consumer.release();
    write(new RingProducer(buffer), record(3, 10));
    const second = new RingConsumer(buffer);
    expect([take(second), take(second), take(second)]).toEqual([record(2, 10), record(3, 10), undefined]);
  });

  test('what a consumer read without releasing comes again to the next one', () => {
    const { buffer, producer, consumer } = ringAt(0);
    write(producer, record(1, 10));
    take(consumer);
    expect(take(new RingConsumer(buffer))).toEqual(record(1, 10));
  });

  test('records taken back were shown once more and are gone, also for the producer', () => {
    const { buffer, words, producer, consumer } = ringAt(0);
    for (let i = 0; i < 7; i++) write(producer, record(i, 104));
    take(consumer);
    producer.writeSoon(1, 7, 0, 0, new Uint8Array(1));
    words[SLEEPING] = 1;
    const shown: number[] = [];
    // What was read but not released as well, and what the consumer was not shown yet.
    producer.takeBack(({ key }) => shown.push(key));
    expect(shown).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect([producer.usedBytes(), words[SLEEPING]]).toEqual([0, 0]);
    expect(write(producer, record(9, 104))).toBe(true);
    expect(take(new RingConsumer(buffer))).toEqual(record(9, 104));
  });

  test('nonsense in shared memory is noticed', () => {
    const { words, producer, consumer } = ringAt(0);
    producer.write(1, 1, 1, 1);
    words[FIRST] = 4096;
    expect(() => consumer.next()).toThrow('assertion failed: ring record of 4096 bytes');
  });

  test.each([1023, 512, 2 ** 31, 1025, 0])('a capacity of %i is refused', (capacity) => {
    expect(() => createRingBuffer(capacity)).toThrow('ring capacity is a power of two');
  });
});

describe('written for the end of the turn', () => {
  test('a record is shown when the turn ends, and wakes a sleeper then', async () => {
    const { words, producer, consumer } = ringAt(0);
    const arrival = consumer.recordArrival();
    expect(producer.writeSoon(1, 2, 3, 4, patterned(8, 1))).toBe(true);
    expect([words[PRODUCER], producer.usedBytes(), consumer.next()]).toEqual([0, 32, false]);
    expect(await arrival).toBe('ok');
    expect(take(consumer)).toMatchObject({ key: 2 });
  });

  test('many are shown earlier to a consumer that is awake, and the sleeper is still woken', async () => {
    const { words, producer, consumer } = ringAt(0, 65_536);
    const arrival = consumer.recordArrival();
    for (let i = 0; i < 20; i++) producer.writeSoon(1, i, 3, 4, patterned(1000, i));
    expect(words[PRODUCER]).toBe(16 * 1024);
    expect(await arrival).toBe('ok');
    expect(words[PRODUCER]).toBe(20 * 1024);
  });

  test('a record shown at once shows those before it', () => {
    const { producer, consumer } = ringAt(0);
    producer.writeSoon(1, 1, 0, 0, patterned(8, 1));
    producer.write(1, 2, 0, 0);
    expect([take(consumer)!.key, take(consumer)!.key, take(consumer)]).toEqual([1, 2, undefined]);
  });

  test('one that does not fit is refused, and what was written before it is shown all the same', async () => {
    const { words, producer } = ringAt(0);
    for (let i = 0; i < 8; i++) expect(producer.writeSoon(1, i, 0, 0, patterned(104, i))).toBe(true);
    expect(producer.writeSoon(1, 8, 0, 0, patterned(104, 8))).toBe(false);
    await Promise.resolve();
    expect(words[PRODUCER]).toBe(1024);
  });
});

describe('parts of a buffer', () => {
  test('arrive as they are, wherever they begin and end, next to what was written before', () => {
    const memory = patterned(300, 7);
    for (let offset = 0; offset < 9; offset++) {
      // Views that begin anywhere, over memory that ends with them.
      const bytes = new Uint8Array(memory.slice().buffer, offset);
      const { producer, consumer } = ringAt(0, 65_536);
      for (let from = 0; from < 12; from++) {
        for (let length = 0; length < 24; length++) {
          producer.writeSoon(1, 0, 0, 0, bytes, from, from + length);
          producer.writeSoon(2, 0, 0, 0, bytes, bytes.length - length, bytes.length);
          producer.show();
          expect(take(consumer)!.payload).toEqual(bytes.slice(from, from + length));
          expect(take(consumer)!.payload).toEqual(bytes.slice(bytes.length - length));
          consumer.release();
        }
      }
    }
  });

  test.each([4095, 4096, 4097, 20_000])('of %i bytes', (length) => {
    const bytes = patterned(30_000, 3);
    const { producer, consumer } = ringAt(0, 65_536);
    producer.writeSoon(1, 0, 0, 0, bytes, 5, 5 + length);
    producer.show();
    expect(take(consumer)!.payload).toEqual(bytes.slice(5, 5 + length));
  });

  test('a buffer may be used again for other bytes, and by another view', () => {
    const memory = new Uint8Array(64);
    const { producer, consumer } = ringAt(0);
    for (const [seed, bytes] of [memory, memory, memory.subarray(3), memory].entries()) {
      memory.set(patterned(64, seed));
      producer.writeSoon(1, 0, 0, 0, bytes, 2, 30);
      producer.show();
      const expected = bytes.slice(2, 30);
      memory.fill(0);
      expect(take(consumer)!.payload).toEqual(expected);
    }
  });
});

test('half empty is less than half in use, as the consumer gives space back', () => {
  const { producer, consumer } = ringAt(0);
  for (let i = 0; i < 3; i++) producer.write(1, i, 0, 0, patterned(104, i));
  expect(producer.isHalfEmpty()).toBe(true);
  producer.write(1, 3, 0, 0, patterned(104, 3));
  expect(producer.isHalfEmpty()).toBe(false);
  take(consumer);
  expect(producer.isHalfEmpty()).toBe(false);
  consumer.release();
  expect(producer.isHalfEmpty()).toBe(true);
});

describe('sleeping', () => {
  test('a wait ends at once when a record is there, and takes the flag back', () => {
    const { words, producer, consumer } = ringAt(0);
    producer.write(1, 1, 1, 1);
    consumer.waitForRecord(60_000);
    expect(words[SLEEPING]).toBe(0);
    expect(consumer.next()).toBe(true);
  });

  test('a wait ends after its time when none comes', () => {
    const { words, consumer } = ringAt(0);
    consumer.waitForRecord(1);
    expect([words[SLEEPING], consumer.next()]).toEqual([0, false]);
  });

  test('without blocking: a promise that the next write resolves', async () => {
    const { words, producer, consumer } = ringAt(0);
    const arrival = consumer.recordArrival();
    expect(arrival).toBeInstanceOf(Promise);
    expect(words[SLEEPING]).toBe(1);
    producer.write(1, 2, 3, 4);
    expect(await arrival).toBe('ok');
    consumer.awake();
    expect(words[SLEEPING]).toBe(0);
    expect(take(consumer)).toMatchObject({ key: 2 });
  });

  test('without blocking: nothing to wait for when a record is there', () => {
    const { words, producer, consumer } = ringAt(0);
    producer.write(1, 2, 3, 4);
    expect(consumer.recordArrival()).toBeUndefined();
    expect(words[SLEEPING]).toBe(0);
  });
});

describe('looking instead of waiting', () => {
  test('an awaited promise can be left and taken up again: only the next write to a sleeper resolves it', async () => {
    const { words, producer, consumer } = ringAt(0);
    const arrival = consumer.recordArrival();
    const resolved = vi.fn<() => void>();
    void arrival!.then(resolved);
    for (let key = 1; key <= 3; key++) {
      consumer.awake();
      producer.write(1, key, 0, 0);
      expect(take(consumer)).toMatchObject({ key });
      expect([consumer.asleepAgain(), words[SLEEPING]]).toEqual([true, 1]);
    }
    await nextTurn();
    expect(resolved).not.toHaveBeenCalled();
    producer.write(1, 4, 0, 0);
    expect(await arrival).toBe('ok');
    expect([consumer.asleepAgain(), words[SLEEPING]]).toEqual([false, 0]);
    expect(take(consumer)).toMatchObject({ key: 4 });
  });
});

test('whoever asked to be told hears once of the records of a turn, before they are shown', async () => {
  const { buffer, words, consumer } = ringAt(0);
  const shown: number[] = [];
  const producer = new RingProducer(buffer, () => shown.push(words[PRODUCER]!));
  producer.write(1, 0, 0, 0);
  for (let key = 1; key <= 3; key++) producer.writeSoon(1, key, 0, 0, new Uint8Array(0));
  expect(shown).toEqual([]);
  await Promise.resolve();
  expect([shown, words[PRODUCER]]).toEqual([[24], 96]);
  await nextTurn();
  expect(shown).toHaveLength(1);
  for (let key = 0; key <= 3; key++) expect(take(consumer)).toMatchObject({ key });
});
