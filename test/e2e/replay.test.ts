import { describe, expect } from 'vitest';
import { decodePush } from '../../src/mexc/decode-push.js';
import { type BookAnswer, fetchBook } from '../support/book-answer.js';
import { it, type Open } from '../support/cleanup.js';
import { getStatus, getSymbolStatus, startEngine } from '../support/engine.js';
import { engineOf, exchangeOf, MdpProcess } from '../support/mdp-process.js';
import { fullBookSha256, shortest } from '../support/model-book.js';
import { PushClient } from '../support/push-client.js';
import type { PushFollower } from '../support/push-follower.js';
import {
  type ExpectedSymbol,
  framesPath,
  readExpected,
  readFrames,
  type ReencodedSession,
  reencodedSessions,
} from '../support/recorded.js';
import { sharedDir } from '../support/shared.js';
import { startSnapshotGate } from '../support/snapshot-gate.js';
import { until } from '../support/until.js';

/** Best bid, its quantity, best ask, its quantity, as one text, by the exchange's version. */
type Quotes = Map<number, string>;

/** The session's own quotes, by symbol: they judge the books independently of the depth pushes. */
function readTickers(session: ReencodedSession): ReadonlyMap<string, Quotes> {
  const tickers = new Map<string, Quotes>();
  for (const line of readFrames(session)) {
    if (line.k !== 'ws') continue;
    const { symbol, body } = decodePush(Buffer.from(line.b64, 'base64'));
    if (body.kind !== 'aggreBookTicker') continue;
    const { bidPrice, bidQuantity, askPrice, askQuantity, version } = body;
    let quotes = tickers.get(symbol!);
    if (quotes === undefined) tickers.set(symbol!, (quotes = new Map()));
    quotes.set(Number(version), [bidPrice!, bidQuantity!, askPrice!, askQuantity!].map(shortest).join(' '));
  }
  return tickers;
}

/** Notes the best levels at every version a client is told of. */
function noteQuotes(follower: PushFollower): Quotes {
  const quotes: Quotes = new Map();
  follower.onChange = () => quotes.set(follower.version, [...follower.bids()[0]!, ...follower.asks()[0]!].map(shortest).join(' '));
  return quotes;
}

function startReplay(opened: Open, session: ReencodedSession): MdpProcess {
  return opened(new MdpProcess('sim', '--port', '0', '--replay', framesPath(session), '--speed', 'max', '--wait-for-client'));
}

/** The book at the last version of the session. */
async function finalBook(url: string, symbol: string, { lastVersion }: ExpectedSymbol): Promise<BookAnswer> {
  return until(
    async () => {
      const book = await fetchBook(url, symbol, 'full');
      return book?.version === lastVersion && book;
    },
    { what: `${symbol} at version ${lastVersion}` },
  );
}

/** Every book as the session's source had it, made of one snapshot and of each push once. */
async function checkBooks(session: ReencodedSession, url: string): Promise<void> {
  const expected = Object.entries(readExpected(session.expected).symbols);
  let dropped = 0;
  for (const [symbol, want] of expected) {
    const book = await finalBook(url, symbol, want);
    expect({ symbol, sha256: fullBookSha256(book.bids, book.asks) }).toEqual({ symbol, sha256: want.final.fullBookSha256 });
    expect([...book.bids[0]!, ...book.asks[0]!].map(shortest)).toEqual(want.final.best);
    const { epoch, seq, counters } = await getSymbolStatus(url, symbol);
    expect({ symbol, epoch, seq, ...counters }).toEqual({
      symbol,
      epoch: 1,
      seq: want.applied + 1,
      framesApplied: want.applied,
      framesDropped: want.discardedOld ?? expect.any(Number),
      gaps: 0,
      resyncs: 1,
      framesRefused: 0,
      inexactNumbers: 0,
      evictedLevels: 0,
    });
    dropped += counters.framesDropped;
  }
  const { counters, books } = await getStatus(url);
  expect(books).toMatchObject({ tracked: expected.length, live: expected.length });
  // What was dropped was older than its snapshot; nothing was dropped at a ring.
  expect(counters).toMatchObject({ gaps: 0, crossedBooks: 0, framesRefused: 0, framesDropped: dropped });
}

