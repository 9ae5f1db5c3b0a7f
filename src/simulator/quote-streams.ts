import { trimmedDecimal } from './decimal-text.js';
import { encodePush, type PushQuote } from './push-codec.js';
import type { Topic } from './stream-hub.js';
import type { SyntheticStream } from './synthetic-stream.js';
import type { SyntheticSymbol } from './synthetic-symbol.js';

function quoteOf(symbol: SyntheticSymbol): PushQuote {
  const { bids, asks } = symbol.book();
  const { priceScale, quantityScale } = symbol.listing;
  return {
    ...(bids.size > 0 && {
      bidPrice: trimmedDecimal(bids.tickAt(0), priceScale),
      bidQuantity: trimmedDecimal(bids.lotsAt(0), quantityScale),
    }),
    ...(asks.size > 0 && {
      askPrice: trimmedDecimal(asks.tickAt(0), priceScale),
      askQuantity: trimmedDecimal(asks.lotsAt(0), quantityScale),
    }),
  };
}

/** Best bid and ask. At 100 ms on change; at 10 ms always, also unchanged, as the exchange does. */
export class BookTickerStream implements SyntheticStream {
  readonly topic: Topic;
  readonly period: number;
  readonly #symbol: SyntheticSymbol;
  readonly #repeats: boolean;
  #version = -1;
  #last: PushQuote = {};
  #lastBytes: Uint8Array = new Uint8Array(0);

  constructor(topic: Topic, symbol: SyntheticSymbol, period: number) {
    this.topic = topic;
    this.period = period;
    this.#symbol = symbol;
    this.#repeats = period === 1;
  }

  next(nowMs: number): Uint8Array | undefined {
    const { version } = this.#symbol.book();
    if (version === this.#version) return this.#repeats ? this.#resent(nowMs) : undefined;
    const quote = quoteOf(this.#symbol);
    const unchanged = sameQuote(quote, this.#last);
    this.#version = version;
    if (unchanged && !this.#repeats) return undefined;
    this.#last = quote;
    this.#lastBytes = encodePush({
      channel: this.topic.text,
      symbol: this.#symbol.listing.symbol,
      sendTime: nowMs,
      publicAggreBookTicker: { ...quote, version: String(version), lastOrderCreateTime: this.#symbol.changedMs },
    });
    return this.#lastBytes;
  }

  close(): void {}

  /** The last push with a new send time: a varint of six bytes until the year 2109, so it is replaced in place. */
  #resent(nowMs: number): Uint8Array {
    const bytes = this.#lastBytes.slice();
    // Channel and symbol come first, each with a tag and a length below 128, then the send time's tag.
    const channelEnd = 2 + bytes[1]!;
    let offset = channelEnd + 2 + bytes[channelEnd + 1]! + 1;
    let rest = nowMs;
    for (let i = 0; i < 5; i++) {
      bytes[offset++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    bytes[offset] = rest;
    return bytes;
  }
}

/** The same quote under the name of the batched channel: one item a push. */
export class BookTickerBatchStream implements SyntheticStream {
  readonly topic: Topic;
  readonly period: number;
  readonly #symbol: SyntheticSymbol;
  #last: PushQuote = {};

  constructor(topic: Topic, symbol: SyntheticSymbol, period: number) {
    this.topic = topic;
    this.period = period;
    this.#symbol = symbol;
  }

  next(nowMs: number): Uint8Array | undefined {
    const quote = quoteOf(this.#symbol);
    if (sameQuote(quote, this.#last)) return undefined;
    this.#last = quote;
    const { version } = this.#symbol.book();
    return encodePush({
      channel: this.topic.text,
      symbol: this.#symbol.listing.symbol,
      sendTime: nowMs,
      publicBookTickerBatch: { items: [quote], version: String(version), lastOrderCreateTime: this.#symbol.changedMs },
    });
  }

  close(): void {}
}

function sameQuote(a: PushQuote, b: PushQuote): boolean {
  return a.bidPrice === b.bidPrice && a.bidQuantity === b.bidQuantity && a.askPrice === b.askPrice && a.askQuantity === b.askQuantity;
}
