import { createCandleBuffer } from '../../src/candle/candle-layout.js';
import { COUNT_APPLIED, headerDoubles, headerInts, STATE } from '../../src/book/book-layout.js';
import { Arena, createArenaBuffer } from '../../src/memory/arena.js';
import { createMeterBuffer } from '../../src/memory/shard-meter.js';
import { createRingBuffer, RECORD_HEADER_BYTES } from '../../src/memory/spsc-ring-layout.js';
import { RingConsumer, RingProducer } from '../../src/memory/spsc-ring.js';
import { BookState } from '../../src/model/book-state.js';
import { encodeTrack, Inbound } from '../../src/shard/records.js';
import { createTapesBuffer } from '../../src/tape/tape-layout.js';
import { Shard } from '../../src/shard/shard.js';
import { createTickerBuffer } from '../../src/ticker/ticker-layout.js';
import { setV8Flags } from '../../src/support/v8-flags.js';
import { serveCandidate, type Candidate, type CandidateInput } from './candidate.js';
import { readEngineBook } from './engine-book.js';
import { countLevels } from './model-book.js';

const SLOT = 0;
const ARENA_BYTES = 64 * 2 ** 20;
const OUTBOUND_BYTES = 64 * 2 ** 10;
const STALE_AFTER_MS = 60_000;

/** The whole of a shard: the same pushes out of its inbound ring, through its states, counters and silence watch. Filling the ring is not timed. */
function createShardBook({ frames, snapshot, priceScale, quantityScale }: CandidateInput): Candidate {
  const ringBytes = frames.reduce((sum, frame) => sum + frame.length + RECORD_HEADER_BYTES + 8, 2 ** 20);
  const buffers = {
    inbound: createRingBuffer(2 ** Math.ceil(Math.log2(ringBytes))),
    outbound: createRingBuffer(OUTBOUND_BYTES),
    books: createArenaBuffer(ARENA_BYTES, 1),
    candles: createCandleBuffer(1),
    tickers: createTickerBuffer(1),
    tapes: createTapesBuffer(1),
    control: new SharedArrayBuffer(64),
    meters: createMeterBuffer(),
  };
  const inbound = new RingProducer(buffers.inbound);
  const outbound = new RingConsumer(buffers.outbound);
  const shard = new Shard({ shard: 0, buffers, staleAfterMs: STALE_AFTER_MS }, () => 0);
  // The worker's memory is looked at, as any other thread may: a second `OrderBooks` would change how the shard's own is compiled.
  const arena = new Arena(buffers.books);
  const appliedSoFar = (): number => arena.f64[headerDoubles(SLOT) + COUNT_APPLIED]!;
  const body = Buffer.from(JSON.stringify({ lastUpdateId: snapshot.version, bids: snapshot.bids, asks: snapshot.asks }));
  const levels = frames.reduce((sum, frame) => sum + countLevels(frame), 0);
  let appliedBefore = 0;
  const send = (type: number, aux: number, payload?: Uint8Array): void => {
    if (!inbound.write(type, SLOT, aux, 0, payload)) throw new Error('the ring is full');
  };
  const drain = (): void => {
    while (shard.doWork() > 0);
  };
  let serial = 0;

  return {
    reset() {
      // Tracked anew: a book does not go back to an older snapshot.
      send(Inbound.UNTRACK, 0);
      send(Inbound.TRACK, priceScale | (quantityScale << 8), encodeTrack({ serial: ++serial, symbol: 'BTCUSDT' }));
      send(Inbound.LINE_UP, 0);
      send(Inbound.SNAPSHOT, 0, body);
      drain();
      while (outbound.next());
      outbound.release();
      appliedBefore = appliedSoFar();
      for (const frame of frames) send(Inbound.FRAME, 0, frame);
    },
    replay() {
      drain();
      const applied = appliedSoFar() - appliedBefore;
      const state = arena.i32[headerInts(SLOT) + STATE];
      if (applied !== frames.length || state !== BookState.LIVE) {
        throw new Error(`${applied} of ${frames.length} frames applied, state ${state}`);
      }
      return levels;
    },
    book: () => readEngineBook(arena, SLOT),
  };
}

setV8Flags();
await serveCandidate(createShardBook);
