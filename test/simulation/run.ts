import { parseArgs } from 'node:util';
import { runScenario } from './scenario.js';

const help = `usage: npm run simulate -- [options]

  --seeds N     how many histories (default 200)
  --from N      the first seed (default 1)
  --seed N      one history, told in full
  --audits      audits in every history (default: in three seeds out of eight)
  --lines N     connections each channel is on, 1 (the default) or 2
  --stop        stop at the first that fails

Exit code 1 when a history shows anything wrong; its seed shows the same again.
`;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '200' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    audits: { type: 'boolean' },
    lines: { type: 'string', default: '1' },
    stop: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) process.stdout.write(help);
else process.exitCode = values.seed === undefined ? await many(Number(values.from), Number(values.seeds)) : await one(Number(values.seed));

async function one(seed: number): Promise<number> {
  const outcome = await runScenario(seed, Number(values.lines), values.audits);
  process.stdout.write(`${JSON.stringify(outcome, null, 2)}\n`);
  return outcome.findings.length > 0 ? 1 : 0;
}

async function many(from: number, count: number): Promise<number> {
  const failing: number[] = [];
  let checks = 0;
  let deaths = 0;
  let repairs = 0;
  let slowest = 0;
  for (let seed = from; seed < from + count; seed++) {
    const outcome = await runScenario(seed, Number(values.lines), values.audits);
    checks += outcome.checks;
    deaths += outcome.deaths;
    repairs += outcome.repairs;
    slowest = Math.max(slowest, outcome.recoveryMs);
    if (outcome.findings.length === 0) continue;
    failing.push(seed);
    process.stdout.write(`seed ${seed}: ${outcome.findings[0]}\n`);
    if (values.stop) break;
  }
  const verdict = failing.length === 0 ? 'none failed' : `${failing.length} failed: ${failing.join(' ')}`;
  process.stdout.write(
    `${count} seeds from ${from}, ${checks} books compared, ${deaths} workers died, ${repairs} books repaired by audits, slowest recovery ${Math.round(slowest)} ms of virtual time; ${verdict}\n`,
  );
  return failing.length > 0 ? 1 : 0;
}
