import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { BroadcastChannel, Worker } from 'node:worker_threads';
import { describe, expect } from 'vitest';
import { createEngine } from '../../src/embed.js';
import type { Engine } from '../../src/engine.js';
import type { PushMessage } from '../../src/gateway/local-subscription.js';
import { startSimulator } from '../../src/simulator/simulator.js';
import { packageRoot } from '../../src/support/config/index.js';
import { type BookAnswer, fetchBook } from '../support/book-answer.js';
import { it, type Open } from '../support/cleanup.js';
import { killableWorkerUrl, startEngine, workerUrl } from '../support/engine.js';
import { PushFollower } from '../support/push-follower.js';
import { until } from '../support/until.js';

interface Told {
  readonly levels?: Pick<BookAnswer, 'bids' | 'asks'>;
  readonly last?: string;
  readonly ended: boolean;
  readonly epochs: readonly number[];
}

/** A thread that reads the books of some symbols, and what it saw of them. */
class ReadingThread {
  readonly contradictions: unknown[] = [];
  readonly #worker: Worker;

  constructor(engine: Engine, symbols: readonly string[]) {
    const url = new URL('workers/shared-book.mjs', import.meta.url);
    this.#worker = new Worker(url, { workerData: symbols.map((symbol) => engine.bookHandle(symbol)) });
    this.#worker.on('message', (message: { contradiction?: unknown }) => {
      if (message.contradiction !== undefined) this.contradictions.push(message.contradiction);
    });
  }

  async tell(index: number, key = ''): Promise<Told> {
    this.#worker.postMessage({ index, key });
    for (;;) {
      const [message] = (await once(this.#worker, 'message')) as [Told];
      if ('ended' in message) return message;
    }
  }

  async close(): Promise<void> {
    this.#worker.postMessage({ end: true });
    await once(this.#worker, 'exit');
  }
}

async function setUp(opened: Open, worker = workerUrl) {
  const sim = opened(await startSimulator({ symbols: 3, rate: 8, seed: 41 }));
  const engine = opened(await startEngine(sim, { workers: 2, workerUrl: worker }));
  const symbols = [...sim.symbols];
  for (const symbol of symbols) await until(() => fetchBook(engine.url, symbol, 1), { what: symbol });
  return { sim, engine, symbols };
}

describe('a book in another thread', () => {
  it('is the one REST gives at the same epoch and seq', async ({ opened }) => {
    const { engine, symbols } = await setUp(opened);
    const thread = opened(new ReadingThread(engine, symbols));
    let equal = 0;
    await until(
      async () => {
        for (const [index, symbol] of symbols.entries()) {
          const answer = await fetchBook(engine.url, symbol, 20);
          if (answer === undefined) continue;
          const { epoch, seq, bids, asks } = answer;
          const { levels } = await thread.tell(index, `${epoch} ${seq}`);
          // It may have been late for this one.
          if (levels === undefined) continue;
          expect([symbol, seq, levels]).toEqual([symbol, seq, { bids, asks }]);
          equal++;
        }
        return equal >= 60;
      },
      { what: 'sixty equal books', timeoutMs: 20_000 },
    );
    expect(thread.contradictions).toEqual([]);
  });

  it('ends with its symbol, and the others with the engine; a symbol tracked again has a new handle', async ({ opened }) => {
    const { engine, symbols } = await setUp(opened);
    const [first] = symbols as [string];
    const thread = opened(new ReadingThread(engine, symbols));
    await until(async () => (await thread.tell(0)).last === 'live', { what: 'a live book' });
    engine.market.untrack(first);
    await until(async () => (await thread.tell(0)).ended, { what: 'the end of the book' });
    expect(() => engine.bookHandle(first)).toThrow('is not tracked');
    await engine.market.track(first);
    const again = opened(new ReadingThread(engine, [first]));
    await until(async () => (await again.tell(0)).last === 'live', { what: 'the book tracked again' });
    expect((await thread.tell(0)).ended).toBe(true);
    expect((await thread.tell(1)).ended).toBe(false);
    await engine.close();
    expect([(await thread.tell(1)).ended, (await again.tell(0)).ended]).toEqual([true, true]);
  });

  it('comes back in a new epoch when its worker dies', async ({ opened }) => {
    const { engine, symbols } = await setUp(opened, killableWorkerUrl);
    const thread = opened(new ReadingThread(engine, symbols));
    await until(async () => (await thread.tell(0)).last === 'live', { what: 'a live book' });
    const { shard } = engine.market.find(symbols[0]!)!;
    opened(new BroadcastChannel('kill-shard')).postMessage({ shard, midWrite: true });
    const { epochs, ended } = await until(
      async () => {
        const told = await thread.tell(0);
        return told.epochs.length > 1 ? told : undefined;
      },
      { what: 'a new epoch' },
    );
    expect([epochs, ended]).toEqual([[1, 2], false]);
  });
});

describe('a subscription in this process', () => {
  it('gets what a WebSocket client would get, until it is closed or its symbol ends', async ({ opened }) => {
    const { engine, symbols } = await setUp(opened);
    const [symbol, other] = symbols as [string, string];
    const follower = new PushFollower(symbol, 5);
    const ends: PushMessage[] = [];
    const subscription = engine.subscribe({ channel: 'book', symbols: [symbol, other], depth: 5, interval: 0 }, (message) => {
      if ('op' in message) ends.push(message);
      else if (message['sym'] === symbol) follower.take(message as never);
    });
    await until(() => follower.deltas > 5, { what: 'deltas' });
    await until(
      async () => {
        const answer = await fetchBook(engine.url, symbol, 5);
        if (answer?.seq !== follower.seq) return false;
        expect([follower.bids(), follower.asks()]).toEqual([answer.bids, answer.asks]);
        return true;
      },
      { what: 'the book of REST' },
    );
    expect(follower.faults).toEqual([]);
    engine.market.untrack(other);
    await until(() => ends.length > 0, { what: 'the end of a symbol' });
    expect(ends).toEqual([
      expect.objectContaining({ op: 'unsubscribed', channel: 'book', depth: 5, interval: 0, ok: [other], code: 'SYMBOL_UNTRACKED' }),
    ]);
    subscription.close();
    const { deltas } = follower;
    const { seq } = (await fetchBook(engine.url, symbol, 5))!;
    await until(async () => (await fetchBook(engine.url, symbol, 5))!.seq > seq + 2, { what: 'updates of the book' });
    expect(follower.deltas).toBe(deltas);
    expect(engine.market.status().books.tracked).toBe(2);
  });

  it('is refused with the codes of the protocol', async ({ opened }) => {
    const { engine, symbols } = await setUp(opened);
    const ignore = (): void => {};
    const refusals = [
      { channel: 'nothing' as 'book', symbols },
      { channel: 'book' as const, symbols: [] },
      { channel: 'book' as const, symbols, depth: 7 },
      { channel: 'book' as const, symbols: ['NOPE'] },
    ].map((request) => {
      try {
        engine.subscribe(request, ignore).close();
        return undefined;
      } catch (error) {
        return (error as { code?: string }).code;
      }
    });
    expect(refusals).toEqual(['UNKNOWN_CHANNEL', 'BAD_SYMBOLS', 'DEPTH_NOT_SUPPORTED', 'SYMBOL_NOT_TRACKED']);
  });
});

describe('createEngine of the library', () => {
  it('needs to be told the symbols only', async ({ opened }) => {
    const sim = opened(await startSimulator({ symbols: 3, rate: 2, seed: 42 }));
    const { wsUrl, restUrl } = sim;
    const [first, second] = sim.symbols as [string, string];
    const engine = opened(await createEngine({ symbols: [first], wsUrl, restUrl, workerUrl }));
    expect(Array.from(engine.market.tracked(), ({ symbol }) => symbol)).toEqual([first]);
    expect(new URL(engine.url).hostname).toBe('127.0.0.1');
    const text = opened(await createEngine({ symbols: `${first},${second}`, wsUrl, restUrl, workerUrl, workers: 1, host: 'localhost' }));
    expect(new URL(text.url).hostname).toBe('127.0.0.1');
    expect(text.market.status().books.tracked).toBe(2);
    await expect(createEngine({ symbols: 'top:', wsUrl, restUrl, workerUrl })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    const apiKeys = 'bot:read:no-hash';
    await expect(createEngine({ symbols: 'all', apiKeys, wsUrl, restUrl, workerUrl })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: 'a key is NAME:read:SHA256 or NAME:admin:SHA256',
    });
    const password = { restUrl: restUrl.replace('//', '//user:pass@') };
    await expect(createEngine({ symbols: 'all', wsUrl, ...password, workerUrl })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: 'restUrl: the value is not an address https://… or http://… without user, password and query',
    });
  });
});

it('the example runs', async () => {
  const example = join(packageRoot(), 'docs/examples/embed.mjs');
  const { stdout } = await promisify(execFile)(process.execPath, [example], { timeout: 25_000 });
  expect(stdout).toMatch(/^main thread: [\d.]+ \/ [\d.]+$/m);
  expect(stdout.match(/^other thread: epoch 1 seq \d+: [\d.]+ \/ [\d.]+, [\d.]+ for 1 unit$/gm)?.length).toBe(3);
});
