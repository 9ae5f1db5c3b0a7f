import { Type } from '@fastify/type-provider-typebox';
import { ErrorCode } from '../../support/errors.js';
import { AnyLevel, count, Epoch, nullable, Seq, State, SymbolName, time } from './values.js';

/** What every answer about a book begins with. */
export const envelope = {
  symbol: SymbolName,
  state: State,
  epoch: Epoch,
  seq: Seq,
  version: nullable(Type.Integer({ description: "the exchange's own version of the book; null when the book holds nothing" })),
  ageMs: nullable(Type.Integer({ minimum: 0, description: 'since the last update was received; null when the book holds nothing' })),
  te: nullable(time('when the exchange sent the last update; null when it did not say')),
  tr: nullable(time('when it was received')),
  tp: time('when this answer was made'),
};

export const VerifiedDepth = Type.Object(
  {
    bids: count('bids of this answer, from the best'),
    asks: count('asks of this answer, from the best'),
  },
  { $id: 'VerifiedDepth', description: "How many levels of each side lie within the reach of the exchange's last snapshot or audit." },
);

export const Book = Type.Object(
  {
    ...envelope,
    verifiedDepth: VerifiedDepth,
    bids: Type.Array(AnyLevel, { description: 'best, i.e. highest, first' }),
    asks: Type.Array(AnyLevel, { description: 'best, i.e. lowest, first' }),
  },
  { $id: 'Book', description: 'One order book; both sides are of the same moment.' },
);

export const FailedBook = Type.Object(
  {
    symbol: SymbolName,
    code: Type.Enum([ErrorCode.SYMBOL_NOT_TRACKED, ErrorCode.BOOK_NOT_LIVE, ErrorCode.BOOK_BUSY]),
    detail: Type.String(),
    nearest: Type.Optional(Type.String({ description: 'the most similar symbol that is tracked' })),
    state: Type.Optional(State),
    reason: Type.Optional(Type.String()),
    ageMs: Type.Optional(nullable(Type.Integer({ minimum: 0 }))),
    epoch: Type.Optional(Epoch),
    seq: Type.Optional(Seq),
  },
  { $id: 'FailedBook', description: 'A book that could not be given, and why.' },
);

export const Books = Type.Object({ books: Type.Array(Book), failed: Type.Array(FailedBook) }, { $id: 'Books' });

export const Quote = Type.Object(
  {
    ...envelope,
    bid: nullable(AnyLevel),
    ask: nullable(AnyLevel),
  },
  { $id: 'Quote', description: 'Best bid and ask; null while the book is not live, or when the side is empty.' },
);
