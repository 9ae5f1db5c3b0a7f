import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { packageRoot } from '../../src/support/config/index.js';
import { phases } from './cases.js';
import { compare } from './compare.js';
import { formatDocument } from './document.js';
import { formatComparison } from './report.js';

const help = `usage: npm run compare -- [options]

Books of mdp, of ccxt and of tardis-dev's OrderBook on one simulated exchange that goes wrong: who notices what.

  --times N        repetitions of each fault, at the same time (default 3)
  --write          writes docs/comparison.md
`;

const { values } = parseArgs({
  options: {
    times: { type: 'string', default: '3' },
    write: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

/** At most ten: the exchange takes 30 subscriptions a connection, and all of one case share one. */
const TIMES_MAX = 10;

async function run(times: number): Promise<void> {
  const startedMs = performance.now();
  const progress = (text: string): void => void process.stderr.write(`${((performance.now() - startedMs) / 1000).toFixed(0)} s: ${text}\n`);
  const comparison = await compare(phases, times, { progress });
  process.stdout.write(`${formatComparison(comparison)}\n`);
  if (values.write) writeFileSync(join(packageRoot(), 'docs/comparison.md'), formatDocument(comparison, times));
}

const times = Number(values.times);
if (values.help) process.stdout.write(help);
else if (Number.isInteger(times) && times >= 1 && times <= TIMES_MAX) await run(times);
else {
  process.stderr.write(`--times takes a whole number from 1 to ${TIMES_MAX}, not "${values.times}"\n${help}`);
  process.exitCode = 2;
}
