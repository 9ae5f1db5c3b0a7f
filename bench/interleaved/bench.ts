import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench } from '../support/bench.js';
import type { Figure } from '../support/figure.js';
import { projectRoot } from '../support/paths.js';
import { Peer } from '../support/peer.js';
import { median } from '../support/statistics.js';
import { formatTable } from '../support/table.js';
import { inTurn } from '../support/turns.js';
import type { RoundResult } from './measure.process.js';

const defaultSession = join(projectRoot, '../shared/data/mexc-reencoded/btcusdt_20240808.frames.jsonl.gz');
const SYMBOLS = [500, 2000];
/** As a process gets its memory by itself, and as glibc asks for it when it is told to. Where the C library is another one both are the same. */
const memory = [
  { pages: '4 KiB', suffix: '', env: {} },
  { pages: '2 MiB', suffix: '-huge', env: { GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1' } },
];

/** Decoder and book with many symbols, beside the same frames into one book. */
export const interleaved: Bench = {
  title: 'protobuf bytes to updated books of 500 and 2,000 symbols in turn, beside one symbol',
  help: `
  --pairs N        counted pairs of rounds (default 5)
  --session FILE   recorded BTCUSDT session (default: that of the shared test data; without it only the synthetic stream runs)`,
  options: { pairs: { type: 'string', default: '5' }, session: { type: 'string', default: defaultSession } },
  async run(values, print) {
    const figures: Figure[] = [];
    const rows: string[][] = [];
    const path = values.text('session');
    const streams = [...(existsSync(path) ? [{ name: 'deep', session: path }] : []), { name: 'near', session: null }];
    if (streams.length === 1) print('deep: not run, the recorded BTCUSDT session is not here (--session FILE).');
    for (const { name, session } of streams) {
      for (const { pages, suffix, env } of memory) {
        const peer = new Peer(new URL('./measure.process.js', import.meta.url), [], process.execPath, env);
        try {
          const description = await peer.call<string>('load', { session, symbolsMax: Math.max(...SYMBOLS) });
          if (suffix === '') print(`${name}: ${description}`);
          for (const symbols of SYMBOLS) {
            const round = (method: string) => (): Promise<RoundResult> => peer.call(method, { symbols });
            const pairs = await inTurn(values.count('pairs'), 1, round('interleaved'), round('single'));
            for (const { a, b } of pairs) {
              if (a.levels !== b.levels || a.checksum !== b.checksum)
                throw new Error(`the books of ${symbols} symbols differ from those made one by one`);
            }
            const what = `${symbols.toLocaleString('en')} symbols`;
            rows.push([`${name}, ${what}, ${pages} pages`, rate(pairs.map(({ a }) => a)), rate(pairs.map(({ b }) => b))]);
            figures.push({
              id: `${name}-${symbols}${suffix}`,
              label: `${name}: levels a second, ${what} / one, ${pages} pages`,
              better: 'higher',
              pairs: pairs.map(({ a, b }) => a.levels / a.ms / (b.levels / b.ms)),
              target: 0.6,
            });
          }
        } finally {
          await peer.stop();
        }
      }
    }
    print(
      'Each symbol begins at one of 40 places of the stream and applies 50 frames, of which it has its own copy. In turn: one frame of each symbol, in ' +
        'random order, then the next of each. Beside it: the same frames, symbol after symbol, in one book. All books are compared by level count and checksum.',
    );
    print(formatTable(['million levels/s', 'in turn', 'one book'], rows));
    return figures;
  },
};

function rate(results: readonly RoundResult[]): string {
  return median(results.map(({ levels, ms }) => levels / ms / 1000)).toFixed(2);
}
