import { beforeEach, describe, expect, test } from 'vitest';

import { LEVELS_MAX } from '../../../src/book/ladder-layout.js';
import { DepthDecode } from '../../../src/mexc/decode-depth.js';
import { StateReason } from '../../../src/model/book-state.js';
import { Channel, Format, MessageKind, type PublicationSpec } from '../../../src/model/publication.js';
import type { TextLevel } from '../../support/model-book.js';
import { bytesField } from '../../support/push-frame.js';
import { type BookMessage, PushFollower } from '../../support/push-follower.js';
import { type BenchMessage, ShardBench, type ShardBenchOptions } from '../../support/shard-bench.js';

const ID = 7;
const { SNAPSHOT, DELTA, SNAPSHOT_FOR, STATE, STATE_FOR } = MessageKind;

function book(depth: number, intervalMs: number): PublicationSpec {
  return { channel: Channel.BOOK, depth, intervalMs, format: Format.JSON };
}

let bench: ShardBench;
let version: number;

function start(options?: ShardBenchOptions): void {
  bench = new ShardBench(options).live();
  version = 100;
}

beforeEach(() => start());

/** The next push of the exchange, a millisecond later. */
function push(bids: readonly TextLevel[], asks: readonly TextLevel[] = []): void {
  bench.now++;
  bench.frame({ from: ++version, bids, asks, sendTime: 1_754_741_322_000 + version });
}

function kinds(): MessageKind[] {
  return bench.messages.map(({ kind }) => kind);
}

/** The bodies of the messages so far, which are then forgotten. */
function bodies(): BenchMessage['body'][] {
  return bench.take(ID).map(({ body }) => body);
}

