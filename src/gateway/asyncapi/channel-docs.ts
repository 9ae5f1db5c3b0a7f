import type { TProperties, TSchema } from '@fastify/type-provider-typebox';
import type { ChannelName } from '../../model/publication.js';
import { CandleInterval } from '../schemas/candle.js';
import {
  AnalyticsPush,
  Bbo,
  BookDelta,
  BookSnapshot,
  BookTop,
  CandleMessage,
  Depth,
  Interval,
  stateMessage,
  TickerPush,
  TradesPush,
  TradesSkipped,
  TradesSnapshot,
  TradesState,
} from '../schemas/push.js';

/** One kind of message of a channel. */
export interface PushDocs {
  readonly summary: string;
  readonly schema: TSchema;
}

/** What can be subscribed to, and what then comes. */
export interface ChannelDocs {
  readonly summary: string;
  /** What tells subscriptions to a symbol apart: optional in `subscribe`, a filter in `unsubscribe`, part of every message. */
  readonly parameters: TProperties;
  /** By the `type` of the message. */
  readonly pushes: Readonly<Record<string, PushDocs>>;
}

const deep = { depth: Depth, interval: Interval };
const shallow = { interval: Interval };
const candle = { interval: CandleInterval, every: Interval };

const NOT_LIVE = 'the book is not live any more: nothing is to be trusted until the next snapshot';

/** Every channel of `/ws`. */
export const channelDocs: Readonly<Record<ChannelName, ChannelDocs>> = {
  book: {
    summary: 'a snapshot, then deltas',
    parameters: deep,
    pushes: {
      snapshot: { summary: 'replaces the book', schema: BookSnapshot },
      delta: { summary: "changes the book when its epoch and prev are the client's epoch and seq", schema: BookDelta },
      state: { summary: NOT_LIVE, schema: stateMessage('book', deep) },
    },
  },
  book_top: {
    summary: 'the newest top of the book, whole, when it changed',
    parameters: deep,
    pushes: {
      snapshot: { summary: 'replaces the one before', schema: BookTop },
      state: { summary: NOT_LIVE, schema: stateMessage('book_top', deep) },
    },
  },
  bbo: {
    summary: 'the newest best bid and ask, when they changed; unchanged ones again after 3 s',
    parameters: shallow,
    pushes: {
      snapshot: { summary: 'replaces the one before; a side without a level is null', schema: Bbo },
      state: { summary: NOT_LIVE, schema: stateMessage('bbo', shallow) },
    },
  },
  candle: {
    summary: 'the newest candle as it grows, and each one once more when it is over',
    parameters: candle,
    pushes: { snapshot: { summary: 'the candle as it stands; with closed it is the last word about it', schema: CandleMessage } },
  },
  status: {
    summary: "every change of a book's state",
    parameters: {},
    pushes: { state: { summary: 'the state, at first and after each change', schema: stateMessage('status', {}) } },
  },
  trade: {
    summary: 'the newest trades, then every trade',
    parameters: {},
    pushes: {
      snapshot: { summary: 'the newest 100', schema: TradesSnapshot },
      trades: { summary: "what followed, when its prev is the client's seq", schema: TradesPush },
      skipped: { summary: 'trades are missing here, and why', schema: TradesSkipped },
      state: { summary: "the tape's state changed", schema: TradesState },
    },
  },
  ticker: {
    summary: 'the last 24 hours, whole, when any figure changed; in any state of the book',
    parameters: shallow,
    pushes: { snapshot: { summary: 'replaces the one before; without a live book bid and ask are null', schema: TickerPush } },
  },
  analytics: {
    summary: 'spread, mid, microprice, imbalance and depth in bands, whole, when any of it changed',
    parameters: deep,
    pushes: {
      snapshot: { summary: 'replaces the one before', schema: AnalyticsPush },
      state: { summary: NOT_LIVE, schema: stateMessage('analytics', deep) },
    },
  },
};
