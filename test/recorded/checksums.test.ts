import { describe, expect, test } from 'vitest';

import { bitgetFeed, krakenFeed, okxFeed, type ChecksumFeed, type ChecksumUpdate } from '../support/checksum-feeds.js';
import { LadderTestBook } from '../support/ladder-test-book.js';
import { readExpected, readSession } from '../support/recorded.js';
import { sharedDir } from '../support/shared.js';

/** The exchanges' own checksums judge the ladder: nothing of ours computed them. */
const sessions: readonly [session: string, feed: ChecksumFeed, checksums: number][] = [
  ['kraken-cryptofeed/kraken_20210405_10pairs', krakenFeed, 14_496],
  ['okx-cryptofeed/okx_20220227_10instruments', okxFeed, 3_679],
  ['okx-cryptofeed/okex_20210722_10instruments', okxFeed, 1_504],
  ['bitget-cryptofeed/bitget_20220403_10symbols', bitgetFeed, 460],
];

/** The book's scales as an instrument listing would give them; a feed that trims its numbers starts at 0 and is rescaled as it goes. */
function openBook(feed: ChecksumFeed, { bids, asks }: ChecksumUpdate): LadderTestBook {
  const levels = [...bids, ...asks];
  const decimals = (column: 0 | 1): number => Math.max(...levels.map((level) => level[column].split('.')[1]?.length ?? 0));
  return feed.padded ? new LadderTestBook(decimals(0), decimals(1)) : new LadderTestBook(0, 0);
}

describe.skipIf(!sharedDir)('checksums through the ladder (need ../shared)', () => {
  let total = 0;

  test.each(sessions)('%s', { timeout: 120_000 }, (session, feed, checksums) => {
    const expected = readExpected(session);
    const books = new Map<string, LadderTestBook>();
    const right = new Map<string, number>();
    for (const line of readSession(session)) {
      const update = feed.parse(line);
      if (update === undefined) continue;
      const { symbol, snapshot, bids, asks, checksum } = update;
      let book = books.get(symbol);
      if (book === undefined) books.set(symbol, (book = openBook(feed, update)));
      if (snapshot) book.replace(bids, asks);
      else book.apply(bids, asks);
      book.trim(feed.depth);
      if (checksum === undefined) continue;
      const ours = feed.checksum(book.levels('bid', feed.checksumDepth), book.levels('ask', feed.checksumDepth));
      // A plain comparison: one assertion object per update would be most of the run.
      if (ours !== checksum) expect.fail(`${symbol} at ${line.t}: checksum ${ours} instead of ${checksum}`);
      right.set(symbol, (right.get(symbol) ?? 0) + 1);
      total++;
    }

    expect([...right.values()].reduce((sum, count) => sum + count, 0)).toBe(checksums);
    for (const [symbol, want] of Object.entries(expected.symbols)) {
      const book = books.get(symbol)!;
      expect({
        symbol,
        right: right.get(symbol),
        bids: book.levelCount('bid'),
        asks: book.levelCount('ask'),
        sha256: book.sha256(),
      }).toEqual({
        symbol,
        right: want.checksumOk,
        bids: want.final.bidLevels,
        asks: want.final.askLevels,
        sha256: want.final.fullBookSha256,
      });
      expect(book.crossed).toBe(0);
    }
    expect([...books.values()].some((book) => book.rescales > 0)).toBe(!feed.padded);
  });

  test('20,139 in all', () => expect(total).toBe(20_139));
});
