/** What a stream of trades does not have. */
export interface MissingTrades {
  /** How many; `null` = not known. */
  readonly count: number | null;
  /** Unix ms of the last trade before them; `null` = none is known. */
  readonly fromMs: number | null;
  /** Unix ms of the first trade behind them. */
  readonly toMs: number;
}

/**
 * Writes the messages of a symbol's trades in one format, from the tape as it is now. Every message is valid until the next one is begun. An
 * empty one is not sent, yet counts as if it had been: for formats that have no such message.
 */
export interface TradeEncoder {
  /** Most trades one message takes. */
  readonly tradesMax: number;
  /** The trades with the ids `firstId` … `lastId`, none when `lastId` is smaller: what a new subscriber begins with. */
  snapshot(epoch: number, firstId: number, lastId: number, reason: string): Uint8Array;
  /** The trades behind `prev`, up to `lastId`. */
  trades(epoch: number, prev: number, lastId: number): Uint8Array;
  /** Trades are missing behind `prev`; the next one to come is behind `lastId`. */
  skipped(epoch: number, prev: number, lastId: number, missing: MissingTrades): Uint8Array;
  /** The tape's state changed. */
  state(epoch: number, lastId: number): Uint8Array;
}
