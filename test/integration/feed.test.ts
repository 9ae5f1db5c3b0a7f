import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { type AddressInfo, connect, createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/support/clock.js';
import { BookState, StateReason } from '../../src/model/book-state.js';
import { requests } from '../support/fake-exchange.js';
import type { FakeExchange } from '../support/fake-exchange.js';
import { channelOf, name, setUpFeed, tracked } from '../support/feed-harness.js';
import type { FeedEvent, FeedHarness, FeedHarnessOptions } from '../support/feed-harness.js';
import { sendJson } from '../support/scripted-http.js';
import { until } from '../support/until.js';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const it of open.splice(0)) await it.close();
});

const setUp = (options?: FeedHarnessOptions): Promise<FeedHarness> => setUpFeed(open, options);
const kinds = (events: readonly FeedEvent[]): string[] => events.map(({ kind }) => kind);
const allSubscribed = (exchange: FakeExchange, count: number) => () => exchange.subscribed().size === count;

describe('start-up', () => {
  it('says lineUp, subscribes, waits for the first delta, fetches the snapshot', async () => {
    const harness = await setUp({ timings: { firstDeltaWaitMs: 60_000 } });
    const { exchange, feed, http } = harness;
    feed.start([tracked(0)]);
    await until(allSubscribed(exchange, 1));
    expect(kinds(harness.events)).toEqual(['lineUp']);
    expect(http.requests).toEqual([]);
    await until(() => exchange.push(name(0), 7) === 1 && harness.count('frame') > 0);
    await until(() => harness.count('snapshot') === 1);
    expect(kinds(harness.events).slice(0, 2)).toEqual(['lineUp', 'frame']);
    expect(http.requests).toEqual(['/api/v3/depth?symbol=S0USDT&limit=5000']);
    expect(feed.connectionOf(0)).toBe(0);
    expect(feed.connectionOf(1)).toBeNull();
    expect(feed.status()).toMatchObject({
      connections: [{ connection: 0, state: 'open', subscriptions: 1, reconnects: 0, lastCloseCode: null }],
      snapshots: { waiting: 0, inFlight: 0, ratePerSecond: 1000, pausedUntil: null },
      counters: { framesUnknownSymbol: 0, framesMalformed: 0 },
    });
  });

  it('does not wait for a first delta for ever', async () => {
    const harness = await setUp({ timings: { firstDeltaWaitMs: 10 } });
    harness.feed.start([tracked(0)]);
    await until(() => harness.count('snapshot') === 1);
    expect(kinds(harness.events)).toEqual(['lineUp', 'snapshot']);
  });

  it('takes 65 symbols over three connections, in messages of at most 1,024 bytes', async () => {
    const harness = await setUp({ settlingMax: 1000 });
    const { exchange, feed } = harness;
    feed.start(Array.from({ length: 65 }, (_, id) => tracked(id)));
    await until(() => harness.count('snapshot') === 65);
    expect(exchange.clients.map(({ channels }) => channels.size)).toEqual([30, 30, 5]);
    expect([...exchange.subscribed().values()].every((count) => count === 1)).toBe(true);
    for (const { messages } of exchange.clients) {
      expect(messages.length).toBeLessThanOrEqual(3);
      for (const message of messages) expect(Buffer.byteLength(message)).toBeLessThanOrEqual(1024);
    }
    expect(feed.connectionOf(0)).toBe(0);
    expect(feed.connectionOf(64)).toBe(2);
  });

  it('goes by turnover, the unknown last', async () => {
    const harness = await setUp({ settlingMax: 1, budgetOptions: { ratePerSecond: 1000 } });
    const turnovers = [5, null, 70, 6, 0, 90];
    harness.feed.start(turnovers.map((turnover, id) => tracked(id, turnover)));
    await until(() => harness.count('snapshot') === 6);
    const order = harness.events.flatMap((event) => (event.kind === 'snapshot' ? [event.id] : []));
    expect(order).toEqual([5, 2, 3, 0, 4, 1]);
  });

  it('keeps the number of symbols subscribed and not yet live within its window', async () => {
    const harness = await setUp({ settlingMax: 4 });
    const { exchange, feed } = harness;
    const settled: number[] = [];
    harness.onSnapshot = (id) => void settled.push(id);
    feed.start(Array.from({ length: 10 }, (_, id) => tracked(id)));
    await until(() => settled.length === 4);
    expect(exchange.subscribed().size).toBe(4);
    expect(exchange.clients.length).toBe(1);
    feed.bookState(settled[0]!, BookState.LIVE);
    feed.bookState(settled[1]!, BookState.LIVE);
    await until(() => settled.length === 6);
    expect(exchange.subscribed().size).toBe(6);
  });

  it('is not held up by symbols whose snapshots keep failing', async () => {
    const harness = await setUp({ settlingMax: 2 });
    const { feed } = harness;
    harness.onSnapshot = (id) => {
      if (id < 2) feed.resyncRequested(id, StateReason.GAP);
      else feed.bookState(id, BookState.LIVE);
    };
    feed.start(Array.from({ length: 6 }, (_, id) => tracked(id)));
    await until(() => [2, 3, 4, 5].every((id) => harness.count('snapshot', id) === 1));
  });

  it('works for symbols outside ASCII', async () => {
    const harness = await setUp();
    harness.feed.start([{ ...tracked(0), symbol: '币安人生USDT' }]);
    await until(() => harness.count('snapshot') === 1);
    await until(() => harness.exchange.push('币安人生USDT', 1) === 1 && harness.count('frame') > 0);
    expect(decodeURIComponent(harness.http.requests[0]!)).toContain('symbol=币安人生USDT');
  });
});

