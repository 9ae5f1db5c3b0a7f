import { Type } from '@fastify/type-provider-typebox';
import { envelope } from './book.js';
import { Decimal, nullable, SignedDecimal, time } from './values.js';

const figure = (description: string) => nullable(Type.Union([Decimal, Type.Number()], { description }));
const signed = (description: string) => nullable(Type.Union([SignedDecimal, Type.Number()], { description }));
const never = (description: string) => Type.Null({ description });

/** The fields of a ticker beside its symbol. */
export const tickerFigures = {
  price_change: signed('last price less open price, quote units'),
  price_change_percent: signed('the same in percent of the open price: 1.5 is 1.5 %'),
  weighted_avg_price: figure('quote_volume / volume, with two decimals more than a price; null without volume'),
  last_price: figure('of the last trade'),
  last_quantity: figure('base units of the last trade; null when only its price is known'),
  bid_price: figure('best bid; null while the book is not live, or the side is empty'),
  bid_quantity: figure('base units'),
  ask_price: figure('best ask; null while the book is not live, or the side is empty'),
  ask_quantity: figure('base units'),
  open_price: figure('24 h ago'),
  high_price: figure('of the 24 h'),
  low_price: figure('of the 24 h'),
  volume: figure('base units'),
  quote_volume: figure('quote units'),
  open_time: nullable(time('24 h before close_time')),
  close_time: nullable(time('when the exchange made the figures of the day; null before the first')),
  first_id: never('MEXC does not supply it'),
  last_id: never('MEXC does not supply it'),
  count: never('MEXC does not supply it'),
};

export const TickerAnswer = Type.Object(
  { ...envelope, ...tickerFigures },
  { $id: 'Ticker', description: 'The last 24 hours of a symbol. The envelope is that of the book bid and ask were taken from.' },
);
