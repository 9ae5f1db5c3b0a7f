import { describe, expect, test } from 'vitest';
import { decodePush } from '../../../../bench/decode-and-book/push-schema.js';
import { FrameBlock } from '../../../../bench/support/frame-block.js';
import { FIRST_VERSION, SymbolStream, type TextLevel } from '../../../../bench/support/symbol-stream.js';

const shape = { symbols: 2, framesPerSymbol: 5, levelsPerFrame: 10, bookLevels: 50 };
const streams = [new SymbolStream(0, shape), new SymbolStream(1, shape)];

/** The pushes in some WebSocket frames with two-byte lengths. */
function pushes(bytes: Buffer) {
  const list = [];
  for (let at = 0; at < bytes.length; ) {
    expect([bytes[at], bytes[at + 1]]).toEqual([0x82, 126]);
    const end = at + 4 + bytes.readUInt16BE(at + 2);
    list.push(decodePush(bytes.subarray(at + 4, end)));
    at = end;
  }
  return list;
}

describe('a block', () => {
  test('sends its symbols in turn, again and again, each with versions that follow', () => {
    const block = new FrameBlock(streams);
    expect([block.length, block.countWithin(1), block.countWithin(1e9)]).toEqual([10, 1, 10]);
    const sent = [7, 7, 4].flatMap((count) => pushes(block.take(count)));
    expect(sent.map(({ symbol }) => symbol)).toEqual(Array.from({ length: 14 }, (_, i) => streams[i % 2]!.name));
    expect(sent.map(({ publicAggreDepths }) => Number(publicAggreDepths!.toVersion))).toEqual(
      Array.from({ length: 14 }, (_, i) => FIRST_VERSION + 1 + (i >> 1)),
    );
    for (const { publicAggreDepths } of sent) expect(publicAggreDepths!.fromVersion).toBe(publicAggreDepths!.toVersion);
    expect(block.left).toBe(6);
  });
});

describe('a symbol', () => {
  test('is the same every time', () => {
    expect(new SymbolStream(1, shape)).toEqual(streams[1]);
  });

  test('replayed over its own last book ends in the same book, is never crossed, and changes the best bid each time', () => {
    const { frames, book } = streams[0]!;
    const bids = new Map(book.bids);
    const asks = new Map(book.asks);
    for (const frame of frames) {
      const { bids: changedBids, asks: changedAsks } = decodePush(frame).publicAggreDepths!;
      expect([changedBids.length, changedAsks.length]).toEqual([5, 5]);
      expect(changedBids[0]!.price).toBe('9999.99');
      expect(changedBids[0]!.quantity).not.toBe(bids.get('9999.99'));
      for (const [side, changes] of [
        [bids, changedBids],
        [asks, changedAsks],
      ] as const) {
        for (const { price, quantity } of changes) {
          if (quantity === '0') side.delete(price);
          else side.set(price, quantity);
        }
      }
      expect(Math.max(...[...bids.keys()].map(Number))).toBeLessThan(Math.min(...[...asks.keys()].map(Number)));
    }
    const sorted = (side: ReadonlyMap<string, string>, direction: number): TextLevel[] =>
      [...side].sort(([a], [b]) => (Number(a) - Number(b)) * direction);
    expect({ bids: sorted(bids, -1), asks: sorted(asks, 1) }).toEqual(book);
  });
});
