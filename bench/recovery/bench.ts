import { BroadcastChannel } from 'node:worker_threads';
import { once } from 'node:events';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { pino } from 'pino';
import { WebSocket } from 'ws';
import { createEngine } from '../../src/engine.js';
import { type FaultSpec, type Simulator, startSimulator } from '../../src/simulator/simulator.js';
import { setV8Flags } from '../../src/support/v8-flags.js';
import type { Bench } from '../support/bench.js';
import { projectRoot } from '../support/paths.js';
import { median } from '../support/statistics.js';
import { formatTable } from '../support/table.js';

/** A fault, and what makes it show: what goes wrong with snapshots is noticed when one is needed. */
interface Case {
  readonly what: string;
  readonly faults: readonly FaultSpec[];
  /** What the worker of the symbol is told to do; `midWrite` is to end in the middle of changing its books, `hoard` to use up its heap while it works on. */
  readonly worker?: 'end' | 'throw' | 'hang' | 'midWrite' | 'hoard';
}

const cases = (symbol: string): readonly Case[] => {
  const gap: FaultSpec = { action: 'skip', symbol };
  return [
    { what: 'a push is lost', faults: [gap] },
    { what: 'three pushes in a row are lost', faults: [{ action: 'skip', pushes: 3, symbol }] },
    { what: 'two pushes change places', faults: [{ action: 'reorder', symbol }] },
    { what: 'a push breaks off', faults: [{ action: 'truncate', symbol }] },
    { what: 'half a push comes before the whole one', faults: [{ action: 'truncate', mode: 'add', symbol }] },
    { what: 'a symbol is silent for 8 s', faults: [{ action: 'stall', forMs: 8_000, symbol }] },
    { what: 'pushes of 300 ms are lost', faults: [{ action: 'stall', forMs: 300, after: 'gap', symbol }] },
    { what: 'a connection is closed (1001)', faults: [{ action: 'drop', closeCode: 1001, symbol }] },
    { what: 'a connection breaks off (1006)', faults: [{ action: 'drop', symbol }] },
    {
      what: 'a connection breaks off, the new subscription is refused once',
      faults: [
        { action: 'refuse', symbol },
        { action: 'drop', symbol },
      ],
    },
    { what: 'all connections break off', faults: [{ action: 'drop' }] },
    { what: 'a connection is open but dead', faults: [{ action: 'halfOpen', symbol }] },
    { what: 'a push is lost, the snapshot is answered with 429 (1 s)', faults: [{ action: 'rest429', count: 1 }, gap] },
    { what: "a push is lost, the snapshot meets the firewall's 403", faults: [{ action: 'rest403', count: 1 }, gap] },
    { what: 'a push is lost, the snapshot is answered with 502', faults: [{ action: 'rest5xx', count: 1, symbol }, gap] },
    { what: 'a push is lost, the snapshot comes 500 ms late', faults: [{ action: 'slowSnapshots', delayMs: 500, count: 1, symbol }, gap] },
    { what: 'a push is lost, the snapshot is 8 pushes old', faults: [{ action: 'oldSnapshots', pushes: 8, count: 1, symbol }, gap] },
    { what: 'a worker ends', faults: [], worker: 'end' },
    { what: 'a worker ends in the middle of a write', faults: [], worker: 'midWrite' },
    { what: 'a worker throws', faults: [], worker: 'throw' },
    { what: 'a worker hangs', faults: [], worker: 'hang' },
    { what: 'a worker runs out of memory', faults: [], worker: 'hoard' },
  ];
};

/** Each fault meets a book that was sound for long: repeated ones wait longer. */
const SYMBOLS = 60;
/** Pushes of a symbol a second. */
const RATE = 10;

