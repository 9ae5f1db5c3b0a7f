import { BookState, StateReason } from './book-state.js';

/**
 * One consistent copy of a book, reused from call to call. Prices are whole ticks and quantities whole lots:
 * divide by 10^priceScale and 10^quantityScale, or print them with `formatDecimal`.
 */
export interface BookCopy {
  state: BookState;
  reason: StateReason;
  /** Grows with every resync; a snapshot opens each. */
  epoch: number;
  /** Applied updates so far, snapshots included; never goes back within a process. */
  seq: number;
  /** The exchange's version of the book, i.e. `toVersion` of the last update applied. */
  version: number;
  /** Exchange time of the last update, Unix ms; NaN = the exchange did not say. */
  exchangeTimeMs: number;
  /** When the last update was received, Unix ms with a fraction; 0 = the book holds nothing. */
  receiveTimeMs: number;
  priceScale: number;
  quantityScale: number;
  /**
   * How far the last snapshot or audit vouches for each side: the lowest bid tick, the highest ask tick. 0 and Infinity = the whole side;
   * Infinity and -1 = nothing.
   */
  provenBids: number;
  provenAsks: number;
  /** Levels held in the whole book, not in this copy. */
  bidLevels: number;
  askLevels: number;
  /** Levels in this copy, best first, in the first `bidCount` and `askCount` entries of the arrays. */
  bidCount: number;
  askCount: number;
  bidTicks: Float64Array;
  bidLots: Float64Array;
  askTicks: Float64Array;
  askLots: Float64Array;
}

/** An empty copy with room for `capacity` levels a side; readers enlarge the arrays when a book needs more. */
export function createBookCopy(capacity: number): BookCopy {
  return {
    state: BookState.SYNCING,
    reason: StateReason.START,
    epoch: 0,
    seq: 0,
    version: 0,
    exchangeTimeMs: NaN,
    receiveTimeMs: 0,
    priceScale: 0,
    quantityScale: 0,
    provenBids: Infinity,
    provenAsks: -1,
    bidLevels: 0,
    askLevels: 0,
    bidCount: 0,
    askCount: 0,
    bidTicks: new Float64Array(capacity),
    bidLots: new Float64Array(capacity),
    askTicks: new Float64Array(capacity),
    askLots: new Float64Array(capacity),
  };
}
