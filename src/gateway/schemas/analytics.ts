import { Type } from '@fastify/type-provider-typebox';
import { envelope } from './book.js';
import { AnyLevel, Decimal, nullable, SignedDecimal } from './values.js';

const exact = (description: string) => Type.Union([Decimal, Type.Number()], { description });

const BandSide = Type.Object(
  {
    base: exact('base units'),
    quote: exact('quote units: prices times quantities'),
    covered: Type.Boolean({
      description: 'the book holds a level beyond the band; false = all levels held are counted, and the exchange may have more',
    }),
  },
  { $id: 'BandSide' },
);

export const Band = Type.Object(
  {
    bps: Type.Integer({ minimum: 1, maximum: 10_000 }),
    bid: nullable(BandSide),
    ask: nullable(BandSide),
  },
  { $id: 'Band', description: 'Cumulative depth within so many basis points of the mid, both ends included; null when a side is empty.' },
);

const mid = nullable(exact('the middle between best bid and best ask, exact: one decimal more than a price at half a tick'));

/** The figures of `BookAnalytics`, which also come by `/ws`. */
export const figures = {
  best_bid: nullable(AnyLevel),
  best_ask: nullable(AnyLevel),
  spread: nullable(
    Type.Union([SignedDecimal, Type.Number()], { description: 'best ask less best bid; below zero when the book is crossed' }),
  ),
  spread_bps: nullable(Type.Number({ description: 'spread / mid in basis points' })),
  mid,
  microprice: nullable(
    Type.Number({
      minimum: 0,
      description: '(bid * askQuantity + ask * bidQuantity) / (bidQuantity + askQuantity) of the best levels',
    }),
  ),
  imbalance: nullable(
    Type.Number({
      minimum: -1,
      maximum: 1,
      description: '(bids - asks) / (bids + asks) of the base quantities of the best `depth` levels a side; null when both are empty',
    }),
  ),
  bands: Type.Array(Band, { description: 'narrowest first' }),
};

export const Analytics = Type.Object(
  {
    ...envelope,
    depth: Type.Union([Type.Integer({ minimum: 1 }), Type.Literal('full')], { description: 'levels a side the imbalance counts' }),
    ...figures,
  },
  { $id: 'Analytics', description: 'What can be read off one book. Texts are exact, numbers are doubles; null = a side is empty.' },
);

export const DepthBands = Type.Object({ ...envelope, mid, bands: figures.bands }, { $id: 'DepthBands' });

const filled = (description: string) => nullable(Type.Number({ description }));

export const Slippage = Type.Object(
  {
    ...envelope,
    side: Type.Enum(['buy', 'sell'], { description: 'a buy takes asks, a sell takes bids' }),
    size: nullable(Type.String({ description: 'base units asked for; null when it was a notional' })),
    notional: nullable(Type.String({ description: 'quote units asked for; null when it was a size' })),
    ref: Type.Enum(['mid', 'best']),
    reference_price: nullable(Decimal),
    base: filled('base units filled; this and all below: null when the book does not hold enough'),
    quote: filled('quote units paid or received'),
    average_price: filled('quote / base'),
    worst_price: nullable(Decimal),
    levels: nullable(Type.Integer({ minimum: 1, description: 'levels taken, the last one perhaps in part' })),
    slippage: filled('how much worse the average price is than the reference, quote units; null also when there is no reference'),
    slippage_bps: filled('the same in basis points of the reference'),
  },
  { $id: 'Slippage', description: 'What an order of a taker would get from the book as it is.' },
);
