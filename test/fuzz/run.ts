import { parseArgs } from 'node:util';
import { fuzzFrames } from './frames.js';
import { fuzzMessages } from './messages.js';
import { fuzzPayloads } from './payloads.js';
import type { FuzzReport } from './report.js';
import { fuzzRequests } from './requests.js';

const help = `usage: npm run fuzz -- [options]

  --frames N      inputs of the exchange, through a shard (default 100000)
  --messages N    WebSocket messages of clients (default 20000)
  --requests N    HTTP requests (default 20000)
  --payloads N    gRPC payloads (default 20000)
  --seed N        (default 1)
  --limits        with limits on the connections and requests of an address, which are off on loopback

The last three go to a real \`mdp start\` on a real \`mdp sim\`. Exit code 1 when anything was found.
`;

const FINDING_LENGTH_MAX = 4_000;

const { values } = parseArgs({
  options: {
    frames: { type: 'string', default: '100000' },
    messages: { type: 'string', default: '20000' },
    requests: { type: 'string', default: '20000' },
    payloads: { type: 'string', default: '20000' },
    seed: { type: 'string', default: '1' },
    limits: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) process.stdout.write(help);
else await all(Number(values.seed));

async function all(seed: number): Promise<void> {
  const run = async (
    text: string,
    what: string,
    fuzz: (count: number, seed: number, withLimits: boolean) => FuzzReport | Promise<FuzzReport>,
  ): Promise<void> => {
    if (Number(text) > 0) report(what, await fuzz(Number(text), seed, values.limits));
  };
  await run(values.frames, 'inputs of the exchange', fuzzFrames);
  await run(values.messages, 'WebSocket messages', fuzzMessages);
  await run(values.requests, 'HTTP requests', fuzzRequests);
  await run(values.payloads, 'gRPC payloads', fuzzPayloads);
}

function report(what: string, { sent, refused, slowestMs, findings, underAttack, kinds }: FuzzReport): void {
  const longest = underAttack === undefined ? 'the slowest' : 'the longest turn';
  process.stdout.write(`${sent} ${what}, ${refused} refused, ${longest} ${slowestMs.toFixed(1)} ms, ${findings.length} findings\n`);
  if (underAttack !== undefined) {
    const { answers, heapBytes, longestWithCollectionsMs } = underAttack;
    const heap = heapBytes.map((bytes) => `${(bytes / 2 ** 20).toFixed(1)} MiB`).join(', then ');
    process.stdout.write(`  with collections of garbage ${longestWithCollectionsMs.toFixed(1)} ms; heap ${heap}\n`);
    process.stdout.write(`  ${[...answers].map(([answer, count]) => `${answer}: ${count}`).join(', ')}\n`);
  }
  for (const [kind, tally] of kinds ?? [])
    process.stdout.write(`  ${kind}: ${tally.sent} sent, ${tally.read} read, ${tally.refused} refused\n`);
  for (const finding of findings) process.stdout.write(`  ${finding.slice(0, FINDING_LENGTH_MAX)}\n`);
  if (findings.length > 0) process.exitCode = 1;
}
