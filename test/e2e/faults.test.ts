import { describe, expect } from 'vitest';
import type { FaultSpec } from '../../src/simulator/simulator.js';
import { systemClock } from '../../src/support/clock.js';
import { it } from '../support/cleanup.js';
import { getStatus, getSymbolStatus, quickTimings } from '../support/engine.js';
import type { PushFollower } from '../support/push-follower.js';
import { expectSound, Scene } from '../support/scene.js';
import { until } from '../support/until.js';

/** The longest time between two changes of a client's book from now on. */
function longestPause(follower: PushFollower): () => number {
  let longest = 0;
  let changedAt = performance.now();
  follower.onChange = () => {
    const now = performance.now();
    longest = Math.max(longest, now - changedAt);
    changedAt = now;
  };
  return () => longest;
}

describe.concurrent('pushes that come to harm', () => {
  const harmless = ['live synced 1'];
  const lost = (reason: string): string[] => ['live synced 1', `syncing ${reason} 1`, 'live synced 2'];

  it.for<[name: string, fault: FaultSpec, states: string[], counters: object]>([
    ['a push is missing', { action: 'skip' }, lost('gap'), { gaps: 1, framesRefused: 0, resyncs: 2 }],
    ['three pushes are missing', { action: 'skip', pushes: 3 }, lost('gap'), { gaps: 1, framesRefused: 0, resyncs: 2 }],
    ['pushes come twice', { action: 'duplicate', pushes: 3 }, harmless, { gaps: 0, framesRefused: 0, resyncs: 1 }],
    ['two pushes change places', { action: 'reorder' }, lost('gap'), { gaps: 1, framesRefused: 0, resyncs: 2 }],
    ['a push breaks off', { action: 'truncate' }, lost('bad_frame'), { framesRefused: 1, resyncs: 2 }],
    ['half a push comes before the whole', { action: 'truncate', mode: 'add' }, lost('bad_frame'), { framesRefused: 1, resyncs: 2 }],
    ['pushes have fields nobody knows', { action: 'unknownFields', pushes: 3 }, harmless, { gaps: 0, framesRefused: 0, resyncs: 1 }],
    // For less than the silence that is noticed by itself.
    ['a symbol stands still, then all comes merged', { action: 'stall', forMs: 700 }, harmless, { gaps: 0, framesRefused: 0, resyncs: 1 }],
    [
      'a symbol stands still, and what it held is lost',
      { action: 'stall', forMs: 700, after: 'gap' },
      lost('gap'),
      { gaps: 1, framesRefused: 0, resyncs: 2 },
    ],
  ])('%s', async ([, fault, states, counters], { opened }) => {
    const scene = await Scene.start(opened);
    await scene.allLive();
    scene.watcher.forgetStates();
    const symbol = scene.symbols[2]!;
    const before = await getSymbolStatus(scene.url, symbol);
    const follower = scene.follower(symbol);
    const pauseMs = longestPause(follower);
    scene.sim.injectFault({ ...fault, symbol });
    await until(() => scene.history(symbol).length === states.length && follower.seq > before.seq + 5, {
      what: 'the fault and what follows',
    });
    await expectSound(scene);

    expect(scene.history(symbol)).toEqual(states);
    const after = await getSymbolStatus(scene.url, symbol);
    expect(after.counters).toMatchObject(counters);
    expect(after.epoch).toBe(states === harmless ? 1 : 2);
    // It did stand still: pushes are less than 300 ms apart otherwise.
    if (fault.action === 'stall') expect(pauseMs()).toBeGreaterThan(500);
    if (fault.action === 'duplicate') expect(after.counters.framesDropped).toBe(before.counters.framesDropped + 3);
    for (const other of scene.symbols) if (other !== symbol) expect([other, ...scene.history(other)]).toEqual([other, ...harmless]);
  });
});

describe.concurrent('a symbol that falls silent', () => {
  it.for(['merge', 'gap'] as const)('is stale, alone, and recovers (what it missed: %s)', async (after, { opened }) => {
    const scene = await Scene.start(opened, { market: { symbols: 6, rate: 40 }, engine: { interval: '10ms', staleAfterMs: 1000 } });
    await scene.allLive();
    const symbol = scene.symbols[1]!;
    // Its rhythm must be known before it can be judged silent.
    await until(() => scene.follower(symbol).deltas > 30, { what: 'some pushes' });
    scene.watcher.forgetStates();
    scene.sim.injectFault({ action: 'stall', symbol, forMs: 2500, after });
    await until(() => scene.history(symbol).length > 1, { what: 'the stale book' });
    // A snapshot may have made it live again already.
    expect(scene.history(symbol).slice(0, 2)).toEqual(['live synced 1', 'stale silent 1']);
    const { deltas } = scene.follower(symbol);
    await until(() => scene.follower(symbol).deltas > deltas + 30, { what: 'pushes again' });
    await expectSound(scene);
    expect(scene.watcher.disturbed()).toEqual([symbol]);
    const { state, counters } = await getSymbolStatus(scene.url, symbol);
    expect(state).toBe('live');
    if (after === 'merge') expect(counters.gaps).toBe(0);
  });
});

