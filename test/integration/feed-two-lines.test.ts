import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { formatChannel } from '../../src/mexc/channels.js';
import { StateReason } from '../../src/model/book-state.js';
import { StreamKind } from '../../src/model/feed.js';
import type { FakeClient } from '../support/fake-exchange.js';
import { channelOf, type FeedHarness, type FeedHarnessOptions, name, setUpFeed, tracked } from '../support/feed-harness.js';
import { systemClock } from '../../src/support/clock.js';
import { until } from '../support/until.js';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
});

const setUp = (options: FeedHarnessOptions = {}): Promise<FeedHarness> => setUpFeed(open, { lines: 2, ...options });
const dealsOf = (id: number): string => formatChannel({ kind: 'deals', symbol: name(id), speed: '100ms' });
const isOpen = ({ socket }: FakeClient): boolean => socket.readyState === socket.OPEN;

/** Open connections that carry the channel, the oldest first. */
const carriers = ({ exchange }: FeedHarness, channel: string): FakeClient[] =>
  exchange.clients.filter((client) => isOpen(client) && client.channels.has(channel));

const downs = (harness: FeedHarness): number => harness.count('lineDown') + harness.count('streamDown');

/** Waits until nothing that the exchange pushes of a symbol, on whichever connection, is a stray. */
async function allCount({ exchange, feed }: FeedHarness, symbol: string): Promise<void> {
  await until(async () => {
    const before = feed.status().counters;
    const sent = exchange.push(symbol, 1);
    const arrived = (): number => {
      const { frames, framesUnknownSymbol } = feed.status().counters;
      return frames + framesUnknownSymbol - before.frames - before.framesUnknownSymbol;
    };
    await until(() => arrived() >= sent);
    return feed.status().counters.framesUnknownSymbol === before.framesUnknownSymbol;
  });
}

