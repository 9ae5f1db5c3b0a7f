import { beforeEach, describe, expect, test } from 'vitest';

import { METER_OUTBOUND_STALLS } from '../../../src/memory/shard-meter.js';
import { StateReason } from '../../../src/model/book-state.js';
import { Channel, Format, MessageKind, type PublicationSpec } from '../../../src/model/publication.js';
import { SNAPSHOTS_WAITING_MAX } from '../../../src/shard/publications.js';
import type { TextLevel } from '../../support/model-book.js';
import { idOf, ShardBench } from '../../support/shard-bench.js';

const FULL: PublicationSpec = { channel: Channel.BOOK, depth: 0, intervalMs: 100, format: Format.JSON };
/** Far more books than the ring has room for. */
const PUBLICATIONS = 300;

let bench: ShardBench;

beforeEach(() => {
  const bids = Array.from({ length: 100 }, (_, i): TextLevel => [(99 - i / 100).toFixed(2), '1']);
  bench = new ShardBench({ outboundBytes: 2 ** 16 }).live({ lastUpdateId: 100, bids, asks: [['100.5', '2']] });
});

/** Messages that were encoded in vain. */
function stalls(): number {
  return new Float64Array(bench.buffers.meters)[METER_OUTBOUND_STALLS]!;
}

function openMany(): void {
  for (let id = 1; id <= PUBLICATIONS; id++) bench.open(id, FULL);
}

/** What each publication was sent first. */
function reasons(): Set<unknown> {
  return new Set(Array.from({ length: PUBLICATIONS }, (_, i) => bench.messages.find(({ id }) => id === i + 1)?.body['reason']));
}

test('a publication that is closed before its turn is not encoded', () => {
  for (let id = 1; id <= PUBLICATIONS; id++) {
    bench.ingress.open(idOf(1), id, FULL);
    bench.ingress.close(idOf(1), id);
  }
  bench.ingress.open(idOf(1), PUBLICATIONS + 1, FULL);
  bench.work().tick();
  expect(bench.messages.map(({ id, kind }) => [id, kind])).toEqual([[PUBLICATIONS + 1, MessageKind.SNAPSHOT]]);
});

test('a publication whose book goes out of service before its turn says so once', () => {
  bench.ingress.open(idOf(1), 1, FULL);
  bench.lineDown(StateReason.LINE_DOWN).tick();
  expect(bench.messages.map(({ kind }) => kind)).toEqual([MessageKind.STATE]);
});

test('a status that is asked for while the book is given more decimals is said all the same', () => {
  bench.ingress.open(idOf(1), 1, { ...FULL, channel: Channel.STATUS });
  bench.frame({ from: 101, bids: [['98.123', '1']] }).tick();
  expect(bench.messages.map(({ id, kind, body }) => [id, kind, body['state']])).toEqual([[1, MessageKind.STATE, 'live']]);
});

test('that a book was not live is said also when its snapshot comes before the next turn', () => {
  bench.lineDown(StateReason.LINE_DOWN).lineUp();
  bench.messages.length = 0;
  bench.ingress.open(idOf(1), 1, { ...FULL, channel: Channel.STATUS });
  bench.snapshot({ lastUpdateId: 200, bids: [['99', '1']] }).tick();
  expect(bench.messages.map(({ body }) => body['state'])).toEqual(['syncing', 'live']);
});

describe('when the outbound ring fills', () => {
  beforeEach(() => {
    bench.draining = false;
  });

  test('first messages wait for room, each is encoded once, and all come', () => {
    openMany();
    for (let i = 0; i < 10; i++) bench.tick();
    expect(stalls()).toBe(0);
    bench.draining = true;
    for (let i = 0; i < PUBLICATIONS; i++) bench.tick();
    expect([stalls(), reasons()]).toEqual([0, new Set(['subscribe'])]);
  });

  test('what found no room is not encoded at every tick, and comes in the end', () => {
    bench.draining = true;
    openMany();
    for (let i = 0; i < PUBLICATIONS; i++) bench.tick();
    bench.messages.length = 0;
    bench.draining = false;
    for (let version = 101; version < 105; version++) {
      bench
        .lineDown(StateReason.LINE_DOWN)
        .lineUp()
        .snapshot({ lastUpdateId: version, bids: [['99', '1']] });
    }
    const before = stalls();
    for (let i = 0; i < 20; i++) bench.tick(100);
    expect(stalls() - before).toBeLessThanOrEqual(20);
    bench.draining = true;
    for (let i = 0; i < PUBLICATIONS; i++) bench.tick(100);
    expect(new Set(bench.messages.filter(({ body }) => body['epoch'] === 5).map(({ id }) => id)).size).toBe(PUBLICATIONS);
  });

  test('requests wait for room without being tried in vain, so many of them', () => {
    bench.draining = true;
    bench.open(1, { ...FULL, depth: 1 });
    bench.draining = false;
    const asked = SNAPSHOTS_WAITING_MAX + 1000;
    for (let token = 1; token <= asked; token++) bench.requestSnapshot(1, token);
    const before = stalls();
    for (let i = 0; i < 20; i++) bench.tick();
    expect(stalls() - before).toBeLessThanOrEqual(20);
    bench.draining = true;
    bench.messages.length = 0;
    for (let count = -1; count < bench.messages.length; bench.tick()) count = bench.messages.length;
    const tokens = bench.messages.filter(({ kind }) => kind === MessageKind.SNAPSHOT_FOR).map(({ token }) => token);
    expect(tokens).toEqual(Array.from(tokens, (_, i) => i + 1));
    // Some found room in the ring at once, those beyond what may wait are the fan-out's to repeat.
    expect([tokens.length >= SNAPSHOTS_WAITING_MAX, tokens.length < asked]).toEqual([true, true]);
  });
});
