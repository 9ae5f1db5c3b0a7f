import fc from 'fast-check';
import { expect, test } from 'vitest';
import { depthFrame } from '../support/depth-frame.js';
import type { TextLevel } from '../support/model-book.js';
import { ShardBench } from '../support/shard-bench.js';

/** A push covers up to three versions and comes whole, broken or not at all; a snapshot is so many versions old. */
type Step =
  | { readonly kind: 'push'; readonly fate: 'whole' | 'broken' | 'lost'; readonly versions: number }
  | { readonly kind: 'snapshot'; readonly age: number };

const START = 100;
/** As many old snapshots in a row are taken for a new count of the exchange. */
const OLD_SNAPSHOTS_MAX = 5;
const LEVELS = 7;
const BROKEN_AT = 60;

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('push' as const),
      fate: fc.constantFrom('whole' as const, 'whole' as const, 'broken' as const, 'lost' as const),
      versions: fc.integer({ min: 1, max: 3 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('snapshot' as const), age: fc.nat({ max: 11 }) }) },
);

/** Version `v` sets the level `10 + v mod 7` to the quantity `v`: a book tells its version. */
function levels(from: number, to: number): TextLevel[] {
  const bids = new Map<number, number>();
  for (let version = from; version <= to; version++) bids.set(10 + (version % LEVELS), version);
  return [...bids].map(([price, quantity]) => [String(price), String(quantity)]);
}

test('a live book is that of its version, and never behind a push that came whole', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 14 }), (steps) => {
      const bench = new ShardBench({ inboundBytes: 2 ** 16, booksBytes: 2 ** 17 }).track().lineUp();
      bench.snapshot({ lastUpdateId: START, bids: levels(START - LEVELS, START) });
      let version = START;
      let arrived = START;
      let old = 0;
      for (const one of steps) {
        if (one.kind === 'push') {
          const from = version + 1;
          version += one.versions;
          const frame = depthFrame({ from, to: version, bids: levels(from, version) });
          if (one.fate === 'broken') bench.frame(frame.subarray(0, BROKEN_AT));
          else if (one.fate === 'whole') {
            bench.frame(frame);
            arrived = version;
          }
        } else if (bench.state() !== 'live synced') {
          if (++old > OLD_SNAPSHOTS_MAX) return;
          bench.snapshot({ lastUpdateId: version - one.age, bids: levels(version - one.age - LEVELS, version - one.age) });
        }
        if (bench.state() !== 'live synced') continue;
        old = 0;
        const held = bench.book().version;
        expect(held).toBeGreaterThanOrEqual(arrived);
        expect(new Map(bench.levels('bid'))).toEqual(new Map(levels(held - LEVELS + 1, held)));
      }
    }),
    { numRuns: 1_000 },
  );
});
