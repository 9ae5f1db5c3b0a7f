import { beforeEach, describe, expect, test } from 'vitest';

import { headerInts, IN_USE, VERSION } from '../../../src/book/book-layout.js';
import { OrderBooks } from '../../../src/book/order-books.js';
import { Arena } from '../../../src/memory/arena.js';
import { writeBegin, writeEnd } from '../../../src/memory/seqlock.js';
import { createBookCopy } from '../../../src/model/book-copy.js';
import { BookState, StateReason } from '../../../src/model/book-state.js';
import { openBook, type SharedBook } from '../../../src/publish/shared-book.js';
import { createShardBuffers, resetShard, retireShard, type ShardBuffers, vacateSlot } from '../../../src/shard/task.js';
import { type Change, fillDelta } from '../../support/delta.js';

const SLOT = 1;
const SERIAL = 7;
let buffers: ShardBuffers;
let arena: Arena;
let books: OrderBooks;

beforeEach(() => {
  buffers = createShardBuffers();
  arena = new Arena(buffers.books);
  books = new OrderBooks(arena);
});

const open = (serial = SERIAL): SharedBook => openBook({ symbol: 'BTCUSDT', books: buffers.books, slot: SLOT, serial });

/** The symbol is tracked and its book live. */
function goLive(serial = SERIAL): void {
  books.open(SLOT, 2, 3, 1, serial);
  change(
    Array.from({ length: 30 }, (_, i): Change[] => [
      ['bid', 1000 - i, 1 + i],
      ['ask', 1001 + i, 100 + i],
    ]).flat(),
    true,
  );
}

function change(changes: readonly Change[], isSnapshot = false): void {
  fillDelta(books.delta, changes, 77);
  if (isSnapshot) books.applySnapshot(SLOT, 60);
  else books.applyDelta(SLOT, 61);
}

/** What a walk that succeeded showed, and how often it began. */
function walked(book: SharedBook, side: 'bids' | 'asks', depth = Infinity, meanwhile = (): void => {}) {
  let shown: number[][] = [];
  let begun = 0;
  const read = book.walk(side, {
    begin: () => {
      shown = [];
      begun++;
    },
    level: (ticks, lots) => {
      shown.push([ticks, lots]);
      meanwhile();
      return shown.length < depth;
    },
  });
  return { read, shown, begun };
}

describe('a shared book', () => {
  test('is copied, best levels first', () => {
    goLive();
    const copy = createBookCopy(0);
    expect(open().read(2, copy)).toBe('ok');
    expect(copy).toMatchObject({ state: BookState.LIVE, epoch: 1, seq: 1, bidCount: 2, askCount: 2, bidLevels: 30 });
    expect([...copy.bidTicks.subarray(0, 2), ...copy.askLots.subarray(0, 2)]).toEqual([1000, 999, 100, 101]);
  });

  test('is walked where it lies, as far as the visitor likes', () => {
    goLive();
    const all = walked(open(), 'bids');
    expect(all).toMatchObject({ read: 'ok', begun: 1 });
    expect(all.shown).toEqual(Array.from({ length: 30 }, (_, i) => [1000 - i, 1 + i]));
    expect(walked(open(), 'asks', 3).shown).toEqual([
      [1001, 100],
      [1002, 101],
      [1003, 102],
    ]);
  });

  test('that changes during a walk is walked again', () => {
    goLive();
    let changes = 0;
    const { read, shown, begun } = walked(open(), 'asks', 2, () => {
      if (changes++ === 0) change([['ask', 1001, 0]]);
    });
    expect([read, begun, shown]).toEqual([
      'ok',
      2,
      [
        [1002, 101],
        [1003, 102],
      ],
    ]);
  });

  test('that changes all the time is busy, and so is one in the middle of a change', () => {
    goLive();
    let lots = 1;
    expect(walked(open(), 'bids', Infinity, () => change([['bid', 5, lots++]])).read).toBe('busy');
    writeBegin(arena.i32, headerInts(SLOT) + VERSION);
    expect([open().read(1, createBookCopy(0)), walked(open(), 'bids').read]).toEqual(['busy', 'busy']);
    writeEnd(arena.i32, headerInts(SLOT) + VERSION);
    expect(open().read(1, createBookCopy(0))).toBe('ok');
  });

  test('has a version that tells whether there is something new', () => {
    goLive();
    const book = open();
    const { version } = book;
    expect(book.version).toBe(version);
    change([['bid', 999, 5]]);
    expect(book.version).not.toBe(version);
  });
});

