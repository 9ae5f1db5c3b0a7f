import { beforeEach, describe, expect, test, vi } from 'vitest';

import { HISTOGRAM_DOUBLES, LogHistogram } from '../../../src/memory/log-histogram.js';
import { createRingBuffer, SLEEPING_BYTE } from '../../../src/memory/spsc-ring-layout.js';
import { RingProducer } from '../../../src/memory/spsc-ring.js';
import { BookState, StateReason } from '../../../src/model/book-state.js';
import { MessageKind } from '../../../src/model/publication.js';
import { ShardEgress } from '../../../src/shard/egress.js';
import { KIND_BITS, Outbound } from '../../../src/shard/records.js';
import { nextTurn } from '../../support/next-turn.js';
import { until } from '../../support/until.js';

let buffer: SharedArrayBuffer;
let producer: RingProducer;
let egress: ShardEgress;
let seen: unknown[][];
let frames: Buffer[];
let wanted: boolean;
let published: Float64Array;
/** Flushes it takes until everything has left. */
let turnsLeft: number;

beforeEach(() => {
  buffer = createRingBuffer(64 * 1024);
  producer = new RingProducer(buffer);
  seen = [];
  frames = [];
  wanted = true;
  turnsLeft = 0;
  published = new Float64Array(HISTOGRAM_DOUBLES);
  egress = new ShardEgress(
    2,
    buffer,
    {
      wants: () => wanted,
      deliver: (id, kind, token, frame) => {
        frames.push(frame);
        seen.push(['message', id, kind, token, frame.toString('latin1')]);
      },
      deliverTrades: (id, { frame, ...head }) => void seen.push(['trades', id, head, frame.toString('latin1')]),
      flush: () => {
        seen.push(['flush']);
        return --turnsLeft > 0;
      },
    },
    {
      resyncRequested: (...event) => seen.push(['resync', ...event]),
      bookState: (...event) => seen.push(['state', ...event]),
      refused: (...event) => seen.push(['refused', ...event]),
      untracked: (...event) => seen.push(['untracked', ...event]),
      tradesWanted: (...event) => seen.push(['tradesWanted', ...event]),
      candles: (shard, slot, payload) => seen.push(['candles', shard, slot, payload.length]),
      klinesWanted: (...event) => seen.push(['klinesWanted', ...event]),
      audited: (...event) => seen.push(['audited', ...event]),
    },
    new LogHistogram(published),
    () => 1_000,
  );
});

function sendMessage(text: string): boolean {
  return producer.write(Outbound.MESSAGE, 9, MessageKind.SNAPSHOT_FOR | ((2 ** 28 - 1) << KIND_BITS), 0, Buffer.from(text, 'latin1'));
}

describe('ShardEgress', () => {
  test('delivers no message that nobody is subscribed to', () => {
    wanted = false;
    sendMessage('\x81\x02{}');
    producer.write(Outbound.TRADES, 9, 1, 0, new Uint8Array(32));
    egress.drain();
    expect(seen).toEqual([['flush']]);
  });

  test('hands on what the shard sent, in order, and flushes once', () => {
    sendMessage('\x81\x02{}');
    producer.write(Outbound.RESYNC, 4, StateReason.GAP, 0);
    producer.write(Outbound.STATE, 4, BookState.STALE | (StateReason.SILENT << 8), 12.5);
    producer.write(Outbound.REFUSED, 4, 100, 0);
    producer.write(Outbound.UNTRACKED, 4, 0, 0);
    egress.drain();
    expect(seen).toEqual([
      ['message', 9, MessageKind.SNAPSHOT_FOR, 2 ** 28 - 1, '\x81\x02{}'],
      ['resync', 2, 4, StateReason.GAP],
      ['state', 2, 4, BookState.STALE, StateReason.SILENT, 12.5],
      ['refused', 2, 4, 100],
      ['untracked', 2, 4],
      ['flush'],
    ]);
    egress.drain();
    expect(seen).toHaveLength(6);
  });

  test('flushes until everything has left, with what comes meanwhile', async () => {
    turnsLeft = 3;
    sendMessage('\x81\x02{}');
    egress.drain();
    expect(seen.map(([what]) => what)).toEqual(['message', 'flush', 'flush', 'flush']);
    seen.length = 0;
    turnsLeft = 3;
    sendMessage('\x81\x02{}');
    egress.start();
    expect(seen.map(([what]) => what)).toEqual(['message', 'flush']);
    producer.write(Outbound.REFUSED, 4, 100, 0);
    await until(() => seen.length === 5, { what: 'what is left' });
    egress.stop();
    expect(seen.map(([what]) => what)).toEqual(['message', 'flush', 'refused', 'flush', 'flush']);
  });

  test('a message is a copy of its own: the ring may go on', () => {
    sendMessage('\x81\x02ab');
    egress.drain();
    for (let i = 0; i < 3000; i++) {
      if (!sendMessage('\x81\x02zz')) egress.drain();
    }
    expect(frames[0]!.toString('latin1')).toBe('\x81\x02ab');
  });

  test('a record of unknown type is a programmer error', () => {
    producer.write(55, 0, 0, 0);
    expect(() => egress.drain()).toThrow('unknown record type 55 from shard 2');
  });

  test('once started, takes records as they come, until it is stopped', async () => {
    egress.start();
    for (let i = 0; i < 3; i++) {
      producer.write(Outbound.REFUSED, i, 0, 0);
      await until(() => seen.some(([what, , slot]) => what === 'refused' && slot === i), { what: `record ${i}` });
    }
    for (let i = 0; i < 2000; i++) producer.write(Outbound.REFUSED, 100 + i, 0, 0);
    await until(() => seen.some(([what, , slot]) => what === 'refused' && slot === 2099), { what: 'two batches' });
    egress.stop();
    producer.write(Outbound.REFUSED, 9999, 0, 0);
    await until(() => producer.usedBytes() === 24);
    expect(seen.flat()).not.toContain(9999);
  });
});

