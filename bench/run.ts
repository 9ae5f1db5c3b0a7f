import { parseArgs } from 'node:util';
import { type Bench, BenchValues } from './support/bench.js';
import { compareWithRecord, type FigureRecords } from './support/check.js';
import { summarize } from './support/figure.js';
import { describeMachine } from './support/machine.js';
import { formatFigures } from './support/report.js';
import { readFigures, writeFigures, writeResults } from './support/results-file.js';

interface Entry {
  readonly summary: string;
  readonly load: () => Promise<Bench>;
  /** Arguments of a run among all others, where the usual ones take too long. */
  readonly amongAll?: readonly string[];
}

const benches: Readonly<Record<string, Entry>> = {
  'decode-and-book': {
    summary: 'protobuf bytes to updated order book, beside ccxt, tardis-dev and Rust',
    load: async () => (await import('./decode-and-book/bench.js')).decodeAndBook,
  },
  pipeline: {
    summary: 'socket to book with one worker, beside a bare ws client',
    load: async () => (await import('./pipeline/bench.js')).pipeline,
  },
  'fan-out': {
    summary: "200 WebSocket clients, beside a ws.send loop and Bun's publish",
    load: async () => (await import('./fan-out/bench.js')).fanOut,
  },
  'many-clients': {
    summary: '5,000 WebSocket clients, with and without 500 that never read',
    load: async () => (await import('./many-clients/bench.js')).manyClients,
  },
  grpc: {
    summary: 'gRPC book streams, beside grpc-js with a constant buffer',
    load: async () => (await import('./grpc/bench.js')).grpc,
  },
  latency: {
    summary: "exchange's frame to a client's callback, beside a bare relay",
    load: async () => (await import('./latency/bench.js')).latency,
  },
  rest: {
    summary: 'GET /orderbook/SYMBOL?depth=20 under a live feed, beside a constant route',
    load: async () => (await import('./rest/bench.js')).rest,
  },
  interleaved: {
    summary: '500 and 2,000 symbols in turn, beside one symbol',
    load: async () => (await import('./interleaved/bench.js')).interleaved,
  },
  memory: {
    summary: "memory a book, beside ccxt's",
    load: async () => (await import('./memory/bench.js')).memory,
  },
  steady: {
    summary: 'heap growth and garbage collection over ten million frames',
    load: async () => (await import('./steady/bench.js')).steady,
  },
  workers: {
    summary: 'frames a second with 1, 2 and 4 workers while the work grows',
    load: async () => (await import('./workers/bench.js')).workers,
  },
  recovery: {
    summary: 'faults of the exchange and of workers: how long until a book is live again',
    load: async () => (await import('./recovery/bench.js')).recovery,
    amongAll: ['--times', '1'],
  },
  capacity: {
    summary: "all of MEXC's pairs at a pace: what the engine's threads take",
    load: async () => (await import('./capacity/bench.js')).capacity,
  },
  'many-symbols': {
    summary: 'start-up time and memory with 2,000 symbols at 30 subscriptions a connection',
    load: async () => (await import('./many-symbols/bench.js')).manySymbols,
    amongAll: ['--watch-seconds', '10'],
  },
};

function usage(): string {
  const names = Object.entries(benches).map(([name, { summary }]) => `  ${name.padEnd(16)}  ${summary}`);
  return [
    'usage: npm run bench -- [NAME] [--write] [--check] [--help] [options]',
    '',
    'Without a name all run, one after the other. --write records the results in bench/results.md and bench/results.json, --check fails',
    'when a ratio is worse than the recorded one by more than its recorded noise, NAME --help shows the options of one.',
    '',
    ...names,
    '',
  ].join('\n');
}

const sharedOptions = {
  write: { type: 'boolean', default: false },
  check: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

/** Runs one bench; returns its exit code. */
async function runBench(name: string, args: readonly string[]): Promise<number> {
  const bench = await benches[name]!.load();
  const { values } = parseArgs({ args: [...args], options: { ...bench.options, ...sharedOptions } });
  if (values.help) {
    process.stdout.write(`usage: npm run bench -- ${name} [--write] [--check] [options]\n${bench.help}\n`);
    return 0;
  }
  const parts: string[] = [];
  const print = (text: string): void => {
    parts.push(text);
    process.stdout.write(`${text}\n\n`);
  };
  print(`## ${name}: ${bench.title}`);
  print(`${describeMachine()}.`);
  const figures = await bench.run(new BenchValues(values), print);
  const summaries: FigureRecords = Object.fromEntries(figures.map((figure) => [figure.id, summarize(figure)]));
  if (figures.length > 0) print(formatFigures(Object.values(summaries)));
  const complaints = values.check ? compareWithRecord(name, summaries, readFigures()[name] ?? {}) : [];
  for (const complaint of complaints) process.stderr.write(`slower than recorded: ${complaint}\n`);
  if (values.write) {
    writeResults(name, parts.join('\n\n'));
    writeFigures(name, summaries);
  }
  return complaints.length > 0 ? 1 : 0;
}

async function runGuarded(name: string, args: readonly string[]): Promise<number> {
  try {
    return await runBench(name, args);
  } catch (error) {
    process.stderr.write(`${name} failed: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}

async function runAll(args: readonly string[]): Promise<number> {
  let worst = 0;
  for (const [name, { amongAll = [] }] of Object.entries(benches)) {
    const startedMs = performance.now();
    worst = Math.max(worst, await runGuarded(name, [...amongAll, ...args]));
    process.stderr.write(`${name} took ${((performance.now() - startedMs) / 1000).toFixed(0)} s\n`);
  }
  return worst;
}

const args = process.argv.slice(2);
const { positionals, values } = parseArgs({ args, strict: false, allowPositionals: true });
const name = positionals[0];
if (name === undefined && values['help'] === true) {
  process.stdout.write(usage());
} else if (name === undefined) {
  process.exitCode = await runAll(args);
} else if (!Object.hasOwn(benches, name)) {
  process.stderr.write(`unknown bench "${name}"\n${usage()}`);
  process.exitCode = 2;
} else {
  args.splice(args.indexOf(name), 1);
  process.exitCode = await runGuarded(name, args);
}
