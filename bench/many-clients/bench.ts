import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import type { FanOutStatus } from '../../src/publish/publication-hub.js';
import type { Bench } from '../support/bench.js';
import { Peer } from '../support/peer.js';
import { threadTimes } from '../support/processor-time.js';
import { median } from '../support/statistics.js';
import { symbolName } from '../support/symbol-stream.js';
import { formatTable } from '../support/table.js';
import { inTurn } from '../support/turns.js';
import type { Measured } from './driver.process.js';
import { checkHere, checkQuotes } from './sound-round.js';

interface Round extends Measured {
  /** Share of a core that the engine's main thread, and its busiest worker, took. */
  readonly main: number;
  readonly worker: number;
  /** What the engine holds after a collection, on the heap and outside, and the kernel's memory for all sockets of the machine, in bytes. */
  readonly held: number;
  readonly sockets: number;
  /** Never-readers closed with 4008, and those that came back, while it was measured. */
  readonly closed: number;
  readonly returned: number;
}

const SYMBOLS = 30;
const BOOK_LEVELS = 200;
/** About what one that never reads lives: from when all have arrived, some are closed and come back all the time. */
const ARRIVE_MS = 11_000;
/** After the others left, until their memory is given back. */
const SETTLE_MS = 500;
/** How often those that never read are counted in their round. */
const HERE_LOOK_MS = 250;
const PAGE_BYTES = 4096;
/** How long the engine may take until those that left are gone. */
const LEAVE_MS_MAX = 10_000;

