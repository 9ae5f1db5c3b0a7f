import { parseArgs } from 'node:util';
import { fuzzMessages, fuzzPayloads, fuzzRequests } from './clients.js';
import { fuzzFrames, type FuzzReport } from './frames.js';

const help = `usage: npm run fuzz -- [options]

  --frames N      inputs of the exchange, through a shard (default 100000)
  --messages N    WebSocket messages of clients (default 20000)
  --requests N    HTTP requests (default 20000)
  --payloads N    gRPC payloads (default 20000)
  --seed N        (default 1)

The last three go to a real \`mdp start\` on a real \`mdp sim\`. Exit code 1 when anything was found.
`;

const { values } = parseArgs({
  options: {
    frames: { type: 'string', default: '100000' },
    messages: { type: 'string', default: '20000' },
    requests: { type: 'string', default: '20000' },
    payloads: { type: 'string', default: '20000' },
    seed: { type: 'string', default: '1' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) process.stdout.write(help);
else await all(Number(values.seed));

async function all(seed: number): Promise<void> {
  const run = async (
    text: string,
    what: string,
    fuzz: (count: number, seed: number) => FuzzReport | Promise<FuzzReport>,
  ): Promise<void> => {
    if (Number(text) > 0) report(what, await fuzz(Number(text), seed));
  };
  await run(values.frames, 'inputs of the exchange', fuzzFrames);
  await run(values.messages, 'WebSocket messages', fuzzMessages);
  await run(values.requests, 'HTTP requests', fuzzRequests);
  await run(values.payloads, 'gRPC payloads', fuzzPayloads);
}

function report(what: string, { sent, refused, slowestMs, findings, answers }: FuzzReport): void {
  process.stdout.write(`${sent} ${what}, ${refused} refused, the slowest ${slowestMs.toFixed(1)} ms, ${findings.length} findings\n`);
  if (answers !== undefined) process.stdout.write(`  ${[...answers].map(([answer, count]) => `${answer}: ${count}`).join(', ')}\n`);
  for (const finding of findings) process.stdout.write(`  ${finding}\n`);
  if (findings.length > 0) process.exitCode = 1;
}