describe('a look at the ring', () => {
  const slots = (): unknown[] => seen.flatMap(([what, , slot]) => (what === 'refused' ? [slot] : []));
  const isAsleep = (): boolean => new Int32Array(buffer)[SLEEPING_BYTE >> 2] === 1;

  test('takes records in order, without being woken, and leaves it asleep', async () => {
    egress.start();
    const [promises, wakes] = [vi.spyOn(Atomics, 'waitAsync'), vi.spyOn(Atomics, 'notify')];
    try {
      for (let turn = 0; turn < 50; turn++) {
        expect(isAsleep()).toBe(true);
        egress.attend();
        expect(isAsleep()).toBe(false);
        for (let i = 0; i < 3; i++) producer.write(Outbound.REFUSED, 3 * turn + i, 0, 0);
        egress.take();
      }
      await nextTurn();
      expect(promises).not.toHaveBeenCalled();
      expect(wakes).not.toHaveBeenCalled();
    } finally {
      promises.mockRestore();
      wakes.mockRestore();
    }
    expect(slots()).toEqual(Array.from({ length: 150 }, (_, i) => i));
    // The promise of before is still good.
    producer.write(Outbound.REFUSED, 150, 0, 0);
    await until(() => slots().length === 151, { what: 'the record that wakes it' });
    egress.stop();
  });

  test('may come before a promise that has resolved: nothing comes twice, nothing is missed, and one promise is waited for', async () => {
    egress.start();
    const promises = vi.spyOn(Atomics, 'waitAsync');
    try {
      for (let turn = 0; turn < 20; turn++) {
        // Wakes it, but it looks first.
        producer.write(Outbound.REFUSED, 2 * turn, 0, 0);
        egress.attend();
        egress.take();
        expect([slots().length, isAsleep()]).toEqual([2 * turn + 1, true]);
        producer.write(Outbound.REFUSED, 2 * turn + 1, 0, 0);
        await until(() => slots().length === 2 * turn + 2, { what: 'the record after it' });
        await nextTurn();
        expect(isAsleep()).toBe(true);
      }
      expect(promises.mock.calls.length).toBeLessThanOrEqual(40);
    } finally {
      promises.mockRestore();
    }
    expect(slots()).toEqual(Array.from({ length: 40 }, (_, i) => i));
    egress.stop();
  });

  test('finds nothing: the shard has to wake it again', async () => {
    egress.start();
    egress.attend();
    egress.take();
    expect([isAsleep(), seen]).toEqual([true, []]);
    producer.write(Outbound.REFUSED, 7, 0, 0);
    await until(() => slots().length === 1, { what: 'the record that wakes it' });
    egress.stop();
  });

  test('leaves a turn that is on its way alone, so that the loop gets its own between batches and clients', async () => {
    turnsLeft = 3;
    sendMessage('\x81\x02{}');
    egress.start();
    producer.write(Outbound.REFUSED, 1, 0, 0);
    egress.attend();
    for (let i = 0; i < 5; i++) egress.take();
    expect(seen.map(([what]) => what)).toEqual(['message', 'flush']);
    await until(() => isAsleep(), { what: 'all that is left' });
    expect(seen.map(([what]) => what)).toEqual(['message', 'flush', 'refused', 'flush', 'flush']);
    for (let i = 0; i < 1500; i++) producer.write(Outbound.REFUSED, 2 + i, 0, 0);
    egress.attend();
    egress.take();
    egress.take();
    expect(slots()).toHaveLength(1 + 1024);
    await until(() => isAsleep(), { what: 'the second batch' });
    expect(slots()).toEqual(Array.from({ length: 1501 }, (_, i) => i + 1));
    egress.stop();
  });

  test('does nothing once it is stopped; started again it goes on', async () => {
    egress.start();
    egress.stop();
    producer.write(Outbound.REFUSED, 1, 0, 0);
    egress.attend();
    egress.take();
    await nextTurn();
    expect(seen).toEqual([]);
    egress.start();
    expect(slots()).toEqual([1]);
    egress.attend();
    producer.write(Outbound.REFUSED, 2, 0, 0);
    egress.take();
    expect([slots(), isAsleep()]).toEqual([[1, 2], true]);
    egress.stop();
  });
});
