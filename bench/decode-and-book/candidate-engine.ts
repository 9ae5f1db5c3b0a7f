import type { DeltaBuffer } from '../../src/book/delta-buffer.js';
import { OrderBooks } from '../../src/book/order-books.js';
import { Arena, createArenaBuffer } from '../../src/memory/arena.js';
import { createDepthDecoder, DepthDecode } from '../../src/mexc/decode-depth.js';
import { judgeSequence, Sequence } from '../../src/mexc/sequence.js';
import { setV8Flags } from '../../src/support/v8-flags.js';
import { serveCandidate, type Candidate, type CandidateInput } from './candidate.js';
import { readEngineBook } from './engine-book.js';
import type { TextBook, TextLevel } from './stream.js';

const SLOT = 0;
const ARENA_BYTES = 64 * 2 ** 20;

/** The engine's decoder, sequence rule and book: frames in shared memory to a book in shared memory, one write section a frame. */
function createEngineBook({ frames, snapshot, priceScale, quantityScale }: CandidateInput): Candidate {
  const arena = new Arena(createArenaBuffer(ARENA_BYTES, 1));
  const books = new OrderBooks(arena);
  books.open(SLOT, priceScale, quantityScale, 0);
  const { delta } = books;
  const decodeDepth = createDepthDecoder(delta);
  const { bytes, starts } = toSharedMemory(frames);
  const view = new DataView(bytes.buffer);
  let lastVersion = 0;

  return {
    reset() {
      fillDelta(delta, snapshot, priceScale, quantityScale);
      books.applySnapshot(SLOT, 0);
      lastVersion = snapshot.version;
    },
    replay() {
      let levels = 0;
      for (let frame = 0; frame + 1 < starts.length; frame++) {
        const outcome = decodeDepth(bytes, view, starts[frame]!, starts[frame + 1]!, priceScale, quantityScale);
        if (outcome !== DepthDecode.OK) throw new Error(`frame ${frame}: decoding gave ${outcome}`);
        const verdict = judgeSequence(lastVersion, delta.fromVersion, delta.toVersion);
        if (verdict === Sequence.GAP) throw new Error(`frame ${frame}: gap after ${lastVersion}`);
        if (verdict === Sequence.DROP) continue;
        if (!books.applyDelta(SLOT, frame)) throw new Error(`frame ${frame}: book is crossed`);
        lastVersion = delta.toVersion;
        levels += delta.asks.count + delta.bids.count;
      }
      return levels;
    },
    book: () => readEngineBook(arena, SLOT),
  };
}

function fillDelta(delta: DeltaBuffer, book: TextBook, priceScale: number, quantityScale: number): void {
  const units = (text: string, scale: number): number => Math.round(Number(`${text}e${scale}`));
  const fill = (levels: readonly TextLevel[], ticks: Float64Array, lots: Float64Array): number => {
    levels.forEach(([price, quantity], i) => {
      ticks[i] = units(price, priceScale);
      lots[i] = units(quantity, quantityScale);
    });
    return levels.length;
  };
  delta.bids.count = fill(book.bids, delta.bids.ticks, delta.bids.lots);
  delta.asks.count = fill(book.asks, delta.asks.ticks, delta.asks.lots);
  delta.fromVersion = book.version;
  delta.toVersion = book.version;
}

/** All frames one behind the other; frame i lies at [starts[i], starts[i + 1]). */
function toSharedMemory(frames: readonly Uint8Array[]): { bytes: Uint8Array; starts: Int32Array } {
  const starts = new Int32Array(frames.length + 1);
  frames.forEach((frame, i) => {
    starts[i + 1] = starts[i]! + frame.length;
  });
  const bytes = new Uint8Array(new SharedArrayBuffer(starts[frames.length]!));
  frames.forEach((frame, i) => bytes.set(frame, starts[i]));
  return { bytes, starts };
}

setV8Flags();
await serveCandidate(createEngineBook);
