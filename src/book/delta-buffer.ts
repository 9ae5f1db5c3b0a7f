/**
 * One depth update as columns, reused for every frame: the hot path passes nothing else on. Doubles begin as NaN, so that the object's shape
 * holds doubles from the start.
 * Prices are whole ticks, quantities whole lots, at the scales the decoder was given.
 */
export class DeltaBuffer {
  askCount = 0;
  bidCount = 0;
  askTicks: Float64Array;
  askLots: Float64Array;
  bidTicks: Float64Array;
  bidLots: Float64Array;
  /** The lots once more, as two int32 each: the upper one is 0 only where the lots are. */
  askLotsWords: Int32Array;
  bidLotsWords: Int32Array;
  /** First and last version the update covers. */
  fromVersion = NaN;
  toVersion = NaN;
  /** Exchange time, Unix ms; NaN when the frame has none. */
  exchangeTimeMs = NaN;
  /** Numbers that do not fit 2^53 and were kept as the nearest double. */
  inexactCount = 0;
  /** Decimals seen beyond the given scale; what the book must be rescaled to. */
  priceScaleNeeded = 0;
  quantityScaleNeeded = 0;

  constructor(capacity: number) {
    this.askTicks = new Float64Array(capacity);
    this.askLots = new Float64Array(capacity);
    this.bidTicks = new Float64Array(capacity);
    this.bidLots = new Float64Array(capacity);
    this.askLotsWords = new Int32Array(this.askLots.buffer);
    this.bidLotsWords = new Int32Array(this.bidLots.buffer);
  }

  /** 0 when the update has no level. */
  highestTick(): number {
    let highest = 0;
    for (let i = 0; i < this.askCount; i++) highest = Math.max(highest, this.askTicks[i]!);
    for (let i = 0; i < this.bidCount; i++) highest = Math.max(highest, this.bidTicks[i]!);
    return highest;
  }

  /** Makes room for at least `levels` levels a side; the columns' contents are lost. */
  reserve(levels: number): void {
    if (levels <= this.askTicks.length) return;
    const capacity = 2 ** Math.ceil(Math.log2(levels));
    this.askTicks = new Float64Array(capacity);
    this.askLots = new Float64Array(capacity);
    this.bidTicks = new Float64Array(capacity);
    this.bidLots = new Float64Array(capacity);
    this.askLotsWords = new Int32Array(this.askLots.buffer);
    this.bidLotsWords = new Int32Array(this.bidLots.buffer);
  }
}
