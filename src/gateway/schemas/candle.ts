import { Type } from '@fastify/type-provider-typebox';
import { candleIntervals } from '../../model/candle-interval.js';
import { Decimal, DECIMAL_PATTERN, nullable, SymbolName, time } from './values.js';

export const CandleInterval = Type.Enum([...candleIntervals], { description: 'the length of the candles' });

const described = (description: string) => Type.String({ pattern: DECIMAL_PATTERN, description });

/** The figures of a candle, on REST and on `/ws` alike. */
export const candleFigures = {
  open_time: time('the open; weeks begin on Monday, months on the 1st, UTC'),
  open: Decimal,
  high: Decimal,
  low: Decimal,
  close: Decimal,
  volume: described('base units'),
  close_time: time('the end, exclusive'),
  quote_asset_volume: nullable(described('quote units; null when its source does not say')),
  number_of_trades: nullable(Type.Integer({ minimum: 0, description: 'null when not every trade was seen' })),
  taker_buy_base_asset_volume: nullable(described('base units bought by takers; null like number_of_trades')),
  taker_buy_quote_asset_volume: nullable(described('quote units paid by takers that bought; null like number_of_trades')),
  closed: Type.Boolean({ description: 'it is over and final' }),
  complete: Type.Boolean({ description: "proven whole: every trade was seen, or the exchange's own figures stand in" }),
};

export const Candle = Type.Object({ symbol: SymbolName, interval: CandleInterval, ...candleFigures }, { $id: 'Candle' });
