/** How an audit of a book ended. */
export const AuditOutcome = {
  /** As far as the snapshot reaches the book was the exchange's. */
  MATCH: 0,
  /** It was not; the book was repaired. */
  MISMATCH: 1,
  /** The book was not live, or did not stay so. */
  INTERRUPTED: 2,
  /** The pushes kept do not join the snapshot: it is older than they are. */
  NO_JOIN: 3,
  /** The book did not reach the snapshot's version in time. */
  NOT_REACHED: 4,
  /** More pushes came than are kept. */
  OVERFLOW: 5,
  /** The snapshot could not be read. */
  UNREADABLE: 6,
} as const;
export type AuditOutcome = (typeof AuditOutcome)[keyof typeof AuditOutcome];

export const auditOutcomeNames = ['match', 'mismatch', 'interrupted', 'no_join', 'not_reached', 'overflow', 'unreadable'] as const;
export type AuditOutcomeName = (typeof auditOutcomeNames)[number];

/** A level the book and the exchange do not agree upon. Whole ticks and lots; 0 lots = no such level. */
export interface AuditDifference {
  readonly side: 'bid' | 'ask';
  readonly tick: number;
  readonly ours: number;
  readonly theirs: number;
}

/** What was found, level by level, within what was proven before: there the book claims to be exact. */
export interface AuditFigures {
  readonly matched: number;
  /** Both have the level, with different quantities. */
  readonly wrong: number;
  /** We have the level, the exchange has not. */
  readonly ghosts: number;
  /** The exchange has the level, we have not. */
  readonly missing: number;
  /** Beyond what was proven before, and set right without a word about the rest. */
  readonly corrected: number;
  /** Levels beyond the snapshot's reach that were let go. */
  readonly dropped: number;
}

/** What a shard reports of one audit. */
export interface AuditReport extends AuditFigures {
  readonly outcome: AuditOutcome;
  /** Unix ms. */
  readonly timeMs: number;
  /** The exchange's version both books were compared at; 0 when they were not. */
  readonly version: number;
  readonly priceScale: number;
  readonly quantityScale: number;
  /** The first few, nearest to the touch first within each side. */
  readonly differences: readonly AuditDifference[];
}

/** The newest audits of one book, as a client sees them. */
export interface AuditResult {
  readonly outcome: AuditOutcomeName;
  readonly time: number;
  /** `null` when the books were not compared. */
  readonly version: number | null;
  readonly compared: number;
  readonly matched: number;
  readonly wrong: number;
  readonly ghosts: number;
  readonly missing: number;
  readonly corrected: number;
  readonly dropped: number;
  /** 0 to 1; `null` when nothing was compared. */
  readonly matchRatio: number | null;
  /** Prices and quantities as decimal text; `null` = no such level. */
  readonly differences: readonly {
    readonly side: 'bid' | 'ask';
    readonly price: string;
    readonly ours: string | null;
    readonly theirs: string | null;
  }[];
}

/** The audits of one book since it is tracked. */
export interface SymbolAudits {
  readonly audits: Readonly<Record<AuditOutcomeName, number>>;
  readonly last: AuditResult | null;
  readonly lastMismatch: AuditResult | null;
}

/** The audits of all books since the process started. */
export interface AuditMeters {
  readonly outcomes: Readonly<Record<AuditOutcomeName, number>>;
  /** Audits whose request to the exchange failed. */
  readonly failed: number;
  readonly levels: Readonly<Record<keyof AuditFigures, number>>;
  /** By shard: levels that matched out of those compared, over the newest comparison of each tracked book. Shards without one are left out. */
  readonly matchRatios: Readonly<Record<string, number>>;
}
