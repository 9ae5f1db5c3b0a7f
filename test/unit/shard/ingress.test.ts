import { pino } from 'pino';
import { beforeEach, describe, expect, test } from 'vitest';

import { createCandleBuffer } from '../../../src/candle/candle-layout.js';
import { createArenaBuffer } from '../../../src/memory/arena.js';
import { createMeterBuffer } from '../../../src/memory/shard-meter.js';
import { createRingBuffer } from '../../../src/memory/spsc-ring-layout.js';
import { RingConsumer } from '../../../src/memory/spsc-ring.js';
import { StateReason } from '../../../src/model/book-state.js';
import { Channel, Format } from '../../../src/model/publication.js';
import type { TrackedSymbol } from '../../../src/model/symbol.js';
import { ShardIngress } from '../../../src/shard/ingress.js';
import { decodeSpec, decodeTrack, decodeVersion, Inbound } from '../../../src/shard/records.js';
import type { ShardBuffers } from '../../../src/shard/task.js';
import { createTapesBuffer } from '../../../src/tape/tape-layout.js';
import { depthFrame } from '../../support/depth-frame.js';
import { type RingRecord, take } from '../../support/ring-bench.js';

/** Whole, so that the room it takes is known. */
function pushDepth(ingress: ShardIngress, id: number, bytes: Uint8Array, receiveTimeMs: number): boolean {
  return ingress.frame(id, bytes, 0, bytes.length, receiveTimeMs, 0);
}

const names = Object.fromEntries(Object.entries(Inbound).map(([name, type]) => [type, name]));

function buffers(): ShardBuffers {
  return {
    inbound: createRingBuffer(1024),
    outbound: createRingBuffer(1024),
    books: createArenaBuffer(4096, 1),
    candles: createCandleBuffer(1),
    tickers: new SharedArrayBuffer(0),
    tapes: createTapesBuffer(1, 8),
    control: new SharedArrayBuffer(64),
    meters: createMeterBuffer(),
  };
}

function symbol(id: number, shard: number, slot: number, name = `S${id}`): TrackedSymbol {
  return { symbol: name, baseAsset: name, quoteAsset: 'USDT', priceScale: 2, quantityScale: 5, turnover: null, id, shard, slot, serial: 9 };
}

let ingress: ShardIngress;
let shards: ShardBuffers[];
let rings: RingConsumer[];

beforeEach(() => {
  shards = [buffers(), buffers()];
  ingress = new ShardIngress(shards, pino({ level: 'silent' }), () => {});
  rings = shards.map(({ inbound }) => new RingConsumer(inbound));
});

function records(shard = 0): RingRecord[] {
  ingress.show();
  const list: RingRecord[] = [];
  for (let record = take(rings[shard]!); record !== undefined; record = take(rings[shard]!)) list.push(record);
  rings[shard]!.release();
  return list;
}

function types(shard = 0): string[] {
  return records(shard).map(({ type, key }) => `${names[type]} ${key}`);
}

