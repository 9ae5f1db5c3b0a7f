import { BroadcastChannel } from 'node:worker_threads';
import { describe, expect } from 'vitest';
import type { Trade } from '../../src/model/trade.js';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.js';
import { it } from '../support/cleanup.js';
import { killableWorkerUrl, quickTimings, startEngine } from '../support/engine.js';
import { exchangeOf, MdpProcess } from '../support/mdp-process.js';
import { shortest } from '../support/model-book.js';
import { framesPath, readExpected, reencodedSessions } from '../support/recorded.js';
import { sharedDir } from '../support/shared.js';
import { fetchPage, fetchTape, TapeFollower } from '../support/tape-client.js';
import { until } from '../support/until.js';

/** Decimal texts as whole numbers of 10^-20, which holds the product of any two in the recordings. */
const DECIMALS = 20;
function exact(text: string, decimals: number): bigint {
  const [whole, fraction = ''] = text.split('.') as [string, string?];
  return BigInt(whole + fraction.padEnd(decimals, '0'));
}
function shown(value: bigint, decimals: number): string {
  const digits = value.toString().padStart(decimals + 1, '0');
  return shortest(`${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`);
}

/** What the expected files say of the trades of a symbol. */
function summary(trades: readonly Trade[]) {
  const half = DECIMALS / 2;
  let base = 0n;
  let quote = 0n;
  for (const { price, quantity } of trades) {
    base += exact(quantity, half);
    quote += exact(price, half) * exact(quantity, half);
  }
  return {
    count: trades.length,
    firstId: Number(trades[0]?.exchange_id),
    lastId: Number(trades.at(-1)?.exchange_id),
    sumQty: shown(base, half),
    sumQuote: shown(quote, DECIMALS),
  };
}

const ids = (trades: readonly Trade[]): number[] => trades.map(({ id }) => id);

describe.skipIf(!sharedDir)('recorded sessions, played by mdp sim at top speed (need ../shared)', () => {
  it.for(reencodedSessions)('$name: every trade, once', { timeout: 60_000 }, async (session, { opened }) => {
    const flags = ['--speed', 'max', '--wait-for-client', '--wait-for-trades'];
    const exchange = await exchangeOf(opened(new MdpProcess('sim', '--port', '0', '--replay', framesPath(session), ...flags)));
    const engine = opened(await startEngine(exchange, { tape: 25_000 }));
    const symbols = Object.entries(readExpected(session.expected).symbols).filter(([, { trades }]) => trades !== undefined);
    const follower = opened(
      await TapeFollower.connect(
        engine.wsUrl,
        symbols.map(([symbol]) => symbol),
      ),
    );
    expect(symbols.length).toBeGreaterThan(0);
    for (const [symbol, { trades }] of symbols) {
      const { count, firstId, lastId, sumQty, sumQuote } = trades!;
      await until(async () => (await fetchPage(engine.url, symbol, '?limit=1'))?.trades[0]?.exchange_id === String(lastId), {
        what: `${symbol} up to trade ${lastId}`,
      });
      const tape = await fetchTape(engine.url, symbol);
      expect({ symbol, ...summary(tape.trades) }).toEqual({ symbol, count, firstId, lastId, sumQty, sumQuote });
      expect(tape.skipped).toEqual([]);
      expect(ids(tape.trades)).toEqual(Array.from({ length: count }, (_, index) => index + 1));
      await until(() => follower.trades.get(symbol)?.at(-1)?.id === count, { what: `${symbol} at the client` });
      // The client may have come when some were traded already: what it has is the end of the tape, without a gap.
      const heard = follower.trades.get(symbol)!;
      expect(heard).toEqual(tape.trades.slice(-heard.length));
    }
    expect(follower.faults).toEqual([]);
  });
});

/** The engine's tape is the end of the exchange's own list of trades: none doubled, none missing, each with its own id if it has one. */
async function expectTrueTape(sim: Simulator, url: string, symbol: string): Promise<readonly Trade[]> {
  const { trades, skipped } = await fetchTape(url, symbol);
  const truth = sim.trueTrades(symbol);
  const last = trades.at(-1)!;
  const key = ({ time, price, quantity, sell }: (typeof truth)[number]): string => `${time} ${price} ${quantity} ${sell}`;
  const ours = trades.map(({ timestamp, price, quantity, is_buyer_maker }) =>
    key({ id: '', time: timestamp, price: shortest(price), quantity: shortest(quantity), sell: is_buyer_maker }),
  );
  const end = truth.findLastIndex((trade) => (last.exchange_id === null ? key(trade) === ours.at(-1) : trade.id === last.exchange_id)) + 1;
  // Its log reaches 1,000 trades back, and the tape may have begun earlier.
  const compared = Math.min(end, ours.length);
  expect(compared).toBeGreaterThan(20);
  const expected = truth.slice(end - compared, end);
  expect(ours.slice(-compared)).toEqual(expected.map(key));
  for (const [index, { exchange_id }] of trades.slice(-compared).entries())
    if (exchange_id !== null) expect(exchange_id).toBe(expected[index]!.id);
  expect(skipped).toEqual([]);
  return trades;
}