describe('connections', () => {
  const twoConnections = { market: { symbols: 40 } };

  it.for<[how: string, fault: FaultSpec, closeCode: number]>([
    ['with a close frame', { action: 'drop', closeCode: 1001 }, 1001],
    ['without one', { action: 'drop' }, 1006],
  ])('a connection dropped %s takes only its own symbols along, until it is back', async ([, fault, closeCode], { opened }) => {
    const scene = await Scene.start(opened, twoConnections);
    await scene.allLive();
    const connections = new Map<string, number | null>();
    for (const symbol of scene.symbols) connections.set(symbol, (await getSymbolStatus(scene.url, symbol)).connection);
    expect(new Set(connections.values())).toEqual(new Set([0, 1]));
    const carried = scene.symbols.filter((symbol) => connections.get(symbol) === 1);
    scene.watcher.forgetStates();

    scene.sim.injectFault({ ...fault, symbol: carried[0]! });
    await until(() => scene.watcher.disturbed().length > 0, { what: 'the loss of the line' });
    await expectSound(scene);
    expect(scene.watcher.disturbed().sort()).toEqual([...carried].sort());
    for (const symbol of carried) {
      expect(scene.history(symbol)).toEqual(['live synced 1', 'stale line_down 1', 'syncing line_down 1', 'live synced 2']);
    }
    const status = await getStatus(scene.url);
    // The connections behind these carry no books.
    const carriers = status.connections.slice(0, 2);
    expect(carriers.map(({ state, reconnects, lastCloseCode }) => ({ state, reconnects, lastCloseCode }))).toEqual([
      { state: 'open', reconnects: 0, lastCloseCode: null },
      { state: 'open', reconnects: 1, lastCloseCode: closeCode },
    ]);
    expect(status.counters.gaps).toBe(0);
  });

  it('a connection that is open but dead is noticed and replaced', async ({ opened }) => {
    const connection = { ...quickTimings.connection, pingIntervalMs: 500, pongTimeoutMs: 500, silenceMs: 2000 };
    const scene = await Scene.start(opened, { engine: { feedTimings: { ...quickTimings, connection } } });
    await scene.allLive();
    scene.watcher.forgetStates();
    scene.sim.injectFault({ action: 'halfOpen' });
    await until(() => scene.watcher.disturbed().length === scene.symbols.length, { what: 'the loss of the line' });
    await expectSound(scene);
    expect((await getStatus(scene.url)).connections[0]).toMatchObject({ state: 'open', reconnects: 1 });
  });

  it('with the timings of production that takes 20 s at most', { timeout: 60_000 }, async ({ opened }) => {
    const scene = await Scene.start(opened, { engine: { feedTimings: {} } });
    await scene.allLive();
    scene.watcher.forgetStates();
    const injectedAt = performance.now();
    scene.sim.injectFault({ action: 'halfOpen' });
    await until(() => scene.watcher.disturbed().length === scene.symbols.length, { what: 'the loss of the line', timeoutMs: 25_000 });
    expect(performance.now() - injectedAt).toBeLessThan(20_000);
    await expectSound(scene);
  });

  it('a refused subscription is tried again, and holds up nobody else', async ({ opened }) => {
    const scene = await Scene.start(opened, {
      engine: { feedTimings: { ...quickTimings, refusedRetryMs: 500, refusedRetryMaxMs: 500 } },
      before: async (sim) => sim.injectFault({ action: 'refuse', symbol: sim.symbols[0]!, count: 2 }),
    });
    const [refused, ...others] = scene.symbols;
    await until(() => scene.watcher.live().length === others.length, { what: 'the others' });
    const isRefused = async (): Promise<boolean> => (await getSymbolStatus(scene.url, refused!)).reason === 'subscription_refused';
    await until(isRefused, { what: 'the refusal' });
    expect(await getSymbolStatus(scene.url, refused!)).toMatchObject({ state: 'syncing', epoch: 0 });
    const refusal = await fetch(`${scene.url}/orderbook/${refused!}`);
    expect([refusal.status, ((await refusal.json()) as { code: string }).code]).toEqual([503, 'BOOK_NOT_LIVE']);
    await expectSound(scene);
    expect(scene.sim.stats().faultsBegun).toBe(1);
  });
});

