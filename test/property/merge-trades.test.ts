import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergeTrades } from '../../src/tape/merge-trades.js';
import { DealsBuffer } from '../../src/tape/deals-buffer.js';
import { createTapesBuffer } from '../../src/tape/tape-layout.js';
import { Tapes } from '../../src/tape/tapes.js';
import { columns, type Deal, lines } from '../support/deals.js';

/** Few moments, prices and sizes, so that equal trades are common. */
const step = fc.record({
  pauseMs: fc.constantFrom(0, 0, 0, 1, 700, 3000),
  price: fc.constantFrom('1', '1', '2'),
  quantity: fc.constantFrom('1', '1', '2'),
  sell: fc.boolean(),
});

/** What really happened: oldest first, every trade with an id of its own. */
const truth = fc.array(step, { minLength: 1, maxLength: 40 }).map((steps) => {
  let time = 1_000_000;
  return steps.map(({ pauseMs, ...rest }, i): Deal => ({ ...rest, time: (time += pauseMs), id: `t${i}` }));
});

const withoutIds = (deals: readonly Deal[]): Deal[] => deals.map((deal) => ({ ...deal, id: null }));
const noId = (line: string): string => line.replace(/^\|/, '').split(' ').slice(0, 4).join(' ');
const idOf = (line: string): string | undefined => line.split(' ')[4];

/** Whether the moment before trade `index` lies inside a millisecond that has trades on both sides, and which. */
const cutMs = (deals: readonly Deal[], index: number): number => {
  const time = deals[index]?.time;
  return time !== undefined && deals[index - 1]?.time === time ? time : NaN;
};

/** A tape that was cut off after `tape` trades, pushes again from `held` on, and the `limit` trades before `fetched` from REST. */
const scene = truth.chain((deals) =>
  fc
    .tuple(
      fc.nat({ max: deals.length }),
      fc.nat({ max: deals.length }),
      fc.nat({ max: deals.length }),
      fc.integer({ min: 1, max: deals.length + 1 }),
    )
    .map(([a, b, c, limit]) => {
      const [tape, held, fetched] = [a, b, c].toSorted((x, y) => x - y) as [number, number, number];
      return { deals, tape, held, fetched, oldest: Math.max(0, fetched - limit) };
    })
    // A request is answered more than a millisecond after the stream stood: each millisecond is seen whole by one of the two.
    .filter(({ fetched, held, tape }) => ![held, tape].some((index) => cutMs(deals, index) === cutMs(deals, fetched))),
);

interface Scene {
  readonly deals: readonly Deal[];
  readonly tape: number;
  readonly held: number;
  readonly fetched: number;
  readonly oldest: number;
}

/** `seen`: pushes before this one had come when the answer did. */
function merge({ deals, tape, held, fetched, oldest }: Scene, seen = deals.length) {
  const tapes = new Tapes(createTapesBuffer(1, 64));
  tapes.open(0, 2, 3, 0);
  tapes.append(0, columns(deals.slice(0, tape)), 0);
  const known = new DealsBuffer(0);
  const knownFromMs = tapes.copyTail(0, known);
  const fill = columns(withoutIds(deals.slice(oldest, fetched)));
  return mergeTrades({ known, knownFromMs, fill, held: columns(deals.slice(held, seen)), breaks: [] });
}

