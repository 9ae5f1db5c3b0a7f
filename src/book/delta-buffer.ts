/** The changes of one side as columns: whole ticks, and whole lots of which 0 removes the level. */
export class LevelColumns {
  count = 0;
  ticks: Float64Array;
  lots: Float64Array;
  /** The lots once more, as two int32 each: the upper one is 0 only where the lots are. */
  lotsWords: Int32Array;

  constructor(capacity: number) {
    this.ticks = new Float64Array(capacity);
    this.lots = new Float64Array(capacity);
    this.lotsWords = new Int32Array(this.lots.buffer);
  }
}

/**
 * One depth update as columns, reused for every frame: the hot path passes nothing else on. Doubles begin as NaN, so that the object's shape
 * holds doubles from the start.
 * Prices are whole ticks, quantities whole lots, at the scales the decoder was given.
 */
export class DeltaBuffer {
  asks: LevelColumns;
  bids: LevelColumns;
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
    this.asks = new LevelColumns(capacity);
    this.bids = new LevelColumns(capacity);
  }

  /** 0 when the update has no level. */
  highestTick(): number {
    let highest = 0;
    for (let i = 0; i < this.asks.count; i++) highest = Math.max(highest, this.asks.ticks[i]!);
    for (let i = 0; i < this.bids.count; i++) highest = Math.max(highest, this.bids.ticks[i]!);
    return highest;
  }

  /** Makes room for at least `levels` levels a side; the columns' contents are lost. */
  reserve(levels: number): void {
    if (levels <= this.asks.ticks.length) return;
    const capacity = 2 ** Math.ceil(Math.log2(levels));
    this.asks = new LevelColumns(capacity);
    this.bids = new LevelColumns(capacity);
  }
}
