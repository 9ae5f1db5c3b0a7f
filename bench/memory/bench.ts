import type { Bench } from '../support/bench.js';
import type { Figure } from '../support/figure.js';
import { Peer } from '../support/peer.js';
import { median } from '../support/statistics.js';
import { formatTable } from '../support/table.js';
import { inTurn } from '../support/turns.js';
import type { BookKind, BooksJob } from './books.process.js';

const SIZES = [
  { levels: 500, books: 400 },
  { levels: 5000, books: 60 },
];
/** Most ticks between levels beyond the nearest 200: a book on a coarse grid, and one on a fine one. */
const SHAPES = [
  { name: 'dense', farGap: 3 },
  { name: 'sparse', farGap: 40 },
];

async function bytesPerBook(job: BooksJob): Promise<number> {
  const peer = new Peer(new URL('./books.process.js', import.meta.url), ['--expose-gc']);
  try {
    return await peer.call<number>('fill', job);
  } finally {
    await peer.stop();
  }
}

/** What a book takes. */
export const memory: Bench = {
  title: "memory a book, beside ccxt's",
  help: `
  --pairs N        counted pairs of processes (default 5)`,
  options: { pairs: { type: 'string', default: '5' } },
  async run(values, print) {
    const figures: Figure[] = [];
    const rows: string[][] = [];
    for (const { levels, books } of SIZES) {
      for (const { name, farGap } of SHAPES) {
        const measure = (kind: BookKind) => (): Promise<number> => bytesPerBook({ kind, levels, books, farGap });
        const pairs = await inTurn(values.count('pairs'), 0, measure('engine'), measure('ccxt'));
        const kib = (bytes: readonly number[]): string => (median(bytes) / 1024).toFixed(1);
        const count = levels.toLocaleString('en');
        rows.push([`${count} + ${count} levels, ${name}`, kib(pairs.map(({ a }) => a)), kib(pairs.map(({ b }) => b))]);
        figures.push({
          id: `${name}-${levels}`,
          label: `bytes a book of ${count} levels a side, ${name}, engine / ccxt`,
          better: 'lower',
          pairs: pairs.map(({ a, b }) => a / b),
          target: 0.25,
        });
      }
    }
    print(
      `What a new process used more while it filled, each from a snapshot, ${SIZES.map(({ books, levels }) => `${books} books of ${levels}`).join(' or ')} levels a side, by the ` +
        'number of books: the heap and what it holds outside, after a collection, and the blocks in use in shared memory. The nearest 200 levels lie ' +
        '1 to 3 ticks apart, the others 1 to 3 (dense) or 1 to 40 (sparse).',
    );
    print(formatTable(['KiB a book', 'engine', 'ccxt'], rows));
    return figures;
  },
};
