import { type TSchema, Type } from '@fastify/type-provider-typebox';
import { bookStateNames, stateReasonNames } from '../../model/book-state.js';

export const DECIMAL_PATTERN = '^[0-9]+([.][0-9]+)?$';

/** A price or quantity as text, all decimals of the symbol included. */
export const Decimal = Type.String({
  $id: 'Decimal',
  pattern: DECIMAL_PATTERN,
  description: 'decimal text',
  examples: ['84269.96'],
});

/** The same with a sign where it is below zero. */
export const SignedDecimal = Type.String({
  $id: 'SignedDecimal',
  pattern: '^-?[0-9]+([.][0-9]+)?$',
  description: 'decimal text, with a minus sign below zero',
  examples: ['-120.50'],
});

/** `["84269.96","0.00529748"]` */
export const Level = Type.Array(Decimal, { $id: 'Level', minItems: 2, maxItems: 2, description: 'price and quantity' });

/** The same where a client may ask for numbers. */
export const AnyLevel = Type.Array(Type.Union([Decimal, Type.Number()]), {
  $id: 'AnyLevel',
  minItems: 2,
  maxItems: 2,
  description: 'price and quantity: decimal texts, or with numbers=float the nearest doubles',
});

export const SymbolName = Type.String({ description: 'the symbol as the exchange spells it', examples: ['BTCUSDT'] });

export const State = Type.Enum([...bookStateNames], {
  $id: 'BookState',
  description: 'what a book is worth: only a live one is known to be exact',
});

export const Reason = Type.Enum([...stateReasonNames], { $id: 'StateReason', description: 'why a book is in its state' });

/** A number of things. */
export function count(description: string) {
  return Type.Integer({ minimum: 0, description });
}

/** Unix ms. */
export function time(description: string) {
  return Type.Integer({ minimum: 0, description: `Unix ms: ${description}` });
}

/** `null` = not known. */
export function nullable<T extends TSchema>(schema: T) {
  return Type.Union([schema, Type.Null()]);
}

export const Epoch = Type.Integer({ minimum: 0, description: 'grows with every resync of the book; each begins with a snapshot' });

export const Seq = Type.Integer({ minimum: 0, description: 'updates applied to the book so far, the same on every interface' });
