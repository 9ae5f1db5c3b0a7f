import type { Tally } from './tally.js';

/** What came out of a run. */
export interface FuzzReport {
  readonly sent: number;
  readonly refused: number;
  /** Processor time of the longest input; of an engine under attack, of the longest turn of its event loop, with all inputs answered in it. */
  readonly slowestMs: number;
  /** Should be empty. */
  readonly findings: readonly string[];
  readonly underAttack?: EngineReport;
  /** Of the exchange's inputs, by kind. */
  readonly kinds?: ReadonlyMap<string, Readonly<Tally>>;
}

/** Of an engine under attack. */
export interface EngineReport {
  /** How often each answer was given. */
  readonly answers: ReadonlyMap<string, number>;
  /** Heap after a collection, in bytes: at a quarter of the inputs, and when all clients have gone. */
  readonly heapBytes: readonly number[];
  /** Processor time of the longest turn, collections of garbage included. */
  readonly longestWithCollectionsMs: number;
}

/** Of processor time; longer is a hang. */
export const HANG_MS = 50;