describe.concurrent('snapshots', () => {
  /** The engine's requests before its first snapshot: the listing and the day's turnover. */
  const LISTING_REQUESTS = 2;

  it('429: everybody waits as long as the exchange asks, then all goes on', async ({ opened }) => {
    // More than the first pause without such a wish, which is 5 s at most.
    const retryAfterSeconds = 6;
    const scene = await Scene.start(opened, {
      market: { symbols: 12 },
      engine: { snapshotRate: 10 },
      before: async (sim) => sim.injectFault({ action: 'rest429', symbol: sim.symbols[0]!, retryAfterSeconds }),
    });
    let notYetAt = systemClock();
    const pausedUntil = await until(
      async () => {
        const askedAt = systemClock();
        const { snapshots } = await getStatus(scene.url);
        if (snapshots.pausedUntil === null) notYetAt = askedAt;
        return snapshots.pausedUntil;
      },
      { what: 'the pause' },
    );
    expect(pausedUntil - notYetAt).toBeGreaterThanOrEqual(retryAfterSeconds * 1000);
    await until(async () => (await getStatus(scene.url)).snapshots.inFlight === 0, { what: 'the answers under way' });
    const { requests } = scene.sim.stats();
    expect(requests).toBeLessThan(LISTING_REQUESTS + scene.symbols.length);
    await until(
      () => {
        const now = scene.sim.stats().requests;
        const inPause = systemClock() < pausedUntil;
        if (inPause) expect(now).toBe(requests);
        return !inPause;
      },
      { what: 'the end of the pause' },
    );
    await expectSound(scene);
    expect(scene.sim.stats().depthRequests).toBe(scene.symbols.length + 1);
  });

  it("403 with a firewall's page: everybody waits, then all goes on", async ({ opened }) => {
    const scene = await Scene.start(opened, {
      market: { symbols: 12 },
      engine: { snapshotRate: 10 },
      before: async (sim) => sim.injectFault({ action: 'rest403', symbol: sim.symbols[0]! }),
    });
    await until(async () => (await getStatus(scene.url)).snapshots.pausedUntil !== null, { what: 'the pause' });
    await until(async () => (await getStatus(scene.url)).snapshots.inFlight === 0, { what: 'the answers under way' });
    const { requests } = scene.sim.stats();
    expect(requests).toBeLessThan(LISTING_REQUESTS + scene.symbols.length);
    await until(
      async () => {
        const paused = (await getStatus(scene.url)).snapshots.pausedUntil !== null;
        if (paused) expect(scene.sim.stats().requests).toBe(requests);
        return !paused;
      },
      { what: 'the end of the pause' },
    );
    await expectSound(scene);
    expect(scene.sim.stats().depthRequests).toBe(scene.symbols.length + 1);
  });

  it('5xx: tried again, for that symbol alone', async ({ opened }) => {
    const scene = await Scene.start(opened, {
      before: async (sim) => sim.injectFault({ action: 'rest5xx', symbol: sim.symbols[3]!, count: 3 }),
    });
    await expectSound(scene);
    expect(scene.sim.stats().depthRequests).toBe(scene.symbols.length + 3);
    expect(scene.symbols.map((symbol) => scene.follower(symbol).epoch)).toEqual(scene.symbols.map(() => 1));
  });

  it('slow ones join what was pushed meanwhile', async ({ opened }) => {
    const scene = await Scene.start(opened, {
      before: async (sim) => sim.injectFault({ action: 'slowSnapshots', count: sim.symbols.length, delayMs: 700 }),
    });
    await expectSound(scene);
    const { counters } = await getStatus(scene.url);
    expect(counters).toMatchObject({ gaps: 0, resyncs: scene.symbols.length });
    expect(scene.sim.stats().depthRequests).toBe(scene.symbols.length);
  });

  it('old ones are refused until one reaches the pushes that wait', async ({ opened }) => {
    const scene = await Scene.start(opened, {
      // The first push must be there, or the old book could not be told from a new one.
      engine: { feedTimings: { ...quickTimings, firstDeltaWaitMs: 5000 } },
      before: async (sim) => {
        const symbol = sim.symbols[0]!;
        sim.injectFault({ action: 'oldSnapshots', symbol, pushes: 1000, count: 3 });
        const versions = new Set<number>();
        await until(() => versions.add(sim.trueBook(symbol).version).size > 10, { what: 'a past' });
      },
    });
    await expectSound(scene);
    expect(scene.sim.stats().depthRequests).toBe(scene.symbols.length + 3);
    expect(await getSymbolStatus(scene.url, scene.symbols[0]!)).toMatchObject({ epoch: 1, counters: { gaps: 0, resyncs: 1 } });
  });
});
