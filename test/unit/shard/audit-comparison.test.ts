import { describe, expect, it } from 'vitest';
import { AuditComparison, BEYOND_REACH_MAX } from '../../../src/shard/audit-comparison.js';

type Levels = readonly (readonly [tick: number, lots: number])[];

function side(levels: Levels) {
  return { count: levels.length, ticks: Float64Array.from(levels, ([tick]) => tick), lots: Float64Array.from(levels, ([, lots]) => lots) };
}

function bids(ours: Levels, theirs: Levels, reach = 0, proven = 0): AuditComparison {
  return new AuditComparison({ side: 'bid', direction: 1, ours: side(ours), theirs: side(theirs), reach, proven });
}

function asks(ours: Levels, theirs: Levels, reach = Infinity, proven = Infinity): AuditComparison {
  return new AuditComparison({ side: 'ask', direction: -1, ours: side(ours), theirs: side(theirs), reach, proven });
}

describe('what is proven', () => {
  it('equal sides match level by level', () => {
    const found = bids(
      [
        [100, 1],
        [98, 2],
      ],
      [
        [100, 1],
        [98, 2],
      ],
    );
    expect(found).toMatchObject({ isMatch: true, matched: 2, wrong: 0, ghosts: 0, missing: 0, corrected: 0, dropped: 0, differences: [] });
  });

  it('tells wrong quantities, ghosts and missing levels apart, on both sides', () => {
    expect(
      bids(
        [
          [100, 1],
          [99, 5],
          [97, 2],
        ],
        [
          [100, 3],
          [98, 4],
          [97, 2],
        ],
      ),
    ).toMatchObject({
      isMatch: false,
      matched: 1,
      wrong: 1,
      ghosts: 1,
      missing: 1,
      differences: [
        { side: 'bid', tick: 100, ours: 1, theirs: 3 },
        { side: 'bid', tick: 99, ours: 5, theirs: 0 },
        { side: 'bid', tick: 98, ours: 0, theirs: 4 },
      ],
    });
    expect(
      asks(
        [
          [100, 1],
          [102, 5],
        ],
        [
          [101, 1],
          [102, 5],
        ],
      ),
    ).toMatchObject({ matched: 1, wrong: 0, ghosts: 1, missing: 1 });
  });

  it('an empty side against a full one', () => {
    expect(bids([], [[100, 1]])).toMatchObject({ isMatch: false, missing: 1 });
    expect(asks([[100, 1]], [])).toMatchObject({ isMatch: false, ghosts: 1 });
    expect(asks([], [])).toMatchObject({ isMatch: true, matched: 0 });
  });

  it('reports the first five differences', () => {
    const ours = Array.from({ length: 9 }, (_, i) => [100 - i, 1] as const);
    const found = bids(ours, []);
    expect(found.ghosts).toBe(9);
    expect(found.differences.map(({ tick }) => tick)).toEqual([100, 99, 98, 97, 96]);
  });
});

describe('what is not', () => {
  it('beyond the reach of the snapshot nothing is judged', () => {
    const found = bids(
      [
        [100, 1],
        [90, 7],
      ],
      [[100, 1]],
      95,
    );
    expect(found).toMatchObject({ isMatch: true, matched: 1, ghosts: 0, bids: [] });
    const behind = asks(
      [[100, 1]],
      [
        [100, 1],
        [120, 7],
      ],
      110,
    );
    expect(behind).toMatchObject({ isMatch: true, matched: 1, missing: 0, asks: [] });
  });

  it('beyond what was proven before a difference is corrected, not a mismatch', () => {
    const found = asks(
      [
        [100, 1],
        [110, 2],
        [111, 3],
        [113, 9],
      ],
      [
        [100, 1],
        [110, 4],
        [112, 5],
        [113, 9],
      ],
      120,
      105,
    );
    expect(found).toMatchObject({ isMatch: true, matched: 2, corrected: 3, dropped: 0 });
    expect(found.asks).toEqual([
      [110, 4],
      [111, 0],
      [112, 5],
    ]);
  });

  it('keeps a bounded number of levels beyond the reach, the nearest', () => {
    const ours = Array.from({ length: BEYOND_REACH_MAX + 4 }, (_, i) => [10_000 - i, 1] as const);
    const found = bids(ours, [[10_000, 1]], 10_000);
    expect(found).toMatchObject({ isMatch: true, matched: 1, corrected: 0, dropped: 3 });
    expect(found.bids.map(([tick, lots]) => [tick - 10_000 + BEYOND_REACH_MAX, lots])).toEqual([
      [-1, 0],
      [-2, 0],
      [-3, 0],
    ]);
  });
});
