import Value from 'typebox/value';
import type { KeyEntry } from './names.js';
import { nearestWord } from './nearest.js';

/** One place values come from: what it sets, and the sentences about what is wrong with it. */
export interface Layer {
  readonly values: Readonly<Record<string, unknown>>;
  readonly problems: readonly string[];
}

/** Collects a layer; every mistake becomes a problem and the reading goes on, so that all are listed at once. */
export class LayerBuilder implements Layer {
  readonly values: Record<string, unknown> = {};
  readonly problems: string[] = [];

  /** Takes a value, or notes why not; `origin` is where it was written. */
  set(entry: KeyEntry, value: unknown, origin: string): void {
    if (Value.Check(entry.schema, value)) this.values[entry.key] = value;
    else {
      const shown = entry.schema.secret === true ? 'the value' : shorten(JSON.stringify(value));
      this.problem(origin, `${shown} is not ${entry.schema.accepts}`);
    }
  }

  /** Notes a name nobody reads, with the nearest one that is; `known` are written as they would be in that place. */
  unknown(origin: string, what: string, name: string, known: readonly string[]): void {
    const near = nearestWord(name, known);
    this.problem(origin, `unknown ${what}${near === undefined ? '' : `; nearest is ${near}`}`);
  }

  problem(origin: string, text: string): void {
    this.problems.push(`${shorten(origin)}: ${text}`);
  }
}

/** Text from a flag or variable as the type its key has; text that is no such value stays text, to be refused by the schema. */
export function fromText(entry: KeyEntry, text: string): unknown {
  const candidates: unknown[] = [];
  if (/^-?\d+(\.\d+)?$/.test(text)) candidates.push(Number(text));
  if (text === 'true' || text === 'false') candidates.push(text === 'true');
  return candidates.find((candidate) => Value.Check(entry.schema, candidate)) ?? text;
}

/** Problems repeat what was written; a stray megabyte must not fill the screen. */
function shorten(text: string): string {
  return text.length > 160 ? `${text.slice(0, 159)}…` : text;
}
