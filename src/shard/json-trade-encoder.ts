import { type BookState, bookStateNames } from '../model/book-state.js';
import { Channel, channelName } from '../model/publication.js';
import {
  MARK_HOLE,
  MARK_ID_SHIFT,
  MARK_SELL,
  TAPE_PRICE_SCALE,
  TAPE_QUANTITY_SCALE,
  TAPE_RECEIVE_TIME,
  TAPE_SINCE,
  TAPE_STATE,
} from '../tape/tape-layout.js';
import type { Tapes } from '../tape/tapes.js';
import { jsonBytes, type MessageWriter } from './message-writer.js';
import type { PublicationParts } from './publication.js';
import type { MissingTrades, TradeEncoder } from './trade-encoder.js';

const decoder = new TextDecoder();
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Trades as `/ws` has them: JSON, framed for the socket. One trade is what `model/trade.ts` says. */
export class JsonTradeEncoder implements TradeEncoder {
  readonly tradesMax = 200;
  readonly #slot: number;
  readonly #tapes: Tapes;
  readonly #writer: MessageWriter;
  readonly #clock: () => number;
  readonly #symbol: Uint8Array;

  constructor({ symbol, slot, tapes, writer, clock }: PublicationParts) {
    this.#slot = slot;
    this.#tapes = tapes;
    this.#writer = writer;
    this.#clock = clock;
    this.#symbol = jsonBytes(symbol);
  }

  snapshot(epoch: number, firstId: number, lastId: number, reason: string): Uint8Array {
    const writer = this.#writer;
    this.#begin('snapshot', epoch, -1, lastId);
    this.#writeTimes(lastId >= firstId ? this.#tapes.time(this.#slot, lastId) : NaN);
    writer.text(`,"reason":"${reason}"`);
    this.#writeTrades(firstId, lastId);
    writer.text(',"skipped":[');
    let holes = 0;
    for (let id = firstId; id <= lastId; id++) {
      if ((this.#tapes.mark(this.#slot, id) & MARK_HOLE) === 0) continue;
      writer.text(holes++ === 0 ? '{"from":' : ',{"from":');
      writer.time(this.#tapes.time(this.#slot, id - 1));
      writer.text(',"to":');
      writer.time(this.#tapes.time(this.#slot, id));
      writer.text('}');
    }
    writer.text(']}');
    return writer.frame();
  }

  trades(epoch: number, prev: number, lastId: number): Uint8Array {
    this.#begin('trades', epoch, prev, lastId);
    this.#writeTimes(this.#tapes.time(this.#slot, lastId));
    this.#writeTrades(prev + 1, lastId);
    this.#writer.text('}');
    return this.#writer.frame();
  }

  skipped(epoch: number, prev: number, lastId: number, { count, fromMs, toMs }: MissingTrades): Uint8Array {
    const writer = this.#writer;
    this.#begin('skipped', epoch, prev, lastId);
    writer.text(`,"reason":"gap","count":${count},"from":`);
    writer.time(fromMs ?? NaN);
    writer.text(',"to":');
    writer.time(toMs);
    writer.text(',"tp":');
    writer.time(this.#clock());
    writer.text('}');
    return writer.frame();
  }

  state(epoch: number, lastId: number): Uint8Array {
    const writer = this.#writer;
    this.#begin('state', epoch, NaN, lastId);
    writer.text(`,"state":"${this.#state}","since":`);
    writer.time(this.#tapes.field(this.#slot, TAPE_SINCE));
    writer.text(',"tp":');
    writer.time(this.#clock());
    writer.text('}');
    return writer.frame();
  }

  get #state(): string {
    return bookStateNames[this.#tapes.int(this.#slot, TAPE_STATE) as BookState];
  }

  /** Up to `prev`; below 0 = null, NaN = left out. */
  #begin(type: string, epoch: number, prev: number, seq: number): void {
    const writer = this.#writer;
    writer.begin();
    writer.text(`{"ch":"${channelName(Channel.TRADE)}","sym":`);
    writer.raw(this.#symbol);
    writer.text(`,"type":"${type}","epoch":`);
    writer.integer(epoch);
    writer.text(',"seq":');
    writer.integer(seq);
    if (Number.isNaN(prev)) return;
    writer.text(',"prev":');
    if (prev < 0) writer.text('null');
    else writer.integer(prev);
  }

  #writeTimes(exchangeTimeMs: number): void {
    const writer = this.#writer;
    const received = this.#tapes.field(this.#slot, TAPE_RECEIVE_TIME);
    writer.text(',"te":');
    writer.time(exchangeTimeMs);
    writer.text(',"tr":');
    writer.time(received === 0 ? NaN : received);
    writer.text(',"tp":');
    writer.time(this.#clock());
    writer.text(`,"state":"${this.#state}"`);
  }

  #writeTrades(firstId: number, lastId: number): void {
    this.#writer.text(',"trades":[');
    for (let id = firstId; id <= lastId; id++) this.#writeTrade(id, id === firstId ? '{"id":' : ',{"id":');
    this.#writer.text(']');
  }

  #writeTrade(id: number, opening: string): void {
    const writer = this.#writer;
    const tapes = this.#tapes;
    const slot = this.#slot;
    const mark = tapes.mark(slot, id);
    writer.text(opening);
    writer.integer(id);
    writer.text(',"symbol":');
    writer.raw(this.#symbol);
    writer.text(',"price":"');
    writer.decimal(tapes.ticks(slot, id), tapes.int(slot, TAPE_PRICE_SCALE));
    writer.text('","quantity":"');
    writer.decimal(tapes.lots(slot, id), tapes.int(slot, TAPE_QUANTITY_SCALE));
    writer.text('","buyer_order_id":null,"seller_order_id":null,"timestamp":');
    writer.time(tapes.time(slot, id));
    writer.text((mark & MARK_SELL) === 0 ? ',"is_buyer_maker":false,"exchange_id":' : ',"is_buyer_maker":true,"exchange_id":');
    const length = mark >>> MARK_ID_SHIFT;
    if (length === 0) writer.text('null}');
    else this.#writeId(tapes.idBytes(slot, id).subarray(0, length));
  }

  #writeId(bytes: Uint8Array): void {
    const writer = this.#writer;
    for (const byte of bytes) {
      if (byte > 0x1f && byte < 0x7f && byte !== QUOTE && byte !== BACKSLASH) continue;
      // Not the plain text MEXC sends: escaped, the slow way. A decoder takes no views of shared memory.
      writer.raw(jsonBytes(decoder.decode(bytes.slice())));
      return writer.text('}');
    }
    writer.text('"');
    writer.raw(bytes);
    writer.text('"}');
  }
}
