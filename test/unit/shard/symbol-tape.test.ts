import { beforeEach, describe, expect, test } from 'vitest';
import { StreamKind } from '../../../src/model/feed.js';
import { REFUSED_TRADES } from '../../../src/shard/records.js';
import { deal } from '../../support/deals.js';
import { ShardBench } from '../../support/shard-bench.js';

let bench: ShardBench;
beforeEach(() => {
  bench = new ShardBench().track();
});

const times = (): number[] => bench.tape().trades.map(({ timestamp }) => timestamp);
const at = (...moments: number[]) => moments.map((time) => deal(time));

/** A live tape with trades at 1 and 2. */
function live(): void {
  bench.streamUp().trades(at(1, 2));
}

describe("a symbol's tape", () => {
  test('is filled when its stream stands, and holds pushes until then', () => {
    bench.deals(at(3));
    expect([bench.tape().state, times()]).toEqual(['syncing', []]);
    bench.streamUp();
    expect(bench.tradesWantedBy).toEqual([1]);
    bench
      .deals(at(4))
      .trades(at(1, 2, 3, 4))
      .deals(at(5));
    expect([bench.tape().state, times(), bench.tape().epoch]).toEqual(['live', [1, 2, 3, 4, 5], 1]);
    expect(bench.tape().trades.map(({ exchange_id }) => exchange_id)).toEqual([null, null, 'id3', 'id4', 'id5']);
    expect(bench.tape().skipped).toEqual([]);
  });

  test('joins both sides of a reconnect', () => {
    live();
    bench.streamDown();
    expect(bench.tape().state).toBe('stale');
    bench.streamUp().deals(at(6));
    expect([bench.tape().state, times(), bench.tradesWantedBy]).toEqual(['syncing', [1, 2], [1, 1]]);
    bench.trades(at(1, 2, 4, 5, 6));
    expect([bench.tape().state, times(), bench.tape().skipped, bench.tape().epoch]).toEqual(['live', [1, 2, 4, 5, 6], [], 1]);
  });

  test('says what is missing when the last trades do not reach back', () => {
    live();
    bench.streamDown().streamUp().trades(at(7, 8)).deals(at(9));
    expect([times(), bench.tape().skipped, bench.tape().epoch]).toEqual([[1, 2, 7, 8, 9], [{ from: 2, to: 7 }], 2]);
  });

  test('marks the first trade behind a hole even when it comes later', () => {
    live();
    bench.streamDown().streamUp().trades([]);
    expect([bench.tape().state, bench.tape().skipped]).toEqual(['live', []]);
    bench.deals(at(9));
    expect(bench.tape().skipped).toEqual([{ from: 2, to: 9 }]);
  });

  test('leaves out a push of a fetched trade as often as it comes', () => {
    bench
      .streamUp()
      .trades(at(1, 2, 3))
      .deals(at(3))
      .deals(at(4))
      .deals(at(3))
      .deals(at(4))
      .deals(at(3, 4, 5));
    expect([bench.tape().state, times()]).toEqual(['live', [1, 2, 3, 4, 5]]);
  });

  test('leaves out what a second connection repeats while pushes are held', () => {
    bench.streamUp().deals(at(3)).deals(at(4, 5)).deals(at(3)).deals(at(4, 5)).deals(at(6));
    bench.trades(at(1, 2, 3)).deals(at(7));
    expect([bench.tape().state, times()]).toEqual(['live', [1, 2, 3, 4, 5, 6, 7]]);
    expect(bench.tape().skipped).toEqual([]);
  });

  test('leaves out what a second connection repeats', () => {
    live();
    bench.deals(at(3, 4)).deals(at(3, 4)).deals(at(4, 5));
    expect(times()).toEqual([1, 2, 3, 4, 5]);
  });

  test('leaves out a push of what the answer had already', () => {
    bench.streamUp().trades([...at(1, 2), deal(3), deal(3)]);
    bench.deals([deal(3, { id: 'a' }), deal(3, { id: 'b' }), deal(3, { id: 'c' }), deal(4)]);
    expect(times()).toEqual([1, 2, 3, 3, 3, 4]);
    // Long after, an equal trade is another one; and so it is at once when all were met.
    bench
      .deals([deal(2, { id: 'd' })])
      .deals([deal(5000)])
      .deals([deal(2, { id: 'e' })]);
    expect(times()).toEqual([1, 2, 3, 3, 3, 4, 5000, 2]);
  });

  test('knows them at larger scales too', () => {
    bench
      .streamUp()
      .trades(at(1, 2))
      .deals([deal(2, { price: '100.25' }), deal(3, { price: '100.12345' })]);
    expect(times()).toEqual([1, 2, 3]);
  });

  test('asks again after a push that was lost, or could not be read', () => {
    live();
    bench.ingress.streamDown(1, StreamKind.KLINE, 0);
    bench.deals(Buffer.from([0x0a, 0x05, 0x41]));
    expect([bench.tape().state, bench.tradesWantedBy.length, bench.refusals]).toEqual(['syncing', 2, [1]]);
    bench.deals(at(5)).trades(at(1, 2, 4, 5));
    expect([bench.tape().state, times()]).toEqual(['live', [1, 2, 4, 5]]);
    expect(bench.tape().epoch).toBe(1);
  });

  test('asks again when the answer cannot be read', () => {
    bench.streamUp().trades(Buffer.from('{}'));
    expect([bench.tradesWantedBy.length, bench.refusals, bench.tape().state]).toEqual([2, [REFUSED_TRADES], 'syncing']);
  });

  test('gives up waiting after a minute, and says what is missing', () => {
    live();
    bench.streamDown().streamUp().deals(at(7));
    bench.now += 59_000;
    bench.tick();
    expect(times()).toEqual([1, 2]);
    bench.now += 1_000;
    bench.tick();
    expect([bench.tape().state, times(), bench.tape().skipped]).toEqual(['live', [1, 2, 7], [{ from: 2, to: 7 }]]);
    // Late, and of no use any more.
    bench.trades(at(1, 2, 3, 7));
    expect(times()).toEqual([1, 2, 7]);
  });

  test('gives up when more is held than it keeps', () => {
    live();
    bench.streamDown().streamUp();
    for (let push = 0; push < 101; push++) bench.deals(Array.from({ length: 100 }, (_, i) => deal(10 + push * 100 + i)));
    expect(bench.tape().state).toBe('live');
    expect(bench.tape(1).trades[0]!.timestamp).toBe(10_109);
    expect(bench.tape(1).seq).toBe(2 + 10_100);
  });

  test('moves to larger scales when a number needs them, held ones too', () => {
    live();
    bench.streamDown().streamUp().deals(at(7));
    bench.deals([deal(8, { price: '100.12345' })]);
    bench.trades([...at(1, 2), deal(7), deal(8, { price: '100.12345' }), deal(9, { quantity: '0.00001' })]);
    const { trades } = bench.tape();
    expect(trades.map(({ price }) => price)).toEqual(['100.25000', '100.25000', '100.25000', '100.12345', '100.25000']);
    expect(trades.map(({ quantity }) => quantity)).toEqual(['1.50000', '1.50000', '1.50000', '1.50000', '0.00001']);
    expect(trades.map(({ exchange_id }) => exchange_id)).toEqual([null, null, 'id7', 'id8', null]);
  });

  test('outlives its worker, and what was missed is filled in', () => {
    live();
    bench.deals(at(3));
    bench.die();
    expect([bench.tape().state, times()]).toEqual(['stale', [1, 2, 3]]);
    bench
      .track()
      .streamUp()
      .deals(at(6))
      .trades(at(2, 3, 5, 6));
    expect([bench.tape().state, times(), bench.tape().skipped]).toEqual(['live', [1, 2, 3, 5, 6], []]);
    expect(bench.tape().trades.map(({ id }) => id)).toEqual([1, 2, 3, 4, 5]);
  });

  test('goes with its symbol', () => {
    live();
    bench.untrack();
    expect(bench.tape().trades).toEqual([]);
    bench.track();
    expect(bench.tape()).toMatchObject({ state: 'syncing', seq: 2, trades: [] });
  });
});

