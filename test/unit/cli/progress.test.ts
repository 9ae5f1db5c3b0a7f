import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LiveBlock } from '../../../src/cli/live-block.js';
import { progressLine, ProgressWatch, readProgress } from '../../../src/cli/progress.js';
import { BookState } from '../../../src/model/book-state.js';
import { fakeBook, fakeMarket } from '../../support/fake-market.js';

function market(live: number, asked: number, ratePerSecond = 8, pausedUntil: number | null = null) {
  const books = Array.from({ length: asked }, (_, index) =>
    fakeBook(`S${index}`, { state: index < live ? BookState.LIVE : BookState.SYNCING }),
  );
  return { books, market: fakeMarket(books, ratePerSecond, pausedUntil) };
}

/** What a logger wrote, as objects. */
function logTo(lines: Record<string, unknown>[]) {
  return pino({ base: null, timestamp: false }, { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) });
}

describe('readProgress', () => {
  it('counts the time left at the snapshot budget', () => {
    expect(readProgress(market(10, 50).market.status(), 0)).toEqual({ live: 10, asked: 50, secondsLeft: 5, paused: false });
    expect(readProgress(market(49, 50).market.status(), 0).secondsLeft).toBe(1);
    expect(readProgress(market(50, 50).market.status(), 0).secondsLeft).toBe(0);
  });

  it('adds a pause the exchange asked for', () => {
    expect(readProgress(market(42, 50, 8, 12_000).market.status(), 10_000)).toMatchObject({ secondsLeft: 3, paused: true });
    expect(readProgress(market(42, 50, 8, 12_000).market.status(), 12_000)).toMatchObject({ secondsLeft: 1, paused: false });
  });
});

it('progressLine shows a bar', () => {
  expect(progressLine({ live: 12, asked: 48, secondsLeft: 5, paused: false })).toBe(
    '[######..................] 12 of 48 books live, 5 s left',
  );
  expect(progressLine({ live: 0, asked: 0, secondsLeft: 0, paused: true })).toContain('(paused by the exchange)');
});

describe('ProgressWatch', () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: 0 });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('logs at most one line in 5 s, and one when all are live', async () => {
    const { books, market: fake } = market(0, 20);
    const lines: Record<string, unknown>[] = [];
    const watch = new ProgressWatch({ market: fake, logger: logTo(lines), block: undefined });
    for (const book of books) {
      await vi.advanceTimersByTimeAsync(1_000);
      book.state = BookState.LIVE;
    }
    await vi.advanceTimersByTimeAsync(60_000);
    expect(lines.map(({ live, books: all, tookMs, msg }) => ({ live, all, tookMs, msg }))).toEqual([
      { live: 4, msg: 'books going live' },
      { live: 9, msg: 'books going live' },
      { live: 14, msg: 'books going live' },
      { live: 19, msg: 'books going live' },
      { all: 20, tookMs: 20_250, msg: 'all books live' },
    ]);
    expect(vi.getTimerCount()).toBe(0);
    watch.stop();
  });

  it('says once a minute that nothing moves', async () => {
    const lines: Record<string, unknown>[] = [];
    const watch = new ProgressWatch({ market: market(1, 2).market, logger: logTo(lines), block: undefined });
    await vi.advanceTimersByTimeAsync(185_000);
    expect(lines.map((line) => line['live'])).toEqual([1, 1, 1, 1]);
    watch.stop();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('draws a line on a terminal and takes it away at the end', async () => {
    let written = '';
    const block = new LiveBlock({ write: (text) => (written += text), columns: 100, rows: 10 });
    const { books, market: fake } = market(0, 1);
    const lines: Record<string, unknown>[] = [];
    const watch = new ProgressWatch({ market: fake, logger: logTo(lines), block });
    await vi.advanceTimersByTimeAsync(250);
    expect(written).toContain('0 of 1 books live, 1 s left');
    expect(lines).toEqual([]);
    books[0]!.state = BookState.LIVE;
    await vi.advanceTimersByTimeAsync(250);
    expect(written.endsWith('\x1b[1A\x1b[J')).toBe(true);
    expect(lines).toHaveLength(1);
    watch.stop();
  });
});
