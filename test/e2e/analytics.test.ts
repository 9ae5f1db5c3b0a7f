import { expect } from 'vitest';
import type { BookAnalytics, Slippage } from '../../src/model/analytics.js';
import { startSimulator } from '../../src/simulator/simulator.js';
import { it } from '../support/cleanup.js';
import { startEngine } from '../support/engine.js';
import { errorUnits, ExactBook, Fraction } from '../support/exact-analytics.js';
import { type OtherMessage, PushClient } from '../support/push-client.js';
import { until } from '../support/until.js';

interface AnalyticsMessage extends OtherMessage, BookAnalytics {
  readonly ch: 'analytics';
  readonly type: string;
  readonly depth: number;
  readonly epoch: number;
  readonly seq: number;
  readonly xv: readonly [number, number];
}
interface Envelope {
  readonly epoch: number;
  readonly seq: number;
  readonly version: number;
}

const DEPTH = 10;
/** Books of the exchange that are remembered, of each symbol. */
const TRUTHS_MAX = 200;

function expectNear(double: number | null, exact: Fraction | null): void {
  if (exact === null || double === null) return expect([double, exact]).toEqual([null, null]);
  // 2^-50 of the value.
  expect(errorUnits(double, exact)).toBeLessThanOrEqual(8);
}

function expectFigures(figures: BookAnalytics, exact: ExactBook): void {
  expect(Fraction.of(figures.spread as string).compare(exact.spread()!)).toBe(0);
  expect(Fraction.of(figures.mid as string).compare(exact.mid()!)).toBe(0);
  expectNear(figures.spread_bps, exact.spreadBps());
  expectNear(figures.microprice, exact.microprice());
  expectNear(figures.imbalance, exact.imbalance(DEPTH));
  expect(figures.bands.map(({ bps }) => bps)).toEqual([5, 10, 50, 100]);
  for (const band of figures.bands) {
    for (const side of ['bid', 'ask'] as const) {
      const truth = exact.band(side, band.bps)!;
      expect(Fraction.of(band[side]!.base as string).compare(truth.base)).toBe(0);
      expect(Fraction.of(band[side]!.quote as string).compare(truth.quote)).toBe(0);
      expect(band[side]!.covered).toBe(truth.covered);
    }
  }
}

function expectSlippage(answer: Slippage, exact: ExactBook): void {
  const kind = answer.size === null ? 'notional' : 'size';
  const truth = exact.fill(answer.side, kind, (answer.size ?? answer.notional)!);
  expect([answer.base === null, answer.slippage === null, answer.levels]).toEqual([truth === null, truth === null, truth?.levels ?? null]);
  if (truth === null) return;
  const average = truth.quote.over(truth.base);
  expectNear(answer.average_price, average);
  const worse = answer.side === 'buy' ? average.minus(exact.mid()!) : exact.mid()!.minus(average);
  expectNear(answer.slippage, worse);
  expectNear(answer.slippage_bps, worse.times(new Fraction(10_000n)).over(exact.mid()!));
}

it('analytics by REST and push are those of the exchange’s own books, and of each other', { timeout: 60_000 }, async ({ opened }) => {
  const sim = opened(await startSimulator({ symbols: 4, rate: 8, seed: 41 }));
  const engine = opened(await startEngine(sim));
  const client = opened(await PushClient.connect(engine.wsUrl));
  const pushed = await client.listen<AnalyticsMessage>('analytics', sim.symbols, { depth: DEPTH, interval: 0 });

  const truths = new Map<string, ExactBook>();
  const remember = (): void => {
    for (const symbol of sim.symbols) {
      const truth = sim.trueBook(symbol);
      const key = `${symbol} ${truth.version}`;
      if (!truths.has(key)) truths.set(key, new ExactBook(truth));
    }
    while (truths.size > TRUTHS_MAX * sim.symbols.length) truths.delete(truths.keys().next().value!);
  };
  const ask = async <T>(path: string): Promise<(T & Envelope) | undefined> => {
    const response = await fetch(engine.url + path);
    return response.ok ? ((await response.json()) as T & Envelope) : undefined;
  };

  const proven = { pushed: 0, equal: 0, analytics: 0, filled: 0, beyond: 0 };
  let judged = 0;
  await until(
    async () => {
      remember();
      for (; judged < pushed.length; judged++) {
        const message = pushed[judged]!;
        const truth = message.type === 'snapshot' ? truths.get(`${message.sym} ${message.xv[1]}`) : undefined;
        if (truth === undefined) continue;
        expectFigures(message, truth);
        proven.pushed++;
      }
      for (const symbol of sim.symbols) {
        const answer = await ask<BookAnalytics>(`/analytics/${symbol}?depth=${DEPTH}`);
        remember();
        const truth = truths.get(`${symbol} ${answer?.version}`);
        if (answer !== undefined && truth !== undefined) {
          expectFigures(answer, truth);
          proven.analytics++;
        }
        const same = pushed.find(
          ({ sym, type, epoch, seq }) => type === 'snapshot' && sym === symbol && epoch === answer?.epoch && seq === answer.seq,
        );
        if (same !== undefined) {
          const { best_bid, best_ask, spread, spread_bps, mid, microprice, imbalance, bands } = same;
          expect(answer).toMatchObject({ best_bid, best_ask, spread, spread_bps, mid, microprice, imbalance, bands });
          proven.equal++;
        }
        for (const order of ['side=buy&size=3.3333', 'side=sell&notional=12345.678', 'side=sell&size=1000000000000']) {
          const filled = await ask<Slippage>(`/orderbook/${symbol}/slippage?${order}`);
          remember();
          const book = truths.get(`${symbol} ${filled?.version}`);
          if (filled === undefined || book === undefined) continue;
          expectSlippage(filled, book);
          if (filled.base === null) proven.beyond++;
          else proven.filled++;
        }
      }
      return Object.values(proven).every((count) => count >= 10);
    },
    { what: 'ten proofs of each kind', timeoutMs: 30_000 },
  );
});
