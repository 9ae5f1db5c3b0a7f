import { parseArgs } from 'node:util';

/** A benchmark: takes its own arguments, prints its own table, returns the exit code. */
type Bench = (args: readonly string[]) => Promise<number>;

const benches: Readonly<Record<string, { readonly summary: string; readonly load: () => Promise<Bench> }>> = {
  'decode-and-book': {
    summary: 'protobuf bytes to updated order book, beside ccxt, tardis-dev and Rust',
    load: async () => (await import('./decode-and-book/bench.js')).decodeAndBook,
  },
  'many-symbols': {
    summary: 'start-up time and memory with 2,000 symbols at 30 subscriptions a connection',
    load: async () => (await import('./many-symbols/bench.js')).manySymbols,
  },
};

function usage(): string {
  const names = Object.entries(benches).map(([name, bench]) => `  ${name}  ${bench.summary}`);
  return ['usage: npm run bench -- NAME [--help] [options]', ...names].join('\n');
}

const { positionals } = parseArgs({ strict: false, allowPositionals: true });
const name = positionals[0];
const bench = name === undefined ? undefined : benches[name];
if (name === undefined || bench === undefined) {
  process.stderr.write(`${name === undefined ? '' : `unknown bench "${name}"\n`}${usage()}\n`);
  process.exitCode = 2;
} else {
  const run = await bench.load();
  const args = process.argv.slice(2);
  args.splice(args.indexOf(name), 1);
  try {
    process.exitCode = await run(args);
  } catch (error) {
    process.stderr.write(`${name} failed: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
