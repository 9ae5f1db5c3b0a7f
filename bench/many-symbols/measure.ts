import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import WebSocket from 'ws';

export interface ManySymbolsOptions {
  readonly symbols: number;
  /** Pushes per second and symbol. */
  readonly rate: number;
  /** Snapshot requests per second the engine may make. */
  readonly snapshotRate: number;
  readonly workers: number;
  /** How long to watch once every book is live. */
  readonly watchMs: number;
  readonly progress?: (line: string) => void;
}

export interface ManySymbolsResult {
  readonly symbols: number;
  readonly connections: number;
  /** Most subscriptions any connection carried. */
  readonly subscriptionsMax: number;
  /** From the engine's start until every book was live. */
  readonly liveSeconds: number;
  /** What the snapshot budget alone takes. */
  readonly budgetSeconds: number;
  /** Largest resident set of the engine's process, in MiB; `null` where /proc does not tell. */
  readonly residentMiB: number | null;
  /** Changes to `stale` of any book during the whole run. */
  readonly stale: number;
  readonly gaps: number;
  readonly crossed: number;
  readonly framesApplied: number;
}

interface Status {
  readonly books: { readonly tracked: number; readonly live: number };
  readonly connections: readonly { readonly subscriptions: number }[];
  readonly counters: { readonly gaps: number; readonly crossedBooks: number; readonly framesApplied: number };
}

const main = fileURLToPath(new URL('../../src/main.js', import.meta.url));
const POLL_MS = 250;
const STATUS_BATCH = 1_000;

/** Starts the simulated exchange and the engine as `mdp` processes of their own, and watches every book's state over the push channel. */
export async function measureManySymbols(options: ManySymbolsOptions): Promise<ManySymbolsResult> {
  const children: ChildProcess[] = [];
  try {
    const sim = await startMdp(children, /"wsUrl":"([^"]+)"/, [
      'sim',
      '--port',
      '0',
      '--symbols',
      String(options.symbols),
      '--rate',
      String(options.rate),
    ]);
    const wsUrl = sim.match;
    const restUrl = new URL(wsUrl.replace(/^ws/, 'http')).origin;
    const startedAt = performance.now();
    const flags = ['--symbols', 'all', '--port', '0', '--grpc-port', 'off', '--ws-url', wsUrl, '--rest-url', restUrl];
    const tuning = ['--snapshot-rate', String(options.snapshotRate), '--workers', String(options.workers)];
    const engine = await startMdp(children, /"url":"([^"]+)"/, ['start', ...flags, ...tuning]);
    const watch = await watchStates(engine.match);
    const liveSeconds = await untilLive(engine.match, startedAt, options);
    await new Promise((resolve) => setTimeout(resolve, options.watchMs));
    const status = await fetchStatus(engine.match);
    const residentMiB = await peakResidentMiB(engine.child.pid!);
    watch.socket.terminate();
    return {
      symbols: status.books.tracked,
      connections: status.connections.length,
      subscriptionsMax: Math.max(...status.connections.map(({ subscriptions }) => subscriptions)),
      liveSeconds,
      budgetSeconds: options.symbols / options.snapshotRate,
      residentMiB,
      stale: watch.stale(),
      gaps: status.counters.gaps,
      crossed: status.counters.crossedBooks,
      framesApplied: status.counters.framesApplied,
    };
  } finally {
    await Promise.all(children.reverse().map(stop));
  }
}

async function startMdp(
  children: ChildProcess[],
  pattern: RegExp,
  args: readonly string[],
): Promise<{ child: ChildProcess; match: string }> {
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`mdp ${args[0]} ended with code ${code} before it listened`)));
    createInterface({ input: child.stdout }).on('line', (line) => {
      const match = pattern.exec(line);
      if (match !== null) resolve({ child, match: match[1]! });
    });
  });
}

/** Subscribes to the states of all books. */
async function watchStates(url: string): Promise<{ readonly socket: WebSocket; readonly stale: () => number }> {
  const symbols = (await (await fetch(`${url}/symbols`)).json()) as { readonly symbols: readonly { readonly symbol: string }[] };
  const names = symbols.symbols.map(({ symbol }) => symbol);
  const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/ws`, { perMessageDeflate: false });
  await once(socket, 'open');
  let stale = 0;
  socket.on('message', (data: Buffer) => {
    const message = JSON.parse(data.toString()) as { readonly ch?: string; readonly state?: string };
    if (message.ch === 'status' && message.state === 'stale') stale++;
  });
  for (let first = 0; first < names.length; first += STATUS_BATCH) {
    socket.send(JSON.stringify({ op: 'subscribe', id: first, channel: 'status', symbols: names.slice(first, first + STATUS_BATCH) }));
  }
  return { socket, stale: () => stale };
}

async function untilLive(url: string, startedAt: number, options: ManySymbolsOptions): Promise<number> {
  // Twice the budget and a minute: far above what is measured, so that a hang ends.
  const limit = (2 * options.symbols) / options.snapshotRate + 60;
  for (let polls = 0; ; polls++) {
    const { books } = await fetchStatus(url);
    const seconds = (performance.now() - startedAt) / 1000;
    if (books.live === options.symbols) return seconds;
    if (seconds > limit) throw new Error(`${books.live} of ${options.symbols} books live after ${Math.round(seconds)} s`);
    if (polls % 40 === 0) options.progress?.(`${books.live} of ${options.symbols} books live after ${Math.round(seconds)} s`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

async function fetchStatus(url: string): Promise<Status> {
  return (await (await fetch(`${url}/status`)).json()) as Status;
}

async function peakResidentMiB(pid: number): Promise<number | null> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const match = /^VmHWM:\s+(\d+) kB$/m.exec(status);
  return match === null ? null : Math.round(Number(match[1]) / 1024);
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}
