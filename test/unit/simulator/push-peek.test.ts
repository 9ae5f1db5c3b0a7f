import { describe, expect, it } from 'vitest';
import { ErrorCode } from '../../../src/support/errors.js';
import { decodePush, encodePush } from '../../../src/simulator/push-codec.js';
import { frameBinary, framePayload } from '../../../src/simulator/push-frame.js';
import { peekDepthVersions, peekPush, truncated, withUnknownFields } from '../../../src/simulator/push-peek.js';

const push = {
  channel: 'spot@public.aggre.depth.v3.api.pb@100ms@龙虾USDT',
  symbol: '龙虾USDT',
  sendTime: 1790145447239,
  publicAggreDepths: {
    bids: [{ price: '1.5', quantity: '2' }],
    eventType: 'spot@public.aggre.depth.v3.api.pb@100ms',
    fromVersion: '7',
    toVersion: '9',
  },
};
const bytes = encodePush(push);

describe('peekPush', () => {
  it('finds channel, symbol and body', () => {
    const outline = peekPush(bytes);
    expect(outline).toMatchObject({ channel: push.channel, symbol: push.symbol, body: 313, bodyEnd: bytes.length });
    expect(peekDepthVersions(bytes, outline)).toEqual({ from: 7, to: 9 });
  });

  it('refuses what is no push', () => {
    for (const bad of [Buffer.from('{"id":0}'), Buffer.alloc(0), bytes.subarray(0, 30)]) {
      expect(() => peekPush(bad)).toThrow(expect.objectContaining({ code: ErrorCode.FRAME_MALFORMED }));
    }
  });
});

describe('spoiled pushes', () => {
  it('unknown fields leave the known ones as they were', () => {
    const spoiled = withUnknownFields(bytes);
    expect(spoiled.length).toBeGreaterThan(bytes.length);
    expect(decodePush(spoiled)).toEqual(push);
  });

  it('a truncated push cannot be decoded', () => {
    expect(() => decodePush(truncated(bytes))).toThrow(RangeError);
  });
});

describe('frameBinary', () => {
  it.each([0, 1, 125, 126, 127, 65_535, 65_536, 70_000])('frames %i bytes', (length) => {
    const payload = Buffer.alloc(length, 7);
    const frame = frameBinary(payload);
    expect(frame[0]).toBe(0x82);
    expect(Buffer.compare(framePayload(frame), payload)).toBe(0);
    expect(frame.length - length).toBe(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  });
});