describe('acks', () => {
  it('takes a refused symbol down, leaves the others of the message alone, and tries again', async () => {
    const harness = await setUp();
    const { exchange, feed } = harness;
    let refusals = 0;
    exchange.refuse = (channel) => (channel === channelOf(1) && ++refusals <= 3 ? 'Blocked!' : undefined);
    feed.start([tracked(0), tracked(1), tracked(2)]);
    await until(() => harness.count('snapshot') === 3);
    expect(kinds(harness.of(0))).toEqual(['lineUp', 'snapshot']);
    expect(kinds(harness.of(1))).toEqual(['lineUp', 'lineDown', 'lineUp', 'lineDown', 'lineUp', 'lineDown', 'lineUp', 'snapshot']);
    expect(harness.of(1)[1]).toMatchObject({ reason: StateReason.SUBSCRIPTION_REFUSED });
    expect(exchange.clients.length).toBe(1);
    expect(feed.status().connections[0]).toMatchObject({ subscriptions: 3 });
  });

  it('asks once more for what an ack leaves out, then starts the connection anew', async () => {
    const harness = await setUp({ timings: { connection: { ackTimeoutMs: 30 } } });
    const { exchange, feed } = harness;
    exchange.answer = (client, id) => (client.number === 0 ? JSON.stringify({ id, code: 0, msg: channelOf(0) }) : undefined);
    feed.start([tracked(0), tracked(1)]);
    await until(() => harness.count('snapshot', 1) === 1);
    expect(requests(exchange.clients[0]!, 'SUBSCRIPTION')).toEqual([[channelOf(0), channelOf(1)], [channelOf(1)]]);
    expect(kinds(harness.of(1))).toEqual(['lineUp', 'lineDown', 'lineUp', 'snapshot']);
  });

  it('needs no ack from a channel that pushes', async () => {
    const harness = await setUp({ timings: { connection: { ackTimeoutMs: 30 } } });
    const { exchange, feed } = harness;
    exchange.answer = () => '{"id":0,"code":0,"msg":"something new"}';
    feed.start([tracked(0)]);
    await until(() => exchange.push(name(0), 1) === 1);
    await until(() => harness.count('snapshot') === 1);
    expect(exchange.clients.length).toBe(1);
  });

  it('matches acks without an id by their channels', async () => {
    const harness = await setUp();
    harness.exchange.answer = (_client, _id, channels) => JSON.stringify({ id: 0, code: 0, msg: [...channels].reverse().join(',') });
    harness.feed.start([tracked(0), tracked(1)]);
    await until(() => harness.count('snapshot') === 2);
  });

  it('takes an error for a refusal of the whole message', async () => {
    const harness = await setUp();
    let errors = 0;
    harness.exchange.answer = (_client, id) => (++errors === 1 ? JSON.stringify({ id, code: 500, msg: 'busy' }) : undefined);
    harness.feed.start([tracked(0)]);
    await until(() => harness.count('snapshot') === 1);
    expect(kinds(harness.of(0))).toEqual(['lineUp', 'lineDown', 'lineUp', 'snapshot']);
  });
});