/** What thousands of clients wait for a quote, with and without hundreds of others that never read. */
export const manyClients: Bench = {
  title: "5,000 WebSocket clients: what the others' quotes wait for 500 that never read",
  help: `
  --pairs N        counted pairs of rounds (default 5)
  --seconds N      of one round (default 4)
  --readers N      clients that read (default 4500)
  --deaf N         clients that never read (default 500)
  --rate N         pushes of the exchange a second, over ${SYMBOLS} symbols (default 120)
  --profile        writes processor profiles of the engine into the current folder`,
  options: {
    pairs: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '4' },
    readers: { type: 'string', default: '4500' },
    deaf: { type: 'string', default: '500' },
    rate: { type: 'string', default: '120' },
    profile: { type: 'boolean', default: false },
  },
  async run(values, print) {
    const [readers, deafClients, perSecond, seconds] = ['readers', 'deaf', 'rate', 'seconds'].map((name) => values.count(name)) as [
      number,
      number,
      number,
      number,
    ];
    const driver = new Peer(new URL('./driver.process.js', import.meta.url));
    const deaf = new Peer(new URL('./deaf.process.js', import.meta.url));
    const flags = ['--expose-gc', ...(values.flag('profile') ? ['--cpu-prof'] : [])];
    const engine = new Peer(new URL('../support/engine.process.js', import.meta.url), flags);
    try {
      const exchangePort = await driver.call<number>('start', { symbols: SYMBOLS, bookLevels: BOOK_LEVELS });
      const url = await engine.call<string>('start', {
        port: exchangePort,
        workers: 1,
        connectionsPerAddress: readers + deafClients + 100,
      });
      const port = Number(new URL(url).port);
      await engine.call('live');
      await driver.call('connect', { port, clients: readers });
      await driver.call('pace', { perSecond });
      const clients = async (): Promise<FanOutStatus> =>
        ((await (await fetch(`${url}/status`)).json()) as { clients: FanOutStatus }).clients;
      const deafCounts = (): Promise<{ here: number; returned: number }> => deaf.call('counts');

      const round = async (): Promise<Round> => {
        const [before, deafBefore, threadsBefore] = [await clients(), await deafCounts(), threadTimes(engine.pid)];
        const startedMs = performance.now();
        const measured = await driver.call<Measured>('measure', { seconds });
        checkQuotes(measured.quotes, (seconds * perSecond * readers) / SYMBOLS);
        const elapsedMs = performance.now() - startedMs;
        const share = [...threadTimes(engine.pid)].map(([tid, ms]) => ({ tid, share: (ms - (threadsBefore.get(tid) ?? 0)) / elapsedMs }));
        const [after, deafAfter] = [await clients(), await deafCounts()];
        const sockets = socketBytes();
        const { heapUsed, external } = await engine.call<NodeJS.MemoryUsage>('memory');
        return {
          ...measured,
          main: share.find(({ tid }) => tid === engine.pid)!.share,
          worker: Math.max(...share.filter(({ tid }) => tid !== engine.pid).map((thread) => thread.share)),
          held: heapUsed + external,
          sockets,
          closed: after.slowClosed - before.slowClosed,
          returned: deafAfter.returned - deafBefore.returned,
        };
      };
      const alone = async (): Promise<Round> => {
        // Whoever left a moment ago is to be gone.
        const deadline = performance.now() + LEAVE_MS_MAX;
        while ((await clients()).clients > readers && performance.now() < deadline) await wait(50);
        await wait(SETTLE_MS);
        return round();
      };
      const together = async (): Promise<Round> => {
        const symbols = Array.from({ length: SYMBOLS }, (_, i) => symbolName(i));
        const subscribe = JSON.stringify({ op: 'subscribe', channel: 'book_top', symbols, depth: 'full', interval: 0 });
        await deaf.call('arrive', { port, clients: deafClients, subscribe, arriveMs: ARRIVE_MS });
        const here: number[] = [];
        const over = new AbortController();
        const watch = async (): Promise<void> => {
          while (!over.signal.aborted) {
            here.push((await deafCounts()).here);
            await wait(HERE_LOOK_MS);
          }
        };
        const [result] = await Promise.all([round().finally(() => over.abort()), watch()]);
        checkHere(here, deafClients);
        await deaf.call('leave');
        return result;
      };
      await alone();
      const pairs = await inTurn(values.count('pairs'), 0, together, alone);
      const withDeaf = pairs.map(({ a }) => a);
      const without = pairs.map(({ b }) => b);
      const closed = sum(withDeaf, ({ closed }) => closed);
      if (closed === 0) throw new Error('no client that never reads was closed: the rounds are too short');
      const deliveries = Math.round((perSecond * readers) / SYMBOLS);
      print(
        `The engine with one worker and its default limits, ${SYMBOLS} symbols with books of about ${BOOK_LEVELS} levels a side, ${perSecond} pushes of 10 levels a second over all. ` +
          `${n(readers)} clients follow the quotes of one symbol each (\`bbo\`, interval 0): ${n(deliveries)} messages a second, each written alone, timed from just before ` +
          `the exchange writes the push to the client's callback. ${n(deafClients)} more follow all whole books (\`book_top\`, \`full\`, interval 0) and never read. They arrive within ` +
          `${ARRIVE_MS / 1000} s before a round and, closed with 4008, come back at once; ` +
          `in ${withDeaf.length} rounds of ${seconds} s ${n(closed)} were closed and ${n(sum(withDeaf, ({ returned }) => returned))} came back. Rounds with and without them in turn; ` +
          'exchange and readers are one process, those that never read another, on the same cores. No reader got an older quote after a newer one, or lost its connection.',
      );
      const row = (name: string, rounds: readonly Round[]): string[] => {
        const of = (value: (round: Round) => number): number => median(rounds.map(value));
        return [
          name,
          n(of(({ quotes }) => quotes)),
          ...[of(({ p50 }) => p50), of(({ p99 }) => p99), of(({ p999 }) => p999)].map((micros) => (micros / 1000).toFixed(2)),
          `${(100 * of(({ main }) => main)).toFixed(0)} %`,
          `${(100 * of(({ worker }) => worker)).toFixed(0)} %`,
        ];
      };
      const header = ['ms, medians of the rounds', 'quotes', 'p50', 'p99', 'p99.9', 'main thread', 'worker'];
      print(formatTable(header, [row(`${n(readers)} clients`, without), row(`and ${n(deafClients)} that never read`, withDeaf)]));
      const each = (bytes: (round: Round) => number): string =>
        n((median(withDeaf.map(bytes)) - median(without.map(bytes))) / deafClients / 1024);
      print(
        `One that never reads costs ${each(({ held }) => held)} KiB of the engine's memory, and the kernel ${each(({ sockets }) => sockets)} KiB for both ends of its ` +
          'connection, while it waits to be closed.',
      );
      const figure = (id: 'p50' | 'p99' | 'p999', target: number | null) => ({
        id,
        label: `${id.replace('999', '99.9')} with ${n(deafClients)} that never read / without`,
        better: 'lower' as const,
        pairs: pairs.map(({ a, b }) => a[id] / b[id]),
        target,
      });
      return [figure('p50', null), figure('p99', 1.5), figure('p999', null)];
    } finally {
      await deaf.stop();
      await engine.stop();
      await driver.stop();
    }
  },
};

const n = (value: number): string => Math.round(value).toLocaleString('en');

function sum(rounds: readonly Round[], value: (round: Round) => number): number {
  return rounds.reduce((total, round) => total + value(round), 0);
}

/** Memory of all TCP sockets of the machine. */
function socketBytes(): number {
  return Number(/^TCP: .* mem (\d+)/m.exec(readFileSync('/proc/net/sockstat', 'utf8'))![1]) * PAGE_BYTES;
}
