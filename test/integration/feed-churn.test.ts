import { afterEach, describe, expect, it } from 'vitest';
import { formatChannel } from '../../src/mexc/channels.js';
import { type FakeClient, requests } from '../support/fake-exchange.js';
import { channelOf, type FeedHarness, type FeedHarnessOptions, name, setUpFeed, tracked } from '../support/feed-harness.js';
import { nextTurn } from '../support/next-turn.js';
import { until } from '../support/until.js';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
});

const SYMBOLS = 60;
const ids = Array.from({ length: SYMBOLS }, (_, id) => id);
const kline = (id: number): string => formatChannel({ kind: 'kline', symbol: name(id), interval: 'Min1' });

/** All books live, on connections of `slots` subscriptions. */
async function setUp(slots: number, options: FeedHarnessOptions): Promise<FeedHarness> {
  const harness = await setUpFeed(open, { subscriptionsPerConnection: slots, settlingMax: 1000, ...options });
  harness.feed.start(ids.map((id) => tracked(id)));
  await until(() => harness.count('snapshot') === SYMBOLS);
  return harness;
}

/** Cuts the connection of the first book; resolves with the number of other connections that opened before it came back. */
async function openedBefore({ exchange }: FeedHarness): Promise<number> {
  const isOfBook = ({ channels }: FakeClient): boolean => channels.has(channelOf(0));
  const before = exchange.clients.length;
  const old = exchange.clients.find(isOfBook)!;
  old.socket.terminate();
  const isBack = (client: FakeClient): boolean => client !== old && isOfBook(client);
  // Real time: without the books' turn before all others, and without those given back, it takes longer.
  await until(() => exchange.clients.some(isBack), { what: 'the book to come back', timeoutMs: 3_000 });
  return exchange.clients.findIndex(isBack) - before;
}

describe('a client that asks for candles and drops them again', () => {
  it('holds up no book by connections that are closed before they opened', async () => {
    const harness = await setUp(SYMBOLS, { connectPerSecond: 10, timings: { klineIdleMs: 1 } });
    const { exchange, feed } = harness;
    let steps = 0;
    // What the one began, a timer of as long, is due before the other: the connection stands in the line when the candles are given up.
    const churning = setInterval(() => {
      if (steps++ % 2 === 0) feed.openKline(0);
      else feed.closeKline(0);
    }, 1);
    try {
      await until(() => steps >= 400);
      expect(exchange.clients.length).toBeLessThan(20);
      // The turns of those closed would be twenty seconds.
      expect(await openedBefore(harness)).toBeLessThanOrEqual(2);
    } finally {
      clearInterval(churning);
    }
  });

  it('holds up no book by connections that wait', async () => {
    const harness = await setUp(1, { connectPerSecond: 60 });
    const { exchange, feed } = harness;
    for (const id of ids) feed.openKline(id);
    await until(() => exchange.clients.length > SYMBOLS);
    // 58 more wait: a second's worth.
    expect(await openedBefore(harness)).toBeLessThanOrEqual(5);
    await until(() => exchange.subscribed().size === 2 * SYMBOLS);
  });

  it('costs the exchange nothing while it comes back soon', async () => {
    const harness = await setUp(SYMBOLS, { timings: { klineIdleMs: 60_000 } });
    const { exchange, feed } = harness;
    for (const id of ids) feed.openKline(id);
    await until(() => exchange.subscribed().size === 2 * SYMBOLS);
    for (let round = 0; round < 50; round++) {
      for (const id of ids) feed.closeKline(id);
      await nextTurn();
      for (const id of ids) feed.openKline(id);
    }
    // Behind all that may have been sent meanwhile.
    exchange.pushChannel(kline(0));
    await until(() => harness.count('kline', 0) === 1);
    expect(exchange.clients).toHaveLength(2);
    const asked = requests(exchange.clients[1]!, 'SUBSCRIPTION').flat();
    expect([...asked].sort()).toEqual(ids.map(kline).sort());
    expect(requests(exchange.clients[1]!, 'UNSUBSCRIPTION')).toEqual([]);
    expect(feed.status().connections).toHaveLength(2);
  });
});
