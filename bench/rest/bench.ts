import type { Bench } from '../support/bench.js';
import { EngineReader, startExchange } from '../support/rig.js';
import { median } from '../support/statistics.js';
import { symbolName } from '../support/symbol-stream.js';
import { formatTable } from '../support/table.js';
import { inTurn } from '../support/turns.js';
import { type Load, loadProgram, type LoadResult } from './load.js';

const BUSY_SYMBOLS = 10;
const FRAMES_PER_SYMBOL = 1000;
/** Time of a whole run that the feed must cover, beyond the rounds themselves. */
const SPARE_SECONDS = 30;

/** Reading books by HTTP while the feed is live. */
export const rest: Bench = {
  title: 'GET /orderbook/SYMBOL?depth=20 under a live feed, 50 connections, beside a Fastify route with a constant of the same size',
  help: `
  --pairs N        counted pairs of rounds (default 5)
  --seconds N      of one round (default 2)
  --rate N         frames a second of the feed (default 1000)`,
  options: {
    pairs: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    rate: { type: 'string', default: '1000' },
  },
  async run(values, print) {
    const pairs = values.count('pairs');
    const seconds = values.count('seconds');
    const perSecond = values.count('rate');
    const program = loadProgram();
    const { exchange, port } = await startExchange({
      symbols: BUSY_SYMBOLS,
      quietSymbols: 1,
      framesPerSymbol: FRAMES_PER_SYMBOL,
      levelsPerFrame: 10,
      bookLevels: 500,
    });
    const engine = new EngineReader(exchange);
    try {
      await engine.start(port, 1);
      const busy = `${engine.url}/orderbook/${symbolName(0)}?depth=20`;
      const quiet = `${engine.url}/orderbook/${symbolName(BUSY_SYMBOLS)}?depth=20`;
      const answer = await fetch(busy);
      const body = await answer.text();
      const { bids, asks } = JSON.parse(body) as { bids: unknown[]; asks: unknown[] };
      if (bids.length !== 20 || asks.length !== 20) throw new Error(`${bids.length} bids and ${asks.length} asks instead of 20`);
      const constant = await engine.peer.call<string>('constant', { bytes: Buffer.byteLength(body) });
      const etag = (await fetch(quiet)).headers.get('etag')!;
      const { status } = await fetch(quiet, { headers: { 'if-none-match': etag } });
      if (status !== 304) throw new Error(`${status} for a known ETag`);
      print(
        `${program.name}, 1 thread, rounds of ${seconds} s; ${perSecond.toLocaleString('en')} frames/s of 10 levels to ${BUSY_SYMBOLS} symbols all the ` +
          `while. Both routes are in the engine's process; the constant is ${Buffer.byteLength(body)} bytes sent as they are, by a plain Fastify. ` +
          'The ETag row asks for a book that stands still and is answered 304.',
      );
      const run = (load: Load) => (): Promise<LoadResult> => program.run(load, seconds);
      const frames = perSecond * (4 * (pairs + 1) * seconds + SPARE_SECONDS);
      // It goes on until the exchange is stopped, which ends the call with an error.
      exchange.call('pace', { path: 'ws', perSecond, frames }).catch(() => {});
      const books = await inTurn(pairs, 1, run({ url: busy }), run({ url: constant }));
      const hits = await inTurn(pairs, 1, run({ url: quiet, header: `If-None-Match: ${etag}` }), run({ url: constant }));
      const { lost } = await engine.counts();
      if (lost > 0) throw new Error(`${lost} frames of the feed were lost`);
      print(
        formatTable(
          ['route', 'requests/s', 'p50 ms', 'p99 ms'],
          [
            row(
              'depth=20',
              books.map(({ a }) => a),
            ),
            row(
              'ETag known, 304',
              hits.map(({ a }) => a),
            ),
            row(
              'constant',
              [...books, ...hits].map(({ b }) => b),
            ),
          ],
        ),
      );
      const ratios = (list: readonly { readonly a: LoadResult; readonly b: LoadResult }[]): number[] =>
        list.map(({ a, b }) => a.perSecond / b.perSecond);
      return [
        { id: 'depth-20', label: 'requests a second, depth=20 / constant', better: 'higher', pairs: ratios(books), target: 0.8 },
        { id: 'etag', label: 'requests a second, ETag known / constant', better: 'higher', pairs: ratios(hits), target: 1 },
      ];
    } finally {
      await Promise.all([engine.peer.stop(), exchange.stop()]);
    }
  },
};

function row(name: string, results: readonly LoadResult[]): string[] {
  return [
    name,
    Math.round(median(results.map(({ perSecond }) => perSecond))).toLocaleString('en'),
    median(results.map(({ p50Ms }) => p50Ms)).toFixed(2),
    median(results.map(({ p99Ms }) => p99Ms)).toFixed(2),
  ];
}
