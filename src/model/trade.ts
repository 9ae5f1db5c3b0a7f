import type { BookStateName } from './book-state.js';

/**
 * One trade as every interface gives it. Field names are those of the gRPC contract; prices and quantities are decimal text at the
 * symbol's scale (gRPC: correctly rounded doubles beside it).
 */
export interface Trade {
  /** Given by the engine: 1, 2, 3 … per symbol in the order of the tape, never reused within a process. MEXC's own ids are texts without order. */
  readonly id: number;
  readonly symbol: string;
  /** Quote units per base unit, > 0. */
  readonly price: string;
  /** Base units, > 0. */
  readonly quantity: string;
  /** MEXC does not supply it: always `null` (gRPC: 0). */
  readonly buyer_order_id: number | null;
  /** MEXC does not supply it: always `null` (gRPC: 0). */
  readonly seller_order_id: number | null;
  /** When the exchange made the trade, Unix ms. */
  readonly timestamp: number;
  /** True when the taker sold, i.e. the buyer's order rested in the book. */
  readonly is_buyer_maker: boolean;
  /** The exchange's id (`tradeId` of a push), opaque; `null` for trades fetched by REST, which have none. */
  readonly exchange_id: string | null;
}

/** A part of the tape that is known to be missing: trades happened between the two, and could not be fetched. */
export interface SkippedTrades {
  /** Unix ms of the last trade before the hole; `null` when there was none. */
  readonly from: number | null;
  /** Unix ms of the first trade behind it. */
  readonly to: number;
}

/** Trades a symbol's tape keeps unless configured otherwise. */
export const TAPE_TRADES_DEFAULT = 1_000;

/** A part of a symbol's tape. */
export interface TapePage {
  /** `live`: every trade reaches the tape; `syncing`: waits for the exchange's last trades; `stale`: the stream is down. */
  readonly state: BookStateName;
  /** Grows with every hole. */
  readonly epoch: number;
  /** Id of the newest trade the tape has; 0 = it has none so far. */
  readonly seq: number;
  /** Unix ms when the newest trade was received; `null` when none was. */
  readonly receivedAt: number | null;
  /** Oldest first. */
  readonly trades: readonly Trade[];
  /** Where trades are missing: before or between those of the page. */
  readonly skipped: readonly SkippedTrades[];
  /** What to give as `before` for the page of older trades; `null` when the tape has none. */
  readonly next: number | null;
}
