import type { FaultSpec } from '../../src/simulator/simulator.js';

/** A fault, and how it is inflicted on symbols that nobody else needs. */
export interface Case {
  readonly what: string;
  /** What goes wrong for one symbol. */
  readonly faults: (symbol: string) => readonly FaultSpec[];
  /**
   * `running`: all candidates hold the book when it goes wrong; `start`: it goes wrong while they begin to follow it; `restart`: the exchange
   * itself ends and begins anew.
   */
  readonly when: 'running' | 'start' | 'restart';
  /** Concerns connections, which tardis-dev's book class knows nothing of. */
  readonly connection?: true;
  /** How long it is watched, in ms. */
  readonly watchMs: number;
}

type Fault = Pick<Case, 'what' | 'faults'>;

/** Faults of one symbol: all are inflicted at the same time, each on symbols of its own. */
const ofSymbols: readonly Fault[] = [
  { what: 'nothing', faults: () => [] },
  { what: 'a push is lost', faults: (symbol) => [{ action: 'skip', symbol }] },
  { what: 'five pushes in a row are lost', faults: (symbol) => [{ action: 'skip', symbol, pushes: 5 }] },
  { what: 'three pushes come twice', faults: (symbol) => [{ action: 'duplicate', symbol, pushes: 3 }] },
  { what: 'two pushes change places', faults: (symbol) => [{ action: 'reorder', symbol }] },
  { what: 'a push breaks off', faults: (symbol) => [{ action: 'truncate', symbol }] },
  { what: 'half a push, then the whole one', faults: (symbol) => [{ action: 'truncate', symbol, mode: 'add' }] },
  { what: 'a quantity is wrong and nothing shows it', faults: (symbol) => [{ action: 'corruptLevel', symbol, pushes: 10 }] },
  { what: 'pushes have fields nobody knows', faults: (symbol) => [{ action: 'unknownFields', symbol, pushes: 3 }] },
  { what: 'silent for 8 s, then all changes merged', faults: (symbol) => [{ action: 'stall', symbol, forMs: 8_000 }] },
  { what: 'silent for 8 s, its changes lost', faults: (symbol) => [{ action: 'stall', symbol, forMs: 8_000, after: 'gap' }] },
];

const ofStarts: readonly Fault[] = [
  { what: 'start: nothing', faults: () => [] },
  {
    what: 'start: for 10 s snapshots are 30 pushes old',
    faults: (symbol) => [{ action: 'oldSnapshots', symbol, pushes: 30, forMs: 10_000 }],
  },
  {
    what: 'start: for 10 s snapshots come 2 s late',
    faults: (symbol) => [{ action: 'slowSnapshots', symbol, delayMs: 2_000, forMs: 10_000 }],
  },
  { what: 'start: for 10 s snapshots are answered with 502', faults: (symbol) => [{ action: 'rest5xx', symbol, forMs: 10_000 }] },
];

/** Faults of connections: one after the other. */
const ofConnections: readonly (Fault & Pick<Case, 'watchMs'>)[] = [
  { what: 'the connection is closed (1001)', faults: (symbol) => [{ action: 'drop', symbol, closeCode: 1001 }], watchMs: 10_000 },
  { what: 'the connection breaks off', faults: (symbol) => [{ action: 'drop', symbol }], watchMs: 10_000 },
  { what: 'the connection is open but dead', faults: (symbol) => [{ action: 'halfOpen', symbol }], watchMs: 35_000 },
];

const restart: Case = {
  what: 'the exchange ends and begins anew, its versions too',
  faults: () => [],
  when: 'restart',
  connection: true,
  watchMs: 90_000,
};

/** By phase: the cases of one are watched together, the phases come one after the other. */
export const phases: readonly (readonly Case[])[] = [
  [
    ...ofSymbols.map((fault) => ({ ...fault, when: 'running', watchMs: 40_000 }) as const),
    ...ofStarts.map((fault) => ({ ...fault, when: 'start', watchMs: 40_000 }) as const),
  ],
  ...ofConnections.map((fault) => [{ ...fault, when: 'running', connection: true } as const]),
  [restart],
];
