import {
  type AuditMeters,
  type AuditOutcome,
  type AuditOutcomeName,
  auditOutcomeNames,
  type AuditReport,
  type AuditResult,
  AuditOutcome as Outcome,
  type SymbolAudits,
} from '../model/audit.js';
import { formatDecimal } from '../model/decimal.js';
import type { TrackedSymbol } from '../model/symbol.js';

interface Audited {
  readonly shard: number;
  readonly counts: Record<AuditOutcomeName, number>;
  last: AuditResult | null;
  lastMismatch: AuditResult | null;
  /** The newest one in which the books were compared. */
  matched: number;
  compared: number;
}

/** What the audits found: of each tracked book, and of all since the process started. Main thread only. */
export class AuditLog {
  readonly #books = new Map<number, Audited>();
  readonly #outcomes = noCounts();
  readonly #levels = { matched: 0, wrong: 0, ghosts: 0, missing: 0, corrected: 0, dropped: 0 };

  /** Keeps it, and returns it as a client sees it. */
  add({ id, shard }: Pick<TrackedSymbol, 'id' | 'shard'>, report: AuditReport): AuditResult {
    const result = readable(report);
    this.#outcomes[result.outcome]++;
    for (const figure of ['matched', 'wrong', 'ghosts', 'missing', 'corrected', 'dropped'] as const) this.#levels[figure] += report[figure];
    let book = this.#books.get(id);
    if (book === undefined)
      this.#books.set(id, (book = { shard, counts: noCounts(), last: null, lastMismatch: null, matched: 0, compared: 0 }));
    book.counts[result.outcome]++;
    book.last = result;
    if (report.outcome === Outcome.MISMATCH) book.lastMismatch = result;
    if (result.version !== null) {
      book.matched = result.matched;
      book.compared = result.compared;
    }
    return result;
  }

  /** The symbol is no longer tracked. */
  forget(symbolId: number): void {
    this.#books.delete(symbolId);
  }

  of(symbolId: number): SymbolAudits {
    const { counts = noCounts(), last = null, lastMismatch = null } = this.#books.get(symbolId) ?? {};
    return { audits: { ...counts }, last, lastMismatch };
  }

  meters(failed: number): AuditMeters {
    const sums = new Map<number, { matched: number; compared: number }>();
    for (const { shard, matched, compared } of this.#books.values()) {
      if (compared === 0) continue;
      const sum = sums.get(shard) ?? { matched: 0, compared: 0 };
      sums.set(shard, { matched: sum.matched + matched, compared: sum.compared + compared });
    }
    const matchRatios = Object.fromEntries([...sums].map(([shard, { matched, compared }]) => [shard, matched / compared]));
    return { outcomes: { ...this.#outcomes }, failed, levels: { ...this.#levels }, matchRatios };
  }
}

function noCounts(): Record<AuditOutcomeName, number> {
  return Object.fromEntries(auditOutcomeNames.map((name) => [name, 0])) as Record<AuditOutcomeName, number>;
}

function isCompared(outcome: AuditOutcome): boolean {
  return outcome === Outcome.MATCH || outcome === Outcome.MISMATCH;
}

function readable(report: AuditReport): AuditResult {
  const { outcome, timeMs, version, matched, wrong, ghosts, missing, corrected, dropped, priceScale, quantityScale, differences } = report;
  const compared = matched + wrong + ghosts + missing;
  const quantity = (lots: number): string | null => (lots === 0 ? null : formatDecimal(lots, quantityScale));
  return {
    outcome: auditOutcomeNames[outcome],
    time: Math.floor(timeMs),
    version: isCompared(outcome) ? version : null,
    compared,
    matched,
    wrong,
    ghosts,
    missing,
    corrected,
    dropped,
    matchRatio: compared === 0 ? null : matched / compared,
    differences: differences.map(({ side, tick, ours, theirs }) => ({
      side,
      price: formatDecimal(tick, priceScale),
      ours: quantity(ours),
      theirs: quantity(theirs),
    })),
  };
}
