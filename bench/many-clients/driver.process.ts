import { setTimeout as wait } from 'node:timers/promises';
import { BenchExchange } from '../support/exchange.js';
import { servePeer } from '../support/peer.js';
import { quantile } from '../support/statistics.js';
import { FIRST_VERSION, symbolName, VERSION_DIGITS } from '../support/symbol-stream.js';
import { inBatches, type Market } from './market.js';
import { QuoteTimes } from './quote-times.js';
import { RawClient } from './raw-client.js';

/** The exchange and the clients that read, in one process, so that both ends of a message's way are timed by one clock. */
let exchange: BenchExchange;
const readers: RawClient[] = [];
let times = new QuoteTimes(0);
let gone = 0;
/** How long quotes of a round may take to arrive after its end. */
const LATE_MS_MAX = 10_000;
const LATE_LOOK_MS = 5;

/** Times in microseconds. */
export interface Measured {
  readonly quotes: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
}

const VERSION_LABEL = '"xv":[';

/** The version a quote stands at. */
function versionOf(bytes: Buffer, start: number): number {
  const at = bytes.indexOf(VERSION_LABEL, start, 'latin1') + VERSION_LABEL.length;
  let version = 0;
  for (let i = at; i < at + VERSION_DIGITS; i++) version = version * 10 + bytes[i]! - 0x30;
  return version;
}

servePeer(
  {
    start: (market: Market) => {
      exchange = new BenchExchange({ ...market, levelsPerFrame: 10, framesPerSymbol: 100 });
      times = new QuoteTimes(market.symbols);
      return exchange.listen();
    },
    /** Connects so many clients, each with the quotes of one symbol, and waits until each has its first one. */
    connect: async ({ port, clients }: { port: number; clients: number }) => {
      await inBatches(clients, async (i) => {
        const symbol = i % times.symbols;
        const follower = times.follow(symbol);
        let first: () => void = () => undefined;
        const quoted = new Promise<void>((resolve) => (first = resolve));
        const client = await RawClient.connect(port, {
          text(bytes, start) {
            if (bytes.indexOf('"ch":"bbo"', start, 'latin1') !== start + 1) return;
            if (follower.last < 0) first();
            times.told(follower, versionOf(bytes, start) - FIRST_VERSION, performance.now());
          },
          closed: () => gone++,
        });
        client.send(JSON.stringify({ op: 'subscribe', channel: 'bbo', symbols: [symbolName(symbol)], interval: 0 }));
        await quoted;
        readers.push(client);
      });
    },
    /** Pushes at a pace from here on, whether anything is measured or not. */
    pace: ({ perSecond }: { perSecond: number }) => {
      exchange.prepare('ws');
      void exchange.pace('ws', perSecond, Infinity, (frame) => times.sent(frame % times.symbols, performance.now()));
    },
    /**
     * From each push that is sent for so long to each client that follows its symbol, whenever it arrives. Throws when a client got an older quote or lost its
     * connection.
     */
    measure: async ({ seconds }: { seconds: number }): Promise<Measured> => {
      times.begin();
      await wait(seconds * 1000);
      times.end();
      const deadline = performance.now() + LATE_MS_MAX;
      while (!times.isComplete && performance.now() < deadline) await wait(LATE_LOOK_MS);
      const measured = times.take(performance.now());
      const { wrong } = times;
      if (wrong > 0 || gone > 0) throw new Error(`${wrong} quotes were older than the one before, ${gone} readers were closed`);
      const [p50, p99, p999] = [0.5, 0.99, 0.999].map((share) => quantile(measured, share)) as [number, number, number];
      return { quotes: measured.length, p50, p99, p999 };
    },
  },
  async () => {
    for (const reader of readers) reader.terminate();
    await exchange.close();
  },
);
