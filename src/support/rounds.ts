/**
 * Goes round and round a set, a piece at a time, so that looking at thousands holds nobody up. The set may change meanwhile: what was added is seen in
 * this round, what was deleted is not.
 */
interface Members<T> {
  readonly size: number;
  values(): Iterator<T>;
}

export class Rounds<T> {
  readonly #set: Members<T>;
  #iterator: Iterator<T>;

  constructor(set: Members<T>) {
    this.#set = set;
    this.#iterator = set.values();
  }

  /** Calls `visit` for the next `share` (0 to 1) of the set, until it returns false. Returns whether a round ended. */
  next(share: number, visit: (item: T) => boolean): boolean {
    let ended = this.#set.size === 0;
    for (let left = Math.ceil(this.#set.size * share); left > 0; left--) {
      let step = this.#iterator.next();
      if (step.done === true) {
        ended = true;
        this.#iterator = this.#set.values();
        step = this.#iterator.next();
        if (step.done === true) return true;
      }
      if (!visit(step.value)) return ended;
    }
    return ended;
  }
}
