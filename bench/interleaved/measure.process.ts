import { ASKS, BIDS } from '../../src/book/book-layout.js';
import type { LevelColumns } from '../../src/book/delta-buffer.js';
import { OrderBooks } from '../../src/book/order-books.js';
import { Arena, createArenaBuffer } from '../../src/memory/arena.js';
import { createDepthDecoder, type DecodeDepth, DepthDecode } from '../../src/mexc/decode-depth.js';
import { judgeSequence, Sequence } from '../../src/mexc/sequence.js';
import { setV8Flags } from '../../src/support/v8-flags.js';
import { generateNearStream } from '../decode-and-book/near-stream.js';
import { loadRecordedStream } from '../decode-and-book/recorded-stream.js';
import type { Stream, TextLevel } from '../decode-and-book/stream.js';
import { servePeer } from '../support/peer.js';
import { Random } from '../support/random.js';

export interface StreamJob {
  /** A recorded session; `null` = the synthetic stream. */
  readonly session: string | null;
  readonly symbolsMax: number;
}

export interface RoundResult {
  readonly levels: number;
  readonly ms: number;
  /** Over all levels of all books at the end. */
  readonly checksum: number;
}

/** Frames a symbol applies from its snapshot on. */
const FRAMES_PER_SYMBOL = 50;
/** Different places of the stream at which symbols begin, so that no processor learns one by heart. */
const PLACES = 40;
const NEAR_FRAMES = 6000;
/** 2,000 books as deep as the recorded one; only what is touched is real. */
const ARENA_BYTES = 3 * 2 ** 30;
/** More than any book here holds a side. */
const LEVELS_MAX = 65_536;

/** Frames one behind the other in the order in which they are applied, as they lie in a ring. */
interface Frames {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Frame i lies at [starts[i], starts[i + 1]). */
  readonly starts: Float64Array;
}

let stream: Stream;
let stride: number;
let books: OrderBooks;
let decodeDepth: DecodeDepth;
let snapshots: readonly Snapshot[];
let scales: { readonly price: number; readonly quantity: number };
const ticks = new Float64Array(LEVELS_MAX);
const lots = new Float64Array(LEVELS_MAX);

function load({ session, symbolsMax }: StreamJob): string {
  stream = session === null ? generateNearStream(1, NEAR_FRAMES) : loadRecordedStream(session, 'BTCUSDT');
  scales = { price: stream.priceScale, quantity: stream.quantityScale };
  books = new OrderBooks(new Arena(createArenaBuffer(ARENA_BYTES, symbolsMax)));
  decodeDepth = createDepthDecoder(books.delta);
  for (let slot = 0; slot < symbolsMax; slot++) books.open(slot, scales.price, scales.quantity, 0);
  stride = Math.floor((stream.frames.length - FRAMES_PER_SYMBOL) / PLACES);
  snapshots = snapshotsAt();
  return stream.description;
}

/** A whole book. */
interface Snapshot {
  readonly version: number;
  readonly bids: Side;
  readonly asks: Side;
}

interface Side {
  readonly ticks: Float64Array;
  readonly lots: Float64Array;
}

/** The book at each place; made by replaying the stream once in slot 0. */
function snapshotsAt(): Snapshot[] {
  const side = (levels: readonly TextLevel[]): Side => ({
    ticks: Float64Array.from(levels, ([price]) => Math.round(Number(`${price}e${scales.price}`))),
    lots: Float64Array.from(levels, ([, quantity]) => Math.round(Number(`${quantity}e${scales.quantity}`))),
  });
  const { version, bids, asks } = stream.snapshot;
  replace(0, { version, bids: side(bids), asks: side(asks) });
  const taken: Snapshot[] = [];
  for (let frame = 0; taken.length < PLACES; frame++) {
    if (frame === taken.length * stride) taken.push(dump());
    const bytes = new Uint8Array(new SharedArrayBuffer(stream.frames[frame]!.length));
    bytes.set(stream.frames[frame]!);
    apply(0, bytes, new DataView(bytes.buffer), 0, bytes.length);
  }
  return taken;
}

/** The book in slot 0. */
function dump(): Snapshot {
  const side = (which: typeof BIDS | typeof ASKS): Side => {
    const count = books.collect(0, which, books.levels(0, which), ticks, lots);
    return { ticks: ticks.slice(0, count), lots: lots.slice(0, count) };
  };
  return { version: books.version(0), bids: side(BIDS), asks: side(ASKS) };
}

