/** How many inputs of a kind were made, and how many were shown to be read, and to be refused, by those that read them. */
export interface Tally {
  sent: number;
  read: number;
  refused: number;
}

/** By kind of input. A fuzz whose inputs of a kind never come to be read, or are never refused, tests nothing with them. */
export class Tallies {
  readonly #byKind = new Map<string, Tally>();

  constructor(kinds: readonly string[]) {
    for (const kind of kinds) this.#byKind.set(kind, { sent: 0, read: 0, refused: 0 });
  }

  get byKind(): ReadonlyMap<string, Readonly<Tally>> {
    return this.#byKind;
  }

  /** Adds to the counts of a kind. */
  add(kind: string, { sent = 0, read = 0, refused = 0 }: Partial<Tally>): void {
    const tally = this.#byKind.get(kind)!;
    tally.sent += sent;
    tally.read += read;
    tally.refused += refused;
  }

  /** A line for each kind that was never read, or never refused. */
  findings(): string[] {
    return [...this.#byKind].flatMap(([kind, { read, refused }]) => [
      ...(read === 0 ? [`no ${kind} was ever read`] : []),
      ...(refused === 0 ? [`no ${kind} was ever refused`] : []),
    ]);
  }
}
