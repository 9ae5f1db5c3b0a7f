import type { Bench } from '../support/bench.js';
import { EngineReader, startExchange } from '../support/rig.js';
import { formatTable } from '../support/table.js';
import { type Collection, parseGcTrace } from './gc-trace.js';

const SYMBOLS = 20;
const FRAMES_PER_SYMBOL = 5000;
const ROUNDS = 5;
/** A heap whose growth is no more than this does not grow: caches and counters of the runtime move by as much. */
const GROWTH_KIB_MAX = 512;

interface Memory {
  readonly heapUsed: number;
  readonly external: number;
  readonly arrayBuffers: number;
}

/** Whether a long run leaves anything behind, and what collecting garbage costs. */
export const steady: Bench = {
  title: 'heap growth and garbage collection over ten million frames',
  help: `
  --frames N       frames in all, in ${ROUNDS} rounds (default 10000000)`,
  options: { frames: { type: 'string', default: '10000000' } },
  async run(values, print) {
    const passes = Math.ceil(values.count('frames') / ROUNDS / (SYMBOLS * FRAMES_PER_SYMBOL));
    const { exchange, port } = await startExchange({
      symbols: SYMBOLS,
      framesPerSymbol: FRAMES_PER_SYMBOL,
      levelsPerFrame: 10,
      bookLevels: 500,
    });
    const engine = new EngineReader(exchange, ['--trace-gc', '--expose-gc']);
    try {
      await engine.start(port, 1);
      await engine.flood(passes);
      const before = await engine.peer.call<Memory>('memory');
      const shares: number[] = [];
      let frames = 0;
      let collections: Collection[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        const from = engine.peer.output.length;
        const result = await engine.flood(passes);
        const seen = parseGcTrace(engine.peer.output.slice(from));
        const [main] = parseGcTrace(engine.peer.output);
        const paused = seen.filter(({ isolate }) => isolate === main!.isolate).reduce((sum, { pauseMs }) => sum + pauseMs, 0);
        shares.push(paused / (result.seconds * 10));
        frames += result.frames;
        collections = collections.concat(seen);
      }
      const after = await engine.peer.call<Memory>('memory');
      await engine.compareBooks();
      const grown = (key: keyof Memory): number => Math.round((after[key] - before[key]) / 1024);
      const [main] = parseGcTrace(engine.peer.output);
      const ofMain = collections.filter(({ isolate }) => isolate === main!.isolate);
      print(
        `${frames.toLocaleString('en')} frames of 10 levels after as many as one round to warm up, ${SYMBOLS} symbols, one worker, as fast as they are taken: ` +
          'far more a second than any exchange sends. Pauses are those of `--trace-gc`, heap sizes those after a collection.',
      );
      print(
        formatTable(
          ['thread', 'collections', 'paused ms', 'longest ms'],
          [
            collectionRow('main', ofMain),
            collectionRow(
              'worker',
              collections.filter((collection) => !ofMain.includes(collection)),
            ),
          ],
        ),
      );
      print(`Growth: heap ${grown('heapUsed')} KiB, outside of it ${grown('external')} KiB, array buffers ${grown('arrayBuffers')} KiB.`);
      if (grown('heapUsed') > GROWTH_KIB_MAX || grown('external') > GROWTH_KIB_MAX) throw new Error('the heap grew');
      return [{ id: 'gc-share', label: 'main thread: % of the time in garbage collection', better: 'lower', pairs: shares, target: 0.5 }];
    } finally {
      await Promise.all([engine.peer.stop(), exchange.stop()]);
    }
  },
};

function collectionRow(name: string, list: readonly Collection[]): string[] {
  const pauses = list.map(({ pauseMs }) => pauseMs);
  const total = pauses.reduce((sum, pause) => sum + pause, 0);
  return [name, String(list.length), total.toFixed(1), pauses.length === 0 ? '-' : Math.max(...pauses).toFixed(1)];
}