function replace(slot: number, snapshot: Snapshot): void {
  const { delta } = books;
  const fill = (columns: LevelColumns, side: Side): void => {
    columns.ticks.set(side.ticks);
    columns.lots.set(side.lots);
    columns.count = side.ticks.length;
  };
  fill(delta.bids, snapshot.bids);
  fill(delta.asks, snapshot.asks);
  delta.fromVersion = snapshot.version;
  delta.toVersion = snapshot.version;
  if (!books.applySnapshot(slot, 0)) throw new Error('the snapshot is crossed');
}

function apply(slot: number, bytes: Uint8Array, bytesView: DataView, start: number, end: number): number {
  const { delta } = books;
  if (decodeDepth(bytes, bytesView, start, end, scales.price, scales.quantity) !== DepthDecode.OK) throw new Error('not decoded');
  if (judgeSequence(books.version(slot), delta.fromVersion, delta.toVersion) !== Sequence.APPLY) throw new Error('out of sequence');
  if (!books.applyDelta(slot, 0)) throw new Error('crossed');
  return delta.bids.count + delta.asks.count;
}

/** The frames of `symbols` symbols, each with its own copy; `order` gives symbol and number of the frames, one after the other. */
function layOut(symbols: number, order: (i: number) => readonly [symbol: number, frame: number]): Frames {
  const count = symbols * FRAMES_PER_SYMBOL;
  const starts = new Float64Array(count + 1);
  const frameAt = (i: number): Uint8Array => {
    const [symbol, frame] = order(i);
    return stream.frames[(symbol % PLACES) * stride + frame]!;
  };
  for (let i = 0; i < count; i++) starts[i + 1] = starts[i]! + frameAt(i).length;
  const bytes = new Uint8Array(new SharedArrayBuffer(starts[count]!));
  for (let i = 0; i < count; i++) bytes.set(frameAt(i), starts[i]);
  return { bytes, view: new DataView(bytes.buffer), starts };
}

function applyFrame(slot: number, { bytes, view, starts }: Frames, i: number): number {
  return apply(slot, bytes, view, starts[i]!, starts[i + 1]!);
}

function reset(slot: number, symbol: number): void {
  replace(slot, snapshots[symbol % PLACES]!);
}

/** Of a book's prices and quantities; whole numbers, so that the order of adding does not matter. */
function checksumOf(slot: number): number {
  let sum = 0;
  for (const side of [BIDS, ASKS] as const) {
    const count = books.collect(slot, side, books.levels(slot, side), ticks, lots);
    for (let i = 0; i < count; i++) sum = (sum + (ticks[i]! % 65_521) * (lots[i]! % 65_519)) % 2 ** 40;
  }
  return sum;
}

/** All symbols in turn, in an order that is no order: each frame meets a book that was not touched for as many frames as there are symbols. */
function interleaved(symbols: number): RoundResult {
  const random = new Random(7);
  const order = Array.from({ length: symbols }, (_, symbol) => symbol);
  for (let i = symbols - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  const frames = layOut(symbols, (i) => [order[i % symbols]!, Math.floor(i / symbols)]);
  for (let symbol = 0; symbol < symbols; symbol++) reset(symbol, symbol);
  let levels = 0;
  const startedMs = performance.now();
  for (let i = 0; i < symbols * FRAMES_PER_SYMBOL; i++) levels += applyFrame(order[i % symbols]!, frames, i);
  const ms = performance.now() - startedMs;
  let checksum = 0;
  for (let symbol = 0; symbol < symbols; symbol++) checksum = (checksum + checksumOf(symbol)) % 2 ** 40;
  return { levels, ms, checksum };
}

/** The same frames into one book, symbol after symbol; going back to a snapshot is not timed. */
function single(symbols: number): RoundResult {
  const frames = layOut(symbols, (i) => [Math.floor(i / FRAMES_PER_SYMBOL), i % FRAMES_PER_SYMBOL]);
  let levels = 0;
  let ms = 0;
  let checksum = 0;
  for (let symbol = 0; symbol < symbols; symbol++) {
    reset(0, symbol);
    const startedMs = performance.now();
    for (let frame = 0; frame < FRAMES_PER_SYMBOL; frame++) levels += applyFrame(0, frames, symbol * FRAMES_PER_SYMBOL + frame);
    ms += performance.now() - startedMs;
    checksum = (checksum + checksumOf(0)) % 2 ** 40;
  }
  return { levels, ms, checksum };
}

setV8Flags();
servePeer({
  load,
  interleaved: ({ symbols }: { symbols: number }) => interleaved(symbols),
  single: ({ symbols }: { symbols: number }) => single(symbols),
});
