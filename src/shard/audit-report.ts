import type { AuditOutcome, AuditReport } from '../model/audit.js';

const HEAD_DOUBLES = 11;
const DIFFERENCE_DOUBLES = 4;

/** Payload of an AUDITED record: doubles, the head and then side (0 = bid, 1 = ask), tick and lots of both for each difference. */
export function encodeReport(report: AuditReport): Uint8Array {
  const { outcome, timeMs, version, matched, wrong, ghosts, missing, corrected, dropped, priceScale, quantityScale, differences } = report;
  const head = [outcome, timeMs, version, matched, wrong, ghosts, missing, corrected, dropped, priceScale, quantityScale];
  const listed = differences.flatMap(({ side, tick, ours, theirs }) => [side === 'bid' ? 0 : 1, tick, ours, theirs]);
  return new Uint8Array(Float64Array.from([...head, ...listed]).buffer);
}

/** The reverse of `encodeReport`, from bytes that may be unaligned and shared. */
export function decodeReport(bytes: Uint8Array): AuditReport {
  const doubles = new Float64Array(bytes.slice().buffer);
  const at = (index: number): number => doubles[index]!;
  const differences = Array.from({ length: (doubles.length - HEAD_DOUBLES) / DIFFERENCE_DOUBLES }, (_, i) => {
    const from = HEAD_DOUBLES + i * DIFFERENCE_DOUBLES;
    return { side: at(from) === 0 ? ('bid' as const) : ('ask' as const), tick: at(from + 1), ours: at(from + 2), theirs: at(from + 3) };
  });
  return {
    outcome: at(0) as AuditOutcome,
    timeMs: at(1),
    version: at(2),
    matched: at(3),
    wrong: at(4),
    ghosts: at(5),
    missing: at(6),
    corrected: at(7),
    dropped: at(8),
    priceScale: at(9),
    quantityScale: at(10),
    differences,
  };
}