describe('ShardIngress', () => {
  test('what a client subscribes to and drops in one turn is shown to the shard together, at its end', async () => {
    ingress.track(symbol(5, 0, 3), 11);
    expect(types()).toEqual(['TRACK 3']);
    const ring = rings[0]!;
    ingress.open(5, 77, { channel: Channel.BBO, depth: 0, intervalMs: 0, format: Format.JSON });
    ingress.requestSnapshot(5, 77, 1, 'subscribe');
    ingress.close(5, 77);
    expect(take(ring)).toBeUndefined();
    await Promise.resolve();
    const shown = [take(ring), take(ring), take(ring)].map((record) => names[record!.type]);
    expect(shown).toEqual(['OPEN_PUBLICATION', 'REQUEST_SNAPSHOT', 'CLOSE_PUBLICATION']);
  });

  test('every call becomes one record in the ring of the shard that owns the symbol', () => {
    ingress.track(symbol(5, 1, 3, '币USDT'), 11);
    ingress.lineUp(5, 12);
    pushDepth(ingress, 5, Uint8Array.of(7, 8), 13.5);
    ingress.snapshot(5, Uint8Array.of(9), 14);
    ingress.lineDown(5, StateReason.LINE_DOWN, 15);
    ingress.open(5, 77, { channel: Channel.BOOK, depth: 20, intervalMs: 100, format: Format.JSON });
    ingress.requestSnapshot(5, 77, 1234, 'slow');
    ingress.close(5, 77);
    ingress.untrack(5);
    ingress.shutDown();
    expect(types(0)).toEqual(['SHUT_DOWN 0']);
    const [track, up, frame, snapshot, down, open, request, close, untrack, end] = records(1);
    expect(track).toMatchObject({ type: Inbound.TRACK, key: 3, aux: 2 | (5 << 8), timeMs: 11 });
    expect(decodeTrack(track!.payload)).toEqual({ serial: 9, symbol: '币USDT' });
    expect(up).toMatchObject({ type: Inbound.LINE_UP, key: 3, timeMs: 12 });
    expect(frame).toEqual({ type: Inbound.FRAME, key: 3, aux: 0, timeMs: 13.5, payload: Uint8Array.of(7, 8) });
    expect(snapshot).toMatchObject({ type: Inbound.SNAPSHOT, key: 3, payload: Uint8Array.of(9) });
    expect(down).toMatchObject({ type: Inbound.LINE_DOWN, key: 3, aux: StateReason.LINE_DOWN });
    expect(open).toMatchObject({ type: Inbound.OPEN_PUBLICATION, key: 3, aux: 77 });
    expect(decodeSpec(open!.payload)).toEqual({ channel: Channel.BOOK, depth: 20, intervalMs: 100, format: Format.JSON });
    expect(request).toMatchObject({ type: Inbound.REQUEST_SNAPSHOT, key: 3, aux: 77 });
    expect([...new Int32Array(request!.payload.slice().buffer)]).toEqual([1234, 1]);
    expect(close).toMatchObject({ type: Inbound.CLOSE_PUBLICATION, key: 3, aux: 77 });
    expect(untrack).toMatchObject({ type: Inbound.UNTRACK, key: 3 });
    expect(end).toMatchObject({ type: Inbound.SHUT_DOWN });
  });

  test('symbols nobody tracks go nowhere', () => {
    expect(pushDepth(ingress, 9, Uint8Array.of(1), 1)).toBe(true);
    ingress.snapshot(9, Uint8Array.of(1), 1);
    ingress.lineUp(9, 1);
    ingress.open(9, 1, { channel: Channel.BBO, depth: 0, intervalMs: 0, format: Format.JSON });
    ingress.untrack(9);
    expect([types(0), types(1), ingress.framesDropped]).toEqual([[], [], 0]);
  });

  test('takes any number of symbols', () => {
    for (const id of [0, 255, 256, 257, 3000]) ingress.track(symbol(id, 0, id % 7), 0);
    expect(types()).toHaveLength(5);
    for (const id of [0, 255, 256, 257, 3000]) pushDepth(ingress, id, Uint8Array.of(id & 0xff), 0);
    expect(records().map(({ key, payload }) => [key, payload[0]])).toEqual([0, 255, 256, 257, 3000].map((id) => [id % 7, id & 0xff]));
  });

  test('asks for a pause when the ring is half full', () => {
    ingress.track(symbol(5, 0, 3), 0);
    types();
    expect(pushDepth(ingress, 5, new Uint8Array(400), 0)).toBe(true);
    expect(pushDepth(ingress, 5, new Uint8Array(400), 0)).toBe(false);
    expect([ingress.usedBytes(0), ingress.capacity(0)]).toEqual([848, 1024]);
    types();
    expect(pushDepth(ingress, 5, new Uint8Array(10), 0)).toBe(true);
  });

  test('a tick goes to every shard, and may be lost', () => {
    ingress.tick(50);
    expect([types(0), types(1)]).toEqual([['TICK 0'], ['TICK 0']]);
  });
});