describe('connections', () => {
  it('comes back from a drop without a close frame, with everything anew', async () => {
    const harness = await setUp();
    const { exchange, feed } = harness;
    feed.start([tracked(0), tracked(1)]);
    await until(() => harness.count('snapshot') === 2);
    exchange.clients[0]!.socket.terminate();
    await until(() => harness.count('snapshot') === 4);
    expect(kinds(harness.of(0))).toEqual(['lineUp', 'snapshot', 'lineDown', 'lineUp', 'snapshot']);
    expect(harness.of(0)[2]).toMatchObject({ reason: StateReason.LINE_DOWN });
    expect(exchange.clients.length).toBe(2);
    expect(feed.status().connections).toMatchObject([
      { connection: 0, state: 'open', reconnects: 1, lastCloseCode: 1006, subscriptions: 2 },
    ]);
  });

  it('keeps other connections out of it', async () => {
    const harness = await setUp({ subscriptionsPerConnection: 2 });
    harness.feed.start([0, 1, 2, 3].map((id) => tracked(id)));
    await until(() => harness.count('snapshot') === 4);
    const lost = harness.exchange.clients.find(({ channels }) => channels.has(channelOf(0)))!;
    lost.socket.close(1001);
    await until(() => harness.count('snapshot', 0) === 2 && harness.count('snapshot', 1) === 2);
    expect(kinds([...harness.of(2), ...harness.of(3)])).toEqual(['lineUp', 'snapshot', 'lineUp', 'snapshot']);
  });

  it('gives resyncs after a loss precedence over a start-up in progress', async () => {
    const harness = await setUp({ subscriptionsPerConnection: 2, settlingMax: 2 });
    const { exchange, feed } = harness;
    feed.start([tracked(0), tracked(1)]);
    await until(() => harness.count('snapshot') === 2);
    harness.onSnapshot = () => {};
    feed.start([2, 3, 4, 5].map((id) => tracked(id, 1_000_000)));
    await until(() => harness.count('snapshot') === 4);
    exchange.clients.find(({ channels }) => channels.has(channelOf(0)))!.socket.terminate();
    await until(() => harness.count('snapshot', 0) === 2 && harness.count('snapshot', 1) === 2);
    expect(harness.count('lineUp', 4)).toBe(0);
  });

  it('gives up a server that falls silent', async () => {
    const harness = await setUp({ timings: { connection: { silenceMs: 100, pingIntervalMs: 60_000 } } });
    const { exchange, feed } = harness;
    feed.start([tracked(0)]);
    await until(() => exchange.clients.length >= 2);
    await until(() => harness.count('lineUp') >= 2);
    expect(kinds(harness.events)).toContain('lineDown');
    expect(feed.status().connections[0]!.reconnects).toBeGreaterThanOrEqual(1);
  });

  it('keeps a quiet connection alive by PING, and gives it up when a PONG is missing', async () => {
    const harness = await setUp({ timings: { connection: { silenceMs: 1000, pingIntervalMs: 20, pongTimeoutMs: 100 } } });
    const { exchange, feed } = harness;
    feed.start([tracked(0)]);
    await until(() => (exchange.clients[0]?.messages.filter((text) => text === '{"method":"PING"}').length ?? 0) > 10);
    expect(exchange.clients.length).toBe(1);
    exchange.ponging = false;
    // Pushes do not make up for the PONG.
    const pushing = setInterval(() => exchange.push(name(0), 1), 10);
    await until(() => exchange.clients.length === 2).finally(() => clearInterval(pushing));
  });

  it('keeps trying a server that is gone, later each time, and begins anew when it is back', async () => {
    const triedAt: number[] = [];
    let isBack = false;
    let exchangePort = 0;
    const server = createServer((socket) => {
      socket.on('error', () => {});
      triedAt.push(performance.now());
      if (!isBack) return void socket.destroy();
      const exchange = connect(exchangePort, '127.0.0.1');
      exchange.on('error', () => {});
      socket.pipe(exchange).pipe(socket);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    // Without chance: each delay is what it may be at most.
    const connection = { reconnectMs: 50, reconnectMaxMs: 400 };
    const harness = await setUp({ wsUrl: `ws://127.0.0.1:${port}/ws`, random: () => 1, timings: { connection } });
    open.push({ close: () => new Promise((resolve) => server.close(() => resolve())) });
    exchangePort = Number(new URL(harness.exchange.url).port);
    harness.feed.start([tracked(0)]);
    await until(() => triedAt.length === 6, { what: 'six tries' });
    expect(harness.feed.status().connections[0]).toMatchObject({ lastCloseCode: 1006, reconnects: 0 });
    expect(harness.events).toEqual([]);
    for (const [i, delayMs] of [50, 100, 200, 400, 400].entries()) {
      // A timer counts in whole milliseconds.
      expect([i, triedAt[i + 1]! - triedAt[i]! > delayMs - 2]).toEqual([i, true]);
    }
    isBack = true;
    await until(() => harness.count('snapshot') === 1, { what: 'the book' });
    expect(kinds(harness.events)).toEqual(['lineUp', 'snapshot']);
  });

  it('replaces an ageing connection although the exchange does not give one of its channels any more', async () => {
    let skewMs = 0;
    const clock = (): number => systemClock() + skewMs;
    const harness = await setUp({ clock, timings: { connectionAgeMaxMs: 3_600_000, connectionAgeCheckMs: 10, replacementHoldMs: 40 } });
    const { exchange, feed } = harness;
    feed.start([tracked(0), tracked(1), tracked(2)]);
    await until(() => harness.count('snapshot') === 3);
    exchange.refuse = (channel) => (channel === channelOf(1) ? 'Blocked!' : undefined);
    skewMs = 3_600_000;
    await until(() => feed.status().connectionsReplaced === 1);
    // The first refusal could have been an accident.
    expect(exchange.clients.length).toBe(3);
    await until(() => harness.count('lineDown') === 1);
    expect(harness.of(1).find(({ kind }) => kind === 'lineDown')).toMatchObject({ reason: StateReason.SUBSCRIPTION_REFUSED });
    await until(() => exchange.push(name(0), 900) === 1 && harness.of(0).some((event) => event.kind === 'frame' && event.version === 900));
  });

  it('keeps an ageing connection while more comes on its successor than can be held', async () => {
    let skewMs = 0;
    const clock = (): number => systemClock() + skewMs;
    const harness = await setUp({ clock, timings: { connectionAgeMaxMs: 3_600_000, connectionAgeCheckMs: 10, replacementHoldMs: 60_000 } });
    const { exchange, feed } = harness;
    feed.start([tracked(0)]);
    await until(() => harness.count('snapshot') === 1);
    skewMs = 3_600_000;
    await until(() => exchange.subscribed().get(channelOf(0)) === 2);
    for (let version = 1; version <= 20_001; version++) exchange.push(name(0), version);
    await until(() => exchange.clients.length > 2, { what: 'another try' });
    await until(() => harness.count('frame') >= 20_001, { what: 'all pushes' });
    expect([feed.status().connectionsReplaced, harness.count('lineDown')]).toEqual([0, 0]);
  });

  it('replaces an ageing connection that lags once all it still carries has come', async () => {
    let skewMs = 0;
    const clock = (): number => systemClock() + skewMs;
    const harness = await setUp({ clock, timings: { connectionAgeMaxMs: 3_600_000, connectionAgeCheckMs: 10, replacementHoldMs: 20 } });
    const { exchange, feed } = harness;
    feed.start([tracked(0)]);
    await until(() => harness.count('snapshot') === 1);
    const old = exchange.clients[0]!.socket;
    const send = old.send.bind(old);
    const underWay: string[] = [];
    Object.assign(old, { send: (data: string) => void underWay.push(data) });
    const pushes = 100;
    for (let version = 1; version <= pushes; version++) exchange.push(name(0), version);
    skewMs = 3_600_000;
    await until(() => exchange.subscribed().get(channelOf(0)) === 2 && underWay.length > pushes, {
      what: 'the question for a sign of life',
    });
    await until(() => {
      if (underWay.length > 0) send(underWay.shift()!);
      return feed.status().connectionsReplaced === 1;
    });
    await until(
      () => exchange.push(name(0), pushes + 1) === 1 && harness.of(0).some((event) => event.kind === 'frame' && event.version > pushes),
    );
    const versions = harness.of(0).flatMap((event) => (event.kind === 'frame' ? [event.version] : []));
    expect(versions.slice(0, pushes + 1)).toEqual(Array.from({ length: pushes + 1 }, (_, i) => i + 1));
    expect(harness.count('lineDown')).toBe(0);
  });

  it('replaces an ageing connection without a hole', async () => {
    let skewMs = 0;
    const clock = (): number => systemClock() + skewMs;
    const harness = await setUp({ clock, timings: { connectionAgeMaxMs: 3_600_000, connectionAgeCheckMs: 10, replacementHoldMs: 40 } });
    const { exchange, feed } = harness;
    feed.start([tracked(0), tracked(1)]);
    await until(() => harness.count('snapshot') === 2);
    let version = 0;
    const pushing = setInterval(() => exchange.push(name(0), ++version), 2);
    await until(() => version > 20);
    skewMs = 3_600_000;
    await until(() => feed.connectionOf(0) === 1);
    const switchedAt = version;
    await until(() => version > switchedAt + 20).finally(() => clearInterval(pushing));
    await until(() => exchange.clients[0]!.socket.readyState === exchange.clients[0]!.socket.CLOSED);
    expect(exchange.push(name(1), 1)).toBe(1);
    await until(() => harness.count('frame', 1) === 1);
    let last = 0;
    for (const event of harness.of(0)) {
      if (event.kind !== 'frame') continue;
      expect(event.version).toBeLessThanOrEqual(last + 1);
      last = Math.max(last, event.version);
    }
    expect(last).toBeGreaterThan(switchedAt);
    expect(kinds(harness.events.filter(({ kind }) => kind !== 'frame')).sort()).toEqual(['lineUp', 'lineUp', 'snapshot', 'snapshot']);
    expect(feed.status().connections).toMatchObject([{ connection: 1, subscriptions: 2 }]);
  });
});

describe('snapshots', () => {
  it('tries again, later each time, while the snapshot is older than the stream', async () => {
    const harness = await setUp();
    const { feed } = harness;
    harness.onSnapshot = (id) => {
      if (harness.count('snapshot') < 4) feed.resyncRequested(id, StateReason.GAP);
      else feed.bookState(id, BookState.LIVE);
    };
    feed.start([tracked(0)]);
    await until(() => harness.count('snapshot') === 4);
    expect(kinds(harness.events)).toEqual(['lineUp', 'snapshot', 'snapshot', 'snapshot', 'snapshot']);
  });

  it('answers a gap at once, and a second one soon after it with delay', async () => {
    const harness = await setUp({ timings: { snapshotRetryMs: 60_000, snapshotRetryMaxMs: 60_000 } });
    const { feed } = harness;
    feed.start([tracked(0)]);
    await until(() => harness.count('snapshot') === 1);
    feed.resyncRequested(0, StateReason.GAP);
    await until(() => harness.count('snapshot') === 2);
    feed.resyncRequested(0, StateReason.GAP);
    expect(feed.status().snapshots).toMatchObject({ waiting: 1, inFlight: 0 });
  });

  it('merges requests of one symbol', async () => {
    const harness = await setUp();
    const { feed } = harness;
    const answers: ServerResponse[] = [];
    harness.onDepth = (_symbol, response) => void answers.push(response);
    feed.start([tracked(0)]);
    await until(() => answers.length === 1);
    for (let i = 0; i < 5; i++) feed.resyncRequested(0, StateReason.BUFFER_OVERFLOW);
    sendJson(answers[0]!, 200, { lastUpdateId: 1 });
    await until(() => harness.count('snapshot') === 1);
    expect(feed.status().snapshots).toMatchObject({ waiting: 0, inFlight: 0 });
    expect(answers.length).toBe(1);
  });

  it('asks again when a shard says nothing to a snapshot', async () => {
    const harness = await setUp({ timings: { snapshotSettleMs: 20 } });
    harness.onSnapshot = () => {};
    harness.feed.start([tracked(0)]);
    await until(() => harness.count('snapshot') === 2);
  });

  it('stops for everybody on 429 until Retry-After is over', async () => {
    const harness = await setUp({ budgetOptions: { ratePerSecond: 100 } });
    const { budget, feed } = harness;
    const askedAt: number[] = [];
    harness.onDepth = (_symbol, response) => {
      askedAt.push(systemClock());
      if (askedAt.length === 1) {
        return sendJson(response, 429, { code: 429, msg: 'Too Many Requests' }, { 'retry-after': '0.3' });
      }
      sendJson(response, 200, { lastUpdateId: 1 });
    };
    feed.start([tracked(0)]);
    const pausedUntil = await until(() => budget.pausedUntil);
    feed.start([1, 2, 3].map((id) => tracked(id)));
    await until(() => feed.status().snapshots.waiting === 4);
    expect(feed.status().snapshots.pausedUntil).toBe(pausedUntil);
    await until(() => harness.count('snapshot') === 4);
    expect(askedAt.length).toBe(5);
    for (const time of askedAt.slice(1)) expect(time).toBeGreaterThanOrEqual(pausedUntil);
  });

  it('stops for everybody on the firewall page, for a time of its own choosing', async () => {
    const harness = await setUp({ budgetOptions: { ratePerSecond: 100, pauseBaseMs: 50 } });
    let pages = 0;
    harness.onDepth = (_symbol, response) => {
      if (++pages > 2) return sendJson(response, 200, { lastUpdateId: 1 });
      response.writeHead(403, { 'content-type': 'text/html' });
      response.end('<HTML>Access Denied</HTML>');
    };
    harness.feed.start([tracked(0)]);
    await until(() => harness.count('snapshot') === 1);
    expect(harness.http.requests.length).toBe(3);
  });

  it('backs off one symbol the API does not know, and goes on with the others', async () => {
    const harness = await setUp({ settlingMax: 1, timings: { rejectedRetryMs: 60_000 } });
    harness.onDepth = (symbol, response) => {
      if (symbol === name(0)) sendJson(response, 400, { msg: 'invalid symbol', code: -1121 });
      else sendJson(response, 200, { lastUpdateId: 1 });
    };
    harness.feed.start([tracked(0), tracked(1), tracked(2)]);
    await until(() => harness.count('snapshot') === 2);
    expect(harness.http.requests.filter((path) => path.includes(name(0))).length).toBe(1);
    expect(harness.feed.status().snapshots).toMatchObject({ waiting: 1 });
  });

  it.each<[string, (response: ServerResponse) => void]>([
    ['a server error', (response) => response.writeHead(503).end('busy')],
    ['no JSON', (response) => response.end('nonsense')],
    ['half an answer', (response) => void response.writeHead(200, { 'content-length': '99' }).write('{"last', () => response.destroy())],
    ['a connection that ends', (response) => response.destroy()],
    ['no answer in time', () => {}],
  ])('%s: asked again until it is a book, for that symbol alone', async (_name, fail) => {
    const harness = await setUp({ restOptions: { totalTimeoutMs: 1_000 } });
    const asked: string[] = [];
    harness.onDepth = (symbol, response) => {
      asked.push(symbol);
      if (symbol === name(0) && asked.filter((each) => each === symbol).length <= 2) fail(response);
      else sendJson(response, 200, { lastUpdateId: 7 });
    };
    harness.feed.start([tracked(0), tracked(1), tracked(2)]);
    await until(() => harness.count('snapshot') === 3);
    // Nothing but the whole answer was handed on.
    expect(harness.of(0)).toEqual([
      { kind: 'lineUp', id: 0 },
      { kind: 'snapshot', id: 0, body: '{"lastUpdateId":7}' },
    ]);
    expect(asked.sort()).toEqual([name(0), name(0), name(0), name(1), name(2)]);
    expect(harness.budget.pausedUntil).toBeNull();
  });
});

describe('tracking', () => {
  it('untracks: unsubscribes, drops and counts what still comes, and closes an empty connection', async () => {
    const harness = await setUp();
    const { exchange, feed } = harness;
    feed.start([tracked(0), tracked(1)]);
    await until(() => harness.count('snapshot') === 2);
    feed.untrack(0);
    exchange.push(name(0), 1);
    exchange.push(name(1), 1);
    await until(() => harness.count('frame', 1) === 1);
    expect(harness.count('frame', 0)).toBe(0);
    expect(feed.status().counters.framesUnknownSymbol).toBe(1);
    await until(allSubscribed(exchange, 1));
    feed.untrack(1);
    feed.untrack(1);
    await until(() => exchange.clients[0]!.socket.readyState === exchange.clients[0]!.socket.CLOSED);
    expect(feed.status().connections).toEqual([]);
  });

  it('does not use a slot twice in the life of a connection', async () => {
    const harness = await setUp({ subscriptionsPerConnection: 2 });
    const { exchange, feed } = harness;
    feed.start([tracked(0), tracked(1)]);
    await until(() => harness.count('snapshot') === 2);
    feed.untrack(0);
    feed.track(tracked(2));
    await until(() => harness.count('snapshot', 2) === 1);
    expect(feed.connectionOf(2)).toBe(1);
    exchange.clients[0]!.socket.terminate();
    await until(() => harness.count('snapshot', 1) === 2);
    feed.track(tracked(3));
    await until(() => harness.count('snapshot', 3) === 1);
    expect(feed.connectionOf(3)).toBe(0);
  });

  it('tracks the same symbol again under another id', async () => {
    const harness = await setUp();
    const { exchange, feed } = harness;
    feed.start([tracked(0), tracked(1)]);
    await until(() => harness.count('snapshot') === 2);
    feed.untrack(0);
    feed.track({ ...tracked(7), symbol: name(0) });
    await until(() => harness.count('snapshot', 7) === 1);
    await until(() => exchange.push(name(0), 1) === 1 && harness.count('frame', 7) > 0);
    expect(harness.count('frame', 0)).toBe(0);
  });

  it('untracks a symbol whose snapshot is on its way', async () => {
    const harness = await setUp();
    const answers: ServerResponse[] = [];
    harness.onDepth = (_symbol, response) => void answers.push(response);
    harness.feed.start([tracked(0), tracked(1)]);
    await until(() => answers.length === 2);
    harness.feed.untrack(0);
    for (const answer of answers) sendJson(answer, 200, { lastUpdateId: 1 });
    await until(() => harness.count('snapshot', 1) === 1);
    expect(harness.count('snapshot', 0)).toBe(0);
  });
});

describe('shards', () => {
  it('brings the books of a dead worker back without touching their subscriptions', async () => {
    const harness = await setUp();
    const { exchange, feed } = harness;
    feed.start([0, 1, 2].map((id) => tracked(id)));
    await until(() => harness.count('snapshot') === 3);
    feed.shardLost([0, 2, 99]);
    await until(() => harness.count('snapshot') === 5);
    expect(kinds(harness.of(0))).toEqual(['lineUp', 'snapshot', 'lineUp', 'snapshot']);
    expect(kinds(harness.of(1))).toEqual(['lineUp', 'snapshot']);
    expect(requests(exchange.clients[0]!, 'SUBSCRIPTION').flat().length).toBe(3);
  });

  it('audits the books of others while a pair is refused for good', async () => {
    const asked: number[] = [];
    const sink = { auditBegun: (id: number) => void asked.push(id), auditSnapshot: () => {}, auditCancelled: () => {} };
    const harness = await setUp({
      audit: { sink, everyMs: 20 },
      timings: { auditLeadMs: 5, refusedRetryMs: 60_000, refusedRetryMaxMs: 60_000 },
    });
    harness.exchange.refuse = (channel) => (channel === channelOf(1) ? 'Blocked!' : undefined);
    harness.feed.start([tracked(1), tracked(2)]);
    await until(() => asked.includes(2), { what: 'an audit of the other' });
    expect(asked).not.toContain(1);
  });

  it('tells a new worker which lines are down', async () => {
    const harness = await setUp({ timings: { refusedRetryMs: 60_000, refusedRetryMaxMs: 60_000 } });
    harness.exchange.refuse = () => 'Blocked!';
    harness.feed.start([tracked(0)]);
    await until(() => harness.count('lineDown') === 1);
    harness.feed.shardLost([0]);
    expect(kinds(harness.events)).toEqual(['lineUp', 'lineDown', 'lineDown']);
  });

  it('checks a silent book, and subscribes it anew when it stays silent', async () => {
    const harness = await setUp({ subscriptionsPerConnection: 2 });
    const { exchange, feed } = harness;
    feed.start([tracked(0), tracked(1)]);
    await until(() => harness.count('snapshot') === 2);
    harness.onSnapshot = () => {};
    feed.bookState(0, BookState.STALE);
    feed.resyncRequested(0, StateReason.SILENT);
    await until(() => harness.count('snapshot', 0) === 2);
    expect(harness.count('lineUp', 0)).toBe(1);
    feed.resyncRequested(0, StateReason.SILENT);
    // Both slots of the connection are used up, so it moves.
    await until(() => harness.count('snapshot', 0) === 3);
    expect(feed.connectionOf(0)).toBe(1);
    expect(requests(exchange.clients[0]!, 'UNSUBSCRIPTION')).toEqual([[channelOf(0)]]);
    expect(kinds(harness.of(0))).toEqual(['lineUp', 'snapshot', 'snapshot', 'lineUp', 'snapshot']);
    expect(feed.connectionOf(1)).toBe(0);
  });

  it('does not subscribe anew when a push came between two silences', async () => {
    const harness = await setUp();
    const { exchange, feed } = harness;
    feed.start([tracked(0)]);
    await until(() => harness.count('snapshot') === 1);
    for (const expected of [2, 3, 4]) {
      exchange.push(name(0), expected);
      await until(() => harness.count('frame') === expected - 1);
      feed.bookState(0, BookState.LIVE);
      feed.resyncRequested(0, StateReason.SILENT);
      await until(() => harness.count('snapshot') === expected);
    }
    expect(harness.count('lineUp')).toBe(1);
  });
});

describe('bad and too many frames', () => {
  it('counts what is no push and goes on', async () => {
    const harness = await setUp();
    const { exchange, feed } = harness;
    feed.start([tracked(0)]);
    await until(() => harness.count('snapshot') === 1);
    for (const bad of [Buffer.alloc(0), Buffer.from([0xff, 0xff]), Buffer.from('{"a":1}')]) exchange.clients[0]!.socket.send(bad);
    exchange.clients[0]!.socket.send('what?');
    exchange.push(name(0), 1);
    await until(() => harness.count('frame') === 1);
    expect(feed.status().counters).toMatchObject({ frames: 1, framesMalformed: 3, framesUnknownSymbol: 0 });
    expect(exchange.clients.length).toBe(1);
  });

  it('rests from reading while the ring is full, never so long that a stuck shard silences the others', async () => {
    const harness = await setUp({ timings: { connection: { restMs: 5, restStretchMs: 50, restFreeMs: 100 } } });
    const { exchange, feed } = harness;
    feed.start([tracked(0), tracked(1)]);
    await until(() => harness.count('snapshot') === 2);
    harness.onFrame = (id) => id !== 0;
    let version = 1;
    const pushing = setInterval(() => {
      for (let i = 0; i < 20; i++) exchange.push(name(0), version++);
      exchange.push(name(1), version++);
    }, 5);
    await until(() => harness.count('frame', 1) >= 60).finally(() => clearInterval(pushing));
    expect(harness.count('lineDown')).toBe(0);
  });

  it('reads nothing while it rests', async () => {
    const restMs = 300;
    const harness = await setUp({ timings: { connection: { restMs, restStretchMs: 1_000, restFreeMs: 1_000 } } });
    const { exchange, feed } = harness;
    feed.start([tracked(0), tracked(1)]);
    await until(() => harness.count('snapshot') === 2);
    let fullAt = NaN;
    harness.onFrame = (id) => {
      if (id === 0) fullAt = performance.now();
      return id !== 0;
    };
    exchange.push(name(0), 1);
    await until(() => harness.count('frame', 0) === 1);
    exchange.push(name(1), 1);
    await until(() => harness.count('frame', 1) === 1);
    expect(performance.now() - fullAt).toBeGreaterThan(restMs - 2);
  });
});

describe('close', () => {
  it('leaves nothing behind, whatever is under way', async () => {
    const harness = await setUp({ subscriptionsPerConnection: 1 });
    const { exchange, feed } = harness;
    harness.onDepth = () => {};
    feed.start([0, 1, 2, 3].map((id) => tracked(id)));
    await until(() => exchange.clients.length >= 2);
    await feed.close();
    const seen = harness.events.length;
    await until(() => exchange.clients.every(({ socket }) => socket.readyState === socket.CLOSED));
    expect(harness.events.length).toBe(seen);
  });
});