/** How long it takes until a fault is noticed, and until the book is live again; as a client of `status` sees it. */
export const recovery: Bench = {
  title: 'faults of the exchange and of workers: noticed after, live again after',
  help: `
  --times N        how often each (default 3)`,
  options: { times: { type: 'string', default: '3' } },
  async run(values, print) {
    setV8Flags();
    const times = values.count('times');
    print(
      `The engine with its default timings on the simulated exchange, both in one process; ${SYMBOLS} symbols with ${RATE} changes a second each, pushed every 10 ms; each time another symbol, and for each worker or connection lost an engine just started. ${times} times each: median and longest, in ms, as a client of the \`status\` channel sees it.`,
    );
    const rows: string[][] = [];
    let market = await Market.open();
    try {
      for (const [index, { what, worker, faults }] of cases('').entries()) {
        // The second of two workers lost soon after one another is replaced later, and a connection lost twice is opened later.
        const startsAnew = worker !== undefined || faults.some(({ action }) => action === 'drop');
        const noticed: number[] = [];
        const recovered: number[] = [];
        for (let i = 0; i < times; i++) {
          if (startsAnew) {
            await market.close();
            market = await Market.open();
          }
          const { noticedMs, recoveredMs } = await market.suffer((symbol) => cases(symbol)[index]!);
          noticed.push(noticedMs);
          recovered.push(recoveredMs);
        }
        const figures = (list: readonly number[]): string => `${median(list).toFixed(0)} (${Math.max(...list).toFixed(0)})`;
        rows.push([what, figures(noticed), figures(recovered)]);
      }
    } finally {
      await market.close();
    }
    print(formatTable(['fault', 'noticed after, ms', 'live again after that, ms'], rows));
    return [];
  },
};

/** Whose turn it is, also in the next engine: the first book of all is back first. */
let next = 0;

/** An engine on a simulated exchange, and a client that is told of every change of state. */
class Market {
  readonly #sim: Simulator;
  readonly #close: () => Promise<void>;
  readonly #socket: WebSocket;
  readonly #orders = new BroadcastChannel('kill-shard');
  /** Every state a symbol was in, in order. */
  readonly #states = new Map<string, { readonly state: string; readonly atMs: number }[]>();
  #changed: () => void = () => undefined;

  private constructor(sim: Simulator, socket: WebSocket, close: () => Promise<void>) {
    this.#sim = sim;
    this.#socket = socket;
    this.#close = close;
    for (const symbol of sim.symbols) this.#states.set(symbol, []);
    socket.on('message', (data: Buffer) => {
      const { ch, sym = '', state } = JSON.parse(data.toString()) as { ch?: string; sym?: string; state?: string };
      if (ch !== 'status' || state === undefined) return;
      this.#states.get(sym)!.push({ state, atMs: performance.now() });
      this.#changed();
    });
  }

  static async open(): Promise<Market> {
    // More snapshots than the exchange would answer in so short a time.
    const limits = { restBurstPerSecond: 10_000, restBurstPer10s: 10_000, restWeightPer10s: 10_000 };
    const sim = await startSimulator({ symbols: SYMBOLS, rate: RATE, seed: 1, limits });
    const engine = await createEngine({
      symbols: { kind: 'all' },
      workers: 1,
      host: '127.0.0.1',
      port: 0,
      wsUrl: sim.wsUrl,
      restUrl: sim.restUrl,
      interval: '10ms',
      snapshotRate: 8,
      staleAfterMs: 5_000,
      logger: pino({ level: 'silent' }),
      workerUrl: pathToFileURL(join(projectRoot, 'test/support/killable.worker.mjs')),
    });
    const socket = new WebSocket(engine.wsUrl, { perMessageDeflate: false });
    await once(socket, 'open');
    const market = new Market(sim, socket, async () => {
      await engine.close();
      await sim.close();
    });
    socket.send(JSON.stringify({ op: 'subscribe', channel: 'status', symbols: sim.symbols }));
    return market;
  }

  /** Inflicts it on the next symbol, when all books are live. */
  async suffer(caseOf: (symbol: string) => Case): Promise<{ readonly noticedMs: number; readonly recoveredMs: number }> {
    await this.#until(() => [...this.#states.values()].every((states) => states.at(-1)?.state === 'live'));
    const symbol = this.#sim.symbols[next++ % SYMBOLS]!;
    const { faults, worker } = caseOf(symbol);
    const states = this.#states.get(symbol)!;
    states.splice(0, states.length - 1);
    const sufferedMs = performance.now();
    for (const fault of faults) this.#sim.injectFault(fault);
    if (worker !== undefined) this.#orders.postMessage({ shard: 0, [worker]: true });
    // The state before is the first in the list.
    await this.#until(() => states.length > 2 && states.at(-1)!.state === 'live');
    const noticedMs = states[1]!.atMs;
    const recoveredMs = states.find(({ state }, place) => place > 1 && state === 'live')!.atMs;
    return { noticedMs: noticedMs - sufferedMs, recoveredMs: recoveredMs - noticedMs };
  }

  async close(): Promise<void> {
    this.#orders.close();
    this.#socket.terminate();
    await this.#close();
  }

  async #until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await new Promise<void>((resolve) => (this.#changed = resolve));
  }
}
