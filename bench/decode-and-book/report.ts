import { median } from '../support/statistics.js';
import { formatTable } from '../support/table.js';
import type { StreamResult } from './measure.js';

/** How many times another candidate's rate the engine is to reach. */
export const targets: Readonly<Record<string, number>> = { rust: 2.2, 'ccxt-book': 20, tardis: 6 };

/** What each candidate is, for the printed table. */
export const labels: Readonly<Record<string, string>> = {
  engine: 'this engine, decoder and book',
  shard: 'this engine, a whole shard from its ring',
  rust: 'Rust, BTreeMap',
  'ccxt-book': 'protobufjs + ccxt OrderBook',
  'ccxt-client': 'ccxt MEXC client as shipped',
  tardis: 'protobufjs + tardis-dev OrderBook',
};

/** A candidate that could not run here, and why. */
export interface NotRun {
  readonly name: string;
  readonly reason: string;
}

/** One stream's table. Ratios and targets need the engine among the results. */
export function formatStream({ stream, results, finalLevels, bookSha256 }: StreamResult, notRun: readonly NotRun[]): string {
  const medians = new Map(results.map(({ name, rates }) => [name, median(rates)]));
  const engine = medians.get('engine');
  const rows = results.map(({ name, rates }) => {
    const rate = medians.get(name)!;
    const ratio = engine === undefined || name === 'engine' || name === 'shard' ? '' : `${(engine / rate).toFixed(2)}x`;
    return [
      labels[name] ?? name,
      rate.toFixed(2),
      `${Math.min(...rates).toFixed(2)} - ${Math.max(...rates).toFixed(2)}`,
      (stream.levels / stream.frames.length / rate).toFixed(2),
      ratio,
      formatTarget(name, engine === undefined ? undefined : engine / rate),
    ];
  });
  for (const { name, reason } of notRun) rows.push([`${labels[name] ?? name}: not run, ${reason}`, '-', '-', '-', '-', '-']);
  return [
    `### ${stream.name}: ${stream.description}`,
    '',
    formatTable(['candidate', 'M levels/s', 'lowest - highest', 'us a frame', 'engine is', 'to reach'], rows),
    '',
    `All ${results.length} end in the same book as a plain map: ${finalLevels[0]} bids, ${finalLevels[1]} asks, sha256 ${bookSha256.slice(0, 16)}...`,
  ].join('\n');
}

function formatTarget(name: string, ratio: number | undefined): string {
  const target = targets[name];
  if (target === undefined) return '';
  if (ratio === undefined) return `${target}x`;
  return `${target}x ${ratio >= target ? 'reached' : 'missed'}`;
}
