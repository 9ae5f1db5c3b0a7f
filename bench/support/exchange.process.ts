import { BenchExchange, type Path } from './exchange.js';
import { servePeer } from './peer.js';
import type { MarketShape } from './symbol-stream.js';

/** The exchange as a process of its own. */
let exchange: BenchExchange | undefined;

servePeer(
  {
    start: async (shape: MarketShape): Promise<number> => {
      exchange = new BenchExchange(shape);
      return exchange.listen();
    },
    books: () => exchange!.books(),
    prepare: ({ path }: { path: Path }) => exchange!.prepare(path),
    flood: ({ path, passes }: { path: Path; passes: number }) => exchange!.flood(path, passes),
    pace: ({ path, perSecond, frames }: { path: Path; perSecond: number; frames: number }) => exchange!.pace(path, perSecond, frames),
  },
  async () => exchange?.close(),
);