describe('a book channel', () => {
  test('begins with a whole book, in the envelope every answer has', () => {
    bench.open(ID, book(5, 0));
    expect(kinds()).toEqual([SNAPSHOT]);
    expect(bodies()).toEqual([
      {
        ch: 'book',
        sym: 'BTCUSDT',
        depth: 5,
        interval: 0,
        type: 'snapshot',
        epoch: 1,
        seq: 1,
        prev: null,
        xv: [100, 100],
        te: null,
        tr: 1_000_000,
        tp: 1_000_000,
        state: 'live',
        reason: 'subscribe',
        b: [['99.50', '1.000']],
        a: [['100.50', '2.000']],
        verifiedDepth: { bids: 1, asks: 1 },
      },
    ]);
  });

  test('says of whole books, and of nothing else, how far they are proven', () => {
    const bids = Array.from({ length: 1000 }, (_, i): TextLevel => [(99.9 - i / 100).toFixed(2), '1']);
    bench = new ShardBench().live({ lastUpdateId: 100, bids, asks: [['100.5', '2']] });
    // The snapshot's bids are cut, its asks are not.
    push([['50', '1']], [['200', '1']]);
    bench.open(ID, book(0, 0));
    bench.open(ID + 1, { ...book(5, 0), channel: Channel.BOOK_TOP });
    push([['99.9', '2']]);
    expect(bodies().map((body) => [body['type'], body['verifiedDepth']])).toEqual([
      ['snapshot', { bids: 1000, asks: 2 }],
      ['delta', undefined],
    ]);
    const proven = { bids: 5, asks: 2 };
    expect(bench.take(ID + 1).map(({ body }) => body['verifiedDepth'])).toEqual([proven, proven]);
  });

  test('then sends what each push changed', () => {
    bench.open(ID, book(0, 0));
    bodies();
    push(
      [
        ['99', '5'],
        ['98', '0'],
      ],
      [['100.5', '0']],
    );
    expect(kinds()).toEqual([DELTA]);
    expect(bodies()).toEqual([
      {
        ch: 'book',
        sym: 'BTCUSDT',
        depth: 'full',
        interval: 0,
        type: 'delta',
        epoch: 1,
        seq: 2,
        prev: 1,
        xv: [101, 101],
        te: 1_754_741_322_101,
        tr: 1_000_001,
        tp: 1_000_001,
        state: 'live',
        b: [
          ['99.00', '5.000'],
          ['98.00', '0'],
        ],
        a: [['100.50', '0']],
      },
    ]);
  });

  test('of a few levels sends removals and what moved up into the window, never what lies below', () => {
    for (const price of ['99', '98', '97', '96', '95']) push([[price, '1']]);
    bench.open(ID, book(3, 0));
    expect(bodies()[0]).toMatchObject({
      b: [
        ['99.50', '1.000'],
        ['99.00', '1.000'],
        ['98.00', '1.000'],
      ],
    });
    push([['99', '0']]);
    push([['96', '7']]);
    push([
      ['99.25', '2'],
      ['97', '3'],
    ]);
    expect(bodies().map(({ b, prev, seq }) => [b, prev, seq])).toEqual([
      [
        [
          ['99.00', '0'],
          ['97.00', '1.000'],
        ],
        6,
        7,
      ],
      [[], 7, 8],
      [
        [
          ['99.25', '2.000'],
          ['97.00', '0'],
        ],
        8,
        9,
      ],
    ]);
  });

  test.each([5, 0])('at an interval sends one delta for all pushes since (depth %i)', (depth) => {
    bench.open(ID, book(depth, 100)).tick();
    expect(bodies()).toHaveLength(1);
    push([['99', '1']]);
    push([
      ['99', '2'],
      ['98', '1'],
    ]);
    push([['98', '0']]);
    expect(bodies()).toEqual([]);
    bench.tick(50);
    expect(bodies()).toEqual([]);
    bench.tick(50);
    const sent = bodies();
    expect(sent).toHaveLength(1);
    expect(sent[0]).toMatchObject({ type: 'delta', prev: 1, seq: 4, xv: [101, 103] });
    // A full book lists what was touched, the window what differs.
    expect(sent[0]!['b']).toEqual(
      depth === 0
        ? [
            ['98.00', '0'],
            ['99.00', '2.000'],
          ]
        : [['99.00', '2.000']],
    );
    bench.tick(100);
    expect(bodies()).toEqual([]);
    push([['99', '3']]);
    bench.tick(10);
    expect(bodies()[0]).toMatchObject({ prev: 4, seq: 5, b: [['99.00', '3.000']] });
  });

  test('a snapshot for one subscriber comes behind what the others have not seen yet', () => {
    bench.open(ID, book(0, 100)).tick();
    bodies();
    push([['99', '1']]);
    bench.requestSnapshot(ID, 1234, 'slow');
    expect(bench.messages.map(({ kind, token }) => [kind, token])).toEqual([
      [DELTA, 0],
      [SNAPSHOT_FOR, 1234],
    ]);
    expect(bodies()).toMatchObject([
      { prev: 1, seq: 2 },
      {
        seq: 2,
        prev: null,
        reason: 'slow',
        b: [
          ['99.50', '1.000'],
          ['99.00', '1.000'],
        ],
      },
    ]);
    push([['98', '1']]);
    bench.tick(200);
    expect(bodies()).toMatchObject([{ prev: 2, seq: 3, b: [['98.00', '1.000']] }]);
  });

  test('a book that is not live answers with its state, and with a whole book once it is', () => {
    bench.frame({ from: 500 });
    bench.open(ID, book(5, 0));
    bench.requestSnapshot(ID, 9);
    expect(bench.messages.map(({ kind, token }) => [kind, token])).toEqual([
      [STATE, 0],
      [STATE_FOR, 9],
    ]);
    expect(bodies()[0]).toEqual({
      ch: 'book',
      sym: 'BTCUSDT',
      depth: 5,
      interval: 0,
      type: 'state',
      state: 'syncing',
      reason: 'gap',
      epoch: 1,
      seq: 1,
      version: 100,
      since: 1_000_000,
      tp: 1_000_000,
    });
    bench.tick(500);
    expect(bodies()).toEqual([]);
    bench.snapshot({ lastUpdateId: 600, bids: [['1', '1']] });
    expect(bodies()).toMatchObject([{ type: 'snapshot', reason: 'resync', epoch: 2, b: [['1.00', '1.000']] }]);
  });

  test('every loss of trust is said at once', () => {
    bench.open(ID, book(5, 100)).tick();
    bodies();
    push([['99', '1']]);
    bench.lineDown(StateReason.LINE_DOWN).lineUp();
    expect(bodies()).toMatchObject([
      { type: 'state', state: 'stale', reason: 'line_down', seq: 2 },
      { type: 'state', state: 'syncing', reason: 'line_down' },
    ]);
  });

  test('more decimals: the whole book at the new scale, then the delta', () => {
    bench.open(ID, book(0, 0));
    bodies();
    push([['99.125', '1']]);
    expect(bodies()).toMatchObject([
      { type: 'snapshot', reason: 'rescale', epoch: 1, seq: 1, b: [['99.500', '1.000']] },
      { type: 'delta', prev: 1, seq: 2, b: [['99.125', '1.000']] },
    ]);
  });

  test('a closed publication is silent', () => {
    bench.open(ID, book(5, 0)).close(ID);
    bodies();
    push([['99', '1']]);
    bench.requestSnapshot(ID, 3).tick(5000);
    expect(bench.messages).toEqual([]);
  });

  test('symbols of any script come through', () => {
    bench.track('币安"人生\\USDT', 3);
    bench.open(ID, book(5, 0), 3);
    expect(bodies()[0]).toMatchObject({ sym: '币安"人生\\USDT' });
  });
});

