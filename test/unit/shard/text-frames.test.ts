import { describe, expect, test } from 'vitest';
import { COUNT_DROPPED, COUNT_GAPS, COUNT_REFUSED } from '../../../src/book/book-layout.js';
import { METER_TEXT_FRAMES, METER_TEXT_REFUSED } from '../../../src/memory/shard-meter.js';
import { REFUSED_TEXT, textRefusals } from '../../../src/shard/records.js';
import { ShardBench, SYMBOL } from '../../support/shard-bench.js';

function send(bench: ShardBench, frame: string | object): ShardBench {
  const text = typeof frame === 'string' ? frame : JSON.stringify(frame);
  bench.ingress.text(301, new TextEncoder().encode(text), bench.now);
  return bench.work();
}

const snapshot = (v: number, b: unknown[] = [['99.5', '1']], a: unknown[] = [['100.5', '2']]) => ({
  c: 'depth.snapshot',
  s: SYMBOL,
  d: { v, b, a },
});
const update = (v: number, b: unknown[] = [], a: unknown[] = []) => ({ c: 'depth', s: SYMBOL, d: { v, b, a } });
const limit = (r: number, p: string) => ({
  c: `spot@public.limit.depth.v3.api@${SYMBOL}@5`,
  s: SYMBOL,
  d: { bids: [{ p, v: '1' }], asks: [], r: String(r) },
});
const increase = (r: number, p: string) => ({
  c: `spot@public.increase.depth.v3.api@${SYMBOL}`,
  s: SYMBOL,
  d: { bids: [{ p, v: '1' }], r: String(r) },
});

describe('books from text frames', () => {
  test('a snapshot makes the book live, once its line is up', () => {
    const bench = send(new ShardBench().track(), snapshot(5));
    expect(bench.state()).toBe('syncing start');
    send(bench.lineUp(), snapshot(5));
    expect([bench.state(), bench.book().version, bench.sides()]).toEqual([
      'live synced',
      5,
      { bids: [['99.5', '1']], asks: [['100.5', '2']] },
    ]);
  });

  test('updates wait for it, and those that are not newer are dropped', () => {
    const bench = new ShardBench().track().lineUp();
    for (const v of [3, 9]) send(bench, update(v, [['98', String(v)]]));
    send(bench, snapshot(5));
    expect([bench.book().version, bench.levels('bid'), bench.counter(COUNT_DROPPED)]).toEqual([
      9,
      [
        ['99.5', '1'],
        ['98', '9'],
      ],
      1,
    ]);
    send(bench, `  ${JSON.stringify(update(9, [['98', '0']]))}`);
    send(bench, `\n ${JSON.stringify(update(11, [['98', '0']]))}`);
    expect([bench.book().version, bench.levels('bid'), bench.counter(COUNT_DROPPED)]).toEqual([11, [['99.5', '1']], 2]);
    expect([bench.state(), bench.resyncs]).toEqual(['live synced', []]);
  });

  test('more decimals than the scale move the book to a larger one', () => {
    const bench = send(send(new ShardBench().track().lineUp(), snapshot(1)), update(2, [['99.50125', '0.0001']]));
    expect(bench.levels('bid')).toEqual([
      ['99.50125', '0.0001'],
      ['99.5', '1'],
    ]);
  });

  test("MEXC's versions must follow each other; limit.depth heals the hole and is not taken when it is old", () => {
    const bench = send(send(new ShardBench().track().lineUp(), limit(10, '99')), increase(11, '98'));
    expect([bench.book().epoch, bench.levels('bid')]).toEqual([
      1,
      [
        ['99', '1'],
        ['98', '1'],
      ],
    ]);
    send(send(bench, limit(10, '50')), limit(11, '50'));
    expect([bench.book().epoch, bench.book().bidLevels, bench.counter(COUNT_DROPPED)]).toEqual([1, 2, 2]);
    send(bench, increase(13, '97'));
    expect([bench.state(), bench.counter(COUNT_GAPS), bench.resyncs]).toEqual(['syncing gap', 1, ['gap']]);
    send(bench, limit(12, '96'));
    expect([bench.state(), bench.book().epoch, bench.levels('bid')]).toEqual([
      'live synced',
      2,
      [
        ['97', '1'],
        ['96', '1'],
      ],
    ]);
  });

  test('binary pushes and text frames may take turns', () => {
    const bench = new ShardBench().live();
    bench.frame({ from: 101, bids: [['99', '1']] });
    send(bench, increase(102, '98'));
    bench.frame({ from: 103, bids: [['97', '1']] });
    expect([bench.state(), bench.book().version, bench.book().bidLevels]).toEqual(['live synced', 103, 4]);
  });

  test('a crossed one takes the book out of service', () => {
    const bench = send(send(new ShardBench().track().lineUp(), snapshot(1)), update(2, [['200', '1']]));
    expect(bench.state()).toBe('suspect crossed');
  });
});

describe('text frames that cannot be read', () => {
  test.each([
    ['LEGACY_BAD_JSON', '{"c":"depth"'],
    ['LEGACY_BAD_JSON', ''],
    ['LEGACY_INVALID_FORMAT', update(2, [['1', 'x']])],
    ['LEGACY_INVALID_FORMAT', update(2, [['10000000000000000000000000000', '1']])],
    ['LEGACY_INVALID_FORMAT', { c: 'deals', s: SYMBOL, d: { deals: [{ S: 9 }] } }],
    ['LEGACY_UNSUPPORTED_CHANNEL', { c: 'orders', s: SYMBOL, d: {} }],
  ] as const)('are refused as %s and change nothing: %j', (code, frame) => {
    const bench = send(new ShardBench().track().lineUp(), snapshot(1));
    const words = new Float64Array(bench.buffers.meters);
    const read = words[METER_TEXT_FRAMES]!;
    send(bench, frame);
    const kind = textRefusals.indexOf(code);
    expect([bench.refusals, words[METER_TEXT_REFUSED + kind]]).toEqual([[REFUSED_TEXT + kind], 1]);
    expect([bench.state(), bench.book().version, bench.counter(COUNT_REFUSED), words[METER_TEXT_FRAMES]]).toEqual([
      'live synced',
      1,
      0,
      read,
    ]);
    send(bench, update(2, [['98', '1']]));
    expect([bench.state(), bench.book().version, bench.resyncs]).toEqual(['live synced', 2, []]);
  });
});

describe('trades from text frames', () => {
  const deals = (p: string, q: string, t: number) => ({ c: 'deals', s: SYMBOL, d: { s: SYMBOL, p, q, v: '1', t, m: false } });

  test('one that cannot be read is missed by the tape, and fetched', () => {
    const bench = new ShardBench().track().streamUp().trades([]);
    send(bench, deals('99.5', '1', bench.now - 3_000));
    expect([bench.tape().state, bench.tape().trades.length, bench.tradesWantedBy]).toEqual(['live', 1, [1]]);
    send(bench, deals('99.5', 'two', bench.now - 2_000));
    expect([bench.tape().state, bench.tradesWantedBy]).toEqual(['syncing', [1, 1]]);
  });
});
