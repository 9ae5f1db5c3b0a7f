import { expect } from 'vitest';
import { startSimulator } from '../../src/simulator/simulator.js';
import { type BookAnswer, fetchBook } from '../support/book-answer.js';
import { it } from '../support/cleanup.js';
import { getStatus, startEngine } from '../support/engine.js';
import { PushClient } from '../support/push-client.js';
import type { PushFollower } from '../support/push-follower.js';
import { until } from '../support/until.js';

const SYMBOLS = 50;
const SEED = 5;

/** What a follower made of its messages is what REST gives, level by level and letter by letter. */
function expectSameBook(follower: PushFollower, book: BookAnswer): void {
  const { symbol, depth } = follower;
  const [ours, theirs] = [
    { bids: follower.bids(), asks: follower.asks() },
    { bids: book.bids, asks: book.asks },
  ];
  // A text first: one deep comparison of everything would be most of the run.
  if (JSON.stringify(ours) !== JSON.stringify(theirs))
    expect({ symbol, depth, seq: book.seq, ...ours }).toEqual({ symbol, depth, seq: book.seq, ...theirs });
}

/** Asks REST until the answer stands at a `seq` the follower passes, and compares. */
async function expectAgreement(url: string, follower: PushFollower): Promise<void> {
  await until(
    async () => {
      const book = await fetchBook(url, follower.symbol, follower.depth);
      if (book === undefined) return false;
      await until(() => follower.seq >= book.seq, { what: `${follower.symbol} at seq ${book.seq}` });
      if (!follower.live || follower.seq !== book.seq || follower.epoch !== book.epoch) return false;
      expectSameBook(follower, book);
      return true;
    },
    { what: `REST and ${follower.symbol} (depth ${follower.depth}) at one seq` },
  );
}

it(`${SYMBOLS} symbols, top 20 and full, each change and every 100 ms: what follows prev, seq and epoch holds the book that REST gives`, {
  timeout: 60_000,
}, async ({ opened }) => {
  const sim = opened(await startSimulator({ symbols: SYMBOLS, rate: 8, seed: SEED }));
  const { symbols } = sim;
  const engine = opened(await startEngine(sim));
  const { url } = engine;
  const shallow = opened(await PushClient.connect(engine.wsUrl));
  const deep = opened(await PushClient.connect(engine.wsUrl));
  // Before the books are live: the first message is a state or a snapshot, whichever comes first.
  const followers = [
    ...(await shallow.follow(symbols, 20, 0)),
    ...(await shallow.follow(symbols, 20, 100)),
    ...(await deep.follow(symbols, 'full', 0)),
    ...(await deep.follow(symbols, 'full', 100)),
  ];
  expect(followers.length).toBe(4 * SYMBOLS);
  await until(() => followers.every(({ live }) => live), { what: 'all books live' });
  for (const follower of followers) await expectAgreement(url, follower);

  // Some books lose their place in the stream and come back with a new epoch.
  const resynced = symbols.filter((_, rank) => rank % 10 === 3);
  for (const symbol of resynced) sim.injectFault({ action: 'skip', symbol });
  const epochOf = new Map(followers.map((follower) => [follower, follower.epoch]));
  const expectedEpoch = (follower: PushFollower): number => epochOf.get(follower)! + (resynced.includes(follower.symbol) ? 1 : 0);
  await until(() => followers.every((follower) => follower.live && follower.epoch === expectedEpoch(follower)), { what: 'the new epochs' });
  const newcomer = opened(await PushClient.connect(engine.wsUrl));
  followers.push(...(await newcomer.follow(symbols, 20, 100)));
  for (const follower of followers) await expectAgreement(url, follower);
  await until(() => followers.every(({ deltas }) => deltas >= 10), { what: 'ten deltas each' });

  // The market is held still: everybody comes to rest at one seq, in one turn of the comparison.
  sim.injectFault({ action: 'stall', symbol: '*', forMs: 20_000 });
  for (const symbol of symbols) {
    const own = followers.filter((follower) => follower.symbol === symbol);
    const books = await until(
      async () => {
        const [top, full] = [await fetchBook(url, symbol, 20), await fetchBook(url, symbol, 'full')];
        if (top === undefined || full === undefined) return false;
        const atRest = own.every(
          (follower) => follower.seq === top.seq && follower.epoch === top.epoch && follower.version === top.version,
        );
        return atRest && top.seq === full.seq && { top, full };
      },
      { what: `everybody who follows ${symbol} at one seq` },
    );
    for (const follower of own) expectSameBook(follower, follower.depth === 20 ? books.top : books.full);
  }

  expect(followers.flatMap(({ faults }) => faults)).toEqual([]);
  expect([...shallow.told, ...deep.told, ...newcomer.told]).toEqual([]);
  const { counters, books } = await getStatus(url);
  expect(books).toMatchObject({ live: SYMBOLS });
  expect(counters).toMatchObject({ gaps: resynced.length, resyncs: SYMBOLS + resynced.length, crossedBooks: 0, framesRefused: 0 });
});