describe('book_top', () => {
  test('sends the newest top when it differs, and only then', () => {
    bench.open(ID, { channel: Channel.BOOK_TOP, depth: 2, intervalMs: 0, format: Format.JSON });
    push([['99', '1']]);
    push([['98', '1']]);
    push([['99', '0']]);
    expect(kinds()).toEqual([SNAPSHOT, SNAPSHOT, SNAPSHOT]);
    const sent = bodies();
    expect(sent.map(({ b, seq }) => [b, seq])).toEqual([
      [[['99.50', '1.000']], 1],
      [
        [
          ['99.50', '1.000'],
          ['99.00', '1.000'],
        ],
        2,
      ],
      [
        [
          ['99.50', '1.000'],
          ['98.00', '1.000'],
        ],
        4,
      ],
    ]);
    expect(sent[0]).toMatchObject({ ch: 'book_top', depth: 2, type: 'snapshot', prev: null, state: 'live' });
    expect(sent[0]).not.toHaveProperty('reason');
  });

  test('at an interval the newest wins', () => {
    bench.open(ID, { channel: Channel.BOOK_TOP, depth: 1, intervalMs: 100, format: Format.JSON }).tick();
    bodies();
    push([['99.6', '1']]);
    push([['99.7', '1']]);
    bench.tick(100).tick(100);
    expect(bodies().map(({ b }) => b)).toEqual([[['99.70', '1.000']]]);
  });

  test.each([0, 100])('of the full book follows every level, at interval %i', (intervalMs) => {
    bench.open(ID, { channel: Channel.BOOK_TOP, depth: 0, intervalMs, format: Format.JSON }).tick();
    bodies();
    push([['3', '1']]);
    bench.tick(100);
    expect(bodies().map(({ b }) => b)).toEqual([
      [
        ['99.50', '1.000'],
        ['3.00', '1.000'],
      ],
    ]);
  });
});

describe('bbo', () => {
  const BBO: PublicationSpec = { channel: Channel.BBO, depth: 0, intervalMs: 0, format: Format.JSON };

  test('sends the quote when it changed', () => {
    bench.open(ID, BBO);
    push([['99', '1']]);
    push([['99.5', '2']]);
    push([], [['100.5', '0']]);
    const sent = bodies();
    expect(sent.map(({ b, a, seq }) => [b, a, seq])).toEqual([
      [['99.50', '1.000'], ['100.50', '2.000'], 1],
      [['99.50', '2.000'], ['100.50', '2.000'], 3],
      [['99.50', '2.000'], null, 4],
    ]);
    expect(sent[0]).toMatchObject({ ch: 'bbo', sym: 'BTCUSDT', interval: 0, type: 'snapshot', prev: null });
    expect(sent[0]).not.toHaveProperty('depth');
  });

  test('repeats an unchanged quote after three seconds, so that silence is never ambiguous', () => {
    start({ staleAfterMs: 60_000 });
    bench.open(ID, BBO);
    bench.tick(2990);
    expect(bodies()).toHaveLength(1);
    bench.tick(10);
    expect(bodies()).toMatchObject([{ seq: 1, b: ['99.50', '1.000'] }]);
    bench.tick(2990);
    expect(bodies()).toEqual([]);
    push([['99.5', '3']]);
    expect(bodies()).toHaveLength(1);
    bench.tick(2990);
    expect(bodies()).toEqual([]);
    bench.tick(10);
    expect(bodies()).toHaveLength(1);
  });

  test('at an interval the newest wins', () => {
    bench.open(ID, { ...BBO, intervalMs: 100 }).tick();
    bodies();
    push([['99.6', '1']]);
    push([['99.7', '1']]);
    push([['99.7', '0']]);
    bench.tick(100).tick(100);
    expect(bodies().map(({ b }) => b)).toEqual([['99.60', '1.000']]);
  });
});

