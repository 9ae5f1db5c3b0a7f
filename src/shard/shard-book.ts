import type { AuditedBook } from './audits.js';
import type { EarlyPushes } from './early-pushes.js';
import type { LineRace } from './line-race.js';
import type { PendingUpdates } from './pending-updates.js';
import type { Publication } from './publication.js';
import type { SilenceWatch } from './silence.js';
import type { SymbolTape } from './symbol-tape.js';

/** What a shard remembers of a symbol beside its shared memory. */
export interface ShardBook extends AuditedBook {
  readonly symbol: string;
  /** The symbol is subscribed: pushes that arrive belong to the present stream. */
  lineUp: boolean;
  /** Pushes that wait for a snapshot. */
  readonly pending: PendingUpdates;
  /** A push behind this version was lost: an older snapshot would be a book without it. -1 = none was. */
  lostAfter: number;
  /** Snapshots in a row that were too old. */
  oldSnapshots: number;
  /** Pushes in a row that brought nothing new. */
  drops: number;
  /** Of late audits in a row, none of them with a push between that brought anything: those whose snapshot was older than the book. */
  oldAudits: number;
  /** With two lines: when the first of these came. */
  dropsFromMs: number;
  /** `undefined` with one line. */
  readonly early: EarlyPushes | undefined;
  readonly race: LineRace | undefined;
  readonly silence: SilenceWatch;
  readonly tape: SymbolTape;
  readonly publications: Publication[];
}
