import { beforeEach, describe, expect, test } from 'vitest';
import { BookState } from '../../../src/model/book-state.js';
import { TapeReader } from '../../../src/publish/tape-reader.js';
import { DealsBuffer } from '../../../src/tape/deals-buffer.js';
import { createTapesBuffer, MARK_HOLE, TAPE_RESCALING, TAPE_VERSION, TapeMemory, tapesMax } from '../../../src/tape/tape-layout.js';
import { staleTapes, Tapes } from '../../../src/tape/tapes.js';
import { columns, deal, lines } from '../../support/deals.js';

let buffer: SharedArrayBuffer;
let tapes: Tapes;
let reader: TapeReader;

beforeEach(() => {
  buffer = createTapesBuffer(3, 4);
  tapes = new Tapes(buffer);
  reader = new TapeReader(buffer);
  tapes.open(1, 2, 3, 500);
});

const read = (limit = 100, before: number | null = null, slot = 1) => reader.read(slot, 'BTCUSDT', limit, before)!;
const ids = (limit?: number, before?: number | null): number[] => read(limit, before).trades.map(({ id }) => id);
const append = (...times: number[]): void => tapes.append(1, columns(times.map((time) => deal(time))), 1000);

describe('a tape', () => {
  test('begins empty', () => {
    expect(read()).toEqual({ state: 'syncing', epoch: 1, seq: 0, receivedAt: null, trades: [], skipped: [], next: null });
  });

  test('gives ids in order, and whole trades', () => {
    append(5);
    tapes.append(1, columns([deal(6, { price: '99', quantity: '0.001', sell: true, id: null })]), 1234.7);
    tapes.setState(1, BookState.LIVE, 900);
    expect(read()).toEqual({
      state: 'live',
      epoch: 1,
      seq: 2,
      receivedAt: 1234,
      trades: [
        {
          id: 1,
          symbol: 'BTCUSDT',
          price: '100.25',
          quantity: '1.500',
          buyer_order_id: null,
          seller_order_id: null,
          timestamp: 5,
          is_buyer_maker: false,
          exchange_id: 'id5',
        },
        {
          id: 2,
          symbol: 'BTCUSDT',
          price: '99.00',
          quantity: '0.001',
          buyer_order_id: null,
          seller_order_id: null,
          timestamp: 6,
          is_buyer_maker: true,
          exchange_id: null,
        },
      ],
      skipped: [],
      next: null,
    });
  });

  test('keeps the newest, and pages backwards through them', () => {
    append(1, 2, 3);
    append(4, 5, 6);
    expect(ids()).toEqual([3, 4, 5, 6]);
    expect([ids(2), read(2).next]).toEqual([[5, 6], 5]);
    expect([ids(2, 5), read(2, 5).next]).toEqual([[3, 4], null]);
    expect(ids(2, 3)).toEqual([]);
    expect(ids(2, 1)).toEqual([]);
    expect(ids(2, 99)).toEqual([5, 6]);
    append(1, 2, 3, 4, 5, 6, 7, 8, 9);
    expect(ids()).toEqual([12, 13, 14, 15]);
    expect(read().trades.map(({ timestamp }) => timestamp)).toEqual([6, 7, 8, 9]);
  });

  test('says where trades are missing, and begins a new epoch', () => {
    append(1, 2);
    const behind = columns([deal(8), deal(9)]);
    behind.marks[0]! |= MARK_HOLE;
    tapes.append(1, behind, 1000);
    expect(read()).toMatchObject({ epoch: 2, skipped: [{ from: 2, to: 8 }] });
    expect(read(2).skipped).toEqual([{ from: 2, to: 8 }]);
    expect(read(1).skipped).toEqual([]);
    append(10, 11);
    // The trade before the hole is gone from the tape.
    expect(read().skipped).toEqual([{ from: null, to: 8 }]);
  });

  test('knows a trade that comes once more by its id', () => {
    append(5, 6);
    const has = (...given: Parameters<typeof deal>): boolean => tapes.has(1, columns([deal(...given)]), 0);
    expect([has(5), has(6), has(7)]).toEqual([true, true, false]);
    expect([has(6, { id: 'other' }), has(6, { id: null }), has(5, { price: '1' })]).toEqual([false, false, false]);
  });

  test('moves to larger scales', () => {
    append(5);
    tapes.rescale(1, 4, 5);
    expect(read().trades[0]).toMatchObject({ price: '100.2500', quantity: '1.50000' });
  });

  test('of a symbol tracked anew uses no id and no epoch twice', () => {
    append(1, 2);
    tapes.close(1);
    tapes.open(1, 0, 0, 600);
    expect(read()).toMatchObject({ state: 'syncing', epoch: 2, seq: 2, trades: [] });
    append(3);
    expect(ids()).toEqual([3]);
    expect(read(1, null, 0).trades).toEqual([]);
  });

  test('survives its writer', () => {
    append(1, 2, 3);
    tapes.setState(1, BookState.LIVE, 0);
    const memory = new TapeMemory(buffer);
    const version = 2 * memory.header(1) + TAPE_VERSION;
    memory.i32[version]!++;
    expect(reader.read(1, 'BTCUSDT', 4, null)).toBeUndefined();
    expect(reader.retries).toBeGreaterThan(0);
    staleTapes(memory, 700);
    expect(read()).toMatchObject({ state: 'stale', seq: 3 });
    const next = new Tapes(buffer);
    next.open(1, 2, 3, 800);
    expect(ids()).toEqual([1, 2, 3]);
    expect(read().state).toBe('syncing');
    memory.i32[2 * memory.header(1) + TAPE_RESCALING] = 1;
    staleTapes(memory, 900);
    expect(read()).toMatchObject({ seq: 3, trades: [] });
  });

  test('tells the end of its part without holes', () => {
    const tail = new DealsBuffer(0);
    expect(tapes.copyTail(1, tail)).toBe(Infinity);
    append(1000, 2000, 2500);
    expect(tapes.copyTail(1, tail)).toBe(1500);
    expect(lines(tail)).toHaveLength(3);
    const behind = columns([deal(2600)]);
    behind.marks[0]! |= MARK_HOLE;
    tapes.append(1, behind, 0);
    expect(tapes.copyTail(1, tail)).toBe(2600);
    append(2700);
    expect(tapes.copyTail(1, tail)).toBe(2601);
    expect(tail.count).toBe(2);
  });
});

test('as many tapes as fit are promised', () => {
  expect(tapesMax(1000)).toBeGreaterThanOrEqual(8192);
  expect(tapesMax(100_000)).toBeGreaterThanOrEqual(100);
});
