import { Type } from '@fastify/type-provider-typebox';
import { Decimal, nullable, SymbolName, time } from './values.js';

export const TapeStateName = Type.Enum(['live', 'syncing', 'stale'], {
  $id: 'TapeState',
  description: 'live: every trade arrives; syncing: waits for what was missed; stale: the exchange is not heard',
});

export const Trade = Type.Object(
  {
    id: Type.Integer({ minimum: 1, description: 'given by the engine, in the order of the tape; never used twice' }),
    symbol: SymbolName,
    price: Decimal,
    quantity: Decimal,
    buyer_order_id: Type.Null({ description: 'MEXC does not say' }),
    seller_order_id: Type.Null({ description: 'MEXC does not say' }),
    timestamp: time('when the exchange made the trade'),
    is_buyer_maker: Type.Boolean({ description: 'the taker sold' }),
    exchange_id: nullable(Type.String({ description: "the exchange's own id, opaque; null for trades that were fetched afterwards" })),
  },
  { $id: 'Trade' },
);

export const Skipped = Type.Object(
  { from: nullable(time('the last trade before the hole; null when none is known')), to: time('the first trade behind it') },
  { $id: 'SkippedTrades', description: 'Trades happened here that could not be fetched.' },
);

export const Trades = Type.Object(
  {
    symbol: SymbolName,
    state: TapeStateName,
    epoch: Type.Integer({ minimum: 1, description: 'grows with every hole of the tape' }),
    seq: Type.Integer({ minimum: 0, description: 'id of the newest trade on the tape; 0 = there was none yet' }),
    version: Type.Null({ description: 'trades have no version' }),
    ageMs: nullable(Type.Integer({ minimum: 0, description: 'since the newest trade was received; null when there is none' })),
    te: nullable(time('the newest trade of the answer')),
    tr: nullable(time('when the newest trade of the tape was received')),
    tp: time('when this answer was made'),
    trades: Type.Array(Trade, { description: 'oldest first' }),
    skipped: Type.Array(Skipped, { description: 'where trades are missing among them' }),
    next: nullable(Type.Integer({ minimum: 1, description: 'what to give as `before` for the older ones; null when the tape has none' })),
  },
  { $id: 'Trades', description: "A part of a symbol's tape." },
);