describe('when a ring is full', () => {
  beforeEach(() => {
    ingress.track(symbol(5, 0, 1), 0);
    ingress.track(symbol(6, 0, 2), 0);
    types();
    for (let i = 0; i < 32; i++) pushDepth(ingress, 5, new Uint8Array(8), 0);
  });

  test('pushes are dropped and counted, and the shard is told once there is room', () => {
    expect([ingress.usedBytes(0), ingress.framesDropped]).toEqual([1024, 0]);
    for (const from of [70, 71]) pushDepth(ingress, 6, depthFrame({ from, bids: [['99', '1']] }), 32);
    pushDepth(ingress, 6, new Uint8Array(100), 33);
    expect(ingress.framesDropped).toBe(3);
    types();
    ingress.tick(40);
    ingress.tick(50);
    const seen = records();
    expect(seen.map(({ type, key, timeMs }) => [names[type], key, timeMs])).toEqual([
      ['TICK', 0, 40],
      ['FRAMES_LOST', 2, 33],
      ['TICK', 0, 50],
    ]);
    // One of them does not say where it led.
    expect([decodeVersion(seen[1]!.payload), seen[1]!.aux]).toEqual([71, 0]);
    expect(types()).toEqual([]);
    for (let i = 0; i < 32; i++) pushDepth(ingress, 5, new Uint8Array(8), 0);
    for (const from of [80, 79]) pushDepth(ingress, 6, depthFrame({ from, bids: [['99', '1']] }), 60);
    types();
    ingress.tick(70);
    const lost = records().find(({ type, key }) => type === Inbound.FRAMES_LOST && key === 2);
    expect([decodeVersion(lost!.payload), lost!.aux]).toEqual([80, 1]);
  });

  test('control records wait and keep their order', () => {
    for (let i = 0; i < 100; i++) ingress.lineUp(5, i);
    ingress.tick(1000);
    expect(types()).toEqual(Array.from({ length: 32 }, () => 'FRAME 1'));
    const seen: number[] = [];
    for (let turn = 0; turn < 20; turn++) {
      ingress.tick(2000 + turn);
      seen.push(
        ...records()
          .filter(({ type }) => type === Inbound.LINE_UP)
          .map(({ timeMs }) => timeMs),
      );
    }
    expect(seen).toEqual(Array.from({ length: 100 }, (_, i) => i));
  });

  test('nothing overtakes a control record that waits', () => {
    // The slot goes from one symbol to another while the ring is full.
    ingress.untrack(5);
    ingress.track(symbol(7, 0, 1), 0);
    types();
    pushDepth(ingress, 7, Uint8Array.of(1), 0);
    expect(types()).toEqual(['UNTRACK 1', 'TRACK 1', 'FRAME 1']);
  });

  test('while control records still wait, pushes behind them are lost, not early', () => {
    for (let i = 0; i < 100; i++) ingress.lineDown(5, StateReason.LINE_DOWN, i);
    types();
    pushDepth(ingress, 5, Uint8Array.of(1), 44);
    expect(ingress.framesDropped).toBe(1);
    expect(new Set(types())).toEqual(new Set(['LINE_DOWN 1']));
  });

  test('what waited for a dead worker is forgotten, but how far its books were pushed', () => {
    records();
    const push = (id: number, from: number): boolean => pushDepth(ingress, id, depthFrame({ from, bids: [['99', '1']] }), from);
    // Of a symbol that had the slot before: it says nothing of the one that has it now.
    push(5, 900);
    ingress.untrack(5);
    ingress.track(symbol(7, 0, 1), 0);
    for (const from of [71, 70]) push(7, from);
    push(6, 80);
    pushDepth(ingress, 6, Uint8Array.of(255), 81);
    for (let i = 0; i < 100; i++) ingress.lineUp(6, i);
    // Lost, told, and the record that tells it waits; then lost and not told yet.
    push(7, 72);
    ingress.tick(90);
    push(7, 73);
    ingress.shardLost(0);
    expect(ingress.usedBytes(0)).toBe(0);
    rings[0] = new RingConsumer(shards[0]!.inbound);
    for (const id of [6, 7]) ingress.announce(symbol(id, 0, id === 7 ? 1 : 2), 91);
    ingress.tellLost();
    const seen = records();
    expect(seen.map(({ type, key }) => `${names[type]} ${key}`).sort()).toEqual(['FRAMES_LOST 1', 'FRAMES_LOST 2', 'TRACK 1', 'TRACK 2']);
    const told = (key: number): unknown[] =>
      seen
        .filter((record) => record.type === Inbound.FRAMES_LOST && record.key === key)
        .map(({ aux, payload }) => [decodeVersion(payload), aux]);
    // One of the pushes of 6 does not say where it led.
    expect([told(1), told(2)]).toEqual([[[73, 1]], [[80, 0]]]);
    ingress.tick(100);
    expect(types()).toEqual(['TICK 0']);
  });

  test('an untracked symbol is owed nothing', () => {
    pushDepth(ingress, 6, new Uint8Array(100), 0);
    ingress.untrack(6);
    types();
    ingress.tick(10);
    expect(types()).toEqual(['UNTRACK 2', 'TICK 0']);
  });
});

test('a push too large for any ring is lost, a snapshot is refused as an empty one', () => {
  ingress.track(symbol(5, 0, 1), 0);
  pushDepth(ingress, 5, new Uint8Array(489), 3);
  ingress.snapshot(5, new Uint8Array(489), 4);
  expect(ingress.framesDropped).toBe(1);
  ingress.tick(5);
  const [, snapshot, , lost] = records();
  expect(snapshot).toMatchObject({ type: Inbound.SNAPSHOT, payload: new Uint8Array(0) });
  expect(lost).toMatchObject({ type: Inbound.FRAMES_LOST, key: 1 });
});
