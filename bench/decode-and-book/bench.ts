import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { describeMachine } from '../support/machine.js';
import { projectRoot } from '../support/paths.js';
import { writeResults } from '../support/results-file.js';
import { measureStream, type CandidateSpec } from './measure.js';
import { generateNearStream } from './near-stream.js';
import { loadRecordedStream } from './recorded-stream.js';
import { formatStream, type NotRun } from './report.js';
import { buildRustReference } from './rust-reference.js';
import type { Stream } from './stream.js';

const help = `usage: npm run bench -- decode-and-book [options]

  --rounds N       counted rounds, each candidate in turn (default 7, at least 5 for a figure worth quoting)
  --round-ms N     least timed time of one round (default 500)
  --session FILE   recorded BTCUSDT session (default: btcusdt_20240808.frames.jsonl.gz in the shared test data; without it only "near" runs)
  --seed N         of the synthetic stream (default 1)
  --frames N       length of the synthetic stream (default 10000)
  --only A,B       candidates to run: engine, shard, rust, ccxt-book, ccxt-client, tardis
  --stream NAME    run only "deep" or "near"
  --write          also write bench/results.md
`;

const defaultSession = join(projectRoot, '../shared/data/mexc-reencoded/btcusdt_20240808.frames.jsonl.gz');

const NAME = 'decode-and-book';
const allCandidates: readonly string[] = ['engine', 'shard', 'rust', 'ccxt-book', 'ccxt-client', 'tardis'];

/** Protobuf bytes to updated book, in one run beside other people's order books. Throws when the books differ. */
export async function decodeAndBook(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string', default: '7' },
      'round-ms': { type: 'string', default: '500' },
      session: { type: 'string', default: defaultSession },
      seed: { type: 'string', default: '1' },
      frames: { type: 'string', default: '10000' },
      only: { type: 'string' },
      stream: { type: 'string' },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  const rounds = count('rounds', values.rounds);
  const roundMs = count('round-ms', values['round-ms']);
  const parts: string[] = [];
  const print = (text: string): void => {
    parts.push(text);
    process.stdout.write(`${text}\n\n`);
  };
  print(`## ${NAME}: protobuf bytes to updated book, versions published, one thread`);
  print(`${describeMachine()}. ${rounds} rounds of at least ${roundMs} ms, candidates in turn, each in a process of its own; medians.`);
  const { specs, notRun, note } = chooseCandidates(values.only?.split(','));
  if (note !== '') print(note);
  const { streams, missing } = chooseStreams(values.stream, values.session, count('seed', values.seed), count('frames', values.frames));
  if (missing !== '') print(missing);
  const workDir = mkdtempSync(join(tmpdir(), 'mdp-bench-'));
  try {
    for (const stream of streams) print(formatStream(await measureStream(stream, specs, workDir, rounds, roundMs), notRun));
  } finally {
    rmSync(workDir, { recursive: true });
  }
  if (values.write) writeResults(NAME, parts.join('\n\n'));
  return 0;
}

function count(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} takes a whole number from 1, not "${text}"`);
  return value;
}

/** The candidates that can run here, those that cannot, and what the Rust program was built with. */
function chooseCandidates(only: readonly string[] = allCandidates): { specs: CandidateSpec[]; notRun: NotRun[]; note: string } {
  const specs: CandidateSpec[] = [];
  const notRun: NotRun[] = [];
  let note = '';
  for (const name of only) {
    if (!allCandidates.includes(name)) throw new Error(`--only takes ${allCandidates.join(', ')}, not "${name}"`);
    if (name !== 'rust') {
      const script = fileURLToPath(new URL(`./candidate-${name}.js`, import.meta.url));
      specs.push({ name, command: process.execPath, args: [script] });
      continue;
    }
    const reference = buildRustReference();
    if ('missing' in reference) {
      notRun.push({ name, reason: reference.missing });
    } else {
      specs.push({ name, command: reference.program, args: [] });
      note = `Rust: ${reference.version}.`;
    }
  }
  return { specs, notRun, note };
}

function chooseStreams(only: string | undefined, session: string, seed: number, frames: number): { streams: Stream[]; missing: string } {
  if (only !== undefined && only !== 'deep' && only !== 'near') throw new Error(`--stream takes deep or near, not "${only}"`);
  const streams: Stream[] = [];
  let missing = '';
  if (only !== 'near') {
    const path = resolve(session);
    if (existsSync(path)) streams.push(loadRecordedStream(path, 'BTCUSDT'));
    else if (session !== defaultSession || only === 'deep') throw new Error(`no recorded session at ${path}`);
    else missing = 'deep: not run, the recorded BTCUSDT session is not here (--session FILE).';
  }
  if (only !== 'deep') streams.push(generateNearStream(seed, frames));
  return { streams, missing };
}
