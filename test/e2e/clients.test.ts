import { expect } from 'vitest';
import type { FanOutStatus } from '../../src/publish/publication-hub.js';
import { startSimulator } from '../../src/simulator/simulator.js';
import { fetchBook } from '../support/book-answer.js';
import { it } from '../support/cleanup.js';
import { startEngine } from '../support/engine.js';
import { PushClient } from '../support/push-client.js';
import { expectTruth, expectTrueBooks } from '../support/true-book.js';
import { until } from '../support/until.js';

async function clientsOf(url: string): Promise<FanOutStatus> {
  return ((await (await fetch(`${url}/status`)).json()) as { clients: FanOutStatus }).clients;
}

it('a client that does not read skips to a fresh book, one that never reads is closed, and nobody else waits', { timeout: 60_000 }, async ({
  opened,
}) => {
  const sim = opened(await startSimulator({ symbols: 50, rate: 8, seed: 21 }));
  const engine = opened(await startEngine(sim));
  const { url } = engine;
  const good = opened(await PushClient.connect(engine.wsUrl));
  const followers = await good.follow(sim.symbols, 20, 0);
  await until(() => followers.every(({ live }) => live), { what: 'all books live' });

  // More than the buffers between the two processes hold, in whole books alone.
  const intervals = [0, 10, 20, 50, 100, 200, 250, 500, 1000];
  const slow = opened(await PushClient.connect(engine.wsUrl));
  const dead = opened(await PushClient.connect(engine.wsUrl));
  for (const client of [slow, dead]) client.pause();
  const late = intervals.flatMap((interval) => slow.followUnheard(sim.symbols, 'full', interval));
  for (const interval of intervals) dead.followUnheard(sim.symbols, 'full', interval);
  await until(async () => (await clientsOf(url)).slowClients === 2, { what: 'two slow clients' });
  const seqs = new Map(followers.map((follower) => [follower, follower.seq]));
  await until(() => followers.every((follower) => follower.seq > seqs.get(follower)! + 3), { what: 'updates for the others' });
  slow.resume();
  await until(() => late.every((follower) => follower.live && follower.deltas > 0), {
    what: 'the slow client to catch up',
    timeoutMs: 20_000,
  });
  // Of what it missed it got nothing: the next it read was the book of that moment.
  expect(late.filter(({ snapshots }) => snapshots.includes('slow')).length).toBeGreaterThan(0);
  for (const follower of late.filter((_, index) => index % 25 === 0)) {
    await expectTruth(sim, follower.symbol, "the slow client's book", 10_000, () => ({
      version: follower.version,
      bids: follower.bids(),
      asks: follower.asks(),
    }));
  }

  await until(async () => (await clientsOf(url)).slowClosed === 1, { what: 'the dead client to be closed', timeoutMs: 20_000 });
  await until(async () => (await clientsOf(url)).clients === 2, { what: 'the dead client to be gone', timeoutMs: 20_000 });
  await expectTrueBooks(url, sim, sim.symbols.slice(0, 5));
  expect([...late, ...followers].flatMap(({ faults }) => faults)).toEqual([]);
  expect(followers.every(({ snapshots }) => snapshots.length === 1)).toBe(true);
});

it('nothing a client says or asks for disturbs another, or its own subscriptions', async ({ opened }) => {
  const sim = opened(await startSimulator({ symbols: 5, rate: 8, seed: 22 }));
  const engine = opened(await startEngine(sim));
  const { url } = engine;
  const rude = opened(await PushClient.connect(engine.wsUrl));
  const followers = await rude.follow(sim.symbols, 20, 0);
  await until(() => followers.every(({ live }) => live), { what: 'all books live' });

  const said: (readonly [string | Buffer, string])[] = [
    ['{', 'BAD_JSON'],
    ['[]', 'BAD_MESSAGE'],
    ['{"op":"explode"}', 'UNKNOWN_OP'],
    ['{"op":"subscribe","channel":"candles","symbols":["BTCUSDT"]}', 'UNKNOWN_CHANNEL'],
    ['{"op":"subscribe","channel":"book","symbols":["BTCUSDT"],"depth":7}', 'DEPTH_NOT_SUPPORTED'],
    ['{"op":"subscribe","channel":"book","symbols":["BTCUSDT"],"interval":"7ms"}', 'INTERVAL_NOT_SUPPORTED'],
    ['{"op":"subscribe","channel":"book","symbols":"BTCUSDT"}', 'BAD_SYMBOLS'],
    ['{"op":"ping","id":{}}', 'BAD_ID'],
    [Buffer.from([1, 2, 3]), 'BINARY_NOT_SUPPORTED'],
  ];
  for (const [data] of said) rude.sendRaw(data);
  await until(() => rude.told.length === said.length, { what: 'an answer to everything' });
  expect(rude.told.map(({ op, code }) => [op, code])).toEqual(said.map(([, code]) => ['error', code]));
  const mixed = await rude.request({ op: 'subscribe', channel: 'bbo', symbols: ['BTCUSDT', 'BTCUSD', 'ETHUSDT'] });
  expect(mixed).toMatchObject({
    ok: ['BTCUSDT', 'ETHUSDT'],
    failed: [{ symbol: 'BTCUSD', code: 'SYMBOL_NOT_TRACKED', nearest: 'BTCUSDT' }],
  });

  const asked: readonly (readonly [string, number, string])[] = [
    ['/orderbook/BTCUSDT?depth=0', 400, 'BAD_PARAMETER'],
    ['/orderbook/BTCUSDT?depth=5001', 400, 'BAD_PARAMETER'],
    ['/orderbook/BTCUSDT?limit=5', 400, 'BAD_PARAMETER'],
    ['/orderbook/NOSUCHUSDT', 404, 'SYMBOL_NOT_TRACKED'],
    ['/orderbook/%ff', 400, 'BAD_REQUEST'],
    ['/nowhere', 404, 'ROUTE_NOT_FOUND'],
  ];
  for (const [path, status, code] of asked) {
    const response = await fetch(url + path);
    expect([path, response.status, ((await response.json()) as { code: string }).code]).toEqual([path, status, code]);
    expect(response.headers.get('content-type')).toContain('application/problem+json');
  }

  // A message beyond all bounds ends its own connection and nothing else.
  const loud = opened(await PushClient.connect(engine.wsUrl));
  loud.sendRaw(`"${'x'.repeat(1024 * 1024)}"`);
  await until(() => loud.closeCode !== undefined, { what: 'the loud client to be closed' });
  expect(loud.closeCode).toBe(1009);

  const seqs = new Map(followers.map((follower) => [follower, follower.seq]));
  await until(() => followers.every((follower) => follower.seq > seqs.get(follower)! + 3), { what: 'updates as before' });
  expect(followers.flatMap(({ faults }) => faults)).toEqual([]);
  expect(followers.every(({ snapshots }) => snapshots.length === 1)).toBe(true);
  await expectTrueBooks(url, sim, sim.symbols);
  expect(await fetchBook(url, 'BTCUSDT', 1)).toMatchObject({ state: 'live', epoch: 1 });
});
