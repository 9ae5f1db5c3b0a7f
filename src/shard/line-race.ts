/** Pushes of a book that are remembered: a second of the 10 ms channel would be ten times as many, but no line is that late for long. */
const REMEMBERED = 16;

/** With two lines: which of them a book's last pushes came on first, and when. */
export class LineRace {
  readonly #versions = new Float64Array(REMEMBERED).fill(-1);
  readonly #times = new Float64Array(REMEMBERED);
  readonly #lines = new Int8Array(REMEMBERED);
  #next = 0;

  /** A push up to `version` was new. */
  first(version: number, line: number, timeMs: number): void {
    const place = this.#next;
    this.#versions[place] = version;
    this.#times[place] = timeMs;
    this.#lines[place] = line;
    this.#next = (place + 1) % REMEMBERED;
  }

  /** A push up to `version` that brought nothing new: by how many ms the other line's copy, which came first, was earlier; -1 when that is not known. */
  second(version: number, line: number, timeMs: number): number {
    for (let place = 0; place < REMEMBERED; place++) {
      if (this.#versions[place] !== version) continue;
      if (this.#lines[place] === line) return -1;
      // One copy of each counts.
      this.#versions[place] = -1;
      return Math.max(0, timeMs - this.#times[place]!);
    }
    return -1;
  }
}
