import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Bench } from '../support/bench.js';
import type { Figure } from '../support/figure.js';
import { projectRoot } from '../support/paths.js';
import { measureStream, type CandidateSpec, type StreamResult } from './measure.js';
import { generateNearStream } from './near-stream.js';
import { loadRecordedStream } from './recorded-stream.js';
import { formatStream, labels, type NotRun, targets } from './report.js';
import { buildRustReference } from './rust-reference.js';
import type { Stream } from './stream.js';

const defaultSession = join(projectRoot, '../shared/data/mexc-reencoded/btcusdt_20240808.frames.jsonl.gz');

const allCandidates: readonly string[] = ['engine', 'shard', 'rust', 'ccxt-book', 'ccxt-client', 'tardis'];

/** Protobuf bytes to updated book, in one run beside other people's order books. Throws when the books differ. */
export const decodeAndBook: Bench = {
  title: 'protobuf bytes to updated book, versions published, one thread',
  help: `
  --rounds N       counted rounds, each candidate in turn (default 7, at least 5 for a figure worth quoting)
  --round-ms N     least timed time of one round (default 500)
  --session FILE   recorded BTCUSDT session (default: btcusdt_20240808.frames.jsonl.gz in the shared test data; without it only "near" runs)
  --seed N         of the synthetic stream (default 1)
  --frames N       length of the synthetic stream (default 10000)
  --only A,B       candidates to run: engine, shard, rust, ccxt-book, ccxt-client, tardis
  --stream NAME    run only "deep" or "near"`,
  options: {
    rounds: { type: 'string', default: '7' },
    'round-ms': { type: 'string', default: '500' },
    session: { type: 'string', default: defaultSession },
    seed: { type: 'string', default: '1' },
    frames: { type: 'string', default: '10000' },
    only: { type: 'string', default: allCandidates.join(',') },
    stream: { type: 'string', default: 'all' },
  },
  async run(values, print) {
    const rounds = values.count('rounds');
    const roundMs = values.count('round-ms');
    print(`${rounds} rounds of at least ${roundMs} ms, candidates in turn, each in a process of its own; medians.`);
    const { specs, notRun, note } = chooseCandidates(values.text('only').split(','));
    if (note !== '') print(note);
    const { streams, missing } = chooseStreams(values.text('stream'), values.text('session'), values.count('seed'), values.count('frames'));
    if (missing !== '') print(missing);
    const workDir = mkdtempSync(join(tmpdir(), 'mdp-bench-'));
    const figures: Figure[] = [];
    try {
      for (const stream of streams) {
        const result = await measureStream(stream, specs, workDir, rounds, roundMs);
        print(formatStream(result, notRun));
        figures.push(...toFigures(result));
      }
    } finally {
      rmSync(workDir, { recursive: true });
    }
    return figures;
  },
};

/** The engine beside each candidate it was measured with, round by round. */
function toFigures({ stream, results }: StreamResult): Figure[] {
  const engine = results.find(({ name }) => name === 'engine');
  if (engine === undefined) return [];
  const others = results.filter(({ name }) => name !== 'engine' && name !== 'shard');
  return others.map(({ name, rates }) => ({
    id: `${stream.name}-${name}`,
    label: `${stream.name}: levels a second, engine / ${labels[name] ?? name}`,
    better: 'higher',
    pairs: rates.map((rate, round) => engine.rates[round]! / rate),
    target: targets[name] ?? null,
  }));
}

/** The candidates that can run here, those that cannot, and what the Rust program was built with. */
function chooseCandidates(only: readonly string[]): { specs: CandidateSpec[]; notRun: NotRun[]; note: string } {
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

function chooseStreams(only: string, session: string, seed: number, frames: number): { streams: Stream[]; missing: string } {
  if (only !== 'all' && only !== 'deep' && only !== 'near') throw new Error(`--stream takes deep or near, not "${only}"`);
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
