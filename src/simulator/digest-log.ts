import { BookDigest, digestOf, TOP_LEVELS } from './book-digest.js';
import type { TickBook } from './tick-book.js';

/** Books at versions that are remembered, of all symbols together. */
const ROWS_MAX = 2 ** 18;
const WIDTH = 4;

/** Digests since a place in the log. */
export interface DigestPage {
  /** The place to ask from next. */
  readonly next: number;
  /** Rows between `after` and the first one here that are forgotten. */
  readonly missed: number;
  /** Four numbers a row: the symbol's place in the listing, version, digest of the whole book, digest of its best 20 levels a side. */
  readonly rows: readonly number[];
}

/** The digests of every book at every version a client can come to see. */
export class DigestLog {
  readonly #rows = new Float64Array(ROWS_MAX * WIDTH);
  readonly #top = new BookDigest();
  #count = 0;

  /** The book as it is now, with the digest of all its levels. */
  add(rank: number, book: TickBook, whole: number): void {
    const at = (this.#count++ % ROWS_MAX) * WIDTH;
    this.#rows[at] = rank;
    this.#rows[at + 1] = book.version;
    this.#rows[at + 2] = whole;
    this.#rows[at + 3] = digestOf(book, TOP_LEVELS, this.#top);
  }

  since(after: number): DigestPage {
    const first = Math.max(after, this.#count - ROWS_MAX);
    const rows: number[] = [];
    for (let row = first; row < this.#count; row++) {
      const at = (row % ROWS_MAX) * WIDTH;
      for (let column = 0; column < WIDTH; column++) rows.push(this.#rows[at + column]!);
    }
    return { next: this.#count, missed: first - after, rows };
  }
}
