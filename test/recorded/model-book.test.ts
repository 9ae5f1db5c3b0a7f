import { describe, expect, test } from 'vitest';

import { decodePush } from '../../src/mexc/decode-push.js';
import type { AggreDepths } from '../../src/mexc/messages.js';
import { BookFollower } from '../support/follow-book.js';
import { readHex, readScenario } from '../support/golden.js';
import { shortest } from '../support/model-book.js';
import {
  readExpected,
  readFrames,
  reencodedSessions,
  type Checkpoint,
  type DepthAnswer,
  type ReencodedSession,
} from '../support/recorded.js';
import { sharedDir } from '../support/shared.js';

interface Followed extends BookFollower {
  checkpoints: Checkpoint[];
  /** Best levels by version, both ways round: a book ticker may come before or after the depth push of its version. */
  bestByVersion: Map<number, string>;
  tickerByVersion: Map<number, string>;
}

function follow(symbols: readonly string[]): Map<string, Followed> {
  return new Map(
    symbols.map((symbol) => {
      const follower = Object.assign(new BookFollower(), {
        checkpoints: [] as Checkpoint[],
        bestByVersion: new Map<number, string>(),
        tickerByVersion: new Map<number, string>(),
      });
      follower.onApplied = (version) => {
        const best = [...follower.book.best('bid')!, ...follower.book.best('ask')!];
        follower.bestByVersion.set(version, best.join(' '));
        if (follower.applied % 100 === 0) follower.checkpoints.push([follower.applied, version, ...best] as unknown as Checkpoint);
      };
      return [symbol, follower];
    }),
  );
}

function play(session: ReencodedSession, books: ReadonlyMap<string, Followed>): void {
  for (const line of readFrames(session)) {
    if (line.k === 'rest') {
      books.get(new URL(line.path, 'http://rest').searchParams.get('symbol')!)!.snapshot(JSON.parse(line.raw) as DepthAnswer);
      continue;
    }
    const { symbol, body } = decodePush(Buffer.from(line.b64, 'base64'));
    const followed = books.get(symbol!)!;
    if (body.kind === 'aggreDepths') {
      followed.push(body);
    } else if (body.kind === 'aggreBookTicker') {
      const { bidPrice, bidQuantity, askPrice, askQuantity } = body;
      followed.tickerByVersion.set(Number(body.version), [bidPrice!, bidQuantity!, askPrice!, askQuantity!].map(shortest).join(' '));
    }
  }
}

describe.skipIf(!sharedDir)('the model book on recorded sessions (needs ../shared)', () => {
  test.each(reencodedSessions)('$name gives the expected books', { timeout: 60_000 }, (session) => {
    const expected = readExpected(session.expected);
    const books = follow(Object.keys(expected.symbols));
    play(session, books);

    let agree = 0;
    for (const [symbol, want] of Object.entries(expected.symbols)) {
      const followed = books.get(symbol)!;
      const { book } = followed;
      expect({ symbol, applied: followed.applied, version: followed.version, gaps: followed.gaps, crossed: followed.crossed }).toEqual({
        symbol,
        applied: want.applied,
        version: want.lastVersion,
        gaps: 0,
        crossed: want.crossedStates,
      });
      expect([book.levelCount('bid'), book.levelCount('ask')]).toEqual([want.final.bidLevels, want.final.askLevels]);
      expect([...book.best('bid')!, ...book.best('ask')!]).toEqual(want.final.best);
      expect(book.sha256()).toBe(want.final.fullBookSha256);
      expect(followed.checkpoints).toEqual(want.checkpoints);
      for (const [version, best] of followed.bestByVersion) {
        const ticker = followed.tickerByVersion.get(version);
        if (ticker === undefined) continue;
        agree++;
        if (ticker !== best) expect({ symbol, version, ticker }).toEqual({ symbol, version, ticker: best });
      }
    }
    expect(agree).toBe(session.tickersAtDepthVersions);
  });

  test('the golden sequence gives the expected book after every step', () => {
    const { snapshot, steps } = readScenario();
    const follower = new BookFollower();
    const decoded = steps.map(({ file }) => decodePush(readHex('mexc/frames/sequence', file)).body as AggreDepths);
    const outcome = { discard: 'dropped', apply: 'applied', resync: 'gap' } as const;
    follower.snapshot(snapshot);
    for (const [index, step] of steps.entries()) {
      expect(follower.push(decoded[index]!)).toBe(outcome[step.action]);
      if (step.bookAfter === null) continue;
      const { bids, asks } = step.bookAfter;
      expect(follower.version).toBe(Number(step.localVersionAfter));
      expect(follower.book.levels('bid')).toEqual(bids.map(([price, quantity]) => [String(price), shortest(quantity)]));
      expect(follower.book.levels('ask')).toEqual(asks.map(([price, quantity]) => [String(price), shortest(quantity)]));
    }
  });
});
