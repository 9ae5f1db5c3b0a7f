import { availableParallelism } from 'node:os';
import { WebSocket } from 'ws';
import { once } from 'node:events';
import type { Bench } from '../support/bench.js';
import type { Figure } from '../support/figure.js';
import type { Peer } from '../support/peer.js';
import { EngineReader, type FloodResult, startExchange } from '../support/rig.js';
import { median } from '../support/statistics.js';
import { symbolName } from '../support/symbol-stream.js';
import { formatTable } from '../support/table.js';
import { fitScaling, workersUntilMainLimits } from './fit.js';

const WORKERS = [1, 2, 4];
const SYMBOLS = 24;
const PASSES = 1;
const WARM_UPS = 1;

interface Work {
  readonly name: string;
  readonly levelsPerFrame: number;
  readonly bookLevels: number;
  readonly framesPerSymbol: number;
  /** A client follows the analytics of every book, at each change. */
  readonly analytics: boolean;
}

const WORKS: readonly Work[] = [
  { name: 'light', levelsPerFrame: 10, bookLevels: 500, framesPerSymbol: 4000, analytics: false },
  { name: 'churn', levelsPerFrame: 200, bookLevels: 5000, framesPerSymbol: 400, analytics: false },
  { name: 'churn + analytics', levelsPerFrame: 200, bookLevels: 5000, framesPerSymbol: 400, analytics: true },
];

/** Whether more workers do more. */
export const workers: Bench = {
  title: `frames a second with ${WORKERS.join(', ')} workers while the work a frame grows`,
  help: `
  --rounds N       counted rounds of each number of workers, in turn (default 5)`,
  options: { rounds: { type: 'string', default: '5' } },
  async run(values, print) {
    const rounds = values.count('rounds');
    const figures: Figure[] = [];
    const rows: string[][] = [];
    const fits: string[][] = [];
    for (const work of WORKS) {
      const results = await measure(work, rounds);
      const micros = results.map((list) => list.map(({ seconds, frames }) => (seconds * 1e6) / frames));
      const mainMicros = median(results.flatMap((list) => list.map(({ mainMs, frames }) => (mainMs * 1000) / frames)));
      const rate = (list: readonly number[]): string => Math.round(1e6 / median(list)).toLocaleString('en');
      rows.push([work.name, ...micros.map(rate), mainMicros.toFixed(2)]);
      const points = WORKERS.map((count, i) => ({ workers: count, micros: median(micros[i]!) }));
      const fit = fitScaling(points.filter(({ workers: count }) => count <= availableParallelism()));
      fits.push([work.name, fit.serial.toFixed(2), fit.parallel.toFixed(2), workersUntilMainLimits(fit, mainMicros).toFixed(1)]);
      for (const [i, count] of WORKERS.entries()) {
        if (count === 1) continue;
        figures.push({
          id: `${work.name}-${count}`,
          label: `${work.name}: frames a second, ${count} workers / one`,
          better: 'higher',
          pairs: micros[i]!.map((time, round) => micros[0]![round]! / time),
          target: null,
        });
      }
    }
    print(
      `${SYMBOLS} symbols. light: 10 levels a frame, books of 500 a side. churn: 200 levels a frame, 5,000 a side. analytics: a client follows the analytics of ` +
        `every book at each change. An engine for each number of workers, flooded in turn; sender and client take their share of the ${availableParallelism()} cores.`,
    );
    print(
      formatTable(
        ['frames/s', ...WORKERS.map((count) => (count === 1 ? '1 worker' : `${count} workers`)), 'main thread, us a frame'],
        rows,
      ),
    );
    print(
      `Fit of the time a frame takes, over as many workers as there are cores at most: serial + parallel / workers. The last column is the number of ` +
        'workers, each on a core of its own, from which on the main thread would be the limit.',
    );
    print(formatTable(['us a frame', 'serial', 'parallel', 'main thread limits from'], fits));
    return figures;
  },
};

/** An engine with its exchange, and the client that follows it. */
interface Rig {
  readonly exchange: Peer;
  readonly engine: EngineReader;
  readonly client: WebSocket | undefined;
}

/** By number of workers: the rounds. */
async function measure(work: Work, rounds: number): Promise<FloodResult[][]> {
  const rigs: Rig[] = [];
  try {
    for (const count of WORKERS) rigs.push(await startRig(work, count));
    const results: FloodResult[][] = rigs.map(() => []);
    for (let round = -WARM_UPS; round < rounds; round++) {
      for (const [i, { engine }] of rigs.entries()) {
        const result = await engine.flood(PASSES);
        if (round >= 0) results[i]!.push(result);
      }
    }
    for (const { engine } of rigs) await engine.compareBooks();
    return results;
  } finally {
    for (const { client, engine, exchange } of rigs) {
      client?.terminate();
      await engine.peer.stop();
      await exchange.stop();
    }
  }
}

async function startRig(work: Work, count: number): Promise<Rig> {
  const { exchange, port } = await startExchange({ symbols: SYMBOLS, ...work });
  const engine = new EngineReader(exchange);
  await engine.start(port, count);
  return { exchange, engine, client: work.analytics ? await followAnalytics(engine.url) : undefined };
}

async function followAnalytics(url: string): Promise<WebSocket> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`, { perMessageDeflate: false });
  await once(socket, 'open');
  const symbols = Array.from({ length: SYMBOLS }, (_, index) => symbolName(index));
  socket.send(JSON.stringify({ op: 'subscribe', id: 1, channel: 'analytics', symbols, intervalMs: 0 }));
  const [answer] = (await once(socket, 'message')) as [Buffer];
  if (!answer.toString().includes('"failed":[]')) throw new Error(`not subscribed: ${answer.toString()}`);
  // Read and let go.
  socket.on('message', () => {});
  return socket;
}
