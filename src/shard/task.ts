import {
  ASKS,
  BEST_ASK_TICK,
  BEST_BID_TICK,
  BIDS,
  EXCHANGE_TIME,
  EXCHANGE_VERSION,
  headerDoubles,
  headerInts,
  IN_USE,
  KNOWN_VERSION,
  REASON,
  RECEIVE_TIME,
  SERIAL,
  SINCE,
  STATE,
  VERSION,
} from '../book/book-layout.js';
import { SIDE_INTS } from '../book/ladder-layout.js';
import { NO_TICK } from '../book/ladder-lookup.js';
import { createCandleBuffer, slotWord } from '../candle/candle-layout.js';
import { SymbolRows } from '../candle/symbol-rows.js';
import { Arena, bookHeaderWord, createArenaBuffer } from '../memory/arena.js';
import { commitMemory } from '../memory/commit.js';
import { createMeterBuffer } from '../memory/shard-meter.js';
import { createRingBuffer } from '../memory/spsc-ring-layout.js';
import { BookState, StateReason } from '../model/book-state.js';
import { createTickerBuffer } from '../ticker/ticker-layout.js';
import { repairTickers, TickerStore } from '../ticker/ticker-store.js';
import { TAPE_TRADES_DEFAULT } from '../model/trade.js';
import { createTapesBuffer, TapeMemory, tapesMax } from '../tape/tape-layout.js';
import { closeTape, staleTapes } from '../tape/tapes.js';

/** Everything a shard works on. The memory outlives the worker: a new one goes on with it. */
export interface ShardBuffers {
  readonly inbound: SharedArrayBuffer;
  readonly outbound: SharedArrayBuffer;
  readonly books: SharedArrayBuffer;
  /** `candle/candle-layout.ts` */
  readonly candles: SharedArrayBuffer;
  /** What the exchange says of the last 24 hours, see `ticker/ticker-layout.ts`. */
  readonly tickers: SharedArrayBuffer;
  /** The last trades of its symbols (`tape/tape-layout.ts`). */
  readonly tapes: SharedArrayBuffer;
  /** int32 words, see below. */
  readonly control: SharedArrayBuffer;
  /** What the shard counts for the operator, see `memory/shard-meter.ts`. */
  readonly meters: SharedArrayBuffer;
}

/** The message that starts a worker on a shard. */
export interface ShardTask {
  readonly shard: number;
  readonly buffers: ShardBuffers;
  /** A live book silent for longer, and for 20 times its usual pause, is stale. */
  readonly staleAfterMs: number;
  /** Connections each push may come on, 1 (the default) or 2. */
  readonly lines?: number;
  /** For so many microseconds after the last record that is not a tick the worker looks for the next one before it sleeps; default 0. */
  readonly spinUs?: number;
}

/**
 * control words: 0 = the task runs (stored and notified once by the worker), 1 = turns of the duty cycle so far, 2 = `threadId` of the worker, stored before
 * it touches anything else; 0 = there is none yet.
 */
export const CONTROL_READY = 0;
export const CONTROL_HEARTBEAT = 1;
export const CONTROL_THREAD = 2;
const CONTROL_BYTES = 64;

/** About 20,000 pushes of 10 levels. */
const INBOUND_BYTES = 8 * 2 ** 20;
/** A message takes at most half of it: the fullest book, 65,536 levels a side of the longest numbers below 2^53, is 7.4 MB. */
const OUTBOUND_BYTES = 16 * 2 ** 20;
/** Address space for the books of one shard; memory is used as books fill. */
const BOOKS_BYTES = 2 ** 30;
/** No symbol has it: every use of the slot is over. */
const SERIAL_PAST_ALL = 2 ** 31 - 1;
/** Books a shard can hold. */
export const BOOKS_PER_SHARD_MAX = 8192;

/** Slots every shard has at least, and what it has beyond what the exchange lists. */
const SLOTS_MIN = 256;
/** Address space a slot's book is counted with: more than nearly all take, and half of what a deep and busy one does. */
const BOOK_BYTES = 2 ** 19;
const BOOKS_BYTES_MIN = 2 ** 28;

/**
 * The size of a shard's memory when the exchange lists so many symbols: room for twice as many in every shard, since the hash may favour one
 * and more may be listed later. Address space is taken at once, and a process that reserves much of it cannot start others.
 */
export function shardSizes(listed: number, tape: number): Pick<ShardSizes, 'symbols' | 'booksBytes' | 'tape'> {
  const symbols = Math.min(Math.max(SLOTS_MIN, 2 * listed), BOOKS_PER_SHARD_MAX, tapesMax(tape));
  return { tape, symbols, booksBytes: Math.min(BOOKS_BYTES, Math.max(BOOKS_BYTES_MIN, symbols * BOOK_BYTES)) };
}

export interface ShardSizes {
  /** Trades each tape keeps. */
  readonly tape: number;
  /** Slots. */
  readonly symbols: number;
  readonly inboundBytes: number;
  readonly outboundBytes: number;
  readonly booksBytes: number;
}