describe('status', () => {
  test('says the state at once and at every change, and nothing else', () => {
    bench.open(ID, { channel: Channel.STATUS, depth: 0, intervalMs: 0, format: Format.JSON });
    push([['99', '1']]);
    bench.frame({ from: 500 });
    bench.snapshot({ lastUpdateId: 600 });
    bench.requestSnapshot(ID, 4);
    bench.tick(5000);
    expect(kinds()).toEqual([STATE, STATE, STATE, STATE_FOR, STATE]);
    const sent = bodies();
    expect(sent.map(({ state, reason, epoch }) => [state, reason, epoch])).toEqual([
      ['live', 'synced', 1],
      ['syncing', 'gap', 1],
      ['live', 'synced', 2],
      ['live', 'synced', 2],
      ['stale', 'silent', 2],
    ]);
    expect(sent[0]).toEqual({
      ch: 'status',
      sym: 'BTCUSDT',
      type: 'state',
      state: 'live',
      reason: 'synced',
      epoch: 1,
      seq: 1,
      version: 100,
      since: 1_000_000,
      tp: 1_000_000,
    });
  });
});

describe('when the outbound ring is full', () => {
  beforeEach(() => start({ outboundBytes: 4096 }));

  /** Pushes that are none of a book's business: each is reported with a record of 24 bytes. */
  const OTHER_BODIES = 50;

  /** Fills the ring: nothing is taken, and another publication sends until there is no room. */
  function fill(): void {
    bench.draining = false;
    bench.open(99, book(0, 0));
    for (let i = 0; i < 40; i++) push([['99.5', String(1 + i)]]);
    // The rest with the smallest records there are, until some have to wait.
    for (let i = 0; i < OTHER_BODIES; i++) bench.frame(bytesField(314, ''));
  }

  function drain(): void {
    bench.draining = true;
    bench.work();
  }

  test.each([book(5, 0), book(0, 0), book(5, 100), book(0, 100)])('%o: a whole book says slow, and deltas follow it', (spec) => {
    const follower = new PushFollower('BTCUSDT', spec.depth === 0 ? 'full' : spec.depth);
    bench.onMessage = ({ id, body }) => {
      if (id === ID) follower.take(body as unknown as BookMessage);
    };
    bench.open(ID, spec).tick(200);
    fill();
    bench.tick(200);
    push([['98', '1']]);
    bench.tick(200);
    drain();
    expect(follower.snapshots).toEqual(['subscribe']);
    bench.tick(200);
    push([['97', '1']]);
    bench.tick(200);
    expect([follower.snapshots, follower.faults, follower.live]).toEqual([['subscribe', 'slow'], [], true]);
    expect(follower.seq).toBe(bench.book().seq);
    expect(follower.bids()).toEqual([
      ['99.50', '40.000'],
      ['98.00', '1.000'],
      ['97.00', '1.000'],
    ]);
    expect(follower.deltas).toBeGreaterThan(0);
  });

  test('records for the feed wait for room, in order', () => {
    fill();
    bench.frame({ from: 500 });
    bench.snapshot({ lastUpdateId: 600, bids: [['5', '1']] });
    bench.frame(Buffer.from([0x0a]));
    expect([bench.resyncs, bench.refusals]).toEqual([[], []]);
    drain();
    expect(bench.resyncs).toEqual(['gap', 'bad_frame']);
    expect(bench.states).toEqual(['live synced', 'syncing gap', 'live synced', 'syncing bad_frame']);
    expect(bench.refusals).toEqual([...Array.from({ length: OTHER_BODIES }, () => DepthDecode.NOT_DEPTH), DepthDecode.TRUNCATED]);
  });

  test('a snapshot asked for by one subscriber waits for room', () => {
    bench.open(ID, book(5, 0));
    fill();
    bench.requestSnapshot(ID, 55);
    drain();
    bench.tick();
    expect(bench.take(ID).filter(({ token }) => token === 55)).toMatchObject([{ kind: SNAPSHOT_FOR, body: { seq: bench.book().seq } }]);
  });

  test('the first whole book is owed to everybody, also when one subscriber got his in between', () => {
    fill();
    bench.open(ID, book(5, 0));
    bench.requestSnapshot(ID, 55);
    drain();
    bench.tick();
    push([['99.6', '9']]);
    const sent = bench.take(ID);
    expect(sent.map(({ kind }) => kind)).toContain(SNAPSHOT);
    const firstDelta = sent.findIndex(({ kind }) => kind === DELTA);
    const firstSnapshot = sent.findIndex(({ kind }) => kind === SNAPSHOT);
    expect(firstSnapshot < firstDelta || firstDelta < 0).toBe(true);
  });

  test.each([
    ['book', book(5, 0)],
    ['book_top', { channel: Channel.BOOK_TOP, depth: 5, intervalMs: 0, format: Format.JSON }],
    ['bbo', { channel: Channel.BBO, depth: 0, intervalMs: 0, format: Format.JSON }],
    ['status', { channel: Channel.STATUS, depth: 0, intervalMs: 0, format: Format.JSON }],
  ])('a loss of trust is said as soon as there is room (%s)', (_, spec) => {
    bench.open(ID, spec);
    fill();
    bench.frame({ from: 500 });
    drain();
    bench.take(ID);
    bench.tick();
    expect(bodies()).toMatchObject([{ type: 'state', state: 'syncing', reason: 'gap' }]);
    bench.tick().tick();
    expect(bodies()).toEqual([]);
  });

  test('a status that found no room is said once it does, the newest one', () => {
    bench.open(ID, { channel: Channel.STATUS, depth: 0, intervalMs: 0, format: Format.JSON });
    fill();
    bench.frame({ from: 500 });
    bench.snapshot({ lastUpdateId: 600 });
    drain();
    bench.take(ID);
    bench.tick();
    expect(bodies()).toMatchObject([{ type: 'state', state: 'live', epoch: 2 }]);
  });
});

