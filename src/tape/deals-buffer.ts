import { MARK_ID_SHIFT, TRADE_ID_BYTES } from './tape-layout.js';

/**
 * Trades as columns, oldest first: prices in whole ticks, quantities in whole lots, at the scales they were read with. Marks and ids are those
 * of the tape (`tape-layout.ts`). Reused for every push; doubles begin as NaN, so that the object's shape holds doubles from the start.
 */
export class DealsBuffer {
  count = 0;
  /** Unix ms, exchange time. */
  times: Float64Array;
  ticks: Float64Array;
  lots: Float64Array;
  marks: Int32Array;
  /** TRADE_ID_BYTES each. */
  ids: Uint8Array;
  /** When the exchange sent the push, Unix ms; NaN when it did not say. */
  exchangeTimeMs = NaN;
  /** Numbers that do not fit 2^53 and were kept as the nearest double. */
  inexactCount = 0;
  /** Decimals seen, where they are more than the scales given. */
  priceScaleNeeded = 0;
  quantityScaleNeeded = 0;

  constructor(capacity: number) {
    this.times = new Float64Array(capacity);
    this.ticks = new Float64Array(capacity);
    this.lots = new Float64Array(capacity);
    this.marks = new Int32Array(capacity);
    this.ids = new Uint8Array(capacity * TRADE_ID_BYTES);
  }

  /** Makes room for at least `trades` trades; what is there stays. */
  reserve(trades: number): void {
    if (trades <= this.times.length) return;
    const larger = new DealsBuffer(2 ** Math.ceil(Math.log2(trades)));
    larger.times.set(this.times);
    larger.ticks.set(this.ticks);
    larger.lots.set(this.lots);
    larger.marks.set(this.marks);
    larger.ids.set(this.ids);
    this.times = larger.times;
    this.ticks = larger.ticks;
    this.lots = larger.lots;
    this.marks = larger.marks;
    this.ids = larger.ids;
  }

  /** Appends trade `index` of another buffer of the same scales. */
  take(source: DealsBuffer, index: number): void {
    const at = this.count++;
    this.reserve(this.count);
    this.times[at] = source.times[index]!;
    this.ticks[at] = source.ticks[index]!;
    this.lots[at] = source.lots[index]!;
    this.marks[at] = source.marks[index]!;
    const start = index * TRADE_ID_BYTES;
    this.ids.set(source.ids.subarray(start, start + source.idLength(index)), at * TRADE_ID_BYTES);
  }

  /** Copies a trade to an earlier place. */
  move(from: number, to: number): void {
    if (from === to) return;
    this.times[to] = this.times[from]!;
    this.ticks[to] = this.ticks[from]!;
    this.lots[to] = this.lots[from]!;
    this.marks[to] = this.marks[from]!;
    this.ids.copyWithin(to * TRADE_ID_BYTES, from * TRADE_ID_BYTES, (from + 1) * TRADE_ID_BYTES);
  }

  /** Bytes of a trade's id; 0 = it has none. */
  idLength(index: number): number {
    return this.marks[index]! >>> MARK_ID_SHIFT;
  }

  /** Whether trade `index` of another buffer is here already: the same exchange id and time. Those without an id are never known. */
  has(source: DealsBuffer, index: number): boolean {
    const time = source.times[index]!;
    const length = source.idLength(index);
    if (length === 0) return false;
    const from = index * TRADE_ID_BYTES;
    // Not in the order of time: when a push was dropped, the next connection's come behind newer ones.
    for (let at = this.count - 1; at >= 0; at--) {
      if (this.times[at] !== time || this.idLength(at) !== length) continue;
      let byte = 0;
      while (byte < length && this.ids[at * TRADE_ID_BYTES + byte] === source.ids[from + byte]) byte++;
      if (byte === length) return true;
    }
    return false;
  }

  /** Moves all trades to scales that many powers of ten larger. */
  scaleUp(priceFactor: number, quantityFactor: number): void {
    for (let i = 0; i < this.count; i++) {
      this.ticks[i] = this.ticks[i]! * priceFactor;
      this.lots[i] = this.lots[i]! * quantityFactor;
    }
  }
}
