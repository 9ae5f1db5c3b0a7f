import { beforeEach, describe, expect, test } from 'vitest';

import { StateReason } from '../../../src/model/book-state.js';
import { Channel, Format, MessageKind, type PublicationSpec } from '../../../src/model/publication.js';
import type { TextLevel } from '../../support/model-book.js';
import { ShardBench } from '../../support/shard-bench.js';
import { Prng } from '../../../src/simulator/prng.js';

const JSON_ID = 1;
const PROTO_ID = 2;

interface ProtoLevel {
  readonly price: number;
  readonly quantity: number;
  readonly priceText: string;
  readonly quantityText: string;
}

interface ProtoUpdate {
  readonly symbol: string;
  readonly isSnapshot: boolean;
  readonly prev?: number;
  readonly firstUpdateId: number;
  readonly reason: string;
  readonly orderBook: Readonly<Record<string, number | string>> & { readonly bids: ProtoLevel[]; readonly asks: ProtoLevel[] };
}

let bench: ShardBench;
let version: number;

beforeEach(() => {
  bench = new ShardBench().live();
  version = 100;
});

function push(bids: readonly TextLevel[], asks: readonly TextLevel[] = []): void {
  bench.now++;
  bench.frame({ from: ++version, bids, asks, sendTime: 1_754_741_322_000 + version });
}

function spec(channel: Channel, depth: number, intervalMs: number, format: Format): PublicationSpec {
  return { channel, depth, intervalMs, format };
}

/** A protobuf update in the words of the JSON message about the same. */
function inJson({ symbol, isSnapshot, prev, firstUpdateId, reason, orderBook }: ProtoUpdate): Record<string, unknown> {
  const side = (levels: readonly ProtoLevel[]): string[][] => levels.map((level) => [level.priceText, level.quantityText]);
  const { epoch, seq, timestamp, receivedAt, publishedAt, state, lastUpdateId, verifiedBids, verifiedAsks } = orderBook;
  return {
    sym: symbol,
    type: isSnapshot ? 'snapshot' : 'delta',
    epoch,
    seq,
    prev: prev ?? null,
    xv: [isSnapshot ? lastUpdateId : firstUpdateId, lastUpdateId],
    te: timestamp === 0 ? null : timestamp,
    tr: receivedAt,
    tp: publishedAt,
    state: String(state).toLowerCase(),
    ...(reason === '' ? {} : { reason }),
    b: side(orderBook.bids),
    a: side(orderBook.asks),
    ...(isSnapshot ? { verifiedDepth: { bids: verifiedBids, asks: verifiedAsks } } : {}),
  };
}

describe.each([
  ['book, top 3, each change', Channel.BOOK, 3, 0],
  ['book, top 3, every 50 ms', Channel.BOOK, 3, 50],
  ['book, full, each change', Channel.BOOK, 0, 0],
  ['book, full, every 50 ms', Channel.BOOK, 0, 50],
  ['book_top, 3 levels', Channel.BOOK_TOP, 3, 0],
  ['book_top, full', Channel.BOOK_TOP, 0, 20],
] as const)('%s', (_name, channel, depth, intervalMs) => {
  test('says in protobuf what it says in JSON', () => {
    const random = new Prng(7, 'levels');
    bench.open(JSON_ID, spec(channel, depth, intervalMs, Format.JSON));
    bench.open(PROTO_ID, spec(channel, depth, intervalMs, Format.PROTOBUF_EXACT));
    for (let i = 0; i < 200; i++) {
      const level = (sign: number): TextLevel => [
        (100 + sign * (1 + Math.floor(random.next() * 8)) * 0.25).toFixed(2),
        random.next() < 0.4 ? '0' : (random.next() * 5).toFixed(3),
      ];
      push([level(-1)], [level(1)]);
      bench.tick();
      if (i === 120) {
        for (const id of [JSON_ID, PROTO_ID]) bench.requestSnapshot(id, 5, 'slow');
      }
    }
    const json = bench.take(JSON_ID);
    const proto = bench.take(PROTO_ID);
    expect(json.length).toBeGreaterThan(20);
    expect(proto.map(({ kind, token }) => [kind, token])).toEqual(json.map(({ kind, token }) => [kind, token]));
    expect(proto.map(({ body }) => inJson(body as unknown as ProtoUpdate))).toEqual(
      json.map(({ body: { ch: _ch, depth: _depth, interval: _interval, ...body } }) => body),
    );
    for (const { body } of proto) {
      const { bids, asks } = (body as unknown as ProtoUpdate).orderBook;
      for (const { price, priceText, quantity, quantityText } of [...bids, ...asks])
        expect([price, quantity]).toEqual([Number(priceText), Number(quantityText)]);
    }
  });
});

test('without `exact` there is no text', () => {
  bench.open(PROTO_ID, spec(Channel.BOOK_TOP, 5, 0, Format.PROTOBUF));
  expect((bench.take(PROTO_ID)[0]!.body as unknown as ProtoUpdate).orderBook.bids).toEqual([
    { price: 99.5, quantity: 1, priceText: '', quantityText: '' },
  ]);
});

test('a state stands alone', () => {
  bench.open(PROTO_ID, spec(Channel.BOOK, 5, 0, Format.PROTOBUF));
  bench.take(PROTO_ID);
  bench.lineDown(StateReason.LINE_DOWN);
  const [{ kind, body } = { kind: -1, body: {} }] = bench.take(PROTO_ID);
  expect(kind).toBe(MessageKind.STATE);
  expect(body).toMatchObject({
    symbol: 'BTCUSDT',
    orderBook: null,
    status: { state: 'STALE', reason: 'line_down', epoch: 1, seq: 1, lastUpdateId: 100, since: 1_000_000, publishedAt: 1_000_000 },
  });
});

test('the largest book there can be fits one message, texts included', { timeout: 20_000 }, () => {
  const levels = 65_536;
  bench = new ShardBench({ inboundBytes: 2 ** 24, outboundBytes: 2 ** 24, booksBytes: 2 ** 25 }).track().lineUp();
  const side = (from: number, step: number): TextLevel[] =>
    Array.from({ length: levels }, (_, i) => [(from + step * i).toFixed(2), '1234567890123.125']);
  bench.snapshot({ lastUpdateId: 1, bids: side(89_999_999_999_990, -1), asks: side(90_000_000_000_000, 1) });
  bench.open(PROTO_ID, spec(Channel.BOOK, 0, 0, Format.PROTOBUF_EXACT));
  const { orderBook } = bench.take(PROTO_ID)[0]!.body as unknown as ProtoUpdate;
  expect([orderBook.bids.length, orderBook.asks.length]).toEqual([levels, levels]);
});
