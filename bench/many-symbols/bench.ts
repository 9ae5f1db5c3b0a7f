import { availableParallelism } from 'node:os';
import type { Bench } from '../support/bench.js';
import { measureManySymbols } from './measure.js';

/** What the engine may take beyond the snapshot budget, and how much memory. */
const EXTRA_SECONDS = 10;
const RESIDENT_MIB_MAX = 1024;

/** Time until every book is live, and memory, at the exchange's limit of 30 subscriptions a connection. It has no ratio: it keeps its limits or fails. */
export const manySymbols: Bench = {
  title: 'start-up and memory',
  help: `
  --symbols N        (default 2000)
  --rate N           pushes a second and symbol (default 1)
  --snapshot-rate N  snapshot requests a second (default 8, as for the live exchange)
  --workers N        (default the number of cores less one)
  --watch-seconds N  how long to watch once every book is live (default 60)`,
  options: {
    symbols: { type: 'string', default: '2000' },
    rate: { type: 'string', default: '1' },
    'snapshot-rate': { type: 'string', default: '8' },
    workers: { type: 'string', default: String(Math.max(1, availableParallelism() - 1)) },
    'watch-seconds': { type: 'string', default: '60' },
  },
  async run(values, print) {
    const result = await measureManySymbols({
      symbols: values.count('symbols'),
      rate: values.count('rate'),
      snapshotRate: values.count('snapshot-rate'),
      workers: values.count('workers'),
      watchMs: values.count('watch-seconds') * 1000,
      progress: (line) => void process.stderr.write(`${line}\n`),
    });
    const limit = result.budgetSeconds + EXTRA_SECONDS;
    print(
      [
        `- ${result.symbols} books over ${result.connections} connections, at most ${result.subscriptionsMax} subscriptions on one`,
        `- all live after ${result.liveSeconds.toFixed(1)} s; the snapshot budget alone takes ${result.budgetSeconds.toFixed(1)} s`,
        `- largest resident set ${result.residentMiB ?? 'unknown'} MiB`,
        `- ${result.framesApplied} pushes applied, ${result.gaps} gaps, ${result.crossed} crossed books, ${result.stale} changes to stale`,
      ].join('\n'),
    );
    const kept =
      result.liveSeconds <= limit &&
      (result.residentMiB ?? 0) < RESIDENT_MIB_MAX &&
      result.stale === 0 &&
      result.gaps === 0 &&
      result.crossed === 0;
    if (!kept) throw new Error(`not within ${limit.toFixed(1)} s and ${RESIDENT_MIB_MAX} MiB without a gap or a stale book`);
    return [];
  },
};
