import fc from 'fast-check';
import { expect, test } from 'vitest';

import { RECORD_HEADER_BYTES } from '../../src/memory/spsc-ring-layout.js';
import { patterned, ringAt, type RingRecord, take, write } from '../support/ring-bench.js';

const CAPACITY = 1024;

/** Where positions begin: at 0, where they turn negative as int32, and where they come round to 0. */
const BASES = [0, 2 ** 31 - 2 * CAPACITY, 2 ** 32 - 2 * CAPACITY];
const LENGTHS = [0, 1, 8, 9, 40, 103, 104, 232, 233, 300, 479, 480];

/** The ring as anybody would write it: a list, and how much room it takes. */
class ModelRing {
  readonly #unread: RingRecord[] = [];
  #position: number;
  #read: number;
  #released: number;
  readonly #ends: number[] = [];

  constructor(position: number) {
    this.#position = position;
    this.#read = position;
    this.#released = position;
  }

  write(record: RingRecord): boolean {
    const size = Math.ceil((RECORD_HEADER_BYTES + (record.payload.byteOffset % 8) + record.payload.length) / 8) * 8;
    const untilEnd = CAPACITY - (this.#position % CAPACITY);
    const needed = size > untilEnd ? size + untilEnd : size;
    if (this.#position + needed - this.#released > CAPACITY) return false;
    this.#position += needed;
    this.#ends.push(this.#position);
    this.#unread.push(record);
    return true;
  }

  take(): RingRecord | undefined {
    const record = this.#unread.shift();
    if (record !== undefined) this.#read = this.#ends.shift()!;
    return record;
  }

  release(): void {
    this.#released = this.#read;
  }

  get usedBytes(): number {
    return this.#position - this.#released;
  }
}

test('records of one size, from every place in the ring, twice around', () => {
  for (const base of BASES) {
    for (let start = 0; start < CAPACITY; start += 8) {
      for (const length of LENGTHS) {
        const { producer, consumer } = ringAt(base + start);
        const model = new ModelRing(base + start);
        let written = 0;
        let read = 0;
        while (written < 2 * Math.ceil(CAPACITY / (RECORD_HEADER_BYTES + length))) {
          for (;;) {
            const record: RingRecord = { type: 1, key: written, aux: length, timeMs: start, payload: patterned(length, written) };
            const taken = write(producer, record);
            if (taken !== model.write(record)) expect([base, start, length, written, taken]).toEqual([]);
            if (!taken) break;
            written++;
          }
          // A plain comparison: an assertion per record would take longer than all the rest.
          for (let record = take(consumer); record !== undefined; record = take(consumer)) {
            if (Buffer.compare(record.payload, model.take()!.payload) !== 0 || record.key !== read++)
              expect([base, start, length, record]).toEqual([]);
          }
          expect(read).toBe(written);
          consumer.release();
          model.release();
        }
        expect(producer.usedBytes()).toBe(0);
      }
    }
  }
});

test('any writes, reads and releases are those of a list', () => {
  const steps = fc.array(
    fc.oneof(
      {
        weight: 5,
        arbitrary: fc.record({
          length: fc.oneof(fc.nat({ max: 60 }), fc.nat({ max: 480 })),
          skew: fc.nat({ max: 20 }),
          int: fc.integer(),
          time: fc.double(),
        }),
      },
      { weight: 4, arbitrary: fc.constant('take' as const) },
      { weight: 2, arbitrary: fc.constant('release' as const) },
    ),
    { maxLength: 150 },
  );
  const starts = fc.tuple(fc.constantFrom(...BASES), fc.nat({ max: CAPACITY / 8 - 1 })).map(([base, place]) => base + 8 * place);
  fc.assert(
    fc.property(starts, steps, (start, list) => {
      const { producer, consumer } = ringAt(start);
      const model = new ModelRing(start);
      let seed = 0;
      for (const step of list) {
        if (step === 'take') {
          expect(take(consumer)).toEqual(model.take());
        } else if (step === 'release') {
          consumer.release();
          model.release();
        } else {
          const record = {
            type: 1 + (seed % 9),
            key: step.int,
            aux: ~step.int,
            timeMs: step.time,
            payload: patterned(step.skew + step.length, seed++).subarray(step.skew),
          };
          expect(write(producer, record)).toBe(model.write(record));
        }
        expect(producer.usedBytes()).toBe(model.usedBytes);
      }
      for (let record = model.take(); record !== undefined; record = model.take()) expect(take(consumer)).toEqual(record);
      expect(take(consumer)).toBeUndefined();
    }),
    { numRuns: 500 },
  );
});
