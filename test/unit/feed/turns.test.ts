import { describe, expect, it } from 'vitest';
import { Admission } from '../../../src/feed/admission.js';
import { ConnectionPool } from '../../../src/feed/connection-pool.js';
import type { Connection } from '../../../src/feed/connection.js';
import { createLine } from '../../../src/feed/symbol-line.js';
import type { SymbolLine } from '../../../src/feed/symbol-line.js';
import { feedTimings } from '../../../src/feed/timings.js';

function line(id: number, turnover: number | null = null): SymbolLine {
  const symbol = {
    id,
    symbol: `S${id}`,
    baseAsset: 'S',
    quoteAsset: 'Q',
    priceScale: 0,
    quantityScale: 0,
    turnover,
    shard: 0,
    slot: id,
    serial: id + 1,
  };
  return createLine(symbol, `c${id}`, feedTimings(), () => 0);
}

const ids = (admission: Admission): number[] => {
  const taken: number[] = [];
  for (let next = admission.next(); next !== undefined; next = admission.next()) taken.push(next.symbol.id);
  return taken;
};

describe('Admission', () => {
  it('lets the window in, the hottest first, and one more for each that settles', () => {
    const admission = new Admission(2);
    const lines = [line(0, 1), line(1, 3), line(2, null), line(3, 2)];
    for (const each of lines) admission.wait(each);
    expect(ids(admission)).toEqual([1, 3]);
    expect(admission.settled(lines[1]!)).toBe(true);
    expect(admission.settled(lines[1]!)).toBe(false);
    expect(ids(admission)).toEqual([0]);
    admission.remove(lines[3]!);
    admission.remove(lines[2]!);
    expect(ids(admission)).toEqual([]);
    expect(admission.waiting).toBe(0);
  });

  it('lets those that return in first, up to twice the window', () => {
    const admission = new Admission(2);
    for (const id of [0, 1, 2]) admission.wait(line(id, 100));
    expect(ids(admission)).toEqual([0, 1]);
    for (const id of [10, 11, 12]) {
      const returning = line(id, 1);
      returning.returning = true;
      admission.wait(returning);
    }
    expect(ids(admission)).toEqual([10, 11]);
  });
});

describe('ConnectionPool', () => {
  function setUp(slots: number) {
    const states = new Map<Connection, { isOpen: boolean; forBooks: boolean }>();
    const pool = new ConnectionPool(slots, (number, forBooks) => {
      const state = { number, isOpen: true, forBooks };
      states.set(state as unknown as Connection, state);
      return state as unknown as Connection;
    });
    return { pool, states };
  }
  const numberOf = (each: SymbolLine): number | undefined => each.connection?.number;

  it('fills one connection after the other', () => {
    const { pool } = setUp(2);
    const lines = [0, 1, 2, 3, 4].map((id) => line(id));
    for (const each of lines) pool.assign(each);
    expect(lines.map(numberOf)).toEqual([0, 0, 1, 1, 2]);
    expect(pool.find(lines[2]!.connection!, 'c2')).toBe(lines[2]);
    expect(pool.find(lines[2]!.connection!, 'c0')).toBeUndefined();
  });

  it('does not give a freed slot away before the connection starts anew', () => {
    const { pool } = setUp(2);
    const [a, b, c, d] = [line(0), line(1), line(2), line(3)];
    pool.assign(a);
    pool.assign(b);
    const first = a.connection!;
    expect(pool.release(a)).toBeUndefined();
    pool.assign(c);
    expect(numberOf(c)).toBe(1);
    expect(pool.takeAnother(first)).toBe(false);
    pool.restart(first);
    pool.assign(d);
    expect(numberOf(d)).toBe(0);
  });

  it('gives it away when the connection was not open', () => {
    const { pool, states } = setUp(2);
    const [a, b, c] = [line(0), line(1), line(2)];
    pool.assign(a);
    pool.assign(b);
    states.get(a.connection!)!.isOpen = false;
    pool.release(a);
    pool.assign(c);
    expect(numberOf(c)).toBe(0);
  });

  it('counts subscriptions made again', () => {
    const { pool } = setUp(3);
    const [a, b] = [line(0), line(1)];
    pool.assign(a);
    expect(pool.takeAnother(a.connection!)).toBe(true);
    expect(pool.takeAnother(a.connection!)).toBe(true);
    expect(pool.takeAnother(a.connection!)).toBe(false);
    pool.assign(b);
    expect(numberOf(b)).toBe(1);
  });

  it('lets go of an empty connection and uses its number again', () => {
    const { pool } = setUp(1);
    const [a, b, c] = [line(0), line(1), line(2)];
    const first = pool.assign(a);
    pool.assign(b);
    expect(pool.release(a)).toBe(first);
    expect(pool.has(first)).toBe(false);
    expect(pool.release(a)).toBeUndefined();
    pool.assign(c);
    expect([numberOf(b), numberOf(c)]).toEqual([1, 0]);
  });

  it('moves all lines to a replacement, which takes new ones where the old one took none', () => {
    const { pool, states } = setUp(3);
    const [a, b, c, d] = [line(0), line(1), line(2), line(3)];
    pool.assign(a);
    pool.assign(b);
    const old = a.connection!;
    pool.retire(old, true);
    const fresh = pool.createReplacement(old);
    expect(pool.createReplacement(old).number).toBe(2);
    pool.assign(c);
    expect(numberOf(c)).toBe(3);
    pool.replace(old, fresh, 2);
    expect([numberOf(a), numberOf(b)]).toEqual([1, 1]);
    expect(pool.has(old)).toBe(false);
    pool.assign(d);
    expect([1, 3]).toContain(numberOf(d));
    expect([...pool.lines(fresh)]).toContain(a);
    expect(states.get(fresh)!.forBooks).toBe(true);
  });
});
