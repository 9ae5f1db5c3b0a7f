/**
 * MEXC's order-book rule ("How to properly maintain a local copy of the order book"), in the form that also takes the update that straddles a
 * fresh snapshot: quantities are absolute, so applying a part twice changes nothing.
 *   - `to <= last`: everything in it is already in the book: drop
 *   - `from <= last + 1`: it continues the book, or overlaps its end: apply, then `last = to`
 *   - otherwise versions are missing: gap
 */
export const Sequence = { APPLY: 0, DROP: 1, GAP: 2 } as const;
export type Sequence = (typeof Sequence)[keyof typeof Sequence];

/** Judges an update of versions `from … to` against a book at version `last`. */
export function judgeSequence(last: number, from: number, to: number): Sequence {
  if (to <= last) return Sequence.DROP;
  return from <= last + 1 ? Sequence.APPLY : Sequence.GAP;
}
