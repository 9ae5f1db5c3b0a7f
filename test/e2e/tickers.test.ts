import { expect } from 'vitest';
import type { Ticker } from '../../src/model/ticker.js';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.js';
import { it } from '../support/cleanup.js';
import { startEngine } from '../support/engine.js';
import { type OtherMessage, PushClient } from '../support/push-client.js';
import { until } from '../support/until.js';

type TickerAnswer = Ticker & { readonly state: string; readonly epoch: number; readonly seq: number; readonly version: number };
interface TickerMessage extends OtherMessage, Omit<Ticker, 'symbol'> {
  readonly ch: 'ticker';
  readonly epoch: number;
  readonly seq: number;
}
interface SimTrade {
  readonly price: string;
  readonly qty: string;
  readonly time: number;
}
/** What the exchange's own REST says. */
type Truth = Readonly<Record<string, string | number | null>>;

const DAY_MS = 86_400_000;

/** A worker that loses its core in the middle of a change leaves its book busy for a moment: then it is asked again. */
async function getJson<T>(url: string): Promise<T> {
  const response = await until(async () => {
    const answer = await fetch(url);
    return answer.status !== 503 && answer;
  });
  expect([url, response.status]).toEqual([url, 200]);
  return (await response.json()) as T;
}

function truthOf(sim: Simulator, symbol: string): Promise<Truth> {
  return getJson(`${sim.restUrl}/api/v3/ticker/24hr?symbol=${encodeURIComponent(symbol)}`);
}

function number(text: string | number | null | undefined): number | null {
  return text === null || text === undefined || text === '' ? null : Number(text);
}

/** The figures both sides have, by their meaning. */
function ours(ticker: Omit<Ticker, 'symbol'>) {
  const { open_price, high_price, low_price, last_price, volume, quote_volume, price_change } = ticker;
  return [open_price, high_price, low_price, last_price, volume, quote_volume, price_change].map(number);
}
function theirs(truth: Truth) {
  const { openPrice, highPrice, lowPrice, lastPrice, volume, quoteVolume, priceChange } = truth;
  return [openPrice, highPrice, lowPrice, lastPrice, volume, quoteVolume, priceChange].map(number);
}

/** The truth is asked for again and again here; that is no business of the exchange's firewall. */
const noLimits = { restWeightPer10s: 1e9, restBurstPerSecond: 1e9, restBurstPer10s: 1e9 };

it('tickers say what the exchange says, each field in its own unit', { timeout: 60_000 }, async ({ opened }) => {
  const sim = opened(await startSimulator({ symbols: 4, rate: 2, seed: 51, limits: noLimits }));
  const engine = opened(await startEngine(sim, { tickersEveryMs: 200 }));
  const client = opened(await PushClient.connect(engine.wsUrl));
  const pushed = await client.listen<TickerMessage>('ticker', sim.symbols, { interval: 0 });
  await until(() => sim.symbols.every((symbol) => pushed.some(({ sym, bid_price }) => sym === symbol && bid_price !== null)), {
    what: 'live books',
  });

  const proofs = new Map(sim.symbols.map((symbol) => [symbol, 0]));
  let quotes = 0;
  let equal = 0;
  let trades = 0;
  await until(
    async () => {
      for (const symbol of sim.symbols) {
        const before = await truthOf(sim, symbol);
        const book = sim.trueBook(symbol);
        const onTape = engine.market.readTrades(engine.market.find(symbol)!, 1, null)?.trades[0];
        const ticker = await getJson<TickerAnswer>(`${engine.url}/ticker/${encodeURIComponent(symbol)}`);
        const newest = (
          await getJson<readonly SimTrade[]>(`${sim.restUrl}/api/v3/trades?symbol=${encodeURIComponent(symbol)}&limit=1`)
        )[0]!;
        const after = await truthOf(sim, symbol);
        const same = pushed.findLast(({ sym, epoch, seq }) => sym === symbol && epoch === ticker.epoch && seq === ticker.seq);
        if (same !== undefined && same.close_time === ticker.close_time && same.last_price === ticker.last_price) {
          const { ch: _ch, sym: _sym, ...figures } = same;
          expect(figures).toMatchObject({ price_change: ticker.price_change, volume: ticker.volume, bid_price: ticker.bid_price });
          equal++;
        }
        if (book.version === ticker.version) {
          const touch = [ticker.bid_price, ticker.bid_quantity, ticker.ask_price, ticker.ask_quantity].map(number);
          expect(touch).toEqual([...book.bids[0]!, ...book.asks[0]!].map(Number));
          quotes++;
        }
        // Between two equal answers of the exchange nothing happened; ours may be a round behind.
        if (theirs(before).join() !== theirs(after).join() || ours(ticker).join() !== theirs(after).join()) continue;
        const [open, , , last, volume, quoteVolume] = ours(ticker);
        expect(number(ticker.price_change_percent)).toBeCloseTo((100 * (last! - open!)) / open!, 3);
        expect(number(ticker.price_change_percent)! / 100).toBeCloseTo(Number(after['priceChangePercent']), 3);
        expect(number(ticker.weighted_avg_price)! / (quoteVolume! / volume!)).toBeCloseTo(1, 4);
        // Trades come in portions: the tape may still be waiting for the newest.
        if (ticker.last_quantity !== null && onTape?.timestamp === newest.time && Number(onTape.quantity) === Number(newest.qty)) {
          expect([ticker.last_price, ticker.last_quantity].map(number)).toEqual([newest.price, newest.qty].map(Number));
          trades++;
        }
        expect(ticker.close_time! - ticker.open_time!).toBe(DAY_MS);
        expect(Math.abs(ticker.close_time! - Number(after['closeTime']))).toBeLessThan(10_000);
        expect([ticker.first_id, ticker.last_id, ticker.count]).toEqual([null, null, null]);
        proofs.set(symbol, proofs.get(symbol)! + 1);
      }
      return [...proofs.values(), quotes, equal, trades].every((count) => count >= 3);
    },
    { what: 'three proofs of each symbol', timeoutMs: 30_000 },
  );
  const all = await getJson<Ticker[]>(`${engine.url}/tickers`);
  expect(all.map(({ symbol }) => symbol)).toEqual([...sim.symbols]);
});

it('between two rounds the pushes keep them up, and a symbol tracked later gets its own soon', { timeout: 60_000 }, async ({ opened }) => {
  const sim = opened(await startSimulator({ symbols: 3, rate: 8, seed: 52, limits: noLimits }));
  const [first, second, third] = sim.symbols as [string, string, string];
  const engine = opened(await startEngine(sim, { symbols: { kind: 'list', symbols: [first, second] } }));
  const read = (symbol: string): Promise<Ticker> => getJson(`${engine.url}/ticker/${encodeURIComponent(symbol)}`);
  // The answer that listed the pairs.
  const atStart = await until(async () => {
    const ticker = await read(first);
    return ticker.open_price !== null && ticker;
  });
  await until(
    async () => {
      const ticker = await read(first);
      const truth = await truthOf(sim, first);
      return ticker.close_time! > atStart.close_time! && ticker.volume !== atStart.volume && ours(ticker).join() === theirs(truth).join();
    },
    { what: 'figures of a push', timeoutMs: 30_000 },
  );
  expect((await fetch(`${engine.url}/symbols/${third}`, { method: 'POST' })).status).toBe(201);
  await until(async () => (await read(third)).open_price !== null, { what: 'the round for a new symbol' });
});
