import { MINUTE_MS } from './candle.js';
import { decimalOfDouble, trimmedDecimal } from './decimal-text.js';
import { encodePush, type PushMiniTicker } from './push-codec.js';
import type { Topic } from './stream-hub.js';
import type { SyntheticStream } from './synthetic-stream.js';
import type { SyntheticSymbol } from './synthetic-symbol.js';

const DAY_MS = 1440 * MINUTE_MS;

/** Offset of `UTC+5:30` from UTC in ms; `null` for `24H`, a window that ends now. */
function zoneOffsetMs(timezone: string): number | null {
  const match = /^UTC([+-])(\d+)(?::(\d+))?$/.exec(timezone);
  if (match === null) return null;
  const minutes = Number(match[2]) * 60 + Number(match[3] ?? 0);
  return (match[1] === '-' ? -1 : 1) * minutes * MINUTE_MS;
}

/** Change since the zone's midnight (or 24 h ago) as a fraction with four decimals. */
function rateSince(symbol: SyntheticSymbol, timezone: string, nowMs: number): string {
  const offset = zoneOffsetMs(timezone);
  const sinceMs = offset === null ? nowMs - DAY_MS : Math.floor((nowMs + offset) / DAY_MS) * DAY_MS - offset;
  const then = symbol.pastTick(sinceMs);
  return decimalOfDouble((symbol.lastTick - then) / then, 4);
}

function miniTickerOf(symbol: SyntheticSymbol, timezone: string, nowMs: number): PushMiniTicker {
  const { listing } = symbol;
  const day = symbol.day();
  const high = trimmedDecimal(day.high ?? 0, listing.priceScale);
  const low = trimmedDecimal(day.low ?? 0, listing.priceScale);
  const rate = rateSince(symbol, 'UTC+8', nowMs);
  const zonedRate = rateSince(symbol, timezone, nowMs);
  return {
    symbol: listing.symbol,
    price: trimmedDecimal(symbol.lastTick, listing.priceScale),
    rate,
    zonedRate,
    high,
    low,
    volume: decimalOfDouble(day.turnover ?? 0, 8),
    quantity: trimmedDecimal(day.volume ?? 0, listing.quantityScale),
    lastCloseRate: rate,
    lastCloseZonedRate: zonedRate,
    lastCloseHigh: high,
    lastCloseLow: low,
  };
}

/** The day's figures of one symbol, when its price changed; the first push comes at once. */
export class MiniTickerStream implements SyntheticStream {
  readonly topic: Topic;
  readonly period: number;
  readonly #symbol: SyntheticSymbol;
  readonly #timezone: string;
  #lastTick = 0;

  constructor(topic: Topic, symbol: SyntheticSymbol, period: number, timezone: string) {
    this.topic = topic;
    this.period = period;
    this.#symbol = symbol;
    this.#timezone = timezone;
  }

  next(nowMs: number): Uint8Array | undefined {
    if (this.#symbol.lastTick === this.#lastTick) return undefined;
    this.#lastTick = this.#symbol.lastTick;
    const publicMiniTicker = miniTickerOf(this.#symbol, this.#timezone, nowMs);
    return encodePush({ channel: this.topic.text, symbol: this.#symbol.listing.symbol, sendTime: nowMs, publicMiniTicker });
  }

  close(): void {}
}

/** The day's figures of every symbol whose price changed since the last push. The wrapper has no symbol. */
export class MiniTickersStream implements SyntheticStream {
  readonly topic: Topic;
  readonly period: number;
  readonly #symbols: readonly SyntheticSymbol[];
  readonly #timezone: string;
  readonly #lastTicks: number[];

  constructor(topic: Topic, symbols: readonly SyntheticSymbol[], period: number, timezone: string) {
    this.topic = topic;
    this.period = period;
    this.#symbols = symbols;
    this.#timezone = timezone;
    this.#lastTicks = symbols.map((symbol) => symbol.lastTick);
  }

  next(nowMs: number): Uint8Array | undefined {
    const items: PushMiniTicker[] = [];
    for (const [index, symbol] of this.#symbols.entries()) {
      if (symbol.lastTick === this.#lastTicks[index]) continue;
      this.#lastTicks[index] = symbol.lastTick;
      items.push(miniTickerOf(symbol, this.#timezone, nowMs));
    }
    return items.length === 0 ? undefined : encodePush({ channel: this.topic.text, sendTime: nowMs, publicMiniTickers: { items } });
  }

  close(): void {}
}
