import { BID, type Side, type TickBook } from './tick-book.js';

/** Changes kept a symbol; the oldest half is forgotten when it is reached. */
const CHANGES_MAX = 8_192;

/** Remembers what every change of a book replaced, so that the book of a moment ago can be had again. Off until someone needs it. */
export class BookHistory {
  /** Side, tick, quantity before: three numbers a change. */
  #changes: number[] = [];
  /** Length of `#changes` where each push began. */
  #pushes: number[] = [];

  change(side: Side, tick: number, lotsBefore: number): void {
    this.#changes.push(side, tick, lotsBefore);
  }

  /** The changes since the last call make one push. */
  pushed(): void {
    this.#pushes.push(this.#changes.length);
    if (this.#changes.length > CHANGES_MAX * 3) this.#forgetHalf();
  }

  /** A copy of the book without the changes of the last `pushes` pushes, or of as many as are known. */
  before(book: TickBook, pushes: number): TickBook {
    const copy = book.copy();
    const first = this.#pushes.length - 1 - pushes;
    const end = pushes >= this.#pushes.length ? 0 : this.#pushes[first]!;
    for (let i = this.#changes.length - 3; i >= end; i -= 3) {
      copy.side(this.#changes[i] === BID ? BID : 1).set(this.#changes[i + 1]!, this.#changes[i + 2]!);
      copy.version--;
    }
    return copy;
  }

  #forgetHalf(): void {
    const middle = this.#pushes[this.#pushes.length >> 1]!;
    this.#changes = this.#changes.slice(middle);
    this.#pushes = this.#pushes.filter((length) => length > middle).map((length) => length - middle);
  }
}