test('the largest book there can be fits one message', { timeout: 20_000 }, () => {
  bench = new ShardBench({ inboundBytes: 2 ** 24, outboundBytes: 2 ** 25, booksBytes: 2 ** 25 }).track().lineUp();
  const count = 65_536;
  const side = (from: number, step: number): TextLevel[] =>
    Array.from({ length: count }, (_, i) => [(from + step * i).toFixed(2), '1234567890123.125']);
  bench.snapshot({ lastUpdateId: 1, bids: side(99_999_999_999_990, -1), asks: side(100_000_000_000_000, 1) });
  expect([bench.state(), bench.book(1, -1).bidLevels, bench.book(1, -1).askLevels]).toEqual(['live synced', count, count]);
  bench.open(ID, book(0, 0));
  const [message] = bench.take(ID);
  expect([message!.kind, (message!.body['b'] as unknown[]).length, (message!.body['a'] as unknown[]).length]).toEqual([
    SNAPSHOT,
    count,
    count,
  ]);
});

describe.each([0, 100])('a full book that has to drop a level, at interval %i', (interval) => {
  test('is sent whole: no delta names what was dropped', () => {
    bench = new ShardBench({ inboundBytes: 2 ** 24, outboundBytes: 2 ** 24, booksBytes: 2 ** 26 }).track().lineUp();
    const bids = Array.from({ length: LEVELS_MAX }, (_, i): TextLevel => [((LEVELS_MAX - i) / 100).toFixed(2), '1']);
    version = 100;
    bench.snapshot({ lastUpdateId: version, bids, asks: [['2000', '1']] });
    bench.open(ID, book(0, interval));
    const follower = new PushFollower('BTCUSDT', 'full');
    const follow = (): string[] => {
      bench.tick(200);
      const messages = bodies() as unknown as BookMessage[];
      for (const message of messages) follower.take(message);
      return messages.map((message) => (message.type === 'snapshot' ? message.reason : message.type));
    };
    expect(follow()).toEqual(['subscribe']);
    push([['1999', '3']]);
    expect(follow()).toEqual(['evicted']);
    push([['1999', '4']]);
    expect(follow()).toEqual(['delta']);
    expect(follower.faults).toEqual([]);
    expect(follower.bids().length).toBe(LEVELS_MAX);
    expect(follower.bids().at(-1)).toEqual(['0.02', '1.000']);
  });
});
