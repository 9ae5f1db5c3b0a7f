import { describe, expect } from 'vitest';
import { WebSocket } from 'ws';
import type { Candle } from '../../src/model/candle.js';
import { type Simulator, startSimulator, type TrueTrade } from '../../src/simulator/simulator.js';
import { it, type Open } from '../support/cleanup.js';
import { startEngine } from '../support/engine.js';
import { shortest } from '../support/model-book.js';
import { until } from '../support/until.js';

const MINUTE_MS = 60_000;
/** Minutes compared, and by how much faster the exchange's clock goes. */
const MINUTES = 6;
const CLOCK_SPEED = 50;

type CandleMessage = Candle & { readonly ch: string; readonly sym: string };

/** Decimal text as a whole number of 10^-18. */
function units(text: string): bigint {
  const [whole, fraction = ''] = text.split('.');
  return BigInt(whole! + fraction.padEnd(18, '0'));
}

function text(value: bigint, decimals: number): string {
  const digits = value.toString().padStart(decimals + 1, '0');
  return shortest(`${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`);
}

/** What the trades of a minute make, the slow way: open high low close volume turnover, trades, and what takers bought. */
function fromTrades(trades: readonly TrueTrade[], openMs: number): readonly (string | number)[] {
  const before = trades.findLast(({ time }) => time < openMs)!;
  const within = trades.filter(({ time }) => time >= openMs && time < openMs + MINUTE_MS);
  const prices = [before, ...within].map(({ price }) => units(price));
  const sum = (list: readonly TrueTrade[], of: (trade: TrueTrade) => bigint): bigint =>
    list.reduce((total, trade) => total + of(trade), 0n);
  const bought = within.filter(({ sell }) => !sell);
  const base = ({ quantity }: TrueTrade): bigint => units(quantity);
  const quote = ({ price, quantity }: TrueTrade): bigint => units(price) * units(quantity);
  return [
    text(prices[0]!, 18),
    text(
      prices.reduce((a, b) => (a > b ? a : b)),
      18,
    ),
    text(
      prices.reduce((a, b) => (a < b ? a : b)),
      18,
    ),
    text(prices.at(-1)!, 18),
    text(sum(within, base), 18),
    within.length,
    text(sum(bought, base), 18),
    text(sum(bought, quote), 36),
  ];
}

function figures(candle: Candle): readonly (string | number)[] {
  const { open, high, low, close, volume, number_of_trades, taker_buy_base_asset_volume, taker_buy_quote_asset_volume } = candle;
  const known = [taker_buy_base_asset_volume, taker_buy_quote_asset_volume].map((value) => shortest(value ?? 'null'));
  return [...[open, high, low, close, volume].map(shortest), number_of_trades ?? 'null', ...known];
}

async function follow(opened: Open, wsUrl: string, symbols: readonly string[]): Promise<CandleMessage[]> {
  const socket = new WebSocket(wsUrl);
  opened({ close: () => socket.terminate() });
  const messages: CandleMessage[] = [];
  socket.on('message', (data: Buffer) => {
    const message = JSON.parse(data.toString()) as CandleMessage;
    if (message.ch === 'candle') messages.push(message);
  });
  await until(() => socket.readyState === WebSocket.OPEN, { what: 'the connection' });
  for (const interval of ['1m', '3m']) socket.send(JSON.stringify({ op: 'subscribe', channel: 'candle', symbols, interval, every: 0 }));
  return messages;
}

async function klines(sim: Simulator, symbol: string, startMs: number, endMs: number): Promise<string[][]> {
  const query = `symbol=${symbol}&interval=1m&startTime=${startMs}&endTime=${endMs}&limit=1000`;
  const rows = (await (await fetch(`${sim.restUrl}/api/v3/klines?${query}`)).json()) as [number, ...string[]][];
  return rows.map((row) => [String(row[0]), ...row.slice(1, 6).map((value) => shortest(String(value)))]);
}

describe('candles', () => {
  it('are those of the true trades, by REST and by WebSocket, empty minutes included', { timeout: 60_000 }, async ({ opened }) => {
    const sim = opened(await startSimulator({ symbols: 4, rate: 6, seed: 21, clockSpeed: CLOCK_SPEED }));
    const engine = opened(await startEngine(sim, { interval: '10ms' }));
    const { symbols } = sim;
    const messages = await follow(opened, engine.wsUrl, symbols);
    const finals = (symbol: string, interval: string): CandleMessage[] =>
      messages.filter(({ sym, interval: length, closed }) => sym === symbol && length === interval && closed);
    // From the first minute on that follows one with trades of which all were seen: what was before the market opened is made up.
    const counted = (symbol: string): CandleMessage[] => {
      const all = finals(symbol, '1m');
      const first = all.findIndex(({ number_of_trades }) => (number_of_trades ?? 0) > 0);
      return first < 0 ? [] : all.slice(first + 1);
    };
    await until(() => symbols.every((symbol) => counted(symbol).length >= MINUTES), { timeoutMs: 40_000, what: 'the minutes' });

    let empty = 0;
    for (const symbol of symbols) {
      const minutes = counted(symbol).slice(0, MINUTES);
      const trades = sim.trueTrades(symbol);
      expect(minutes.map(({ open_time }) => open_time)).toEqual(minutes.map((_, i) => minutes[0]!.open_time + i * MINUTE_MS));
      expect(minutes.map((minute) => [minute.open_time, ...figures(minute)])).toEqual(
        minutes.map(({ open_time }) => [open_time, ...fromTrades(trades, open_time)]),
      );
      expect(minutes.every(({ complete }) => complete)).toBe(true);
      empty += minutes.filter(({ number_of_trades }) => number_of_trades === 0).length;

      const [start, end] = [minutes[0]!.open_time, minutes.at(-1)!.open_time];
      const answer = await fetch(`${engine.url}/candles/${symbol}?start=${start}&end=${end}`);
      expect(answer.headers.get('cache-control')).toBe('public, max-age=86400, immutable');
      const rest = (await answer.json()) as Candle[];
      expect(rest.map((candle) => [candle.open_time, ...figures(candle)])).toEqual(
        minutes.map((minute) => [minute.open_time, ...figures(minute)]),
      );
      // The exchange's own account of the same minutes.
      const theirs = await klines(sim, symbol, start, end);
      expect(theirs).toEqual(rest.map((candle) => [String(candle.open_time), ...figures(candle).slice(0, 5)]));

      const threes = finals(symbol, '3m').filter(({ open_time }) => open_time >= start && open_time + 3 * MINUTE_MS <= end);
      expect(threes.length).toBeGreaterThan(0);
      for (const three of threes) {
        const parts = rest.filter(({ open_time }) => open_time >= three.open_time && open_time < three.close_time);
        expect([three.open, three.close]).toEqual([parts[0]!.open, parts[2]!.close]);
        expect(text(units(three.volume), 18)).toBe(
          text(
            parts.reduce((total, { volume }) => total + units(volume), 0n),
            18,
          ),
        );
        expect(three.number_of_trades).toBe(parts.reduce((total, { number_of_trades }) => total + number_of_trades!, 0));
      }
      // Each one has one last word.
      const opens = finals(symbol, '1m').map(({ open_time }) => open_time);
      expect(new Set(opens).size).toBe(opens.length);
    }
    expect(empty).toBeGreaterThan(0);
  });
});
