import { createHash } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import Fastify, { type FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { createEngine, type Engine } from '../../src/engine.js';
import { createBookCopy } from '../../src/model/book-copy.js';
import { formatDecimal } from '../../src/model/decimal.js';
import { setV8Flags } from '../../src/support/v8-flags.js';
import { nowMs } from './now.js';
import { servePeer } from './peer.js';

export interface EngineJob {
  readonly port: number;
  readonly workers: number;
  /** Snapshot requests a second; default 50. */
  readonly snapshotRate?: number;
  /** Clients of one address; default as many as come. */
  readonly connectionsPerAddress?: number;
  /** As `--spin-us`; default 0. */
  readonly spinUs?: number;
}

export interface EngineCounts {
  readonly received: number;
  readonly applied: number;
  readonly lost: number;
  readonly live: number;
  readonly connections: number;
}

/** How often it is looked at whether a round is over; far shorter than what is measured. */
const POLL_MS = 2;
/** No round takes as long. */
const PATIENCE_MS = 120_000;

/** The whole engine as it ships, in a process of its own, following every symbol of a bench's exchange. */
let engine: Engine | undefined;
let plain: FastifyInstance | undefined;

function counts(): EngineCounts {
  const { counters, books, connections } = engine!.market.status();
  const lost = counters.framesDropped + counters.framesRefused + counters.framesUnknownSymbol + counters.gaps;
  return { received: counters.frames, applied: counters.framesApplied, lost, live: books.live, connections: connections.length };
}

const envelope = createBookCopy(0);

/** Updates of all books so far, snapshots included: costs next to nothing, so that waiting for it does not disturb what is measured. */
function updates(): number {
  let sum = 0;
  for (const symbol of engine!.market.tracked()) if (engine!.market.readBook(symbol, -1, envelope)) sum += envelope.seq;
  return sum;
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = nowMs() + PATIENCE_MS;
  while (!condition()) {
    if (nowMs() > deadline) throw new Error(`waited too long: ${JSON.stringify(counts())}`);
    await wait(POLL_MS);
  }
}

setV8Flags();
servePeer(
  {
    start: async ({ port, workers, snapshotRate = 50, connectionsPerAddress = 20_000, spinUs = 0 }: EngineJob): Promise<string> => {
      engine = await createEngine({
        symbols: { kind: 'all' },
        workers,
        host: '127.0.0.1',
        port: 0,
        wsUrl: `ws://127.0.0.1:${port}/ws`,
        restUrl: `http://127.0.0.1:${port}`,
        interval: '10ms',
        snapshotRate,
        connectionsPerAddress,
        staleAfterMs: 600_000,
        spinUs,
        logger: pino({ level: 'warn' }, pino.destination(2)),
        // No exchange sends without end; here reading may rest for as long as the shards are behind.
        feedTimings: { firstDeltaWaitMs: 10, connection: { restStretchMs: PATIENCE_MS } },
      });
      return engine.url;
    },
    live: () => until(() => counts().live === [...engine!.market.tracked()].length),
    counts,
    updates,
    /** Resolves when the books have taken so many updates since the start, and says when it was. */
    updated: async ({ count }: { count: number }): Promise<number> => {
      await until(() => updates() >= count);
      return nowMs();
    },
    settled: ({ frames }: { frames: number }) =>
      until(() => counts().received >= frames && engine!.market.status().shards.every(({ ringBytes }) => ringBytes === 0)),
    /** Of a symbol's levels as text, best first. */
    book: ({ symbol }: { symbol: string }) => {
      const copy = createBookCopy(0);
      if (!engine!.market.readBook(engine!.market.find(symbol)!, 0, copy)) throw new Error('the book does not stand still');
      const side = (ticks: Float64Array, lots: Float64Array, count: number): string[] =>
        Array.from(
          { length: count },
          (_, i) => `${formatDecimal(ticks[i]!, copy.priceScale)} ${formatDecimal(lots[i]!, copy.quantityScale)}`,
        );
      const text = [...side(copy.bidTicks, copy.bidLots, copy.bidCount), '', ...side(copy.askTicks, copy.askLots, copy.askCount)];
      return createHash('sha256').update(text.join('\n')).digest('hex');
    },
    /** Opens a route with a constant of so many bytes in the same process, and returns its URL. */
    constant: async ({ bytes }: { bytes: number }): Promise<string> => {
      const body = Buffer.from(JSON.stringify('x'.repeat(bytes - 2)));
      plain = Fastify();
      plain.get('/constant', async (_request, reply) => reply.type('application/json; charset=utf-8').send(body));
      await plain.listen({ host: '127.0.0.1', port: 0 });
      return `http://127.0.0.1:${(plain.server.address() as AddressInfo).port}/constant`;
    },
    /** After a collection where `--expose-gc` is given. */
    memory: () => {
      globalThis.gc?.();
      return process.memoryUsage();
    },
  },
  async () => {
    await plain?.close();
    await engine?.close();
  },
);
