import type { Bench } from '../support/bench.js';
import { Peer } from '../support/peer.js';
import { EngineReader, flood, type FloodResult, startExchange } from '../support/rig.js';
import { median } from '../support/statistics.js';
import { formatTable } from '../support/table.js';
import { inTurn } from '../support/turns.js';

const WARM_UPS = 2;

/** The whole way from a socket to the books, beside a client that only counts. */
export const pipeline: Bench = {
  title: 'socket to feed to ring to worker to book, beside a bare ws client that counts the same frames',
  help: `
  --pairs N        counted pairs of rounds (default 7)
  --frames N       frames of one pass (default 100000)
  --passes N       passes of one round (default 5)
  --symbols N      on one connection, at most 30 (default 20)
  --levels N       changed levels of a frame (default 10)
  --profile        writes processor profiles of the engine into the current folder`,
  options: {
    pairs: { type: 'string', default: '7' },
    frames: { type: 'string', default: '100000' },
    passes: { type: 'string', default: '5' },
    symbols: { type: 'string', default: '20' },
    levels: { type: 'string', default: '10' },
    profile: { type: 'boolean', default: false },
  },
  async run(values, print) {
    const symbols = values.count('symbols');
    const levels = values.count('levels');
    const passes = values.count('passes');
    const framesPerSymbol = Math.ceil(values.count('frames') / symbols);
    const { exchange, port } = await startExchange({ symbols, framesPerSymbol, levelsPerFrame: levels, bookLevels: 500 });
    const bare = new Peer(new URL('./bare-client.process.js', import.meta.url));
    const engine = new EngineReader(exchange, values.flag('profile') ? ['--cpu-prof'] : []);
    try {
      await engine.start(port, 1);
      await bare.call('start', { port });
      let counted = 0;
      const results = await inTurn(
        values.count('pairs'),
        WARM_UPS,
        () => engine.flood(passes),
        async () => {
          const result = await flood(exchange, bare, 'bare', passes, counted, (frames) => bare.call('counted', { frames }));
          counted += result.frames;
          return result;
        },
      );
      const compared = await engine.compareBooks();
      const frames = results[0]!.a.frames.toLocaleString('en');
      print(
        `${frames} frames a round of ${levels} levels, ${symbols} symbols on one connection, books of about 500 levels a side, one worker. The ` +
          'sender is a process of its own that writes pieces of 256 KiB as fast as they are taken. A round ends when the last frame is in its book.',
      );
      print(
        formatTable(
          ['reader', 'frames/s', 'main thread, us a frame', 'all threads, us a frame'],
          [
            row(
              'engine',
              results.map(({ a }) => a),
            ),
            row(
              'bare ws client',
              results.map(({ b }) => b),
            ),
          ],
        ),
      );
      print(`No frame was lost; all ${compared} books end level by level as the exchange's.`);
      return [
        {
          id: 'frames-per-second',
          label: 'frames a second, engine / bare client',
          better: 'higher',
          pairs: results.map(({ a, b }) => rate(a) / rate(b)),
          target: 0.4,
        },
        {
          id: 'main-thread',
          label: 'main-thread processor time a frame, engine / bare client',
          better: 'lower',
          pairs: results.map(({ a, b }) => a.mainMs / a.frames / (b.mainMs / b.frames)),
          target: 1.6,
        },
      ];
    } finally {
      await Promise.all([engine.peer.stop(), bare.stop()]);
      await exchange.stop();
    }
  },
};

function rate({ frames, seconds }: FloodResult): number {
  return frames / seconds;
}

function row(name: string, results: readonly FloodResult[]): string[] {
  const perFrame = (ms: (result: FloodResult) => number): string =>
    median(results.map((result) => (ms(result) * 1000) / result.frames)).toFixed(2);
  return [
    name,
    Math.round(median(results.map(rate))).toLocaleString('en'),
    perFrame(({ mainMs }) => mainMs),
    perFrame(({ processMs }) => processMs),
  ];
}