export function createShardBuffers(sizes: Partial<ShardSizes> = {}): ShardBuffers {
  const { tape = TAPE_TRADES_DEFAULT, inboundBytes = INBOUND_BYTES, outboundBytes = OUTBOUND_BYTES, booksBytes = BOOKS_BYTES } = sizes;
  return {
    inbound: createRingBuffer(inboundBytes),
    outbound: createRingBuffer(outboundBytes),
    books: createArenaBuffer(booksBytes, sizes.symbols ?? BOOKS_PER_SHARD_MAX),
    candles: createCandleBuffer(sizes.symbols ?? BOOKS_PER_SHARD_MAX),
    tickers: createTickerBuffer(sizes.symbols ?? BOOKS_PER_SHARD_MAX),
    tapes: createTapesBuffer(sizes.symbols ?? Math.min(BOOKS_PER_SHARD_MAX, tapesMax(tape)), tape),
    control: new SharedArrayBuffer(CONTROL_BYTES),
    meters: createMeterBuffer(),
  };
}

/** Memory of a usual book: 200 busy levels, or 1,600 that hardly change. */
const USUAL_BOOK_BYTES = 24 * 1024;

/** Makes the system give a slot the whole memory of its tape and candles now, and the shard as much as one more book usually takes, not as they fill. */
export function commitSlot(buffers: ShardBuffers, slot: number): void {
  const books = new Arena(buffers.books);
  const booksByte = bookHeaderWord(books.booksMax) * 8 + slot * USUAL_BOOK_BYTES;
  commitMemory(books.i32, Math.min(booksByte, buffers.books.byteLength), Math.min(booksByte + USUAL_BOOK_BYTES, buffers.books.byteLength));
  const tapes = new TapeMemory(buffers.tapes);
  commitMemory(tapes.i32, tapes.header(slot) * 8, Math.min(tapes.header(slot + 1) * 8, buffers.tapes.byteLength));
  commitMemory(new Int32Array(buffers.candles), slotWord(slot) * 8, slotWord(slot + 1) * 8);
}

/**
 * Takes a slot out of use whose UNTRACK record died with the worker; `lastSerial` is that of the newest symbol. Main thread only, only while no worker runs
 * on the shard.
 */
export function vacateSlot(buffers: ShardBuffers, slot: number, lastSerial: number): void {
  const i32 = new Int32Array(buffers.books);
  i32[headerInts(slot) + IN_USE] = 0;
  // The use may have ended before the shard heard of it: whoever still waits for it learns that it is over. The next one is of a newer symbol.
  i32[headerInts(slot) + SERIAL] = lastSerial;
  SymbolRows.at(buffers.candles, slot).clear();
  new TickerStore(buffers.tickers).clear(slot);
  closeTape(new TapeMemory(buffers.tapes), slot);
}

/** Takes every slot out of use, also of symbols that no worker heard of yet: whoever reads the books from elsewhere learns that they ended. Main thread only, after the last worker. */
export function retireShard(buffers: ShardBuffers): void {
  const { i32, booksMax } = new Arena(buffers.books);
  for (let slot = 0; slot < booksMax; slot++) {
    const ints = headerInts(slot);
    // Odd while we change it, whatever a killed writer left; then even again.
    Atomics.store(i32, ints + VERSION, (i32[ints + VERSION]! | 1) + 2);
    i32[ints + IN_USE] = 0;
    i32[ints + STATE] = BookState.SYNCING;
    i32[ints + SERIAL] = SERIAL_PAST_ALL;
    Atomics.add(i32, ints + VERSION, 1);
  }
}

/**
 * Takes over the memory of a shard whose worker is dead: every book in use becomes empty and `syncing`. Epochs and seqs stay, so that the next snapshot opens
 * a new epoch. Tickers stay, and tapes keep their trades; what was missed since is fetched by the new worker. What the inbound ring holds stays for
 * `ShardIngress.shardLost`. Main thread, only while no worker runs on the shard.
 */
export function resetShard(buffers: ShardBuffers, timeMs: number): void {
  repairTickers(buffers.tickers);
  const arena = new Arena(buffers.books);
  const { i32, f64 } = arena;
  for (let slot = 0; slot < arena.booksMax; slot++) {
    const ints = headerInts(slot);
    // A worker may have died on the way into or out of use.
    if (i32[ints + IN_USE] === 0 && (i32[ints + VERSION]! & 1) === 0) continue;
    SymbolRows.at(buffers.candles, slot).recover();
    // Odd while we change it, whatever the dead writer left; then even again.
    Atomics.store(i32, ints + VERSION, (i32[ints + VERSION]! | 1) + 2);
    i32.fill(0, ints + BIDS, ints + BIDS + SIDE_INTS);
    i32.fill(0, ints + ASKS, ints + ASKS + SIDE_INTS);
    i32[ints + STATE] = BookState.SYNCING;
    i32[ints + REASON] = StateReason.WORKER_LOST;
    const doubles = headerDoubles(slot);
    f64[doubles + BEST_BID_TICK] = NO_TICK;
    f64[doubles + BEST_ASK_TICK] = NO_TICK;
    f64[doubles + KNOWN_VERSION] = Math.max(f64[doubles + KNOWN_VERSION]!, f64[doubles + EXCHANGE_VERSION]!);
    f64[doubles + EXCHANGE_VERSION] = 0;
    f64[doubles + EXCHANGE_TIME] = NaN;
    f64[doubles + RECEIVE_TIME] = 0;
    f64[doubles + SINCE] = timeMs;
    Atomics.add(i32, ints + VERSION, 1);
  }
  arena.reset();
  staleTapes(new TapeMemory(buffers.tapes), timeMs);
  const control = new Int32Array(buffers.control);
  Atomics.store(control, CONTROL_THREAD, 0);
  Atomics.store(control, CONTROL_READY, 0);
}
