import { expect } from 'vitest';
import type { Engine, EngineOptions } from '../../src/engine.js';
import { type Simulator, type SimulatorOptions, startSimulator } from '../../src/simulator/simulator.js';
import type { Open } from './cleanup.js';
import { startEngine } from './engine.js';
import { PushClient } from './push-client.js';
import type { PushFollower } from './push-follower.js';
import { expectTrueBooks, expectTruth } from './true-book.js';
import { until } from './until.js';

export interface SceneOptions {
  readonly market?: SimulatorOptions;
  readonly engine?: Partial<EngineOptions>;
  /** Runs between the start of the exchange and that of the engine. */
  readonly before?: (sim: Simulator) => Promise<void>;
}

/** A simulated exchange and an engine in this process, a client that watches all states, and one that follows every change of every book. */
export class Scene {
  readonly sim: Simulator;
  readonly engine: Engine;
  readonly symbols: readonly string[];
  readonly watcher: PushClient;
  readonly followers: readonly PushFollower[];

  private constructor(sim: Simulator, engine: Engine, watcher: PushClient, followers: readonly PushFollower[]) {
    this.sim = sim;
    this.engine = engine;
    this.symbols = sim.symbols;
    this.watcher = watcher;
    this.followers = followers;
  }

  /** Does not wait for the books to be live. */
  static async start(opened: Open, { market, engine: options, before }: SceneOptions = {}): Promise<Scene> {
    const sim = opened(await startSimulator({ symbols: 8, rate: 8, seed: 9, ...market }));
    await before?.(sim);
    const engine = opened(await startEngine(sim, options));
    const watcher = opened(await PushClient.connect(engine.wsUrl));
    await watcher.watch(sim.symbols);
    const client = opened(await PushClient.connect(engine.wsUrl));
    return new Scene(sim, engine, watcher, await client.follow(sim.symbols, 'full', 0));
  }

  get url(): string {
    return this.engine.url;
  }

  follower(symbol: string): PushFollower {
    return this.followers.find((follower) => follower.symbol === symbol)!;
  }

  async allLive(timeoutMs = 10_000): Promise<void> {
    const isLive = (): boolean => this.watcher.live().length === this.symbols.length && this.followers.every(({ live }) => live);
    await until(isLive, { timeoutMs, what: 'all books live' });
  }

  /** The states the book of a symbol was in, each with its reason and epoch. */
  history(symbol: string): string[] {
    return this.watcher.states(symbol).map(({ state, reason, epoch }) => `${state} ${reason} ${epoch}`);
  }
}

/** Every book is live and exact, by REST and at the client that followed it all along. `timeoutMs` is per book. */
export async function expectSound(scene: Scene, timeoutMs = 10_000): Promise<void> {
  await scene.allLive(timeoutMs);
  await expectTrueBooks(scene.url, scene.sim, scene.symbols, timeoutMs);
  for (const follower of scene.followers) {
    await expectTruth(scene.sim, follower.symbol, "the client's book", timeoutMs, () => {
      return follower.live ? { version: follower.version, bids: follower.bids(), asks: follower.asks() } : undefined;
    });
  }
  expect(scene.followers.flatMap(({ faults }) => faults)).toEqual([]);
}
