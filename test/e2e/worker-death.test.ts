import { BroadcastChannel } from 'node:worker_threads';
import { expect } from 'vitest';
import type { SymbolStatus } from '../../src/model/market-data.js';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.js';
import type { BookAnswer } from '../support/book-answer.js';
import { it, type Open } from '../support/cleanup.js';
import { getStatus, getSymbolStatus, killableWorkerUrl, startEngine } from '../support/engine.js';
import { PushClient } from '../support/push-client.js';
import { expectSameBook, expectTrueBooks, type VersionedBook } from '../support/true-book.js';
import { until } from '../support/until.js';

/** How the worker of a shard ends; by itself unless it says otherwise. */
interface Order {
  /** In the middle of changing its books. */
  readonly midWrite?: boolean;
  readonly throw?: boolean;
  readonly hang?: boolean;
  /** Fills its heap, while it works on. */
  readonly hoard?: boolean;
}

async function setUp(opened: Open, workers: number) {
  const sim = opened(await startSimulator({ symbols: 40, rate: 8, seed: 8 }));
  const engine = opened(await startEngine(sim, { workers, workerUrl: killableWorkerUrl }));
  const { symbols } = sim;
  const watcher = opened(await PushClient.connect(engine.wsUrl));
  await watcher.watch(symbols);
  const client = opened(await PushClient.connect(engine.wsUrl));
  const followers = [...(await client.follow(symbols, 20, 0)), ...(await client.follow(symbols, 'full', 100))];
  await until(() => watcher.live().length === symbols.length && followers.every(({ live }) => live), { what: 'all books live' });
  const shards = new Map<string, number>();
  for (const symbol of symbols) shards.set(symbol, (await getSymbolStatus(engine.url, symbol)).shard);
  const ofShard = (shard: number): string[] => symbols.filter((symbol) => shards.get(symbol) === shard);
  const orders = opened(new BroadcastChannel('kill-shard'));
  const tell = (shard: number, order: Order): void => orders.postMessage({ shard, ...order });
  const kill = (shard: number, midWrite = false): void => tell(shard, { midWrite });
  return { sim, engine, symbols, watcher, followers, ofShard, tell, kill };
}

/** What REST said of some books: how often which code. Whole books that are not the exchange's are thrown. */
interface Seen {
  readonly codes: Map<string, number>;
  stop(): Promise<void>;
}

/** Asks for whole books, stale ones too, one after the other until it is told to stop. */
function readAll(url: string, sim: Simulator, symbols: readonly string[]): Seen {
  const codes = new Map<string, number>();
  const truths = new Map<string, VersionedBook>();
  const stop = new AbortController();
  const look = async (symbol: string): Promise<void> => {
    const truth = sim.trueBook(symbol);
    truths.set(`${symbol} ${truth.version}`, truth);
    const response = await fetch(`${url}/orderbook/${encodeURIComponent(symbol)}?depth=full&allowStale=true`);
    const answer = (await response.json()) as BookAnswer & { readonly code?: string };
    const code = answer.code ?? 'OK';
    codes.set(code, (codes.get(code) ?? 0) + 1);
    if (!response.ok) return expect(['BOOK_BUSY', 'BOOK_NOT_LIVE']).toContain(code);
    expect([symbol, answer.bids.length > 0, answer.asks.length > 0]).toEqual([symbol, true, true]);
    // Some versions were there and gone between two looks at the exchange.
    const known = truths.get(`${symbol} ${answer.version}`);
    if (known !== undefined) expectSameBook(symbol, answer, known);
  };
  const reading = (async () => {
    while (!stop.signal.aborted) for (const symbol of symbols) await look(symbol);
  })();
  // What it throws is thrown by `stop`.
  reading.catch(() => {});
  return {
    codes,
    stop: () => {
      stop.abort();
      return reading;
    },
  };
}

