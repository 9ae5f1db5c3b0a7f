import { type Candle, type CandleInterval, candleIntervals, extendCandle, MINUTE_MS, rollUp, windowEnd, windowStart } from './candle.js';
import { decimalOfDouble, trimmedDecimal } from './decimal-text.js';
import { encodePush, type PushDeal } from './push-codec.js';
import type { Topic } from './stream-hub.js';
import { symbolIdOf } from './synthetic-listing.js';
import { eventTypeOf, type SyntheticStream } from './synthetic-stream.js';
import type { SyntheticSymbol } from './synthetic-symbol.js';
import { tradeIdOf } from './trade-log.js';

/** Trades since the last push, oldest first. */
export class DealsStream implements SyntheticStream {
  readonly topic: Topic;
  readonly period: number;
  readonly #symbol: SyntheticSymbol;
  readonly #eventType: string;
  #nextTrade: number;

  constructor(topic: Topic, symbol: SyntheticSymbol, period: number) {
    this.topic = topic;
    this.period = period;
    this.#symbol = symbol;
    this.#eventType = eventTypeOf(topic);
    this.#nextTrade = symbol.trades().count;
  }

  next(nowMs: number): Uint8Array | undefined {
    const log = this.#symbol.trades();
    if (log.count === this.#nextTrade) return undefined;
    const { priceScale, quantityScale, symbol } = this.#symbol.listing;
    const deals: PushDeal[] = [];
    for (; this.#nextTrade < log.count; this.#nextTrade++) {
      const trade = log.at(this.#nextTrade);
      if (trade === undefined) continue;
      deals.push({
        price: trimmedDecimal(trade.tick, priceScale),
        quantity: trimmedDecimal(trade.lots, quantityScale),
        tradeType: trade.buy ? 1 : 2,
        time: trade.timeMs,
        tradeId: tradeIdOf(this.#nextTrade),
      });
    }
    return encodePush({ channel: this.topic.text, symbol, sendTime: nowMs, publicAggreDeals: { deals, eventType: this.#eventType } });
  }

  close(): void {}
}

/** The candle of now, every second in which there was a trade. No send time, no final push: a window is over when a later one comes. */
export class KlineStream implements SyntheticStream {
  readonly topic: Topic;
  readonly period: number;
  readonly #symbol: SyntheticSymbol;
  readonly #interval: CandleInterval;
  readonly #symbolId: string;
  #candle: Candle | undefined;
  #nextTrade = 0;

  constructor(topic: Topic, symbol: SyntheticSymbol, period: number, intervalName: string) {
    this.topic = topic;
    this.period = period;
    this.#symbol = symbol;
    this.#interval = candleIntervals.find(({ stream }) => stream === intervalName)!;
    this.#symbolId = symbolIdOf(symbol.listing.symbol);
  }

  next(nowMs: number): Uint8Array | undefined {
    const log = this.#symbol.trades();
    if (this.#candle === undefined) this.#begin(nowMs);
    else if (log.count === this.#nextTrade) return undefined;
    for (; this.#nextTrade < log.count; this.#nextTrade++) this.#add(this.#nextTrade);
    return this.#encode(nowMs);
  }

  close(): void {}

  #begin(nowMs: number): void {
    const startMs = windowStart(this.#interval, nowMs);
    const minutes = this.#symbol.minutes(startMs, nowMs - (nowMs % MINUTE_MS));
    const tick = this.#symbol.lastTick;
    this.#candle = rollUp(minutes, this.#interval).at(-1) ?? {
      startMs,
      open: tick,
      high: tick,
      low: tick,
      close: tick,
      volume: 0,
      turnover: 0,
    };
    this.#nextTrade = this.#symbol.trades().count;
  }

  #add(number: number): void {
    const trade = this.#symbol.trades().at(number);
    let candle = this.#candle;
    if (trade === undefined || candle === undefined) return;
    const startMs = windowStart(this.#interval, trade.timeMs);
    if (startMs > candle.startMs) {
      const { close } = candle;
      candle = { startMs, open: close, high: close, low: close, close, volume: 0, turnover: 0 };
      this.#candle = candle;
    }
    const { priceScale, quantityScale } = this.#symbol.listing;
    const turnover = trade.tick * trade.lots * 10 ** -(priceScale + quantityScale);
    extendCandle(candle, { high: trade.tick, low: trade.tick, close: trade.tick, volume: trade.lots, turnover });
  }

  #encode(nowMs: number): Uint8Array {
    const { symbol, priceScale, quantityScale } = this.#symbol.listing;
    const candle = this.#candle!;
    return encodePush({
      channel: this.topic.text,
      symbol,
      symbolId: this.#symbolId,
      createTime: nowMs,
      publicSpotKline: {
        interval: this.#interval.stream,
        windowStart: candle.startMs / 1000,
        openingPrice: trimmedDecimal(candle.open, priceScale),
        closingPrice: trimmedDecimal(candle.close, priceScale),
        highestPrice: trimmedDecimal(candle.high, priceScale),
        lowestPrice: trimmedDecimal(candle.low, priceScale),
        volume: trimmedDecimal(candle.volume, quantityScale),
        amount: decimalOfDouble(candle.turnover, 8),
        windowEnd: windowEnd(this.#interval, candle.startMs) / 1000,
      },
    });
  }
}
