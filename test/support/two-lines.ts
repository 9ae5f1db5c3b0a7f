import { expect } from 'vitest';
import type { Engine, EngineOptions } from '../../src/engine.js';
import { depthChannel } from '../../src/mexc/channels.js';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.js';
import type { Open } from './cleanup.js';
import { getStatus, getSymbolStatus, startEngine } from './engine.js';
import { type LineProxy, startLineProxy } from './line-proxy.js';
import { parsePage } from './prometheus.js';
import { PushClient } from './push-client.js';
import type { PushFollower } from './push-follower.js';
import { fetchTape, TapeFollower } from './tape-client.js';
import { until } from './until.js';

/** Two connections of depth and two of trades on each line. */
const SYMBOLS = 35;

/** The sum of a metric's samples with these labels. */
export async function metric(engine: Engine, name: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
  const page = parsePage(await (await fetch(`${engine.url}/metrics`)).text());
  const samples = [...page.values()].flatMap((family) => family.samples).filter((sample) => sample.name === name);
  const matching = samples.filter((sample) => Object.entries(labels).every(([label, text]) => sample.labels[label] === text));
  if (matching.length === 0) throw new Error(`no ${name} on the page`);
  return matching.reduce((sum, { value }) => sum + value, 0);
}

/** An engine on two lines, clients that follow everything, and what was known when they began. */
export class TwoLines {
  readonly sim: Simulator;
  readonly proxy: LineProxy;
  readonly engine: Engine;
  readonly watcher: PushClient;
  readonly followers: readonly PushFollower[];
  readonly trades: TapeFollower;
  readonly epochs: ReadonlyMap<string, number>;
  readonly statesBefore: ReadonlyMap<string, number>;
  readonly resyncs: number;

  private constructor(
    parts: Pick<TwoLines, 'sim' | 'proxy' | 'engine' | 'watcher' | 'followers' | 'trades'>,
    epochs: ReadonlyMap<string, number>,
    resyncs: number,
  ) {
    ({
      sim: this.sim,
      proxy: this.proxy,
      engine: this.engine,
      watcher: this.watcher,
      followers: this.followers,
      trades: this.trades,
    } = parts);
    this.epochs = epochs;
    this.statesBefore = new Map(this.sim.symbols.map((symbol) => [symbol, this.trades.states.get(symbol)!.length]));
    this.resyncs = resyncs;
  }

  static async start(opened: Open, options: Partial<EngineOptions> = {}): Promise<TwoLines> {
    const sim = opened(await startSimulator({ symbols: SYMBOLS, rate: 20, seed: 13 }));
    const proxy = opened(await startLineProxy(sim.wsUrl));
    const engine = opened(await startEngine({ wsUrl: proxy.wsUrl, restUrl: sim.restUrl }, { lines: 2, workers: 1, ...options }));
    const { symbols } = sim;
    const watcher = opened(await PushClient.connect(engine.wsUrl));
    await watcher.watch(symbols);
    await until(() => watcher.live().length === SYMBOLS, { what: 'all books live' });
    const followers = await watcher.follow(symbols, 20, 0);
    const trades = opened(await TapeFollower.connect(engine.wsUrl, symbols));
    await until(() => followers.every(({ live }) => live), { what: 'a snapshot of each' });
    for (const symbol of symbols) await until(() => trades.states.get(symbol)?.at(-1) === 'live', { what: `the tape of ${symbol}` });
    const epochs = new Map<string, number>();
    for (const symbol of symbols) epochs.set(symbol, (await getSymbolStatus(engine.url, symbol)).epoch);
    watcher.forgetStates();
    const { counters } = await getStatus(engine.url);
    const scene = new TwoLines({ sim, proxy, engine, watcher, followers, trades }, epochs, counters.resyncs);
    await scene.bothStand();
    return scene;
  }

  /** Waits until every channel is on two connections, each confirmed on both. */
  async bothStand(): Promise<void> {
    const { proxy, sim, engine } = this;
    const channels = sim.symbols.flatMap((symbol) => [
      depthChannel(symbol, '100ms'),
      depthChannel(symbol, '100ms').replace('depth', 'deals'),
    ]);
    await until(
      async () => {
        if (!channels.every((channel) => proxy.carriers(channel).length === 2)) return false;
        const { connections } = await getStatus(engine.url);
        return (
          connections.every(({ state }) => state === 'open') &&
          connections.reduce((sum, each) => sum + each.subscriptions, 0) >= 2 * channels.length
        );
      },
      { what: 'every channel on two connections', timeoutMs: 20_000 },
    );
    // A line takes over only what it has carried since before the other was last heard of.
    const sinceMs = Date.now();
    const isHeard = async (): Promise<boolean> => (await getStatus(engine.url)).connections.every((each) => each.lastReceived! > sinceMs);
    await until(isHeard, { what: 'something on every connection' });
    await this.news(3);
  }

  /** Waits until each book had some more updates. */
  async news(count: number): Promise<void> {
    const seen = this.followers.map(({ deltas }) => deltas);
    await until(() => this.followers.every(({ deltas }, i) => deltas >= seen[i]! + count), { what: `${count} updates of each book` });
  }
}

/** Nobody noticed anything: the books, their clients, the tapes and theirs. */
export async function expectUnnoticed(scene: TwoLines): Promise<void> {
  const { engine, sim, followers, trades, watcher } = scene;
  const { books, counters } = await getStatus(engine.url);
  expect(books).toMatchObject({ live: SYMBOLS });
  expect(counters).toMatchObject({ gaps: 0, resyncs: scene.resyncs, crossedBooks: 0, framesRefused: 0 });
  expect(watcher.disturbed()).toEqual([]);
  expect(followers.flatMap(({ faults, states }) => [...faults, ...states])).toEqual([]);
  expect(followers.filter(({ snapshots }) => snapshots.length !== 1)).toEqual([]);
  expect(trades.faults).toEqual([]);
  for (const symbol of sim.symbols) {
    expect([symbol, (await getSymbolStatus(engine.url, symbol)).epoch]).toEqual([symbol, scene.epochs.get(symbol)]);
    expect([symbol, trades.states.get(symbol)!.slice(scene.statesBefore.get(symbol))]).toEqual([symbol, []]);
    await expectTrueTape(scene, symbol);
  }
}

/** None missing and none twice, from the first that came by push. */
async function expectTrueTape(scene: TwoLines, symbol: string): Promise<void> {
  const tape = await fetchTape(scene.engine.url, symbol);
  expect(tape.skipped).toEqual([]);
  const truth = scene.sim.trueTrades(symbol).map(({ id }) => id);
  // Those that were fetched at the start have no id.
  const ids = tape.trades.flatMap(({ exchange_id }) => exchange_id ?? []);
  expect(ids.length).toBeGreaterThan(10);
  expect([symbol, new Set(ids).size]).toEqual([symbol, ids.length]);
  const places = ids.map((id) => truth.indexOf(id));
  const firstPushed = tape.trades.findIndex(({ exchange_id }) => exchange_id !== null);
  expect([symbol, tape.trades.length - firstPushed]).toEqual([symbol, Math.max(...places) - Math.min(...places) + 1]);
}