it.for([
  ['between two turns', false],
  ['while it changes its books', true],
] as const)('a worker that dies %s takes only its own books along, and they come back exact', async ([, midWrite], { opened }) => {
  const { sim, engine, symbols, watcher, followers, ofShard, kill } = await setUp(opened, 3);
  const { url } = engine;
  const lost = ofShard(1);
  const kept = symbols.filter((symbol) => !lost.includes(symbol));
  expect([lost.length, kept.length].every((count) => count > 5)).toBe(true);
  const before = new Map<string, SymbolStatus>();
  for (const symbol of symbols) before.set(symbol, await getSymbolStatus(url, symbol));
  watcher.forgetStates();

  const seen = readAll(url, sim, lost.slice(0, 3));
  await until(() => seen.codes.size > 0, { what: 'a first answer' });
  kill(1, midWrite);
  await until(() => watcher.disturbed().length === lost.length, { what: 'the loss of the books' });
  await until(() => watcher.live().length === symbols.length, { what: 'all books live again' });
  await seen.stop();
  expect(seen.codes.get('BOOK_NOT_LIVE')).toBeGreaterThan(0);
  await expectTrueBooks(url, sim, symbols);

  expect(watcher.disturbed().sort()).toEqual([...lost].sort());
  for (const symbol of lost) {
    expect(watcher.states(symbol).map(({ state, reason, epoch }) => ({ state, reason, epoch }))).toEqual([
      { state: 'live', reason: 'synced', epoch: 1 },
      { state: 'syncing', reason: 'worker_lost', epoch: 1 },
      { state: 'live', reason: 'synced', epoch: 2 },
    ]);
    // What was counted stays counted, and a `seq` never comes twice.
    const { seq, counters } = await getSymbolStatus(url, symbol);
    const then = before.get(symbol)!;
    const grown = { seq: seq > then.seq, applied: counters.framesApplied >= then.counters.framesApplied };
    expect({ symbol, resyncs: counters.resyncs, ...grown }).toEqual({ symbol, resyncs: 2, seq: true, applied: true });
  }
  for (const symbol of kept) {
    expect(watcher.states(symbol).length).toBe(1);
    const { epoch, seq } = await getSymbolStatus(url, symbol);
    expect({ symbol, epoch, goesOn: seq > before.get(symbol)!.seq }).toEqual({ symbol, epoch: 1, goesOn: true });
  }

  await until(() =>
    followers.every((follower) => follower.live && follower.deltas > 0 && follower.epoch === (lost.includes(follower.symbol) ? 2 : 1)),
  );
  const seqs = new Map(followers.map((follower) => [follower, follower.seq]));
  await until(() => followers.every((follower) => follower.seq > seqs.get(follower)! + 2), { what: 'updates on every subscription' });
  expect(followers.flatMap(({ faults }) => faults)).toEqual([]);
  for (const follower of followers) {
    // The first one came when the book became live, or when it was asked for a moment later.
    expect(follower.snapshots.slice(1)).toEqual(lost.includes(follower.symbol) ? ['resync'] : []);
  }

  const { shards, counters } = await getStatus(url);
  expect(shards.map(({ shard, state, restarts, lastDeath }) => ({ shard, state, restarts, lastDeath }))).toEqual([
    { shard: 0, state: 'running', restarts: 0, lastDeath: null },
    { shard: 1, state: 'running', restarts: 1, lastDeath: 'exited' },
    { shard: 2, state: 'running', restarts: 0, lastDeath: null },
  ]);
  expect(counters.gaps).toBe(0);
});

it('a worker that dies again and again, and all workers at once, are replaced', async ({ opened }) => {
  const { sim, engine, symbols, watcher, kill } = await setUp(opened, 2);
  for (let death = 1; death <= 3; death++) {
    kill(0);
    await until(async () => (await getStatus(engine.url)).shards[0]!.restarts === death, { what: `death ${death}` });
    await until(async () => (await getStatus(engine.url)).books.live === symbols.length, { what: `all books live after death ${death}` });
    const ready = await fetch(`${engine.url}/health/ready`);
    expect([death, ready.status]).toEqual([death, death < 3 ? 200 : 503]);
    if (death === 3) {
      const shards = [{ shard: 0, state: 'running', deaths: 3, lastDeath: 'exited' }];
      expect(await ready.json()).toMatchObject({
        code: 'NOT_READY',
        phase: 'degraded',
        reason: 'worker_deaths',
        live: symbols.length,
        shards,
      });
    }
  }
  kill(0);
  kill(1);
  await until(async () => (await getStatus(engine.url)).shards.map(({ restarts }) => restarts).join() === '4,1', { what: 'both to die' });
  await until(async () => (await getStatus(engine.url)).books.live === symbols.length, { what: 'all books live at last' });
  await until(() => watcher.live().length === symbols.length, { what: 'the clients to know' });
  await expectTrueBooks(engine.url, sim, symbols);
  const ready = await fetch(`${engine.url}/health/ready`);
  expect(await ready.json()).toMatchObject({ reason: 'worker_deaths', shards: [{ shard: 0, deaths: 4 }] });
});

it.for([
  ['throws in the middle of its work', { midWrite: true, throw: true }, 'threw'],
  ['hangs in the middle of its work', { midWrite: true, hang: true }, 'hung'],
  ['runs out of memory', { hoard: true }, 'out_of_memory'],
] as const)('a worker that %s is replaced, and only its books resync', async ([, order, lastDeath], { opened }) => {
  const { sim, engine, symbols, watcher, followers, ofShard, tell } = await setUp(opened, 2);
  watcher.forgetStates();
  const isHung = lastDeath === 'hung';
  const seen = isHung ? readAll(engine.url, sim, ofShard(1).slice(0, 3)) : undefined;
  const toldAt = performance.now();
  tell(1, order);
  await until(async () => (await getStatus(engine.url)).shards[1]!.restarts === 1, { what: 'the end of the worker', timeoutMs: 20_000 });
  // Eight looks 250 ms apart; more on a busy machine.
  if (isHung) expect(performance.now() - toldAt).toBeLessThan(8_000);
  await until(() => watcher.disturbed().length > 0 && watcher.live().length === symbols.length, { what: 'all books live again' });
  expect(watcher.disturbed().sort()).toEqual(ofShard(1).sort());
  if (seen !== undefined) {
    await seen.stop();
    // While it hung, nobody could tell what the books were.
    expect(seen.codes.get('BOOK_BUSY')).toBeGreaterThan(0);
  }
  await expectTrueBooks(engine.url, sim, symbols);
  expect(followers.flatMap(({ faults }) => faults)).toEqual([]);
  const { shards } = await getStatus(engine.url);
  expect(shards.map(({ state, restarts, lastDeath }) => ({ state, restarts, lastDeath }))).toEqual([
    { state: 'running', restarts: 0, lastDeath: null },
    { state: 'running', restarts: 1, lastDeath },
  ]);
});
