import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runScenario } from './scenario.js';

const help = `usage: npm run simulate -- [options]

  --seeds N     how many histories (default 200)
  --from N      the first seed (default 1)
  --seed N      one history, told in full; several: --seed N --seed N
  --audits      audits in every history (default: in three seeds out of eight)
  --lines N     connections each channel is on, 1 (the default) or 2
  --stop        stop at the first that fails
  --jobs N      processes that share the histories (default 1)

Exit code 1 when a history shows anything wrong; its seed shows the same again.
`;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '200' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string', multiple: true },
    audits: { type: 'boolean' },
    lines: { type: 'string', default: '1' },
    stop: { type: 'boolean', default: false },
    jobs: { type: 'string', default: '1' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) process.stdout.write(help);
else
  process.exitCode =
    values.seed === undefined ? await many(Number(values.from), Number(values.seeds)) : await told(values.seed.map(Number));

async function told(seeds: readonly number[]): Promise<number> {
  let failed = 0;
  for (const seed of seeds) {
    const outcome = await runScenario(seed, Number(values.lines), values.audits);
    process.stdout.write(`${JSON.stringify(outcome, null, 2)}\n`);
    if (outcome.findings.length > 0) failed++;
  }
  return failed > 0 ? 1 : 0;
}

/** What histories came to, added up. */
interface Sum {
  readonly failing: number[];
  checks: number;
  deaths: number;
  repairs: number;
  slowest: number;
}

async function many(from: number, count: number): Promise<number> {
  const jobs = Number(values.jobs);
  const share = Math.ceil(count / jobs);
  const shares = Array.from({ length: jobs }, (_, i) => ({
    from: from + i * share,
    count: Math.max(0, Math.min(share, count - i * share)),
  }));
  const sums = await Promise.all(shares.map((each) => (jobs === 1 ? range(each.from, each.count) : elsewhere(each.from, each.count))));
  if (process.send !== undefined) {
    process.send(sums[0]!);
    return 0;
  }
  const add = (of: (sum: Sum) => number): number => sums.reduce((total, sum) => total + of(sum), 0);
  const failing = sums.flatMap((sum) => sum.failing);
  const slowest = Math.max(...sums.map((sum) => sum.slowest));
  const verdict = failing.length === 0 ? 'none failed' : `${failing.length} failed: ${failing.join(' ')}`;
  process.stdout.write(
    `${count} seeds from ${from}, ${add((sum) => sum.checks)} books compared, ${add((sum) => sum.deaths)} workers died, ${add((sum) => sum.repairs)} books repaired by audits, slowest recovery ${Math.round(slowest)} ms of virtual time; ${verdict}\n`,
  );
  return failing.length > 0 ? 1 : 0;
}

async function range(from: number, count: number): Promise<Sum> {
  const sum: Sum = { failing: [], checks: 0, deaths: 0, repairs: 0, slowest: 0 };
  for (let seed = from; seed < from + count; seed++) {
    const outcome = await runScenario(seed, Number(values.lines), values.audits);
    sum.checks += outcome.checks;
    sum.deaths += outcome.deaths;
    sum.repairs += outcome.repairs;
    sum.slowest = Math.max(sum.slowest, outcome.recoveryMs);
    if (outcome.findings.length === 0) continue;
    sum.failing.push(seed);
    process.stdout.write(`seed ${seed}: ${outcome.findings[0]}\n`);
    if (values.stop) break;
  }
  return sum;
}

/** The same in a process of its own: the virtual clock takes the place of this one's timers. */
async function elsewhere(from: number, count: number): Promise<Sum> {
  const flags = [...(values.audits ? ['--audits'] : []), ...(values.stop ? ['--stop'] : [])];
  const child = fork(fileURLToPath(import.meta.url), ['--from', String(from), '--seeds', String(count), '--lines', values.lines, ...flags]);
  let sum: Sum | undefined;
  child.on('message', (message) => (sum = message as Sum));
  await once(child, 'exit');
  if (sum === undefined) throw new Error(`the process of the seeds from ${from} on ended before they were through`);
  return sum;
}
