import { expect } from 'vitest';
import { startSimulator } from '../../src/simulator/simulator.js';
import { fetchBook } from '../support/book-answer.js';
import { it, type Open } from '../support/cleanup.js';
import { getStatus, startEngine } from '../support/engine.js';
import { PushClient } from '../support/push-client.js';
import { expectTrueBooks, expectTruth } from '../support/true-book.js';
import { until } from '../support/until.js';

const CJK = '币安人生USDT';

/** `POST` or `DELETE /symbols/:symbol`, the name percent-encoded. */
async function change(method: 'POST' | 'DELETE', url: string, symbol: string): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(`${url}/symbols/${encodeURIComponent(symbol)}`, { method });
  const text = await response.text();
  return { status: response.status, body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>) };
}

async function setUp(opened: Open) {
  const sim = opened(await startSimulator({ symbols: ['BTCUSDT', 'ETHUSDT', CJK], rate: 8, seed: 11 }));
  const engine = opened(await startEngine(sim, { symbols: { kind: 'list', symbols: ['BTCUSDT'] } }));
  const client = opened(await PushClient.connect(engine.wsUrl));
  await client.watch(['BTCUSDT']);
  const [btc] = await client.follow(['BTCUSDT'], 20, 0);
  await until(() => btc!.live && client.live().length === 1, { what: 'BTCUSDT live' });
  client.forgetStates();
  return { sim, engine, url: engine.url, client, btc: btc! };
}

it('a symbol with a Chinese name comes, is followed, goes, and comes again, and nobody else notices', async ({ opened }) => {
  const { sim, url, client, btc } = await setUp(opened);
  expect(await fetch(`${url}/orderbook/${encodeURIComponent(CJK)}`)).toMatchObject({ status: 404 });
  await expect(client.follow([CJK], 20, 0)).rejects.toThrow('SYMBOL_NOT_TRACKED');

  expect(await change('POST', url, CJK)).toMatchObject({ status: 201, body: { symbol: CJK, added: true, quoteAsset: 'USDT' } });
  expect(await change('POST', url, CJK)).toMatchObject({ status: 200, body: { symbol: CJK, added: false } });
  const [first] = await client.follow([CJK], 'full', 0);
  await until(() => first!.live && first!.deltas > 3, { what: `${CJK} followed` });
  await expectTrueBooks(url, sim, ['BTCUSDT', CJK]);
  await expectTruth(sim, CJK, "the client's book", 10_000, () => ({ version: first!.version, bids: first!.bids(), asks: first!.asks() }));

  expect(await change('DELETE', url, CJK)).toEqual({ status: 204, body: {} });
  await until(() => client.told.length > 0, { what: 'the end of the subscription' });
  expect(client.told).toMatchObject([
    { op: 'unsubscribed', channel: 'book', depth: 'full', interval: 0, ok: [CJK], code: 'SYMBOL_UNTRACKED' },
  ]);
  expect(await change('DELETE', url, CJK)).toMatchObject({ status: 404, body: { code: 'SYMBOL_NOT_TRACKED' } });
  expect(await fetch(`${url}/orderbook/${encodeURIComponent(CJK)}`)).toMatchObject({ status: 404 });
  const { seq } = first!;

  expect(await change('POST', url, CJK)).toMatchObject({ status: 201, body: { added: true } });
  const [second] = await client.follow([CJK], 'full', 100);
  await until(() => second!.live && second!.deltas > 3, { what: `${CJK} followed again` });
  await expectTrueBooks(url, sim, ['BTCUSDT', CJK]);
  // An epoch is never used for two books of one name, or an old ETag would name a new book.
  expect(second!.epoch).toBeGreaterThan(first!.epoch);
  expect(first!.seq).toBe(seq);

  expect([first, second, btc].flatMap((follower) => follower!.faults)).toEqual([]);
  expect(client.disturbed()).toEqual([]);
  expect(btc.epoch).toBe(1);
  const { books, counters, connections } = await getStatus(url);
  expect(books).toMatchObject({ tracked: 2, live: 2 });
  expect(counters).toMatchObject({ gaps: 0, framesRefused: 0 });
  expect(connections.map(({ state, reconnects }) => ({ state, reconnects }))).toEqual(
    connections.map(() => ({ state: 'open', reconnects: 0 })),
  );
});

it('what the exchange does not list cannot be tracked, and the answer says what is near', async ({ opened }) => {
  const { url, btc } = await setUp(opened);
  expect(await change('POST', url, 'NOSUCHUSDT')).toMatchObject({ status: 404, body: { code: 'SYMBOL_NOT_LISTED' } });
  const near = await fetch(`${url}/orderbook/BTCUSD`);
  expect([near.status, await near.json()]).toMatchObject([404, { code: 'SYMBOL_NOT_TRACKED', nearest: 'BTCUSDT' }]);
  expect(near.headers.get('content-type')).toContain('application/problem+json');
  expect(btc.faults).toEqual([]);
});

it('symbols may come and go quickly, many times, with a subscriber each time', async ({ opened }) => {
  const { sim, url, client, btc } = await setUp(opened);
  for (let round = 0; round < 12; round++) {
    expect((await change('POST', url, 'ETHUSDT')).status).toBe(201);
    const [follower] = await client.follow(['ETHUSDT'], 5, round % 2 === 0 ? 0 : 100);
    // Every other time it goes before its book was there.
    if (round % 3 > 0) await until(() => follower!.live, { what: `ETHUSDT live in round ${round}` });
    expect((await change('DELETE', url, 'ETHUSDT')).status).toBe(204);
    expect(follower!.faults).toEqual([]);
  }
  await until(() => client.told.length === 12, { what: 'the ends of the subscriptions' });
  expect((await change('POST', url, 'ETHUSDT')).status).toBe(201);
  await until(async () => (await fetchBook(url, 'ETHUSDT', 1)) !== undefined, { what: 'ETHUSDT live at last' });
  await expectTrueBooks(url, sim, ['BTCUSDT', 'ETHUSDT']);
  expect(client.disturbed()).toEqual([]);
  expect(btc).toMatchObject({ epoch: 1, faults: [] });
  expect((await getStatus(url)).counters.gaps).toBe(0);
});
