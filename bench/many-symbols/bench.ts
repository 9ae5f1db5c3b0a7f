import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { describeMachine } from '../support/machine.js';
import { measureManySymbols } from './measure.js';

/** What the engine may take beyond the snapshot budget, and how much memory. */
const EXTRA_SECONDS = 10;
const RESIDENT_MIB_MAX = 1024;

/** `npm run bench -- many-symbols`: time until every book is live, and memory, at the exchange's limit of 30 subscriptions a connection. */
export async function manySymbols(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      symbols: { type: 'string', default: '2000' },
      rate: { type: 'string', default: '1' },
      'snapshot-rate': { type: 'string', default: '8' },
      workers: { type: 'string', default: String(Math.max(1, availableParallelism() - 1)) },
      'watch-seconds': { type: 'string', default: '60' },
    },
  });
  const print = (line: string): void => void process.stdout.write(`${line}\n`);
  print(`## many-symbols: start-up and memory\n\n${describeMachine()}\n`);
  const result = await measureManySymbols({
    symbols: Number(values.symbols),
    rate: Number(values.rate),
    snapshotRate: Number(values['snapshot-rate']),
    workers: Number(values.workers),
    watchMs: Number(values['watch-seconds']) * 1000,
    progress: print,
  });
  const limit = result.budgetSeconds + EXTRA_SECONDS;
  print(`${result.symbols} books over ${result.connections} connections, at most ${result.subscriptionsMax} subscriptions on one`);
  print(`all live after ${result.liveSeconds.toFixed(1)} s; the snapshot budget alone takes ${result.budgetSeconds.toFixed(1)} s`);
  print(`largest resident set ${result.residentMiB ?? 'unknown'} MiB`);
  print(`${result.framesApplied} pushes applied, ${result.gaps} gaps, ${result.crossed} crossed books, ${result.stale} changes to stale`);
  const kept =
    result.liveSeconds <= limit &&
    (result.residentMiB ?? 0) < RESIDENT_MIB_MAX &&
    result.stale === 0 &&
    result.gaps === 0 &&
    result.crossed === 0;
  print(kept ? `within ${limit.toFixed(1)} s and ${RESIDENT_MIB_MAX} MiB, nothing stale` : 'a limit was missed');
  return kept ? 0 : 1;
}
