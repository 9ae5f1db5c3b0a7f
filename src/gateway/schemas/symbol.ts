import { Type } from '@fastify/type-provider-typebox';
import { count, nullable, SymbolName } from './values.js';

const fields = {
  symbol: SymbolName,
  baseAsset: Type.String(),
  quoteAsset: Type.String(),
  priceScale: count('decimals of a price'),
  quantityScale: count('decimals of a quantity'),
  turnover: nullable(
    Type.Number({ description: '24 h turnover in the quote asset when the symbol was listed; null when it is not known' }),
  ),
  shard: count('the worker thread that keeps the book'),
};

export const SymbolInfo = Type.Object(fields, { $id: 'SymbolInfo', description: 'A tracked symbol.' });

export const SymbolInfos = Type.Object({ count: count('how many'), symbols: Type.Array(SymbolInfo) }, { $id: 'SymbolInfos' });

export const AddedSymbol = Type.Object(
  { ...fields, added: Type.Boolean({ description: 'false: it was tracked already' }) },
  { $id: 'AddedSymbol' },
);