describe('two lines', () => {
  it('carry every channel twice, and hand on what comes on either', async () => {
    const harness = await setUp({ streams: [StreamKind.DEALS, StreamKind.MINI_TICKERS] });
    const { exchange } = harness;
    harness.feed.start([tracked(0), tracked(1)]);
    await until(() => exchange.subscribed().size === 5 && [...exchange.subscribed().values()].every((count) => count === 2));
    for (const id of [0, 1]) await allCount(harness, name(id));
    expect([harness.count('frame', 0) >= 2, harness.count('deals', 0) >= 2]).toEqual([true, true]);
    const { connections } = harness.feed.status();
    expect(connections.map(({ line }) => line).toSorted((a, b) => a - b)).toEqual([0, 0, 1, 1]);
  });

  it('the second takes over what the first loses, the first comes back as the second, and no line goes down', async () => {
    const harness = await setUp({ streams: [StreamKind.DEALS] });
    const { feed } = harness;
    feed.start([tracked(0), tracked(1)]);
    for (let round = 1; round <= 4; round++) {
      for (const channel of [channelOf(0), channelOf(1), dealsOf(0), dealsOf(1)])
        await until(() => carriers(harness, channel).length === 2);
      for (const id of [0, 1]) await allCount(harness, name(id));
      for (const channel of [channelOf(0), dealsOf(0)]) carriers(harness, channel)[0]!.socket.terminate();
      await until(() => feed.status().connectionsLost === 2 * round);
      expect(downs(harness)).toBe(0);
    }
    expect(harness.count('lineUp')).toBe(2);
    expect(harness.count('streamUp')).toBe(2);
    expect(feed.status().takeovers).toBeGreaterThanOrEqual(2);
  });

  it('one that stands since the other was dead without anybody knowing takes nothing over: what came before, neither brought', async () => {
    const harness = await setUp();
    const { exchange, feed } = harness;
    feed.start([tracked(0)]);
    await until(() => carriers(harness, channelOf(0)).length === 2);
    await allCount(harness, name(0));
    const [first, second] = carriers(harness, channelOf(0)) as [FakeClient, FakeClient];
    exchange.ponging = false;
    first.channels.clear();
    second.socket.terminate();
    await until(() => carriers(harness, channelOf(0)).length === 1);
    await allCount(harness, name(0));
    expect(downs(harness)).toBe(0);
    first.socket.terminate();
    await until(() => feed.status().connectionsLost === 2 && carriers(harness, channelOf(0)).length === 2);
    expect([downs(harness), harness.count('lineUp')]).toEqual([1, 2]);
  });

  it('both lost at once is a loss', async () => {
    const harness = await setUp();
    harness.feed.start([tracked(0)]);
    await until(() => carriers(harness, channelOf(0)).length === 2);
    for (const { socket } of carriers(harness, channelOf(0))) socket.terminate();
    await until(() => harness.count('lineDown') === 1 && carriers(harness, channelOf(0)).length === 2);
    expect(harness.count('lineUp')).toBe(2);
  });

  it('what the second line does not carry goes down with the first, and comes back', async () => {
    const harness = await setUp();
    const { exchange, feed } = harness;
    // Each channel is taken once; the second line gets the first symbol only.
    const taken = new Set<string>();
    exchange.refuse = (channel) => {
      if (channel === channelOf(0) || !taken.has(channel)) return void taken.add(channel);
      return 'Blocked!';
    };
    feed.start([tracked(0), tracked(1)]);
    await until(() => carriers(harness, channelOf(0)).length === 2 && carriers(harness, channelOf(1)).length === 1);
    await allCount(harness, name(0));
    exchange.refuse = () => undefined;
    carriers(harness, channelOf(1))[0]!.socket.terminate();
    await until(() => carriers(harness, channelOf(0)).length === 2 && carriers(harness, channelOf(1)).length === 2);
    expect(harness.of(0).filter(({ kind }) => kind === 'lineDown')).toEqual([]);
    expect(harness.of(1).filter(({ kind }) => kind === 'lineDown').length).toBeLessThanOrEqual(1);
  });

  it('a symbol that is not tracked any more leaves both, and the last one takes its connections along', async () => {
    const harness = await setUp();
    const { exchange, feed } = harness;
    feed.start([tracked(0), tracked(1)]);
    for (const id of [0, 1]) await until(() => carriers(harness, channelOf(id)).length === 2);
    feed.untrack(0);
    await until(() => carriers(harness, channelOf(0)).length === 0);
    expect(carriers(harness, channelOf(1)).length).toBe(2);
    feed.untrack(1);
    await until(() => exchange.clients.every((client) => !isOpen(client)));
    expect(feed.status().connections).toEqual([]);
  });

  it('neither makes more subscriptions than a connection takes', async () => {
    const harness = await setUp({ subscriptionsPerConnection: 3 });
    const { feed } = harness;
    feed.start([tracked(0), tracked(1), tracked(2)]);
    for (const id of [0, 1, 2]) await until(() => carriers(harness, channelOf(id)).length === 2);
    for (let id = 3; id < 9; id++) {
      feed.untrack(id - 3);
      feed.track(tracked(id));
      await until(() => carriers(harness, channelOf(id)).length === 2);
    }
    for (const { messages } of harness.exchange.clients) {
      const channels = messages.flatMap((text) => {
        const { method, params = [] } = JSON.parse(text) as { method: string; params?: string[] };
        return method === 'SUBSCRIPTION' ? params : [];
      });
      expect(channels.length).toBeLessThanOrEqual(3);
    }
    expect(downs(harness)).toBe(0);
  });

  it('both are replaced in time although the exchange does not give one of their channels any more', async () => {
    let skewMs = 0;
    const clock = (): number => systemClock() + skewMs;
    const timings = { connectionAgeMaxMs: 3_600_000, connectionAgeCheckMs: 10, replacementHoldMs: 40 };
    const harness = await setUp({ clock, streams: [], timings });
    const { exchange, feed } = harness;
    feed.start([tracked(0), tracked(1), tracked(2)]);
    for (const id of [0, 1, 2]) await until(() => carriers(harness, channelOf(id)).length === 2);
    const before = [...exchange.clients];
    exchange.refuse = (channel) => (channel === channelOf(1) ? 'Blocked!' : undefined);
    skewMs = 3_600_000;
    await until(() => feed.status().connectionsReplaced === 2 && !before.some(isOpen));
    for (const id of [0, 2]) await until(() => carriers(harness, channelOf(id)).length === 2);
    for (const id of [0, 2]) await allCount(harness, name(id));
    expect([harness.of(0), harness.of(2)].flat().filter(({ kind }) => kind === 'lineDown')).toEqual([]);
  });

  it('the second is replaced although the last channel it waits for is not tracked any more', async () => {
    let skewMs = 0;
    const clock = (): number => systemClock() + skewMs;
    const timings = { connectionAgeMaxMs: 3_600_000, connectionAgeCheckMs: 10, replacementHoldMs: 40 };
    const harness = await setUp({ clock, streams: [], timings });
    const { exchange, feed } = harness;
    feed.start([tracked(0), tracked(1)]);
    for (const id of [0, 1]) await until(() => carriers(harness, channelOf(id)).length === 2);
    const before = [...exchange.clients];
    // The first line's replacement gets all it asks for, the second's waits for one answer.
    exchange.answer = ({ number }, id) => (number > before.length ? JSON.stringify({ id, code: 0, msg: channelOf(0) }) : undefined);
    skewMs = 3_600_000;
    const heir = await until(() => exchange.clients.find(({ number, channels }) => number > before.length && channels.size === 2));
    // What comes back says that the answer before it was read.
    heir.socket.ping();
    await once(heir.socket, 'pong');
    feed.untrack(1);
    await until(() => feed.status().connectionsReplaced === 2 && !before.some(isOpen));
    await until(() => carriers(harness, channelOf(0)).length === 2 && carriers(harness, channelOf(1)).length === 0);
    await allCount(harness, name(0));
    expect(harness.of(0).filter(({ kind }) => kind === 'lineDown')).toEqual([]);
  });

  it('nor for one that is silent for long and subscribed again elsewhere', async () => {
    let skewMs = 0;
    const clock = (): number => systemClock() + skewMs;
    const timings = {
      connectionAgeMaxMs: 3_600_000,
      connectionAgeCheckMs: 10,
      replacementHoldMs: 40,
      silentRetryMs: 1,
      silentRetryMaxMs: 1,
    };
    const harness = await setUp({ clock, streams: [], timings, subscriptionsPerConnection: 2 });
    const { exchange, feed } = harness;
    feed.start([tracked(0), tracked(1)]);
    for (const id of [0, 1]) await until(() => carriers(harness, channelOf(id)).length === 2);
    const before = [...exchange.clients];
    exchange.answer = ({ number, channels }, id) =>
      number > before.length && channels.has(channelOf(0)) ? JSON.stringify({ id, code: 0, msg: channelOf(0) }) : undefined;
    skewMs = 3_600_000;
    const heir = await until(() => exchange.clients.find(({ number, channels }) => number > before.length && channels.size === 2));
    heir.socket.ping();
    await once(heir.socket, 'pong');
    await until(() => {
      feed.resyncRequested(1, StateReason.SILENT);
      return harness.count('lineUp', 1) > 1;
    });
    await until(() => feed.status().connectionsReplaced >= 2 && !before.some(isOpen));
  });
});
