import type { ParseArgsConfig } from 'node:util';
import type { Figure } from './figure.js';

export type BenchOptions = NonNullable<ParseArgsConfig['options']>;

/** What a bench was asked for: every option has a default, so all are there. */
export class BenchValues {
  readonly #values: Readonly<Record<string, unknown>>;

  constructor(values: Readonly<Record<string, unknown>>) {
    this.#values = values;
  }

  text(name: string): string {
    return String(this.#values[name]);
  }

  flag(name: string): boolean {
    return this.#values[name] === true;
  }

  /** A whole number from 1. Throws what to say to the caller otherwise. */
  count(name: string): number {
    const value = Number(this.#values[name]);
    if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} takes a whole number from 1, not "${this.text(name)}"`);
    return value;
  }
}

/** A benchmark: prints what it finds as Markdown and returns its ratios. Throws when the work done was not the same on both sides. */
export interface Bench {
  readonly title: string;
  /** A line an option, as `--help` shows them. */
  readonly help: string;
  readonly options: BenchOptions;
  run(values: BenchValues, print: (text: string) => void): Promise<readonly Figure[]>;
}