describe('the use a handle names', () => {
  const copy = createBookCopy(1);

  test('is syncing and empty until the worker has heard of the symbol, whatever lay there before', () => {
    goLive(SERIAL - 1);
    const book = open();
    expect([book.read(0, copy), book.ended]).toEqual(['ok', false]);
    expect(copy).toMatchObject({
      state: BookState.SYNCING,
      reason: StateReason.START,
      epoch: 0,
      bidCount: 0,
      askCount: 0,
      receiveTimeMs: 0,
    });
    expect(walked(book, 'bids')).toEqual({ read: 'ok', shown: [], begun: 1 });
    books.close(SLOT);
    goLive();
    expect([book.read(0, copy), copy.state]).toEqual(['ok', BookState.LIVE]);
  });

  test.each<[string, () => void]>([
    ['the symbol is untracked', () => books.close(SLOT)],
    [
      'another has the slot',
      () => {
        books.close(SLOT);
        goLive(SERIAL + 1);
      },
    ],
    ['the worker died before it heard of the end', () => vacateSlot(buffers, SLOT, SERIAL)],
    ['the engine is closed', () => retireShard(buffers)],
  ])('is over when %s', (_, end) => {
    goLive();
    const book = open();
    expect(book.ended).toBe(false);
    end();
    expect([book.ended, book.read(0, copy), walked(book, 'asks').read]).toEqual([true, 'ended', 'ended']);
  });

  test('that the worker never heard of is over as well', () => {
    const book = open();
    expect(book.ended).toBe(false);
    vacateSlot(buffers, SLOT, SERIAL);
    expect(book.read(0, copy)).toBe('ended');
  });

  test('whose symbol took over a slot that a dead worker left has only to wait', () => {
    goLive();
    vacateSlot(buffers, SLOT, SERIAL);
    const next = open(SERIAL + 1);
    expect([next.ended, next.read(0, copy), copy.bidCount]).toEqual([false, 'ok', 0]);
    books = new OrderBooks(new Arena(buffers.books));
    goLive(SERIAL + 1);
    expect([next.read(0, copy), copy.bidCount]).toEqual(['ok', 30]);
  });

  test('that no worker heard of before the engine was closed is over', () => {
    const book = open();
    retireShard(buffers);
    expect([book.ended, book.read(0, copy)]).toEqual([true, 'ended']);
  });

  test('goes on when the worker dies, in a new epoch', () => {
    goLive();
    const book = open();
    writeBegin(arena.i32, headerInts(SLOT) + VERSION);
    expect(book.read(0, copy)).toBe('busy');
    resetShard(buffers, 99);
    expect([book.read(0, copy), copy.state, copy.reason, copy.bidCount]).toEqual(['ok', BookState.SYNCING, StateReason.WORKER_LOST, 0]);
    books = new OrderBooks(new Arena(buffers.books));
    goLive();
    expect([book.read(0, copy), copy.state, copy.epoch, copy.bidCount]).toEqual(['ok', BookState.LIVE, 2, 30]);
  });

  test('of a closed engine leaves even versions, whatever a killed worker left', () => {
    goLive();
    writeBegin(arena.i32, headerInts(SLOT) + VERSION);
    retireShard(buffers);
    expect([arena.i32[headerInts(SLOT) + VERSION]! & 1, arena.i32[headerInts(SLOT) + IN_USE]]).toEqual([0, 0]);
  });
});
