import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';

import { ASKS, BIDS, headerInts, IN_USE, VERSION } from '../../../src/book/book-layout.js';
import { OrderBooks } from '../../../src/book/order-books.js';
import { Arena } from '../../../src/memory/arena.js';
import { writeBegin } from '../../../src/memory/seqlock.js';
import { RingProducer } from '../../../src/memory/spsc-ring.js';
import { BookState, StateReason } from '../../../src/model/book-state.js';
import { BOOKS_PER_SHARD_MAX, CONTROL_READY, createShardBuffers, resetShard, shardSizes, vacateSlot } from '../../../src/shard/task.js';
import { TickerStore } from '../../../src/ticker/ticker-store.js';
import { fillDelta } from '../../support/delta.js';

const figures = {
  timeMs: null,
  lastPrice: null,
  lastQuantity: null,
  openPrice: null,
  highPrice: null,
  lowPrice: null,
  volume: null,
  quoteVolume: null,
  priceChange: null,
  changeRate: null,
};

test('the memory of a shard, and what becomes of it when its worker dies', () => {
  const buffers = createShardBuffers();
  const arena = new Arena(buffers.books);
  const books = new OrderBooks(arena);
  const last = BOOKS_PER_SHARD_MAX - 1;
  expect([arena.booksMax, arena.usedBytes()]).toEqual([BOOKS_PER_SHARD_MAX, 0]);
  // The fullest book in one message: 65,536 levels a side, 56 bytes each with the longest numbers below 2^53.
  expect(new RingProducer(buffers.outbound).payloadBytesMax).toBeGreaterThan(2 * 65_536 * 56);

  for (const slot of [0, 3, last]) {
    books.open(slot, 2, 2, 0);
    fillDelta(books.delta, [['bid', 1, 1]]);
    books.applySnapshot(slot, 9);
  }
  books.close(3);
  new Int32Array(buffers.control)[CONTROL_READY] = 1;
  // The worker died in the middle of a change of one book, and right behind it in the other.
  arena.i32[headerInts(0) + VERSION]!++;

  const tickers = new TickerStore(buffers.tickers);
  for (const slot of [3, last]) tickers.apply(slot, { ...figures, openPrice: '5' }, 1);

  const epochs = [0, last].map((slot) => books.epoch(slot));
  resetShard(buffers, 123);
  expect([0, last].map((slot) => books.epoch(slot))).toEqual(epochs);
  for (const slot of [0, last]) {
    expect(arena.i32[headerInts(slot) + VERSION]! & 1).toBe(0);
    expect([books.isOpen(slot), books.state(slot), books.reason(slot)]).toEqual([true, BookState.SYNCING, StateReason.WORKER_LOST]);
    expect([books.seq(slot), books.receiveTimeMs(slot)]).toEqual([1, 0]);
    expect([books.levels(slot, BIDS), books.levels(slot, ASKS)]).toEqual([0, 0]);
    expect(books.collect(slot, BIDS, 5, new Float64Array(5), new Float64Array(5))).toBe(0);
  }
  expect(books.isOpen(3)).toBe(false);
  expect(arena.usedBytes()).toBe(0);
  expect(new Int32Array(buffers.control)[CONTROL_READY]).toBe(0);

  // What the exchange said of the last 24 hours is as true as before.
  expect(tickers.held(last).openPrice).toBe('5');
  vacateSlot(buffers, 3, 1);
  expect(tickers.held(3).openPrice).toBeNull();

  // Announced again by the new worker's first records; no epoch of any book comes twice.
  const highest = Math.max(...epochs);
  books.open(0, 2, 2, 5);
  expect([books.epoch(0), books.seq(0), books.state(0)]).toEqual([highest, 1, BookState.SYNCING]);
  books.applySnapshot(0, 9);
  expect([books.epoch(0), books.seq(0)]).toEqual([highest + 1, 2]);
});

test.each([
  ['out of use', (books: OrderBooks) => books.close(2)],
  ['into use', () => {}],
])('a slot whose worker died on the way %s is whole again', (_, end) => {
  const buffers = createShardBuffers({ symbols: 4, booksBytes: 2 ** 20 });
  const arena = new Arena(buffers.books);
  const books = new OrderBooks(arena);
  books.open(2, 2, 2, 1);
  end(books);
  const version = headerInts(2) + VERSION;
  arena.i32[headerInts(2) + IN_USE] = 0;
  writeBegin(arena.i32, version);
  resetShard(buffers, 5);
  expect(arena.i32[version]! & 1).toBe(0);
  const again = new OrderBooks(new Arena(buffers.books));
  again.open(2, 2, 2, 6);
  expect([arena.i32[version]! & 1, again.state(2)]).toEqual([0, BookState.SYNCING]);
});

test('memory follows what the exchange lists, between a least and a most', () => {
  const sizes = [5, 2_000, 100_000].map((listed) => shardSizes(listed, 1_000));
  expect(sizes.map(({ symbols }) => symbols)).toEqual([256, 4_000, BOOKS_PER_SHARD_MAX]);
  expect(sizes.map(({ booksBytes }) => booksBytes / 2 ** 20)).toEqual([256, 1024, 1024]);
});

test('memory that is taken at once is resident: candles and trades of each symbol, and as much of the arena as there is', () => {
  // In a process of its own, where nothing else comes and goes. 72 KiB of candles and 76 bytes a trade; 100 books of 24 KiB do not fit this arena.
  const taken = 100 * (72 * 1024 + 76 * 1000) + 2 * 2 ** 20;
  const program = `
    import { commitSlot, createShardBuffers } from ${JSON.stringify(new URL('../../../dist/src/shard/task.js', import.meta.url))};
    const buffers = createShardBuffers({ symbols: 100, tape: 1000, booksBytes: 2 * 2 ** 20 });
    const before = process.memoryUsage.rss();
    for (let slot = 0; slot < 100; slot++) commitSlot(buffers, slot);
    console.log(process.memoryUsage.rss() - before);`;
  const grown = Number(execFileSync(process.execPath, ['--input-type=module', '--eval', program], { encoding: 'utf8' }));
  expect(grown / taken).toBeGreaterThan(0.95);
  expect(grown / taken).toBeLessThan(1.2);
});
