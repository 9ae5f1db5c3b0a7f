import { LEVELS_MAX } from './ladder-layout.js';

/** The changes of one side of an update: whole ticks, and whole lots of which 0 removes the level. */
export class LevelColumns {
  count = 0;
  /** Where this side begins in the columns of its `DeltaBuffer`. */
  readonly start: number;
  readonly ticks: Float64Array;
  readonly lots: Float64Array;

  constructor(ticks: Float64Array, lots: Float64Array, start: number) {
    this.start = start;
    this.ticks = ticks.subarray(start, start + LEVELS_MAX);
    this.lots = lots.subarray(start, start + LEVELS_MAX);
  }
}

/**
 * One depth update as columns, reused for every frame: the hot path passes nothing else on. Doubles begin as NaN, so that the object's shape
 * holds doubles from the start. Takes as many levels a side as a book does; memory is used as it is touched.
 * Prices are whole ticks, quantities whole lots, at the scales the decoder was given.
 */
export class DeltaBuffer {
  /** Both sides in one array, whose place in memory is then a constant of the code that goes over them. */
  readonly ticks = new Float64Array(2 * LEVELS_MAX);
  readonly lots = new Float64Array(2 * LEVELS_MAX);
  /** The lots once more, as two int32 each: the upper one is 0 only where the lots are. */
  readonly lotsWords = new Int32Array(this.lots.buffer);
  readonly asks = new LevelColumns(this.ticks, this.lots, 0);
  readonly bids = new LevelColumns(this.ticks, this.lots, LEVELS_MAX);
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

  /** 0 when the update has no level. */
  highestTick(): number {
    let highest = 0;
    for (let i = 0; i < this.asks.count; i++) highest = Math.max(highest, this.asks.ticks[i]!);
    for (let i = 0; i < this.bids.count; i++) highest = Math.max(highest, this.bids.ticks[i]!);
    return highest;
  }
}