describe('mergeTrades', () => {
  it('doubles nothing and misses nothing when the fill reaches back beyond the last known trade', () => {
    fc.assert(
      fc.property(scene, (given) => {
        const { deals, tape, held, oldest } = given;
        fc.pre(tape === 0 ? oldest === 0 : oldest === 0 || deals[oldest]!.time < deals[tape - 1]!.time);
        fc.pre(given.fetched > oldest);
        const { trades, holeBehind } = merge(given);
        const got = lines(trades);
        expect(got.map(noId).toSorted()).toEqual(
          lines(columns(deals.slice(tape)))
            .map(noId)
            .toSorted(),
        );
        expect(got.filter((line) => line.startsWith('|'))).toEqual([]);
        expect(holeBehind).toBe(false);
        // Whatever was pushed keeps its id, once.
        const ids = got.map(idOf).filter((id) => id !== undefined);
        expect(ids.toSorted()).toEqual(
          deals
            .slice(held)
            .map(({ id }) => id!)
            .toSorted(),
        );
        const times = Array.from({ length: trades.count }, (_, i) => trades.times[i]!);
        expect(times).toEqual(times.toSorted((a, b) => a - b));
      }),
      { numRuns: 2000 },
    );
  });

  it('says that trades are missing when it does not, and doubles none', () => {
    fc.assert(
      fc.property(scene, (given) => {
        const { deals, tape, held, fetched, oldest } = given;
        fc.pre(tape > 0 && (fetched === oldest || deals[oldest]!.time > deals[tape - 1]!.time));
        const { trades, holeBehind, filled } = merge(given);
        const got = lines(trades);
        const seen = [...deals.slice(Math.max(oldest, tape), fetched), ...deals.slice(Math.max(held, fetched))];
        expect(got.map(noId).toSorted()).toEqual(
          lines(columns(oldest > held ? deals.slice(held) : seen))
            .map(noId)
            .toSorted(),
        );
        expect(got.slice(1).filter((line) => line.startsWith('|'))).toEqual([]);
        if (got.length === 0) expect(holeBehind).toBe(true);
        else expect(got[0]!.startsWith('|')).toBe(true);
        expect(filled.count).toBe(Math.max(0, Math.min(held, fetched) - oldest));
      }),
      { numRuns: 2000 },
    );
  });

  it('knows a push that comes only after an answer that had it already', () => {
    fc.assert(
      fc.property(scene, fc.nat(), (given, later) => {
        const { deals, tape, held, oldest, fetched } = given;
        fc.pre(tape === 0 ? oldest === 0 : oldest === 0 || deals[oldest]!.time < deals[tape - 1]!.time);
        fc.pre(fetched > oldest);
        const seen = held + (later % (deals.length - held + 1));
        const { trades, filled } = merge(given, seen);
        const pushed = columns(deals.slice(seen));
        for (let i = 0; i < pushed.count; i++) if (!filled.take(pushed, i)) trades.take(pushed, i);
        const expected = lines(columns(deals.slice(tape)));
        expect(lines(trades).map(noId).toSorted()).toEqual(expected.map(noId).toSorted());
      }),
      { numRuns: 2000 },
    );
  });

  it('knows a push of what an earlier answer put on the tape', () => {
    fc.assert(
      fc.property(truth, fc.nat(), fc.nat(), (deals, a, b) => {
        const tape = a % (deals.length + 1);
        const pushedUpTo = b % (tape + 1);
        const tapes = new Tapes(createTapesBuffer(1, 64));
        tapes.open(0, 2, 3, 0);
        const onTape = [...deals.slice(0, pushedUpTo), ...withoutIds(deals.slice(pushedUpTo, tape))];
        // Only what lies within the reach of a push that is late.
        fc.pre(tape === 0 || onTape.slice(pushedUpTo).every(({ time }) => time >= onTape.at(-1)!.time - 1000));
        tapes.append(0, columns(onTape), 0);
        const known = new DealsBuffer(0);
        const knownFromMs = tapes.copyTail(0, known);
        const fill = columns(withoutIds(deals));
        const { trades } = mergeTrades({ known, knownFromMs, fill, held: columns(deals.slice(pushedUpTo)), breaks: [] });
        const expected = lines(columns(deals.slice(tape)));
        expect(lines(trades).map(noId).toSorted()).toEqual(expected.map(noId).toSorted());
      }),
      { numRuns: 1000 },
    );
  });

  it('marks what was lost between two parts of what was held, unless the fill covers it', () => {
    const at = (time: number): Deal => ({ price: '1', quantity: '1', sell: false, time, id: `t${time}` });
    const parts = { known: new DealsBuffer(0), knownFromMs: Infinity, held: columns([at(1), at(2), at(5), at(6)]), breaks: [2] };
    expect(lines(mergeTrades({ ...parts, fill: new DealsBuffer(0) }).trades)).toEqual([
      '1 100 1000 buy t1',
      '2 100 1000 buy t2',
      '|5 100 1000 buy t5',
      '6 100 1000 buy t6',
    ]);
    const covering = columns(withoutIds([1, 2, 3, 4, 5].map(at)));
    expect(lines(mergeTrades({ ...parts, fill: covering }).trades)).toEqual([
      '1 100 1000 buy t1',
      '2 100 1000 buy t2',
      '3 100 1000 buy',
      '4 100 1000 buy',
      '5 100 1000 buy t5',
      '6 100 1000 buy t6',
    ]);
    expect(mergeTrades({ ...parts, breaks: [4], fill: new DealsBuffer(0) }).holeBehind).toBe(true);
  });
});
