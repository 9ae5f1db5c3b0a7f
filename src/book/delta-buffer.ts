/**
 * One depth update as columns, reused for every frame: the hot path passes nothing else on.
 * Prices are whole ticks, quantities whole lots, at the scales the decoder was given.
 */
export class DeltaBuffer {
  askCount = 0;
  bidCount = 0;
  askTicks: Float64Array;
  askLots: Float64Array;
  bidTicks: Float64Array;
  bidLots: Float64Array;
  /** First and last version the update covers. */
  fromVersion = 0;
  toVersion = 0;
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
  }

  /** Makes room for at least `levels` levels a side; the columns' contents are lost. */
  reserve(levels: number): void {
    if (levels <= this.askTicks.length) return;
    const capacity = 2 ** Math.ceil(Math.log2(levels));
    this.askTicks = new Float64Array(capacity);
    this.askLots = new Float64Array(capacity);
    this.bidTicks = new Float64Array(capacity);
    this.bidLots = new Float64Array(capacity);
  }
}
