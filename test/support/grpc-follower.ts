import type { GrpcStream, Message } from './grpc-client.js';
import { type BookMessage, PushFollower } from './push-follower.js';

interface Entry {
  readonly price_text: string;
  readonly quantity_text: string;
}

interface Book {
  readonly epoch: number;
  readonly seq: number;
  readonly last_update_id: number;
  readonly bids: readonly Entry[];
  readonly asks: readonly Entry[];
}

/** Follows a stream of deltas by the rules of the push protocol, which are the same; the stream must have asked for `exact` and the full depth. */
export function followGrpc(symbol: string, stream: GrpcStream): PushFollower {
  const follower = new PushFollower(symbol, 'full');
  stream.onMessage = (update) => follower.take(asPushMessage(update));
  return follower;
}

/** An `OrderBookUpdate` in the words of the push protocol. */
function asPushMessage(update: Message): BookMessage {
  const head = { ch: 'book', sym: String(update['symbol']), depth: 'full', interval: 0 } as const;
  const status = update['status'] as (Message & { readonly epoch: number; readonly seq: number }) | null;
  if (status !== null) {
    const { epoch, seq, state, reason } = status;
    return { ...head, type: 'state', state: String(state).toLowerCase(), reason: String(reason), epoch, seq };
  }
  const { epoch, seq, last_update_id: version, bids, asks } = update['order_book'] as Book;
  const levels = (entries: readonly Entry[]) => entries.map((entry) => [entry.price_text, entry.quantity_text] as const);
  const whole = { ...head, epoch, seq, b: levels(bids), a: levels(asks) };
  if (update['is_snapshot'] === true)
    return { ...whole, type: 'snapshot', prev: null, xv: [version, version], reason: String(update['reason']) };
  return { ...whole, type: 'delta', prev: update['prev'] as number, xv: [update['first_update_id'] as number, version] };
}