const isLive = async (url: string, symbol: string): Promise<boolean> => (await fetchPage(url, symbol, '?limit=1'))?.state === 'live';

it('a connection that is lost leaves no hole and no double: what was missed is fetched', async ({ opened }) => {
  const sim = opened(await startSimulator({ symbols: 3, rate: 60, seed: 21 }));
  const connection = { ...quickTimings.connection, reconnectMs: 700, reconnectMaxMs: 700 };
  const engine = opened(await startEngine(sim, { feedTimings: { ...quickTimings, connection } }));
  const { url } = engine;
  const follower = opened(await TapeFollower.connect(engine.wsUrl, sim.symbols));
  for (let round = 0; round < 2; round++) {
    for (const symbol of sim.symbols) await until(() => isLive(url, symbol), { what: `the tape of ${symbol}` });
    const seqs = new Map<string, number>();
    for (const symbol of sim.symbols) seqs.set(symbol, (await fetchPage(url, symbol, '?limit=1'))!.seq);
    // Some trades by push, then the cut.
    for (const symbol of sim.symbols)
      await until(async () => (await fetchPage(url, symbol, '?limit=1'))!.seq > seqs.get(symbol)! + 20, { what: `${symbol} traded` });
    sim.injectFault({ action: 'drop' });
    for (const symbol of sim.symbols) await until(async () => !(await isLive(url, symbol)), { what: `the loss of ${symbol}` });
  }
  for (const symbol of sim.symbols) {
    await until(() => isLive(url, symbol), { what: `the tape of ${symbol} again` });
    const { seq } = (await fetchPage(url, symbol, '?limit=1'))!;
    await until(async () => (await fetchPage(url, symbol, '?limit=1'))!.trades[0]!.exchange_id !== null, { what: `${symbol} by push` });
    const trades = await expectTrueTape(sim, url, symbol);
    // Between the two losses and the two returns something happened, and came by REST.
    const filled = trades.filter(
      ({ exchange_id }, index) => exchange_id === null && trades.slice(0, index).some((each) => each.exchange_id !== null),
    );
    expect(filled.length).toBeGreaterThan(0);
    expect(seq).toBeGreaterThan(0);
    await until(() => follower.trades.get(symbol)!.at(-1)!.id >= trades.at(-1)!.id, { what: `${symbol} at the client` });
    const heard = follower.trades.get(symbol)!;
    expect(ids(heard)).toEqual(Array.from({ length: heard.length }, (_, index) => heard[0]!.id + index));
    expect(follower.states.get(symbol)).toEqual(expect.arrayContaining(['live', 'stale', 'syncing']));
  }
  expect(follower.faults).toEqual([]);
});

it('a worker that dies leaves its tapes readable, and the next one goes on without a hole', async ({ opened }) => {
  const sim = opened(await startSimulator({ symbols: 2, rate: 60, seed: 22 }));
  const engine = opened(await startEngine(sim, { workers: 1, workerUrl: killableWorkerUrl }));
  const { url } = engine;
  const orders = opened(new BroadcastChannel('kill-shard'));
  for (const symbol of sim.symbols)
    await until(async () => ((await fetchPage(url, symbol, '?limit=1'))?.seq ?? 0) > 60 && isLive(url, symbol), { what: symbol });
  const before = new Map<string, readonly Trade[]>();
  for (const symbol of sim.symbols) before.set(symbol, (await fetchTape(url, symbol)).trades);
  orders.postMessage({ shard: 0, midWrite: true });
  for (const symbol of sim.symbols) {
    const known = before.get(symbol)!;
    await until(async () => !(await isLive(url, symbol)), { what: `the loss of ${symbol}` });
    expect((await fetchTape(url, symbol)).trades.slice(0, known.length)).toEqual(known);
  }
  for (const symbol of sim.symbols) {
    await until(() => isLive(url, symbol), { what: `${symbol} again` });
    await until(async () => (await fetchPage(url, symbol, '?limit=1'))!.trades[0]!.exchange_id !== null, { what: `${symbol} by push` });
    const trades = await expectTrueTape(sim, url, symbol);
    const known = before.get(symbol)!;
    expect(trades.filter(({ id }) => id <= known.at(-1)!.id).slice(-20)).toEqual(known.slice(-20));
  }
});