/** Every checkpoint was seen and agrees, and so does every quote of the session whose version a push brought. */
function checkQuotes(session: ReencodedSession, tickers: ReadonlyMap<string, Quotes>, quotes: ReadonlyMap<string, Quotes>): void {
  let compared = 0;
  for (const [symbol, want] of Object.entries(readExpected(session.expected).symbols)) {
    const seen = quotes.get(symbol)!;
    // The first message stands at the recorded snapshot, or at the one push recorded before it that reaches behind it.
    seen.delete(want.snapshotVersion);
    expect({ symbol, deltas: seen.size }).toEqual({ symbol, deltas: want.applied });
    const checkpoints = want.checkpoints.map(([, version, ...best]) => ({ symbol, version, best: best.join(' ') }));
    expect(checkpoints.map(({ version }) => ({ symbol, version, best: seen.get(version) }))).toEqual(checkpoints);
    expect(checkpoints.length).toBe(Math.floor(want.applied / 100));
    for (const [version, ticker] of tickers.get(symbol) ?? []) {
      const ours = seen.get(version);
      if (ours === undefined) continue;
      compared++;
      if (ours !== ticker) expect.fail(`${symbol} at version ${version}: best levels ${ours}, book ticker ${ticker}`);
    }
  }
  expect(compared).toBe(session.tickersAtDepthVersions);
}

describe.skipIf(!sharedDir)('recorded sessions, played by mdp sim at top speed (need ../shared)', () => {
  describe.each(reencodedSessions)('$name', (session) => {
    const symbols = Object.keys(readExpected(session.expected).symbols);
    let tickers: ReadonlyMap<string, Quotes> | undefined;

    it.for([1, 2, 4])('%d workers: every book, checkpoint and quote', { timeout: 60_000 }, async (workers, { opened }) => {
      tickers ??= readTickers(session);
      const sim = startReplay(opened, session);
      const exchange = await exchangeOf(sim);
      const gate = opened(await startSnapshotGate(exchange.restUrl, symbols));
      const engine = opened(await startEngine({ wsUrl: exchange.wsUrl, restUrl: gate.restUrl }, { workers }));
      const [quoteClient, fullClient] = [opened(await PushClient.connect(engine.wsUrl)), opened(await PushClient.connect(engine.wsUrl))];
      const quoted = await quoteClient.follow(symbols, 1, 0);
      const full = await fullClient.follow(symbols, 'full', 100);
      const quotes = new Map(quoted.map((follower) => [follower.symbol, noteQuotes(follower)]));

      gate.open();
      await until(() => quoted.every(({ live }) => live), { what: 'all books live' });
      await gate.release();
      await sim.text(/"playback ended"/);
      await checkBooks(session, engine.url);

      const expected = readExpected(session.expected).symbols;
      for (const follower of [...quoted, ...full]) {
        const want = expected[follower.symbol]!;
        await until(() => follower.version === want.lastVersion, {
          what: `the client's book of ${follower.symbol} at version ${want.lastVersion}`,
        });
      }
      for (const { symbol, ...follower } of full.map((follower) => ({
        symbol: follower.symbol,
        bids: follower.bids(),
        asks: follower.asks(),
      }))) {
        const sha256 = fullBookSha256(follower.bids, follower.asks);
        expect({ symbol, sha256 }).toEqual({ symbol, sha256: expected[symbol]!.final.fullBookSha256 });
      }
      checkQuotes(session, tickers, quotes);
      expect([...quoted, ...full].flatMap(({ faults }) => faults)).toEqual([]);
      // Nothing was asked for a second time.
      expect(gate.depthRequests).toBe(symbols.length);
    });
  });

  it.for([
    [reencodedSessions[0].name, reencodedSessions[0], 1],
    [reencodedSessions[2].name, reencodedSessions[2], 4],
  ] as const)('%s into mdp start, nothing between the two', { timeout: 60_000 }, async ([, session, workers], { opened }) => {
    const { wsUrl, restUrl } = await exchangeOf(startReplay(opened, session));
    const flags = ['--port', '0', '--symbols', 'all', '--workers', String(workers), '--ws-url', wsUrl, '--rest-url', restUrl];
    const { url } = await engineOf(opened(new MdpProcess('start', ...flags)));
    await checkBooks(session, url);
  });
});
