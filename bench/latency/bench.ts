import type { Bench } from '../support/bench.js';
import type { Path } from '../support/exchange.js';
import type { Figure } from '../support/figure.js';
import { Peer } from '../support/peer.js';
import { quantile } from '../support/statistics.js';
import { formatTable } from '../support/table.js';
import { inTurn, type Pair } from '../support/turns.js';

interface Round {
  readonly micros: readonly number[];
  readonly last: string;
}

/** Frames of one pass, as the driver makes them. */
const PASS = 1000;
/** Frames a second. The many frames of the first one have warmed up both programs for the second. */
const RATES = [20_000, 1000];

/** From the exchange's frame to the client's callback. */
export const latency: Bench = {
  title: "from the exchange's frame to a client's callback (bbo, interval 0), beside a bare ws relay of the same frame",
  help: `
  --pairs N        counted pairs of rounds (default 5)
  --seconds N      of one round (default 1)
  --spin-us N      of the engine that spins (default 2000)`,
  options: {
    pairs: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '1' },
    'spin-us': { type: 'string', default: '2000' },
  },
  async run(values, print) {
    const driver = new Peer(new URL('./driver.process.js', import.meta.url));
    const relay = new Peer(new URL('./relay.process.js', import.meta.url));
    try {
      const port = await driver.call<number>('start');
      await driver.call('connectRelay', { port: await relay.call('start', { port }) });
      print(
        'Exchange and client are one process, engine (one worker) and relay one each. Frames of 10 levels leave one by one, those that fall due within ' +
          'a millisecond together. Each is one message to the client; the last one is compared with the true best bid. The second engine is started ' +
          'when the first has ended; while the relay is measured, neither takes part of a core.',
      );
      const spinUs = values.count('spin-us');
      const engines = [
        { name: 'engine', id: '', spinUs: 0 },
        { name: `engine with --spin-us ${spinUs}`, id: 'spin-', spinUs },
      ];
      const figures: Figure[] = [];
      const rows: string[][] = [];
      for (const engine of engines) {
        const peer = new Peer(new URL('../support/engine.process.js', import.meta.url));
        try {
          const url = await peer.call<string>('start', { port, workers: 1, spinUs: engine.spinUs });
          await peer.call('live');
          await driver.call('connectEngine', { url });
          for (const perSecond of RATES) {
            const passes = Math.ceil((values.count('seconds') * perSecond) / PASS);
            const pairs = await measure(driver, perSecond, passes, values.count('pairs'));
            const rate = `${perSecond.toLocaleString('en')} frames/s`;
            rows.push(row(`${engine.name}, ${rate}`, pairs, 'a'), row(`relay, ${rate}`, pairs, 'b'));
            for (const [share, label, target] of [
              [0.5, 'p50', 1.5],
              [0.99, 'p99', 2],
            ] as const) {
              figures.push({
                id: `${engine.id}${label}-${perSecond}`,
                label: `${label} at ${rate}, ${engine.name} / relay`,
                better: 'lower',
                pairs: pairs.map(({ a, b }) => quantile(a.micros, share) / quantile(b.micros, share)),
                target,
              });
            }
          }
        } finally {
          await peer.stop();
        }
      }
      print(formatTable(['microseconds', 'p50', 'p99', 'p99.9'], rows));
      return figures;
    } finally {
      await relay.stop();
      await driver.stop();
    }
  },
};

/** Rounds through the engine that runs, and through the relay. */
async function measure(driver: Peer, perSecond: number, passes: number, count: number): Promise<Pair<Round, Round>[]> {
  const round = (path: Path): Promise<Round> => driver.call('round', { path, perSecond, passes });
  const pairs = await inTurn(
    count,
    1,
    () => round('ws'),
    () => round('bare'),
  );
  const [price, quantity] = await driver.call<[string, string]>('bestBid');
  for (const { a } of pairs) {
    if (!a.last.includes(`["${price}","${quantity}"]`)) throw new Error(`the last quote is not ${price} ${quantity}: ${a.last}`);
  }
  return pairs;
}

function row(name: string, pairs: readonly Pair<Round, Round>[], side: 'a' | 'b'): string[] {
  const all = pairs.flatMap((pair) => pair[side].micros);
  return [name, ...[0.5, 0.99, 0.999].map((share) => Math.round(quantile(all, share)).toLocaleString('en'))];
}
