import { type TProperties, Type } from '@fastify/type-provider-typebox';
import type { ChannelName } from '../../model/publication.js';
import { depths, intervalsMs } from '../ws/protocol.js';
import { figures } from './analytics.js';
import { VerifiedDepth } from './book.js';
import { candleFigures, CandleInterval } from './candle.js';
import { Skipped, TapeStateName, Trade } from './trade.js';
import { tickerFigures } from './ticker.js';
import { Epoch, Level, nullable, Reason, Seq, State, SymbolName, time } from './values.js';

export const Depth = Type.Enum([...depths], { description: 'levels a side' });
export const Interval = Type.Enum([...intervalsMs], { description: 'least time between two messages in ms; 0 = every change' });

const sent = {
  te: nullable(time('when the exchange sent it; null when it did not say')),
  tr: time('when it was received'),
  tp: time('when it was published'),
};

const versions = Type.Array(Type.Integer(), {
  minItems: 2,
  maxItems: 2,
  description: "the exchange's versions: of a delta the first and last it covers, of a whole book the one it stands at, twice",
});

const Levels = Type.Array(Level, { description: 'price and quantity; in a delta quantities are absolute, and "0" removes the level' });

/** What the messages of a channel about a book begin with; `subscription` is what tells subscriptions of a symbol apart. */
function head(channel: ChannelName, subscription: TProperties, type: string) {
  return { ch: Type.Literal(channel), sym: SymbolName, ...subscription, type: Type.Literal(type) };
}

/** A whole book, top or quote. */
function whole(channel: ChannelName, subscription: TProperties, more: TProperties) {
  return Type.Object({
    ...head(channel, subscription, 'snapshot'),
    epoch: Epoch,
    seq: Seq,
    prev: Type.Null(),
    xv: versions,
    ...sent,
    state: Type.Literal('live'),
    ...more,
  });
}

const deep = { depth: Depth, interval: Interval };

export const BookSnapshot = whole('book', deep, {
  reason: Type.Enum(['subscribe', 'resync', 'slow', 'rescale'], { description: 'why it comes now' }),
  b: Levels,
  a: Levels,
  verifiedDepth: VerifiedDepth,
});

export const BookDelta = Type.Object({
  ...head('book', deep, 'delta'),
  epoch: Epoch,
  seq: Seq,
  prev: Type.Integer({ minimum: 0, description: 'the seq of the message before it' }),
  xv: versions,
  ...sent,
  state: Type.Literal('live'),
  b: Levels,
  a: Levels,
});

export const BookTop = whole('book_top', deep, { b: Levels, a: Levels, verifiedDepth: VerifiedDepth });

export const Bbo = whole('bbo', { interval: Interval }, { b: nullable(Level), a: nullable(Level) });

/** What `GET /analytics/:symbol` says; exact numbers are always text here. */
export const AnalyticsPush = whole('analytics', deep, figures);

export const CandleMessage = Type.Object({
  ...head('candle', { interval: CandleInterval, every: Interval }, 'snapshot'),
  tp: sent.tp,
  ...candleFigures,
});

/** What the messages about a symbol's trades begin with: `seq` and `prev` are ids of trades. */
function trades(type: string) {
  return {
    ...head('trade', {}, type),
    epoch: Type.Integer({ minimum: 0, description: 'grows with every hole of the tape' }),
    seq: Type.Integer({ minimum: 0, description: 'id of the newest trade so far' }),
  };
}

const tape = {
  te: nullable(time('of the last trade; null when there is none')),
  tr: nullable(time('when it was received')),
  tp: sent.tp,
  state: TapeStateName,
};

export const TradesSnapshot = Type.Object({
  ...trades('snapshot'),
  prev: Type.Null(),
  ...tape,
  reason: Type.Enum(['subscribe', 'slow'], { description: 'why it comes now' }),
  trades: Type.Array(Trade, { description: 'the newest, oldest first' }),
  skipped: Type.Array(Skipped, { description: 'where trades are missing among them' }),
});

export const TradesPush = Type.Object({
  ...trades('trades'),
  prev: Type.Integer({ minimum: 0, description: 'the seq of the message before it' }),
  ...tape,
  trades: Type.Array(Trade, { description: 'oldest first' }),
});

export const TradesSkipped = Type.Object({
  ...trades('skipped'),
  prev: Type.Integer({ minimum: 0, description: 'the seq of the message before it' }),
  reason: Type.Enum(['gap', 'slow'], { description: 'gap: the engine does not have them; slow: this client did not read' }),
  count: nullable(Type.Integer({ minimum: 0, description: 'how many; null = not known' })),
  from: nullable(time('the last trade before them')),
  to: nullable(time('the first trade behind them')),
  tp: sent.tp,
});

export const TradesState = Type.Object({
  ...trades('state'),
  state: TapeStateName,
  since: time('the change of state'),
  tp: sent.tp,
});

/** What `GET /ticker/:symbol` says; numbers are always text here. It comes in any state of the book. */
export const TickerPush = Type.Object({
  ...head('ticker', { interval: Interval }, 'snapshot'),
  epoch: Epoch,
  seq: Seq,
  prev: Type.Null(),
  te: sent.te,
  tr: nullable(sent.tr),
  tp: sent.tp,
  state: State,
  ...tickerFigures,
});

/** The book is in another state. */
export function stateMessage(channel: ChannelName, subscription: TProperties) {
  return Type.Object({
    ...head(channel, subscription, 'state'),
    state: State,
    reason: Reason,
    epoch: Epoch,
    seq: Seq,
    version: Type.Integer({ description: "the exchange's own version of the book; 0 when it holds nothing" }),
    since: time('the change of state'),
    tp: time('when it was published'),
  });
}
