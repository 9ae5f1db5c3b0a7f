import type { Candidate } from './candidate.js';
import type { Truth } from './truth.js';

/** What became of one candidate's book of one symbol after a fault. Times in ms from the fault. */
export interface Outcome {
  /** Its first word, if it said any. */
  readonly told: { readonly what: string; readonly afterMs: number } | undefined;
  /** How long it gave a wrong book for true, and how many levels were wrong at most. */
  readonly wrongMs: number;
  readonly wrongLevels: number;
  /** From when on it gave the true book until the end of the watch; `undefined` = not at the end. */
  readonly rightAfterMs: number | undefined;
}

/** A level is wrong when it was in so many looks in a row: what lies between two looks at the truth may show in one. */
const LOOKS_IN_ROW = 3;

/** Watches one candidate's book of one symbol. */
export class Observation {
  readonly #candidate: Candidate;
  readonly #symbol: string;
  readonly #truth: Truth;
  readonly #startMs = performance.now();
  #atMs = this.#startMs;
  #wrongMs = 0;
  #wrongLevels = 0;
  /** In how many looks in a row each level was wrong. */
  #inRow = new Map<number, number>();
  /** When it was last wrong or silent. */
  #badMs = -Infinity;
  #looks = 0;

  constructor(candidate: Candidate, symbol: string, truth: Truth) {
    this.#candidate = candidate;
    this.#symbol = symbol;
    this.#truth = truth;
  }

  look(): void {
    const nowMs = performance.now();
    const sinceMs = nowMs - this.#atMs;
    this.#atMs = nowMs;
    this.#looks++;
    const shown = this.#candidate.shown(this.#symbol);
    const wrongNow = shown === undefined ? [] : this.#truth.wrongLevels(this.#symbol, shown);
    this.#inRow = new Map(wrongNow.map((level) => [level, (this.#inRow.get(level) ?? 0) + 1]));
    const wrong = [...this.#inRow.values()].filter((looks) => looks >= LOOKS_IN_ROW).length;
    if (shown === undefined || wrong > 0) this.#badMs = nowMs;
    if (wrong === 0) return;
    this.#wrongMs += sinceMs;
    this.#wrongLevels = Math.max(this.#wrongLevels, wrong);
  }

  outcome(): Outcome {
    const words = this.#candidate.told.filter(({ symbol, atMs }) => symbol === this.#symbol && atMs >= this.#startMs);
    const [word] = words;
    // A book may be given up and right again between two looks.
    const badMs = Math.max(this.#badMs, words.at(-1)?.atMs ?? -Infinity);
    return {
      told: word === undefined ? undefined : { what: word.what, afterMs: word.atMs - this.#startMs },
      wrongMs: this.#wrongMs,
      wrongLevels: this.#wrongLevels,
      rightAfterMs: this.#looks === 0 || this.#badMs === this.#atMs ? undefined : Math.max(0, badMs - this.#startMs),
    };
  }
}
