import { ASKS, BIDS, headerInts } from '../../src/book/book-layout.js';
import { first } from '../../src/book/ladder-lookup.js';
import { OrderBooks } from '../../src/book/order-books.js';
import { Arena, createArenaBuffer } from '../../src/memory/arena.js';
import { createDepthDecoder, DepthDecode } from '../../src/mexc/decode-depth.js';
import { formatDecimal } from '../../src/model/decimal.js';
import { encodePush } from './mexc-schema.js';
import { fullBookSha256, type Side, type TextLevel } from './model-book.js';

const ARENA_BYTES = 16 * 2 ** 20;
const SLOT = 0;

/**
 * One book in a real ladder, fed with levels of any exchange: they are put into a MEXC frame by another's encoder, read by the hot
 * decoder and applied like any push; the book is rescaled when a number has more decimals than it keeps.
 */
export class LadderTestBook {
  readonly #arena = new Arena(createArenaBuffer(ARENA_BYTES, 1));
  readonly #books = new OrderBooks(this.#arena);
  readonly #delta = this.#books.delta;
  readonly #decodeDepth = createDepthDecoder(this.#delta);
  #ticks = new Float64Array(64);
  #lots = new Float64Array(64);
  #version = 0;
  rescales = 0;
  /** Updates after which the best bid was above the best ask. */
  crossed = 0;

  constructor(priceScale: number, quantityScale: number) {
    this.#books.open(SLOT, priceScale, quantityScale, 0);
  }

  replace(bids: readonly TextLevel[], asks: readonly TextLevel[]): void {
    this.#decode(bids, asks);
    if (!this.#books.applySnapshot(SLOT, 0)) this.crossed++;
  }

  apply(bids: readonly TextLevel[], asks: readonly TextLevel[]): void {
    this.#decode(bids, asks);
    if (!this.#books.applyDelta(SLOT, 0)) this.crossed++;
  }

  levelCount(side: Side): number {
    return this.#books.levels(SLOT, side === 'bid' ? BIDS : ASKS);
  }

  /** Up to `depth` levels, best first, with all decimals of the book's scales: `84270.00`. */
  levels(side: Side, depth = Infinity): TextLevel[] {
    const room = this.levelCount(side);
    if (room > this.#ticks.length) {
      this.#ticks = new Float64Array(2 * room);
      this.#lots = new Float64Array(2 * room);
    }
    const count = this.#books.collect(SLOT, side === 'bid' ? BIDS : ASKS, Math.min(depth, room), this.#ticks, this.#lots);
    const priceScale = this.#books.priceScale(SLOT);
    const quantityScale = this.#books.quantityScale(SLOT);
    const levels: TextLevel[] = [];
    for (let i = 0; i < count; i++) levels.push([formatDecimal(this.#ticks[i]!, priceScale), formatDecimal(this.#lots[i]!, quantityScale)]);
    return levels;
  }

  /** Keeps the best `depth` levels of each side. */
  trim(depth: number): void {
    this.#trimSide('bid', depth);
    this.#trimSide('ask', depth);
  }

  sha256(): string {
    return fullBookSha256(this.levels('bid'), this.levels('ask'));
  }

  #trimSide(side: Side, depth: number): void {
    const block = headerInts(SLOT) + (side === 'bid' ? BIDS : ASKS);
    while (this.levelCount(side) > depth) {
      const worst = first(this.#arena.i32, block, side === 'bid' ? 1 : -1);
      const removal: TextLevel[] = [[formatDecimal(worst, this.#books.priceScale(SLOT)), '0']];
      if (side === 'bid') this.apply(removal, []);
      else this.apply([], removal);
    }
  }

  #decode(bids: readonly TextLevel[], asks: readonly TextLevel[]): void {
    const version = String(++this.#version);
    const items = (levels: readonly TextLevel[]): unknown => levels.map(([price, quantity]) => ({ price, quantity }));
    const frame = encodePush({ publicAggreDepths: { asks: items(asks), bids: items(bids), fromVersion: version, toVersion: version } });
    const decode = (): DepthDecode =>
      this.#decodeDepth(
        frame,
        new DataView(frame.buffer, frame.byteOffset, frame.byteLength),
        0,
        frame.length,
        this.#books.priceScale(SLOT),
        this.#books.quantityScale(SLOT),
      );
    let outcome = decode();
    if (outcome === DepthDecode.RESCALE) {
      this.#books.rescale(SLOT, this.#delta.priceScaleNeeded, this.#delta.quantityScaleNeeded);
      this.rescales++;
      outcome = decode();
    }
    if (outcome !== DepthDecode.OK) throw new Error(`decodeDepth answered ${outcome} at version ${version}`);
  }
}
