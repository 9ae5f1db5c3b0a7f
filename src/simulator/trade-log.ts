import { type Candle, extendCandle, MINUTE_MS } from './candle.js';

/** One trade: price in ticks, quantity in lots; `buy` when the taker bought. */
export interface Trade {
  readonly timeMs: number;
  readonly tick: number;
  readonly lots: number;
  readonly buy: boolean;
}

/** Trade ids look like the exchange's: two long numbers. */
const TRADE_ID_FIRST = 731_901_896_985_399_296n;

/** The id of trade `number` of a log. */
export function tradeIdOf(number: number): string {
  const id = TRADE_ID_FIRST + BigInt(number) * 1024n;
  return `${id}X0_${id + 1n}X0`;
}

/** Minutes with trades that are kept, i.e. eight hours of a busy symbol. */
const MINUTES_MAX = 480;

/** The newest trades of a symbol, and the minutes they make. Bounded: old trades and old minutes are forgotten. */
export class TradeLog {
  readonly #capacity: number;
  readonly #times: number[] = [];
  readonly #ticks: number[] = [];
  /** Negative where the taker sold. */
  readonly #lots: number[] = [];
  readonly #unit: number;
  #count = 0;
  readonly #minutes: Candle[] = [];
  #volume = 0;
  #turnover = 0;
  #high = -Infinity;
  #low = Infinity;
  #firstTick: number | null = null;

  /** `unit`: quote units of one tick times one lot. */
  constructor(capacity: number, unit: number) {
    this.#capacity = capacity;
    this.#unit = unit;
  }

  /** Trades ever added; trade number `count - 1` is the newest. */
  get count(): number {
    return this.#count;
  }

  get volume(): number {
    return this.#volume;
  }

  get turnover(): number {
    return this.#turnover;
  }

  /** Highest price in ticks; -Infinity before the first trade. */
  get high(): number {
    return this.#high;
  }

  /** Lowest price in ticks; Infinity before the first trade. */
  get low(): number {
    return this.#low;
  }

  get firstTick(): number | null {
    return this.#firstTick;
  }

  get lastTick(): number | null {
    return this.#count === 0 ? null : this.#ticks[(this.#count - 1) % this.#capacity]!;
  }

  /** Trades that count, for 24 h figures and candles too. */
  add(trade: Trade): void {
    this.remember(trade);
    const { tick, lots, timeMs } = trade;
    const turnover = tick * lots * this.#unit;
    this.#firstTick ??= tick;
    this.#high = Math.max(this.#high, tick);
    this.#low = Math.min(this.#low, tick);
    this.#volume += lots;
    this.#turnover += turnover;
    const startMs = timeMs - (timeMs % MINUTE_MS);
    const last = this.#minutes.at(-1);
    const single = { high: tick, low: tick, close: tick, volume: lots, turnover };
    if (last !== undefined && startMs <= last.startMs) extendCandle(last, single);
    else {
      this.#minutes.push({ startMs, open: tick, ...single });
      if (this.#minutes.length > MINUTES_MAX) this.#minutes.shift();
    }
  }

  /** Puts a trade in the list of recent trades only. */
  remember(trade: Trade): void {
    const slot = this.#count % this.#capacity;
    this.#times[slot] = trade.timeMs;
    this.#ticks[slot] = trade.tick;
    this.#lots[slot] = trade.buy ? trade.lots : -trade.lots;
    this.#count++;
  }

  /** Trade `number` (0 = the first ever); `undefined` when it is forgotten or not yet made. */
  at(number: number): Trade | undefined {
    if (number < 0 || number >= this.#count || number < this.#count - this.#capacity) return undefined;
    const slot = number % this.#capacity;
    const lots = this.#lots[slot]!;
    return { timeMs: this.#times[slot]!, tick: this.#ticks[slot]!, lots: Math.abs(lots), buy: lots > 0 };
  }

  /** The newest trades, newest first. */
  newest(limit: number): Trade[] {
    const trades: Trade[] = [];
    for (let number = this.#count - 1; trades.length < limit; number--) {
      const trade = this.at(number);
      if (trade === undefined) break;
      trades.push(trade);
    }
    return trades;
  }

  /** Start of the oldest minute kept; `undefined` before the first trade. */
  get firstMinuteMs(): number | undefined {
    return this.#minutes[0]?.startMs;
  }

  /** Start of the oldest minute kept, when older ones were forgotten. */
  get forgottenBefore(): number | undefined {
    return this.#minutes.length === MINUTES_MAX ? this.#minutes[0]!.startMs : undefined;
  }

  /**
   * Every minute that begins in [startMs, endMs], oldest first. As on MEXC a minute opens at the close of the one before, and a minute
   * without trades has no volume and four equal prices. `close` is the close before `startMs`.
   */
  minutes(startMs: number, endMs: number, close: number): Candle[] {
    const candles: Candle[] = [];
    let index = this.#minutes.findIndex((minute) => minute.startMs >= startMs);
    if (index < 0) index = this.#minutes.length;
    let previous = index > 0 ? this.#minutes[index - 1]!.close : this.forgottenBefore === undefined ? close : this.#minutes[0]!.open;
    for (let minuteMs = startMs; minuteMs <= endMs; minuteMs += MINUTE_MS) {
      const traded = this.#minutes[index];
      const candle: Candle = { startMs: minuteMs, open: previous, high: previous, low: previous, close: previous, volume: 0, turnover: 0 };
      if (traded?.startMs === minuteMs) {
        extendCandle(candle, traded);
        index++;
      }
      candles.push(candle);
      previous = candle.close;
    }
    return candles;
  }
}