test('repeats of what waits are known, also when it did not come in the order of time', () => {
  bench.streamUp().deals(at(6)).deals(at(5)).deals(at(6)).deals(at(5));
  bench.trades(at(1, 2, 3, 4, 5, 6));
  expect(times()).toEqual([1, 2, 3, 4, 5, 6]);
});

test('a repeat is not taken for the fetched trade that equals it', () => {
  live();
  const [pushed, fetched] = [deal(3, { id: 'a' }), deal(3, { id: 'b' })];
  bench.deals([pushed]).streamDown().streamUp();
  bench.trades([...at(1, 2), pushed, fetched]);
  bench.deals([pushed]).deals([fetched]).deals(at(4));
  expect(bench.tape().trades.map(({ exchange_id }) => exchange_id)).toEqual([null, null, 'a', null, 'id4']);
});

test('an answer that begins in the middle of a moment does not change the order of its pushes', () => {
  live();
  bench.streamDown();
  const [first, second] = [deal(6, { id: 'a', quantity: '2' }), deal(6, { id: 'b', quantity: '3' })];
  bench.streamUp().deals([first, second]).deals(at(7));
  bench.trades([second, ...at(7)]);
  expect(bench.tape().trades.map(({ exchange_id }) => exchange_id)).toEqual([null, null, 'a', 'b', 'id7']);
  expect(bench.tape().skipped).toEqual([{ from: 2, to: 6 }]);
});

test.each([1, 2])('on %i line(s), trades that are on the tape and come again after the death of a worker are not told twice', (lines) => {
  bench = new ShardBench({ lines }).track();
  live();
  bench.deals(at(3)).deals(at(4));
  bench.die();
  bench.track().streamUp().deals(at(3)).deals(at(4)).deals(at(5));
  bench.trades(at(1, 2, 3, 4, 5));
  expect(times()).toEqual([1, 2, 3, 4, 5]);
});
