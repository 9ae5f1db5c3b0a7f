import { type TProperties, Type } from '@fastify/type-provider-typebox';
import type { ChannelName } from '../../model/publication.js';
import { depths, intervalsMs } from '../ws/protocol.js';
import { figures } from './analytics.js';
import { candleFigures, CandleInterval } from './candle.js';
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

export const BookTop = whole('book_top', deep, { b: Levels, a: Levels });

export const Bbo = whole('bbo', { interval: Interval }, { b: nullable(Level), a: nullable(Level) });

/** What `GET /analytics/:symbol` says; exact numbers are always text here. */
export const AnalyticsPush = whole('analytics', deep, figures);

export const CandleMessage = Type.Object({
  ...head('candle', { interval: CandleInterval, every: Interval }, 'snapshot'),
  tp: sent.tp,
  ...candleFigures,
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
