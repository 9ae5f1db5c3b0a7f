import { expect } from 'vitest';
import { it } from '../support/cleanup.js';
import { getStatus, getSymbolStatus } from '../support/engine.js';
import { engineOf, exchangeOf, MdpProcess } from '../support/mdp-process.js';
import { parsePage } from '../support/prometheus.js';
import { PushClient } from '../support/push-client.js';
import { fetchTape, TapeFollower } from '../support/tape-client.js';
import { until } from '../support/until.js';

const SYMBOLS = 35;
const ROTATIONS = 20;
/** Between two trades of a symbol, as the simulated exchange numbers them. */
const TRADE_ID_STEP = 1024n;

async function replaced(url: string): Promise<number> {
  const page = parsePage(await (await fetch(`${url}/metrics`)).text());
  return page.get('mdp_exchange_connections_replaced_total')!.samples[0]!.value;
}

it(`${ROTATIONS} connections are replaced under traffic, and nobody notices`, { timeout: 120_000 }, async ({ opened }) => {
  const sim = opened(new MdpProcess('sim', '--port', '0', '--symbols', String(SYMBOLS), '--rate', '20', '--seed', '11'));
  const { wsUrl, restUrl } = await exchangeOf(sim);
  const start = ['start', '--port', '0', '--symbols', 'all', '--workers', '1', '--snapshot-rate', '200', '--rotate-after-ms', '4000'];
  const engine = await engineOf(opened(new MdpProcess(...start, '--ws-url', wsUrl, '--rest-url', restUrl)));
  const { url } = engine;
  await until(async () => (await getStatus(url)).books.live === SYMBOLS, { what: 'all books live', timeoutMs: 30_000 });
  const symbols = ((await (await fetch(`${url}/symbols`)).json()) as { symbols: { symbol: string }[] }).symbols.map(({ symbol }) => symbol);
  expect(symbols.length).toBe(SYMBOLS);

  const client = opened(await PushClient.connect(engine.wsUrl));
  const followers = await client.follow(symbols, 20, 0);
  await client.watch(symbols);
  const trades = opened(await TapeFollower.connect(engine.wsUrl, symbols));
  for (const symbol of symbols) await until(() => trades.states.get(symbol)?.at(-1) === 'live', { what: `the tape of ${symbol}` });
  await until(() => followers.every(({ live }) => live), { what: 'a snapshot of each' });
  const before = await getStatus(url);
  const epochs = new Map<string, number>();
  for (const symbol of symbols) epochs.set(symbol, (await getSymbolStatus(url, symbol)).epoch);
  const heardBefore = new Map(symbols.map((symbol) => [symbol, trades.trades.get(symbol)?.length ?? 0]));
  const statesBefore = new Map(symbols.map((symbol) => [symbol, trades.states.get(symbol)!.length]));
  const first = await replaced(url);
  const deltasBefore = followers.map(({ deltas }) => deltas);

  await until(async () => (await replaced(url)) >= first + ROTATIONS, { what: `${ROTATIONS} replacements`, timeoutMs: 90_000 });
  // The last one is behind us, too.
  const seen = followers.map(({ deltas }) => deltas);
  await until(() => followers.every(({ deltas }, i) => deltas > Math.max(seen[i]! + 5, deltasBefore[i]! + 100)), {
    what: 'a hundred updates of each book, five of them since the last one',
    timeoutMs: 30_000,
  });

  const { counters, books, connections } = await getStatus(url);
  expect(books).toEqual({ tracked: SYMBOLS, live: SYMBOLS, syncing: 0, stale: 0, suspect: 0 });
  expect(counters).toMatchObject({ gaps: 0, resyncs: before.counters.resyncs, crossedBooks: 0, framesRefused: 0 });
  // Each of them is new: what was lost was replaced before.
  expect(connections.every(({ reconnects, lastCloseCode }) => reconnects === 0 && lastCloseCode === null)).toBe(true);
  for (const symbol of symbols) expect([symbol, (await getSymbolStatus(url, symbol)).epoch]).toEqual([symbol, epochs.get(symbol)]);
  expect(client.disturbed()).toEqual([]);
  expect(followers.flatMap(({ faults }) => faults)).toEqual([]);
  expect(followers.flatMap(({ states }) => states)).toEqual([]);
  expect(followers.every(({ snapshots }) => snapshots.join() === 'subscribe')).toBe(true);

  expect(trades.faults).toEqual([]);
  for (const symbol of symbols) {
    expect([symbol, trades.states.get(symbol)!.slice(statesBefore.get(symbol))]).toEqual([symbol, []]);
    expect(trades.trades.get(symbol)!.length).toBeGreaterThan(heardBefore.get(symbol)!);
    const tape = await fetchTape(url, symbol);
    expect(tape.skipped).toEqual([]);
    // Those that were fetched at the start have no id, but their place.
    const places = tape.trades.flatMap(({ exchange_id }, place) =>
      exchange_id === null ? [] : [{ place, id: BigInt(/^\d+/.exec(exchange_id)![0]) }],
    );
    expect(places.length).toBeGreaterThan(20);
    const { place: firstPlace, id: firstId } = places[0]!;
    expect(places).toEqual(places.map(({ place }) => ({ place, id: firstId + TRADE_ID_STEP * BigInt(place - firstPlace) })));
  }
});
