import type { Bench } from '../support/bench.js';
import { threadTimes } from '../support/processor-time.js';
import { EngineReader, startExchange } from '../support/rig.js';
import { formatTable } from '../support/table.js';

/** What MEXC listed in November 2026. */
const PAIRS = 1966;
const FRAMES_PER_SYMBOL = 50;
/** Far above what MEXC takes, so that the books are live soon. */
const SNAPSHOT_RATE = 200;

/** All pairs at a pace: what the threads of the engine take for it. */
export const capacity: Bench = {
  title: `${PAIRS.toLocaleString('en')} pairs at a pace, up to one push in 10 ms of each`,
  help: `
  --seconds N      of each pace (default 5)
  --workers N      (default 1)
  --pairs N        symbols (default ${PAIRS})
  --rates A,B      frames a second (default 20000,50000,100000,196600)
  --profile        writes processor profiles of the engine into the current folder`,
  options: {
    seconds: { type: 'string', default: '5' },
    workers: { type: 'string', default: '1' },
    pairs: { type: 'string', default: String(PAIRS) },
    rates: { type: 'string', default: '20000,50000,100000,196600' },
    profile: { type: 'boolean', default: false },
  },
  async run(values, print) {
    const seconds = values.count('seconds');
    const symbols = values.count('pairs');
    const { exchange, port } = await startExchange({ symbols, framesPerSymbol: FRAMES_PER_SYMBOL, levelsPerFrame: 10, bookLevels: 200 });
    const engine = new EngineReader(exchange, values.flag('profile') ? ['--cpu-prof'] : []);
    try {
      await engine.start(port, values.count('workers'), SNAPSHOT_RATE);
      await exchange.call('prepare', { path: 'ws' });
      const rows: string[][] = [];
      const { connections } = await engine.counts();
      for (const rate of values.text('rates').split(',').map(Number)) {
        const before = await engine.counts();
        const threadsBefore = threadTimes(engine.peer.pid);
        const startedMs = performance.now();
        await exchange.call('pace', { path: 'ws', perSecond: rate, frames: rate * seconds });
        // What is still on its way when the last frame was sent is counted to the pace that sent it.
        await engine.settled(before.received + rate * seconds);
        const elapsedMs = performance.now() - startedMs;
        const after = await engine.counts();
        const threads = threadTimes(engine.peer.pid);
        const share = (ms: number): string => `${((100 * ms) / elapsedMs).toFixed(0)} %`;
        const spent = [...threads].map(([tid, ms]) => ({ tid, ms: ms - (threadsBefore.get(tid) ?? 0) }));
        const main = spent.find(({ tid }) => tid === engine.peer.pid)!.ms;
        const others = spent.filter(({ tid }) => tid !== engine.peer.pid).sort((a, b) => b.ms - a.ms);
        rows.push([
          rate.toLocaleString('en'),
          Math.round(((after.applied - before.applied) * 1000) / elapsedMs).toLocaleString('en'),
          String(after.lost - before.lost),
          share(main),
          share(others[0]!.ms),
        ]);
      }
      print(
        `${symbols.toLocaleString('en')} symbols over ${connections} connections, books of about 200 levels a side, pushes of 10 levels, ` +
          `${values.text('workers')} worker(s), ${seconds} s at each pace. One push in 10 ms of every symbol is ${(symbols * 100).toLocaleString('en')} frames/s. ` +
          'The exchange runs on the same machine and takes its share of it.',
      );
      print(formatTable(['frames/s sent', 'applied a second', 'lost', 'main thread', 'busiest worker'], rows));
      return [];
    } finally {
      await Promise.all([engine.peer.stop(), exchange.stop()]);
    }
  },
};
