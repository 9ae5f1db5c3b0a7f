import { MARK_ID_SHIFT, MARK_SELL, TAPE_PRICE_SCALE, TAPE_QUANTITY_SCALE } from '../tape/tape-layout.js';
import type { Tapes } from '../tape/tapes.js';
import { writeTime } from './proto-book.js';
import { TradeField, TradeUpdateField, writeSkipped } from './proto-trade.js';
import type { ProtoWriter } from './proto-writer.js';
import type { PublicationParts } from './publication.js';
import type { MissingTrades, TradeEncoder } from './trade-encoder.js';

const NOTHING = new Uint8Array(0);

/**
 * Trades of gRPC: one `TradeUpdate` a trade. A stream begins with the next trade, so there is no snapshot; whoever wants those before asks
 * for them (`GetRecentTrades`). Nor is there a message for the tape's state.
 */
export class ProtoTradeEncoder implements TradeEncoder {
  readonly tradesMax = 1;
  readonly #slot: number;
  readonly #tapes: Tapes;
  readonly #writer: ProtoWriter;
  readonly #clock: () => number;
  readonly #symbol: Uint8Array;

  constructor({ symbol, slot, tapes, protoWriter, clock }: PublicationParts) {
    this.#slot = slot;
    this.#tapes = tapes;
    this.#writer = protoWriter;
    this.#clock = clock;
    this.#symbol = new TextEncoder().encode(symbol);
  }

  snapshot(): Uint8Array {
    return NOTHING;
  }

  trades(epoch: number, _prev: number, lastId: number): Uint8Array {
    const writer = this.#writer;
    const tapes = this.#tapes;
    const slot = this.#slot;
    const priceScale = tapes.int(slot, TAPE_PRICE_SCALE);
    const quantityScale = tapes.int(slot, TAPE_QUANTITY_SCALE);
    const mark = tapes.mark(slot, lastId);
    writer.begin();
    const trade = writer.open(TradeUpdateField.TRADE);
    writer.uint(TradeField.ID, lastId);
    writer.bytes(TradeField.SYMBOL, this.#symbol);
    writer.number(TradeField.PRICE, tapes.ticks(slot, lastId), priceScale);
    writer.number(TradeField.QUANTITY, tapes.lots(slot, lastId), quantityScale);
    writeTime(writer, TradeField.TIMESTAMP, tapes.time(slot, lastId));
    writer.bool(TradeField.IS_BUYER_MAKER, (mark & MARK_SELL) !== 0);
    writer.decimal(TradeField.PRICE_TEXT, tapes.ticks(slot, lastId), priceScale);
    writer.decimal(TradeField.QUANTITY_TEXT, tapes.lots(slot, lastId), quantityScale);
    writer.bytes(TradeField.EXCHANGE_ID, tapes.idBytes(slot, lastId).subarray(0, mark >>> MARK_ID_SHIFT));
    writer.close(trade);
    this.#end(epoch);
    return writer.take();
  }

  skipped(epoch: number, _prev: number, _lastId: number, { count, fromMs, toMs }: MissingTrades): Uint8Array {
    const writer = this.#writer;
    writer.begin();
    writeSkipped(writer, TradeUpdateField.SKIPPED, { from: fromMs, to: toMs }, count ?? 0);
    this.#end(epoch);
    return writer.take();
  }

  state(): Uint8Array {
    return NOTHING;
  }

  #end(epoch: number): void {
    this.#writer.uint(TradeUpdateField.EPOCH, epoch);
    writeTime(this.#writer, TradeUpdateField.PUBLISHED_AT, this.#clock());
  }
}
