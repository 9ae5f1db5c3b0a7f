import { describe, expect, it } from 'vitest';
import { BookDigest, digestOf, TOP_LEVELS } from '../../../src/simulator/book-digest.js';
import { FaultInjector } from '../../../src/simulator/fault-injector.js';
import { StreamHub } from '../../../src/simulator/stream-hub.js';
import { namedListings } from '../../../src/simulator/synthetic-listing.js';
import { SyntheticMarket } from '../../../src/simulator/synthetic-market.js';
import { ASK, BID } from '../../../src/simulator/tick-book.js';

const START_MS = 1_790_000_000_000;

describe('BookDigest', () => {
  it('is the same for the same levels in any order, and another for any other level', () => {
    const [one, other] = [new BookDigest(), new BookDigest()];
    one.change(BID, 8_426_985, 0, 4_804_935);
    one.change(ASK, 8_426_986, 0, 2 ** 40);
    other.change(ASK, 8_426_986, 0, 7);
    other.change(ASK, 8_426_986, 7, 2 ** 40);
    other.change(BID, 3, 0, 5);
    other.change(BID, 8_426_985, 0, 4_804_935);
    expect(other.value).not.toBe(one.value);
    other.change(BID, 3, 5, 0);
    expect(other.value).toBe(one.value);
    const seen = new Set([one.value]);
    for (const [side, tick, lots] of [
      [ASK, 8_426_985, 4_804_935],
      [BID, 8_426_984, 4_804_935],
      [BID, 8_426_985, 4_804_936],
      [BID, 8_426_985 + 2 ** 32, 4_804_935],
      [BID, 8_426_985, 4_804_935 + 2 ** 33],
    ] as const) {
      const changed = new BookDigest();
      changed.change(ASK, 8_426_986, 0, 2 ** 40);
      changed.change(side, tick, 0, lots);
      seen.add(changed.value);
    }
    expect(seen.size).toBe(6);
  });
});

describe('DigestLog', () => {
  const hub = new StreamHub(new FaultInjector({ dropConnections: () => {}, freezeConnections: () => {}, keepHistory: () => {} }));
  const market = new SyntheticMarket(hub, { listings: namedListings(['BTCUSDT', 'PEPEUSDT'], 5), rate: 20, seed: 5, startMs: START_MS });
  hub.attach(market);

  it('has every book after every burst, as one that counts anew finds it', () => {
    const log = market.digests();
    expect(market.digests()).toBe(log);
    let { next, missed, rows } = log.since(0);
    expect([next, missed, rows.length]).toEqual([2, 0, 8]);
    const newest = new Map<number, readonly number[]>();
    const take = (): void => {
      for (let i = 0; i < rows.length; i += 4) newest.set(rows[i]!, rows.slice(i, i + 4));
    };
    take();
    for (let tick = 1; tick <= 500; tick++) {
      market.advance(START_MS + tick * 10);
      ({ next, missed, rows } = log.since(next));
      take();
      for (const { rank, ...symbol } of market.symbols.map((each) => ({ rank: each.rank, book: each.book() }))) {
        const { book } = symbol;
        expect(newest.get(rank)).toEqual([rank, book.version, digestOf(book, Infinity), digestOf(book, TOP_LEVELS)]);
      }
    }
    expect(next).toBeGreaterThan(150);
  });

  it('says what it has forgotten', () => {
    const log = market.digests();
    const [symbol] = market.symbols;
    const { next } = log.since(0);
    for (let i = 0; i < 2 ** 18; i++) log.add(0, symbol!.book(), i);
    const page = log.since(0);
    expect([page.missed, page.next - page.missed, page.rows.length]).toEqual([next, 2 ** 18, 4 * 2 ** 18]);
    expect(page.rows.slice(-2, -1)).toEqual([2 ** 18 - 1]);
  });
});
