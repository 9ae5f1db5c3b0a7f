import { paddedDecimal, trimmedDecimal } from './decimal-text.js';
import { encodePush, type PushLevel, type PushMessage } from './push-codec.js';
import type { Topic } from './stream-hub.js';
import { eventTypeOf, type SyntheticStream } from './synthetic-stream.js';
import type { ChangeListener, SyntheticSymbol } from './synthetic-symbol.js';
import { BID, type Side, type TickSide } from './tick-book.js';

/** Incremental depth: the levels changed since the last push with their quantity of now, and the versions that covers. */
export class DepthStream implements SyntheticStream, ChangeListener {
  readonly topic: Topic;
  readonly period: number;
  readonly #symbol: SyntheticSymbol;
  readonly #eventType: string;
  #bids: number[] = [];
  #asks: number[] = [];
  #fromVersion: number;

  constructor(topic: Topic, symbol: SyntheticSymbol, period: number) {
    this.topic = topic;
    this.period = period;
    this.#symbol = symbol;
    this.#eventType = eventTypeOf(topic);
    this.#fromVersion = symbol.book().version + 1;
    symbol.listen(this);
  }

  levelChanged(side: Side, tick: number): void {
    (side === BID ? this.#bids : this.#asks).push(tick);
  }

  next(nowMs: number): Uint8Array | undefined {
    const book = this.#symbol.book();
    if (book.version < this.#fromVersion) return undefined;
    const asks = this.#levels(
      book.asks,
      this.#asks.sort((a, b) => a - b),
    );
    const bids = this.#levels(
      book.bids,
      this.#bids.sort((a, b) => b - a),
    );
    const push: PushMessage = {
      channel: this.topic.text,
      symbol: this.#symbol.listing.symbol,
      sendTime: nowMs,
      publicAggreDepths: {
        ...(asks.length > 0 && { asks }),
        ...(bids.length > 0 && { bids }),
        eventType: this.#eventType,
        fromVersion: String(this.#fromVersion),
        toVersion: String(book.version),
        lastOrderCreateTime: this.#symbol.changedMs,
      },
    };
    this.#fromVersion = book.version + 1;
    this.#asks = [];
    this.#bids = [];
    return encodePush(push);
  }

  close(): void {
    this.#symbol.unlisten(this);
  }

  #levels(side: TickSide, sorted: readonly number[]): PushLevel[] {
    const { priceScale, quantityScale } = this.#symbol.listing;
    const levels: PushLevel[] = [];
    for (let i = 0; i < sorted.length; i++) {
      const tick = sorted[i]!;
      // Several changes of one level are merged: only its last quantity counts.
      if (i > 0 && tick === sorted[i - 1]) continue;
      levels.push({ price: trimmedDecimal(tick, priceScale), quantity: trimmedDecimal(side.lotsOf(tick), quantityScale) });
    }
    return levels;
  }
}

/** The best levels in full, with padded numbers, whenever the book changed; the first push comes without waiting for a change. */
export class LimitDepthStream implements SyntheticStream {
  readonly topic: Topic;
  readonly period: number;
  readonly #symbol: SyntheticSymbol;
  readonly #levels: number;
  readonly #eventType: string;
  #version = -1;

  constructor(topic: Topic, symbol: SyntheticSymbol, period: number, levels: number) {
    this.topic = topic;
    this.period = period;
    this.#symbol = symbol;
    this.#levels = levels;
    this.#eventType = eventTypeOf(topic);
  }

  next(nowMs: number): Uint8Array | undefined {
    const book = this.#symbol.book();
    if (book.version === this.#version) return undefined;
    this.#version = book.version;
    return encodePush({
      channel: this.topic.text,
      symbol: this.#symbol.listing.symbol,
      sendTime: nowMs,
      publicLimitDepths: {
        asks: this.#top(book.asks),
        bids: this.#top(book.bids),
        eventType: this.#eventType,
        version: String(book.version),
        lastOrderCreateTime: this.#symbol.changedMs,
      },
    });
  }

  close(): void {}

  #top(side: TickSide): PushLevel[] {
    const { priceScale, quantityScale } = this.#symbol.listing;
    return Array.from({ length: Math.min(this.#levels, side.size) }, (_, rank) => ({
      price: paddedDecimal(side.tickAt(rank), priceScale),
      quantity: paddedDecimal(side.lotsAt(rank), quantityScale),
    }));
  }
}
