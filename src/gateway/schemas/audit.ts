import { Type } from '@fastify/type-provider-typebox';
import { auditOutcomeNames } from '../../model/audit.js';
import { count, Decimal, nullable, SymbolName, time } from './values.js';

const AuditDifference = Type.Object(
  {
    side: Type.Enum(['bid', 'ask']),
    price: Decimal,
    ours: nullable(Decimal),
    theirs: nullable(Decimal),
  },
  { $id: 'AuditDifference', description: 'The quantity at one price, of ours and of the exchange; null = no such level.' },
);

const AuditResult = Type.Object(
  {
    outcome: Type.Enum([...auditOutcomeNames], {
      $id: 'AuditOutcome',
      description: 'how an audit ended; all but `match` and `mismatch` say nothing about the book',
    }),
    time: time('the end of the audit'),
    version: nullable(Type.Integer({ description: "the exchange's version the books were compared at; null when they were not" })),
    compared: count('levels of either book, within what was proven before'),
    matched: count('levels both have with the same quantity; those set right and right before are among them'),
    wrong: count('levels with another quantity'),
    ghosts: count('levels we have and the exchange has not'),
    missing: count('levels the exchange has and we have not'),
    corrected: count('levels beyond what was proven before that were set right'),
    dropped: count("levels far beyond the snapshot's reach that were let go"),
    matchRatio: nullable(Type.Number({ minimum: 0, maximum: 1, description: 'matched out of compared; null when nothing was compared' })),
    differences: Type.Array(AuditDifference, { description: 'the first few, nearest to the best price first' }),
  },
  { $id: 'AuditResult', description: 'What one comparison with the exchange found.' },
);

export const Audit = Type.Object(
  {
    symbol: SymbolName,
    everyMs: nullable(count('ms from the audit of one book to that of the next, of all books; null = books are not audited')),
    audits: Type.Object(Object.fromEntries(auditOutcomeNames.map((name) => [name, count('since the symbol is tracked')])), {
      description: 'audits by how they ended',
    }),
    reach: Type.Object(
      {
        bid: nullable(Decimal),
        ask: nullable(Decimal),
      },
      {
        description:
          'the last price of each side the last snapshot or audit vouches for; null = the whole side, or nothing while the book is empty',
      },
    ),
    last: nullable(AuditResult),
    lastMismatch: nullable(AuditResult),
  },
  { $id: 'Audit', description: 'The audits of one book.' },
);
